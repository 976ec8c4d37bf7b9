"""What a person asks for, as recipes over one loop: each operation's is in ``recipes.py``.

Every figure of a recipe can be overridden by ``Options``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from palimpsest.core.attention.blend import BlendSettings, LocalBlend
from palimpsest.core.attention.control import AttentionControl
from palimpsest.core.attention.cross import refine, reweight
from palimpsest.core.attention.injection import SelfControl
from palimpsest.core.attention.key_mask import KeyMask
from palimpsest.core.attention.maps import Levels, WordMaps
from palimpsest.core.attention.record import Record, recorded_levels
from palimpsest.core.attention.region_words import RegionWords
from palimpsest.core.attention.target import TargetControl
from palimpsest.core.attention.windows import Window, step_table
from palimpsest.core.colours import Colours
from palimpsest.core.editing.recipes import AS_IT_IS, FIGURES, RECIPES, Recipe
from palimpsest.core.editing.sampling import Edited, Plan, sample
from palimpsest.core.editing.trajectory import Trajectory
from palimpsest.core.inversion import Inversion, method_named, picture_size
from palimpsest.core.model import DiffusionModel
from palimpsest.core.picture.fill import harmonic_fill, widened
from palimpsest.core.process import noise_between, noised
from palimpsest.core.steps import Steps
from palimpsest.core.text.alignment import Alignment, align
from palimpsest.core.text.phrases import alone
from palimpsest.core.text.prompt import Vocabulary
from palimpsest.core.text.tokens import Prompt
from palimpsest.errors import RequestError, SelectionError

VARIATION_NOISE = 0.5
"""Share of fresh noise at every seed but 0, where the recipe has less. Variation k is what seed + k gives."""


@dataclass(frozen=True)
class Options:
    """What the user changes in a recipe; ``None`` = as the recipe says."""

    pairs: tuple[tuple[str, str], ...] = ()  # declared correspondences: source word, target word
    weights: Mapping[str, float] = field(default_factory=dict)  # factor per target word
    cross: Window | None = None  # of unchanged words and of replaced ones
    cross_words: Mapping[str, Window] = field(default_factory=dict)
    self_attention: Window | None = None
    recipe: Mapping[str, Any] = field(default_factory=dict)  # any other of its figures, by its name
    blend_include: tuple[str, ...] = ()
    blend_exclude: tuple[str, ...] = ()
    blend_settings: BlendSettings = field(default_factory=BlendSettings)
    guidance: float | None = None  # None = the inversion's
    seed: int = 0
    variations: int = 1
    maps: tuple[str, ...] = ()  # words of the source prompt whose maps are wanted
    windows: tuple[tuple[Window | None, Window | None], ...] = ()  # cross and self_attention of further rows

    @property
    def each(self) -> tuple[Options, ...]:
        """One for every pair of windows in ``windows``; itself where there is none."""
        given = [{"cross": cross, "self_attention": own} for cross, own in self.windows] or [{}]
        named = [{name: window for name, window in pair.items() if window is not None} for pair in given]
        return tuple(replace(self, windows=(), **pair) for pair in named)


@dataclass(frozen=True, eq=False)
class Views:
    """The photo with pictures of the subject in the selection, not noised yet."""

    latents: Tensor  # (n, c, h, w)
    changed: Tensor  # (n, 1, h, w): 1 in the cells that aren't the photo's


def edit(
    model: DiffusionModel,
    vocabulary: Vocabulary,
    inversion: Inversion,
    source: Prompt,
    targets: Sequence[Prompt],
    operation: str,
    options: Options | None = None,
    selection: Tensor | None = None,  # (1, 1, h, w) of 0 and 1 on the latent; None = everything
    views: Views | None = None,
    staying: Tensor | None = None,  # (1, 1, h, w), above 0 on other things, which what fills must not copy
    record: Record | None = None,  # of the photo's inversion, or of an earlier edit
    before: Trajectory | None = None,  # of an earlier edit
) -> Steps[Edited]:
    """Edit the inverted photo; one row of the result per target prompt, windows and variation, prompts
    outermost. With ``views`` the selection begins from them, seed k from the k-th, and from the first again
    after the last.

    Raises RequestError for an unknown operation or window, WordNotFoundError, SelectionError.
    """
    chosen = Options() if options is None else options
    if views is not None and selection is None:
        raise RequestError(f"{operation} can't begin from a picture of the subject without a selection.")
    if chosen.variations < 1 or not targets:
        raise RequestError(f"{chosen.variations} variations of {len(targets)} targets were asked for.")
    rows = [(prompt, one) for prompt in targets for one in chosen.each for _ in range(chosen.variations)]
    prompts = [prompt for prompt, _ in rows]
    alignments = [align(source, prompt, chosen.pairs) for prompt in prompts]
    colours = _colours(model, vocabulary, operation, source, targets[0])
    begun = selection is not None, views is not None, colours is not None
    recipes = [_recipe(operation, one, *begun) for _, one in rows]
    for row, recipe in enumerate(recipes):
        if recipe.alone and not recipe.blend:
            prompt, one = rows[row]
            prompts[row] = vocabulary.parse(alone(prompt, alignments[row]))
            alignments[row] = align(source, prompts[row])
            rows[row] = prompts[row], _for_words(one, prompt, prompts[row])
    controls = [
        _control(inversion.steps, recipe, one, alignment, prompt, selection, staying)
        for recipe, alignment, (prompt, one) in zip(recipes, alignments, rows, strict=True)
    ]
    recipe = recipes[0]  # all begin alike
    height, width = inversion.latents.shape[-2:]
    levels = Levels.of(model.network, (height, width), model.map_side)
    control = AttentionControl(controls, inversion.steps, levels)
    first = _first_step(recipe.noise, inversion.steps)
    size = picture_size(model, inversion.latents)
    cond, null = vocabulary.encode([source], size), vocabulary.null(size)
    own_null = vocabulary.null(size, with_loras=True) if vocabulary.loras else null
    plan = Plan(
        model=model,
        inversion=inversion,
        source=cond,
        targets=vocabulary.encode(prompts, size, with_loras=True),
        nulls=(cond if recipe.negative == "source" or inversion.from_caption else own_null).expand(len(rows)),
        source_null=None if inversion.from_caption else null,
        control=control,
        guidance=inversion.guidance if chosen.guidance is None else chosen.guidance,
        start=_start(model, recipe, chosen, inversion, selection, first, len(rows), views, staying, colours),
        first=first,
        blend=_blend(recipe, chosen, control, source, prompts, alignments),
        mask=selection,
        record=_record(inversion, record),
        recorded=recorded_levels(model.network, (height, width), cond.context.shape[1], inversion.levels),
        adaptation=vocabulary.adaptation(),
        adapting=tuple(vocabulary.adapting(prompts)),
        adapting_nulls=tuple(vocabulary.adapting_nulls(prompts)),
    )
    words = WordMaps(source, chosen.maps, levels.map_size) if chosen.maps else None
    return (yield from sample(plan, words, before))


def _record(inversion: Inversion, known: Record | None) -> Record | None:
    """Where what the photo's attention saw is kept. None: the method's edits don't take it from there."""
    if not method_named(inversion.method).recorded:
        return None
    return Record() if known is None else known


