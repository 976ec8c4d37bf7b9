"""The recipes: every operation does what it says to the selection, and nothing to the rest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, replace
from typing import Any

import pytest
import torch

from explicit_path import WAYS, explicit
from palimpsest.core.attention.windows import NEVER, WHOLE
from palimpsest.core.colours import Colours
from palimpsest.core.editing.edit import Options, Views, edit
from palimpsest.core.editing.recipes import FIGURES, RECIPES
from palimpsest.core.editing.sampling import Edited
from palimpsest.core.model import DiffusionModel
from palimpsest.core.picture.fill import harmonic_fill
from palimpsest.core.steps import finish
from palimpsest.core.text.prompt import concepts_installed
from palimpsest.errors import RequestError, SelectionError, WordNotFoundError
from palimpsest_client.fields.operations import NEEDED, OPERATIONS
from tiny import tiny_model
from tiny_edit import SIZE, inverted, photo, toy

SOURCE = "a photo of a cat and a dog on grass"
TARGETS = {
    "replace": "a photo of a <my-toy> and a dog on grass",
    "insert": "a photo of a cat and a dog and a <my-toy> on grass",
    "restyle": "an oil painting of a cat and a dog on grass",
    "remove": "a photo of a dog on grass",
    "reweight": SOURCE,
}
COLOURS = Colours(torch.tensor([1.0, -2.0, 0.0, 0.5]), torch.tensor([0.1, 2.0, 1.0, 0.5]))
WEIGHTS = {"reweight": {"cat": 3.0}}


def selection() -> torch.Tensor:
    mask = torch.zeros(1, 1, *SIZE)
    mask[..., 2:7, 1:6] = 1
    return mask


def done(
    model: DiffusionModel,
    operation: str,
    options: Options | None = None,
    selected: bool = True,
    method: str = "direct",
    target: str | None = None,
    views: Views | None = None,
    staying: torch.Tensor | None = None,
) -> Edited:
    chosen = Options(weights=WEIGHTS.get(operation, {})) if options is None else options
    with concepts_installed(model, [toy(model)]) as vocabulary:
        source = vocabulary.parse(SOURCE)
        inversion = inverted(model, vocabulary, source, method, inner_steps=1, steps=5)
        return finish(
            edit(
                model,
                vocabulary,
                inversion,
                source,
                [vocabulary.parse(TARGETS[operation] if target is None else target)],
                operation,
                chosen,
                selection() if selected else None,
                views,
                staying,
            )
        )


@pytest.mark.parametrize("operation", RECIPES)
def test_each_operation_changes_the_selection_and_nothing_else(model: DiffusionModel, operation: str) -> None:
    difference = (done(model, operation).latents - photo()).abs()
    inside = selection().expand_as(difference) > 0
    assert difference[~inside].max() == 0
    assert difference[inside].mean() > 1e-3
    assert torch.isfinite(difference).all()


@pytest.mark.parametrize("operation", RECIPES)
def test_each_operation_is_the_same_on_the_fused_and_the_explicit_path(operation: str) -> None:
    model = tiny_model("sd2")
    fused = done(model, operation).latents
    with explicit():
        assert (fused - done(model, operation).latents).abs().max() <= 1e-4


@pytest.mark.parametrize("operation", ["replace", "insert", "restyle", "reweight"])
def test_each_operation_but_remove_works_without_a_selection(operation: str) -> None:
    edited = done(tiny_model("sdxl"), operation, selected=False)
    assert torch.isfinite(edited.latents).all()
    assert (edited.latents - photo()).abs().max() > 1e-3


def test_what_is_removed_is_not_filled_by_what_stays_beside_it() -> None:
    model, beside = tiny_model("sd1"), torch.zeros(1, 1, *SIZE)
    beside[..., 2:7, 7:] = 1
    inside = selection().expand_as(photo()) > 0
    as_before, apart = (done(model, "remove", staying=mask).latents for mask in (None, beside))
    assert (apart - as_before).abs()[inside].mean() > 1e-3
    assert torch.equal(apart[~inside], photo()[~inside])
    everything = done(model, "remove", staying=torch.ones(1, 1, *SIZE)).latents
    assert torch.equal(everything, as_before), "where nothing else is left, all of it counts"


def test_what_to_remove_must_be_selected() -> None:
    with pytest.raises(SelectionError, match="remove"):
        done(tiny_model("sd1"), "remove", selected=False)


def test_variations_differ_inside_the_selection_only_and_the_first_is_the_edit_itself() -> None:
    model = tiny_model("sd1")
    one = done(model, "replace").latents
    three = done(model, "replace", Options(variations=3)).latents
    assert three.shape[0] == 3
    assert (three[:1] - one).abs().max() < 1e-4
    outside = selection().expand_as(three) == 0
    assert (three - photo()).abs()[outside].max() == 0
    assert (three[1] - three[0]).abs().max() > 1e-3
    assert (three[2] - three[1]).abs().max() > 1e-3


@pytest.mark.parametrize("operation", RECIPES)
def test_another_seed_gives_another_result_and_so_do_the_variations(operation: str) -> None:
    model = tiny_model("sd1")
    first, again, other = (done(model, operation, Options(seed=seed)).latents for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert (first - other).abs().max() > 1e-3
    variations = done(model, operation, Options(variations=2)).latents
    assert (variations - torch.cat([first, other])).abs().max() < 1e-4


def test_the_users_windows_override_the_recipe() -> None:
    model = tiny_model("sd1")
    usual = done(model, "replace").latents
    for options in (
        Options(cross=(0.0, 0.8)),
        Options(cross_words={"<my-toy>": (0.0, 1.0)}),
        Options(self_attention=(0.0, 1.0), cross=(0.0, 1.0), recipe={"self_limit": 1.0}),
        Options(weights={"<my-toy>": 4.0}),
        Options(guidance=7.0),
    ):
        assert (done(model, "replace", options).latents - usual).abs().max() > 1e-4


def test_a_learned_word_that_begins_from_no_view_has_the_recipe_of_known_ones() -> None:
    model = tiny_model("sd1")
    told = Options(cross=(0.0, 0.8), cross_words={"<my-toy>": (0.0, 0.4)})
    assert torch.equal(done(model, "replace").latents, done(model, "replace", told).latents)
    free = done(model, "replace", Options(cross=(0.0, 0.0))).latents
    assert (done(model, "replace").latents - free).abs().max() > 1e-3
    other = "a photo of a cat and a dog with a <my-toy> on grass"
    assert not torch.equal(done(model, "insert").latents, done(model, "insert", target=other).latents)


def test_what_begins_from_a_view_is_told_of_alone() -> None:
    model, laid = tiny_model("sd1"), views(1)
    inserted = done(model, "insert", views=laid).latents
    other = "a photo of a cat and a horse and a dog and a <my-toy> on grass"
    for target in ("a photo of a cat and a dog with a <my-toy> on grass", other.replace("horse and a ", "")):
        assert torch.equal(inserted, done(model, "insert", target=target, views=laid).latents)
    assert not torch.equal(inserted, done(model, "insert", target=other, views=laid).latents)
    weights = {"dog": 2.0, "<my-toy>": 1.0}
    whole = done(model, "insert", Options(weights=weights), views=laid).latents
    assert (whole - inserted).abs().max() < 1e-4, "a factor of a word that isn't told of"
    with pytest.raises(WordNotFoundError):
        done(model, "insert", Options(weights={"horse": 2.0}), views=laid)


def views(count: int) -> Views:
    """Other pictures altogether."""
    latents = torch.cat([photo(seed=10 + k) for k in range(count)])
    return Views(latents, torch.ones_like(latents[:, :1]))


def chosen(laid: Views, places: Sequence[int]) -> Views:
    return Views(laid.latents[list(places)], laid.changed[list(places)])


@pytest.mark.parametrize("operation", ["insert", "replace"])
def test_what_is_not_noised_comes_back_inside_the_selection_to_the_bit(operation: str) -> None:
    model, laid = tiny_model("sd1"), views(2)
    edited = done(model, operation, Options(recipe={"noise": 0.0}, variations=3), views=laid)
    inside = selection() > 0
    for number, latent in enumerate(edited.latents):
        expected = torch.where(inside, laid.latents[number % 2][None], photo())
        assert torch.equal(latent[None], expected)
    assert edited.evaluations == 0


IN_STYLE = "a <my-style> of a cat and a dog on grass"


def styled(
    model: DiffusionModel, colours: Colours | None, operation: str = "restyle", source: str = SOURCE
) -> torch.Tensor:
    """What a learned style's edit begins from: nothing is noised, so it is what comes out."""
    style = replace(toy(model, "<my-style>"), kind="style", colours=colours)
    with concepts_installed(model, [style]) as vocabulary:
        parsed = vocabulary.parse(source)
        inversion = inverted(model, vocabulary, parsed, steps=5)
        options = Options(recipe={"noise": 0.0})
        target = vocabulary.parse(IN_STYLE)
        steps = edit(model, vocabulary, inversion, parsed, [target], operation, options, selection())
        return finish(steps).latents