def levels_needed(operation: str, options: Options, steps: int, selected: bool, viewed: bool) -> int:
    """How many of the ``steps`` noise levels, from the clean end, an edit has to know of the photo; by a
    learned style as many as by a known one, though it needs fewer.

    ``viewed``: it begins from pictures of the subject. Raises RequestError, SelectionError.
    """
    return steps - _first_step(_recipe(operation, options.each[0], selected, viewed).noise, steps)


def reproduce(
    model: DiffusionModel, vocabulary: Vocabulary, inversion: Inversion, source: Prompt
) -> Steps[Edited]:
    """The photo as the source branch gives it back (``Edited.source``); nothing is edited."""
    return edit(model, vocabulary, inversion, source, [source], AS_IT_IS)


def _for_words(options: Options, prompt: Prompt, part: Prompt) -> Options:
    """What is asked of the words of ``part``. Raises WordNotFoundError for one that isn't in ``prompt``."""
    for word in (*options.weights, *options.cross_words):
        prompt.find(word)
    return replace(
        options,
        weights={word: factor for word, factor in options.weights.items() if part.contains(word)},
        cross_words={word: window for word, window in options.cross_words.items() if part.contains(word)},
    )


def _recipe(operation: str, options: Options, selected: bool, viewed: bool, styled: bool = False) -> Recipe:
    """The operation's recipe for these words with the user's changes."""
    if operation not in RECIPES:
        raise RequestError(f"There is no operation {operation!r}.", f"Known: {', '.join(RECIPES)}.")
    recipes = RECIPES[operation]
    recipe = recipes.selected if selected else recipes.unselected
    if viewed or styled:
        recipe = recipes.viewed if viewed else recipes.styled
    if recipe is None and viewed:
        raise RequestError(f"{operation} can't begin from a picture of the subject.")
    if recipe is None:
        raise SelectionError(
            f"Nothing is selected, and {operation} acts on what is selected.",
            "Select it, or turn a word's attention map into a selection first.",
        )
    windows = {"cross": options.cross, "changed": options.cross, "self_attention": options.self_attention}
    given = {name: window for name, window in windows.items() if window is not None}
    return replace(recipe, **{**given, **_known(options.recipe)})


def _colours(
    model: DiffusionModel, vocabulary: Vocabulary, operation: str, source: Prompt, target: Prompt
) -> Colours | None:
    """Of the first learned style that comes in with ``target``. None where none does, where its colours
    aren't known for this network, where it isn't known what photos have, and for other operations."""
    if operation not in RECIPES or RECIPES[operation].styled is None or not model.standard_latents:
        return None
    for concept in vocabulary.concepts:
        colours, word = concept.colours, concept.placeholder
        comes_in = target.contains(word) and not source.contains(word)
        if comes_in and colours is not None and len(colours.mean) == model.network.channels:
            return colours
    return None


def _known(figures: Mapping[str, Any]) -> Mapping[str, Any]:
    """Raises RequestError for one that recipes don't have."""
    for name in figures:
        if name not in FIGURES:
            raise RequestError(f"A recipe has no figure {name!r}.", f"Known: {', '.join(FIGURES)}.")
    return figures


def _control(
    steps: int,
    recipe: Recipe,
    options: Options,
    alignment: Alignment,
    target: Prompt,
    selection: Tensor | None,
    staying: Tensor | None,
) -> TargetControl:
    table = step_table(steps, target, recipe.cross, {})
    changed = step_table(steps, target, recipe.changed, {})
    columns = [i for word in alignment.changed_target for i in word.indices]
    table[:, columns] = changed[:, columns]
    for word, window in options.cross_words.items():
        own = list(target.span_of(word))
        table[:, own] = step_table(steps, target, window, {})[:, own]
    # A word that never follows the photo counts by its factor all the same, on its own maps.
    weighted = {i for word in options.weights for i in target.span_of(word)}
    alone = [i for i in sorted(weighted) if not table[:, i].any()]
    table[:, alone] = 1
    free = selection if recipe.free_inside else None
    return TargetControl(
        cross=reweight(refine(alignment, alone), target, options.weights),
        alpha=table,
        self_control=SelfControl(recipe.self_attention, recipe.self_limit, free),
        key_mask=None if selection is None else KeyMask(widened(selection), recipe.key_mask, unseen=staying),
        region_words=() if selection is None else _bounded(recipe, alignment, target, selection),
    )