def test_a_learned_style_begins_from_the_photo_in_its_colours() -> None:
    model = replace(tiny_model("sd1"), standard_latents=True)
    inside = selection() > 0
    assert torch.equal(styled(model, COLOURS), torch.where(inside, COLOURS.given_to(photo()), photo()))


def test_it_begins_from_the_photo_where_the_colours_say_nothing() -> None:
    """They aren't known; it isn't known what photos have; the photo is in the style; things are replaced."""
    plain = tiny_model("sd1")
    model = replace(plain, standard_latents=True)
    assert torch.equal(styled(model, None), photo())
    assert torch.equal(styled(plain, COLOURS), photo())
    assert torch.equal(styled(model, COLOURS, source=IN_STYLE.replace("cat", "bird")), photo())
    assert torch.equal(styled(model, COLOURS, operation="replace"), photo())


@pytest.mark.parametrize("operation", ["insert", "replace"])
def test_an_edit_that_begins_from_views_takes_another_one_for_each_variation(operation: str) -> None:
    model, laid = tiny_model("sd1"), views(2)
    two = done(model, operation, Options(variations=2), views=laid).latents
    for number in (0, 1):
        alone = done(model, operation, Options(seed=number), views=chosen(laid, (0, number))).latents
        assert (two[number] - alone[0]).abs().max() < 1e-4
    outside = selection().expand_as(two) == 0
    assert (two - photo()).abs()[outside].max() == 0
    other = done(model, operation, Options(variations=2), views=chosen(laid, (1, 0))).latents
    assert (two - other).abs().amax(dim=(1, 2, 3)).min() > 1e-3