def _bounded(
    recipe: Recipe, alignment: Alignment, target: Prompt, selection: Tensor
) -> tuple[RegionWords, ...]:
    """The words that may not be seen from everywhere."""
    if recipe.words_inside:
        tokens, region = sorted(alignment.inserted), selection
    elif recipe.words_outside:
        named = (word.indices for word in target.words if word.kind != "mark")
        tokens, region = [i for indices in named for i in indices], 1 - widened(selection)
    else:
        return ()
    return (RegionWords(tuple(tokens), region),) if tokens else ()


def _first_step(noise: float, steps: int) -> int:
    """The step that sampling begins at; behind the last one where there is no noise to take away."""
    return min(round((1 - noise) * steps), steps - 1) if noise > 0 else steps


def _start(
    model: DiffusionModel,
    recipe: Recipe,
    options: Options,
    inversion: Inversion,
    selection: Tensor | None,
    first: int,
    wanted: int,  # rows
    views: Views | None,
    staying: Tensor | None,
    colours: Colours | None,
) -> Tensor:
    """The targets' first latents: the photo's pivot, but inside the selection another picture
    (``fill``, ``views``, ``colours``) or other noise (``renoise``), both at the same noise level. Where a
    view is the photo, so is its noise."""
    pivot, z0 = inversion.before(first), inversion.latents[0]
    region = torch.ones_like(z0[:, :1]) if selection is None else selection.to(z0)
    shown = z0 if colours is None else colours.given_to(z0)
    contents = _contents(recipe, shown, region, None if views is None else views.latents, staying)
    rows = []
    for seed in range(options.seed, options.seed + options.variations):
        content, share = contents[seed % len(contents)][None], recipe.renoise
        if seed != 0:
            share = max(share, VARIATION_NOISE)
        unchanged = share == 0 and contents is z0  # then not through the rounding of the noising
        inside = pivot if unchanged else _noised(model, content, inversion, first, share, seed)
        if views is not None:
            own = _noised(model, content, inversion, first, 0.0, seed)
            inside = torch.where(views.changed[seed % len(contents)].to(z0) > 0, inside, own)
        rows.append(torch.where(region > 0, inside, pivot))
    return torch.cat(rows).repeat(wanted // len(rows), 1, 1, 1)


def _contents(
    recipe: Recipe, z0: Tensor, region: Tensor, views: Tensor | None, staying: Tensor | None
) -> Tensor:
    """The pictures that the selection may begin from, one or more (n, c, h, w), not noised yet."""
    if views is not None:
        return views.to(z0)
    if not recipe.fill:
        return z0
    going = widened(region)
    wider = going if staying is None else going + widened(staying.to(z0))
    return harmonic_fill(z0, going if bool((wider > 0).all()) else wider)


def _noised(
    model: DiffusionModel, content: Tensor, inversion: Inversion, first: int, share: float, seed: int
) -> Tensor:
    """``content`` at the noise level of step ``first``: the photo's own noise, with a ``share`` of fresh one.
    Behind the last step there is none."""
    if first == inversion.steps:
        return content
    level, z0 = inversion.levels[first], inversion.latents[0]
    eps = noise_between(model.process, inversion.before(first), z0, level)
    generator = torch.Generator().manual_seed(seed)
    fresh = torch.randn(z0.shape, generator=generator).to(z0)
    return noised(model.process, content, (1 - share**2) ** 0.5 * eps + share * fresh, level)


def _blend(
    recipe: Recipe,
    options: Options,
    control: AttentionControl,
    source: Prompt,
    targets: Sequence[Prompt],
    alignments: Sequence[Alignment],
) -> LocalBlend | None:
    if not recipe.blend:
        return None
    changed = [
        word.text
        for alignment in alignments
        for word in (*alignment.changed_source, *alignment.changed_target)
        if word.kind != "mark"
    ]
    include = options.blend_include if options.blend_include else tuple(dict.fromkeys(changed))
    if not include:
        return None  # the prompts are the same: nothing to blend by, and nothing to bound
    return LocalBlend(control, source, targets, include, options.blend_exclude, options.blend_settings)