def test_where_a_view_is_the_photo_its_noise_is_too() -> None:
    """Without the words, sampling then gives the photo back."""
    model, laid = tiny_model("sd1"), views(1)
    untouched = Views(photo(), torch.zeros_like(laid.changed))
    plain = Options(guidance=1.0, recipe={"noise": 0.5, "alone": False, "words_inside": False})
    same = done(model, "replace", plain, target=SOURCE, views=untouched).latents
    fresh = done(model, "replace", plain, target=SOURCE, views=Views(photo(), laid.changed)).latents
    error, other = ((made - photo()).abs().max() for made in (same, fresh))
    assert error < 0.1 * other


@pytest.mark.parametrize(("operation", "selected"), [("insert", False), ("remove", True), ("restyle", True)])
def test_views_are_for_what_is_put_into_a_selection(operation: str, selected: bool) -> None:
    with pytest.raises(RequestError, match="picture of the subject"):
        done(tiny_model("sd1"), operation, selected=selected, views=views(1))


@pytest.mark.parametrize("operation", ["replace", "insert"])
def test_a_words_factor_counts_though_it_never_follows_the_photo(operation: str) -> None:
    model, laid = tiny_model("sd1"), views(1)
    usual, as_it_is, loud = (
        done(model, operation, Options(weights=weights), views=laid).latents
        for weights in ({}, {"<my-toy>": 1.0}, {"<my-toy>": 4.0})
    )
    assert (usual - as_it_is).abs().max() < 1e-4
    assert (usual - loud).abs().max() > 1e-3


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("operation", "word"), [("insert", "<my-toy>"), ("remove", "grass")])
def test_a_factor_alone_costs_no_evaluations(
    operation: str, word: str, way: Callable[[], AbstractContextManager[None]]
) -> None:
    """No word follows the photo here, so the source has nothing to do in the batch."""
    model = tiny_model("sd1")
    with way():
        usual, loud = (done(model, operation, Options(weights=weights)) for weights in ({}, {word: 4.0}))
    assert usual.evaluations == loud.evaluations
    assert (usual.latents - loud.latents).abs().max() > 1e-4


def test_both_ways_of_attention_give_a_factor_alone_the_same_meaning() -> None:
    model, loud = tiny_model("sd1"), Options(weights={"<my-toy>": 4.0})
    fused = done(model, "insert", loud).latents
    with explicit():
        reference = done(model, "insert", loud).latents
    assert (fused - reference).abs().max() < 1e-4


def test_maps_of_words_come_with_the_edit() -> None:
    edited = done(tiny_model("sd1"), "replace", Options(maps=("cat", "grass")))
    assert {word: tuple(found.shape) for word, found in edited.maps.items()} == {"cat": SIZE, "grass": SIZE}


@pytest.mark.parametrize(
    ("options", "error"),
    [
        (Options(weights={"horse": 2.0}), WordNotFoundError),
        (Options(cross_words={"horse": 0.5}), WordNotFoundError),
        (Options(pairs=(("horse", "dog"),)), WordNotFoundError),
        (Options(maps=("horse",)), WordNotFoundError),
        (Options(recipe={"blend": True}, blend_include=("horse",)), WordNotFoundError),
        (Options(cross=(0.9, 0.1)), RequestError),
        (Options(self_attention=2.0), RequestError),
        (Options(variations=0), RequestError),
    ],
)
def test_impossible_wishes_are_refused_before_the_model_is_touched(
    options: Options, error: type[Exception]
) -> None:
    model = tiny_model("sd1")
    processors = model.network.module.attn_processors
    with pytest.raises(error):
        done(model, "replace", options)
    assert model.network.module.attn_processors == processors


def test_an_unknown_operation_is_refused_by_name() -> None:
    model = tiny_model("sd1")
    with concepts_installed(model, []) as vocabulary:
        source = vocabulary.parse(SOURCE)
        inversion = inverted(model, vocabulary, source)
        with pytest.raises(RequestError, match="teleport"):
            finish(edit(model, vocabulary, inversion, source, [source], "teleport"))


def test_a_fill_continues_its_surroundings() -> None:
    ramp = torch.linspace(0, 1, SIZE[1]).expand(1, 4, *SIZE).clone()
    damaged = torch.where(selection() > 0, torch.full_like(ramp, 9.0), ramp)
    filled = harmonic_fill(damaged, selection())
    assert torch.equal(filled[..., 8:], ramp[..., 8:])
    assert (filled - ramp).abs().max() < 0.15
    assert torch.isfinite(harmonic_fill(damaged, torch.ones(1, 1, *SIZE))).all()


OTHERS: dict[str, tuple[str, Any]] = {  # figure → an operation, and a value that its recipe doesn't have
    "cross": ("replace", NEVER),
    "changed": ("replace", WHOLE),
    "self_attention": ("replace", WHOLE),
    "self_limit": ("restyle", 0.25),
    "free_inside": ("replace", False),
    "blend": ("reweight", True),
    "noise": ("replace", 0.5),
    "renoise": ("replace", 1.0),
    "fill": ("replace", True),
    "key_mask": ("replace", WHOLE),
    "negative": ("replace", "source"),
    "words_inside": ("insert", False),
    "words_outside": ("replace", True),
    "alone": ("insert", True),
}


@pytest.mark.parametrize("figure", FIGURES)
def test_every_figure_of_a_recipe_can_be_overridden_and_counts(figure: str) -> None:
    operation, value = OTHERS[figure]
    model, told = tiny_model("sd1"), {figure: value}
    assert getattr(RECIPES[operation].selected, figure) != value
    other = done(model, operation, Options(recipe=told)).latents
    assert not torch.equal(other, done(model, operation).latents)
    assert torch.equal(other, done(model, operation, Options(recipe=told)).latents)


@pytest.mark.parametrize("operation", RECIPES)
def test_a_recipe_with_all_figures_of_another_is_the_other(operation: str) -> None:
    """So each override is what the recipe itself would say."""
    model, target = tiny_model("sd1"), TARGETS[operation]
    own = done(model, operation, Options(), target=target)
    like = Options(recipe=asdict(RECIPES[operation].selected))
    for other in RECIPES:
        made = done(model, other, like, target=target)
        assert torch.equal(made.latents, own.latents), other
        assert made.evaluations == own.evaluations, other


def test_a_figure_that_recipes_do_not_have_is_refused_by_name() -> None:
    with pytest.raises(RequestError, match="'crosss'") as refused:
        done(tiny_model("sd1"), "replace", Options(recipe={"crosss": WHOLE}))
    assert all(name in refused.value.hint for name in FIGURES)


@pytest.mark.parametrize("name", OPERATIONS)
def test_what_is_known_of_an_operation_is_what_its_recipe_can_do(name: str) -> None:
    known, recipes = OPERATIONS[name], RECIPES[name]
    assert (recipes.viewed is not None) == bool(known.begins), "only what can be told can begin from a view"
    assert (recipes.unselected is None) == (known.selection == NEEDED)
    cross, own = recipes.selected.cross, recipes.selected.self_attention
    if cross == NEVER:
        assert known.windows is None
    else:
        assert isinstance(cross, tuple)
        assert isinstance(own, tuple)
        assert known.windows == (cross[1], own[1])
