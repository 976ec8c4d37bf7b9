"""An edit from stored pictures to stored pictures: nothing outside changes, same request same bytes."""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from palimpsest.contract import Control, EditRequest, InversionSettings, InvertRequest, request_of
from palimpsest.core.count import counted
from palimpsest.core.model import DiffusionModel
from palimpsest.core.picture import composite, region
from palimpsest.core.picture.selection import grown
from palimpsest.errors import (
    ConceptIncompatibleError,
    ConceptNotFoundError,
    DiskFullError,
    ImageTooSmallError,
    OutOfMemoryError,
    PromptTooLongError,
    RequestError,
    SelectionEmptyError,
    SelectionError,
    SelectionSizeError,
    Text,
    WordNotFoundError,
)
from palimpsest.jobs.events import Progressed
from palimpsest.storage.concept_card import Provenance
from palimpsest.storage.pictures import read_picture, read_selection
from palimpsest.storage.png import encode
from palimpsest.tasks import canvas
from palimpsest.tasks.recipe import differences
from palimpsest.tasks.runner import TaskRunner
from tasks.edit_requests import OPERATIONS, STEPS, request, run
from tiny_task import finish, picture, selection


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_operation_changes_the_selection_and_nothing_else(
    operation: str, runner: TaskRunner, sd1_folder: Path
) -> None:
    made = request(runner, sd1_folder, operation=operation, **OPERATIONS[operation])
    finished = run(runner, made)
    before = read_picture(runner.images.get(made.image)).pixels
    after = read_picture(runner.images.get(finished.artifacts["composite"])).pixels
    layer = read_picture(runner.images.get(finished.artifacts["layer"]))
    grow = 8 if operation in ("replace", "remove") else 0
    assert finished.result["grown"] == finished.result["recipe"]["request"]["grow"] == grow
    mask = grown(read_selection(runner.images.get(made.selection or ""), (72, 88)), grow)
    assert layer.alpha is not None
    assert np.array_equal(after[mask == 0], before[mask == 0])
    assert not layer.alpha[mask == 0].any()
    assert (after != before).any()
    assert finished.result["pixels_changed_outside"] == 0


def test_the_same_request_gives_the_same_bytes_remembered_or_not(
    runner: TaskRunner, sd1_folder: Path
) -> None:
    made = request(runner, sd1_folder, maps=True, variations=2)
    cold = run(runner, made)
    runner.trajectory = None
    warm = run(runner, made)
    assert (cold.result["remembered"], warm.result["remembered"]) == (False, True)
    assert warm.result["unet_evaluations"] == cold.result["unet_evaluations"] - STEPS
    runner.inversions.clear()
    assert cold.artifacts == warm.artifacts == run(runner, made).artifacts
    assert {"layer", "layer:2", "map:cat", "map:grass", "reconstruction"} <= set(cold.artifacts)
    assert cold.artifacts["layer"] != cold.artifacts["layer:2"]


@pytest.mark.parametrize("variations", [1, 3])
def test_each_picture_is_decoded_once(
    runner: TaskRunner, sd1_folder: Path, monkeypatch: pytest.MonkeyPatch, variations: int
) -> None:
    """Each result, and the photo by the autoencoder alone, which is what the direct method reproduces."""
    decoded: list[Tensor] = []
    decode = DiffusionModel.decode

    def seen(model: DiffusionModel, z: Tensor) -> Tensor:
        decoded.extend(z)
        return decode(model, z)

    monkeypatch.setattr(DiffusionModel, "decode", seen)
    runner.previews = False
    run(runner, request(runner, sd1_folder, variations=variations))
    assert len(decoded) == variations + 1


def test_a_photo_is_remembered_as_far_as_an_edit_begins_and_gone_on_with_by_the_next(
    runner: TaskRunner, sd1_folder: Path
) -> None:
    """Removing begins at half of the noise; what replaces afterwards is what it is without that."""
    remove, replaced = (
        request(runner, sd1_folder, operation=name, **OPERATIONS[name]) for name in ("remove", "replace")
    )
    half = run(runner, remove).result["unet_evaluations"]
    assert half == STEPS // 2 + 2 * (STEPS // 2), "the photo, the target with words and without"
    after = run(runner, replaced)
    runner.trajectory = None
    again = run(runner, replaced)
    assert (after.result["remembered"], again.result["remembered"]) == (False, True)
    assert after.result["unet_evaluations"] == again.result["unet_evaluations"] + STEPS // 2
    runner.inversions.clear()
    alone = run(runner, replaced)
    assert alone.result["unet_evaluations"] == after.result["unet_evaluations"] + STEPS // 2
    assert after.artifacts == again.artifacts == alone.artifacts


def test_what_attention_saw_of_the_last_photo_is_kept_while_it_is_remembered(
    runner: TaskRunner, sd1_folder: Path
) -> None:
    """Another photo's takes its place; looked at again, after a restart say, the bytes are the same."""
    whole = Control(cross=(0.0, 1.0), self_attention=(0.0, 1.0))
    made = request(runner, sd1_folder, control=whole, variations=2)
    seed, photo = replace(made, seed=5), replace(made, image=runner.images.put(picture(seed=9)))
    cold, hot, _, again = (run(runner, asked) for asked in (made, seed, photo, seed))
    targets = 2 * made.variations * STEPS
    costs = [done.result["unet_evaluations"] for done in (cold, hot, again)]
    assert costs == [STEPS + targets, targets, STEPS + targets]
    assert hot.artifacts == again.artifacts
    assert again.result["remembered"]
    runner.inversions.clear()
    assert run(runner, made).result["unet_evaluations"] == STEPS + targets, "forgotten with the photo"


def test_steps_that_the_last_edit_has_taken_are_not_taken_again(runner: TaskRunner, sd1_folder: Path) -> None:
    """What is drafted is there when it is applied; a softer edge, or a slider that acts late, samples the
    rest."""
    made = request(runner, sd1_folder, control=Control(cross=(0.0, 1.0)), grow=4)
    run(runner, made)
    softer, late = replace(made, feather=2), replace(made, control=Control(cross=(0.0, 0.75)))
    for changed, steps in ((softer, 0), (replace(made, draft=True), 0), (made, 0), (late, 1)):
        with counted(runner.models.get(made.model)) as count:
            hot = run(runner, changed)
        assert count.evaluations == 2 * steps
        runner.trajectory = None
        assert run(runner, changed).artifacts == hot.artifacts
    runner.inversions.clear()
    assert run(runner, made).result["unet_evaluations"] == 3 * STEPS, "forgotten with the photo"


@pytest.mark.parametrize("other", ["weights", "precision", "torch"])
def test_a_photo_remembered_by_another_model_or_torch_is_remembered_anew(
    other: str, runner: TaskRunner, sd1_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = request(runner, sd1_folder)
    run(runner, made)
    model = runner.models.get(made.model)
    if other == "weights":
        monkeypatch.setattr(runner.models, "_model", replace(model, weights_hash="f" * 64))
    elif other == "precision":
        model.network.module.to(torch.bfloat16)
    else:
        monkeypatch.setattr(torch, "__version__", "1.0")
    again = run(runner, made)
    assert not again.result["remembered"]
    assert again.result["unet_evaluations"] == 3 * STEPS, (
        "neither what attention saw nor a step is taken over"
    )


def test_with_a_full_disk_an_edit_is_done_and_says_that_its_photo_is_not_remembered(
    runner: TaskRunner, sd1_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise DiskFullError(Text("disk-full", place="cache"))

    made = request(runner, sd1_folder)
    usual = run(runner, made)
    runner.inversions.clear()
    monkeypatch.setattr("palimpsest.storage.inversions.write_atomically", full)
    told = str(Text("photo-not-kept"))
    for _ in range(2):
        done = run(runner, made)
        assert done.artifacts == usual.artifacts
        assert told in done.result["notices"]
        assert not done.result["remembered"]
    ahead = InvertRequest(made.image, made.source_prompt, model=made.model, inversion=made.inversion)
    assert told in finish(runner.do(ahead)).result["notices"]
    assert told not in usual.result["notices"]


def test_a_photo_that_is_over_the_limit_is_not_blamed_on_the_disk(
    runner: TaskRunner, sd1_folder: Path
) -> None:
    runner.inversions.limit = 1
    notices = run(runner, request(runner, sd1_folder)).result["notices"]
    assert str(Text("photo-over-limit")) in notices
    assert str(Text("photo-not-kept")) not in notices


def test_where_nothing_is_to_be_remembered_nothing_is_said_of_it(
    runner: TaskRunner, sd1_folder: Path
) -> None:
    runner.inversions.limit = 0
    told = run(runner, request(runner, sd1_folder)).result["notices"]
    assert not {str(Text("photo-not-kept")), str(Text("photo-over-limit"))} & {*told}


def test_what_is_kept_in_memory_for_the_next_edit_is_told(runner: TaskRunner, sd1_folder: Path) -> None:
    assert set(runner.kept().values()) == {0}
    made = request(runner, sd1_folder)
    run(runner, made)
    kept = runner.status()["kept"]
    assert runner.record is not None
    assert runner.trajectory is not None
    latents = runner.trajectory.reached[0].latents.nbytes
    photo = runner.decoded.picture(made.image).pixels.nbytes
    assert kept["attention"] == runner.record[1].size > 0
    assert kept["steps"] > STEPS * latents
    assert kept["drawings"] == 0
    assert kept["pictures"] > photo


def test_a_late_slider_is_as_quick_without_a_selection_and_with_maps(
    runner: TaskRunner, sd1_folder: Path
) -> None:
    whole, late = Control(cross=(0.0, 1.0)), Control(cross=(0.0, 0.75))
    made = request(runner, sd1_folder, control=whole, selection=None, maps=True)
    run(runner, made)
    with counted(runner.models.get(made.model)) as count:
        hot = run(runner, replace(made, control=late))
    assert count.evaluations == 2
    assert any(name.startswith("map:") for name in hot.artifacts)
    runner.trajectory = None
    assert run(runner, replace(made, control=late)).artifacts == hot.artifacts


@pytest.mark.parametrize(("width", "height"), [(72, 88), (1600, 700), (700, 1600)])
def test_every_variation_has_a_small_picture_of_what_became_of_its_region(
    width: int, height: int, runner: TaskRunner, sd1_folder: Path
) -> None:
    """At every size of photo: the surroundings are in it, and it fits a strip of results."""
    finished = run(
        runner,
        request(
            runner,
            sd1_folder,
            image=runner.images.put(picture(width, height)),
            selection=runner.images.put(selection(width, height)),
            variations=3,
        ),
    )
    left, top, right, bottom = finished.result["recipe"]["region"]["box"]
    for suffix in ("", ":2", ":3"):
        small = small_picture(runner, finished.artifacts["thumbnail" + suffix])
        merged = read_picture(runner.images.get(finished.artifacts["composite" + suffix])).pixels
        assert max(small.shape[:2]) <= 256
        whole = Image.fromarray(merged[top:bottom, left:right])
        whole = whole.resize(small.shape[1::-1], Image.Resampling.BOX)
        assert np.abs(np.asarray(whole, float) - small).mean() < 3
    assert len({finished.artifacts["thumbnail" + suffix] for suffix in ("", ":2", ":3")}) == 3


def test_a_small_picture_shows_no_colours_that_lie_under_transparency(
    runner: TaskRunner, sd1_folder: Path
) -> None:
    pixels = np.zeros((88, 72, 4), np.uint8)
    pixels[40:, :, 3] = 255
    image = runner.images.put(encode(pixels))
    finished = run(runner, request(runner, sd1_folder, image=image))
    assert small_picture(runner, finished.artifacts["thumbnail"])[:10].min() > 240


def small_picture(runner: TaskRunner, image: str) -> np.ndarray:
    """Of a size that no photo may have."""
    with Image.open(io.BytesIO(runner.images.get(image))) as found:
        assert found.format == "PNG"
        return np.asarray(found.convert("RGB"))


def test_another_seed_gives_other_bytes_where_noise_is_drawn(runner: TaskRunner, sd1_folder: Path) -> None:
    made = request(runner, sd1_folder, operation="remove", target_prompt="grass")
    first, second = run(runner, made), run(runner, replace(made, seed=1))
    assert first.artifacts["layer"] != second.artifacts["layer"]


@pytest.mark.parametrize("method", ["direct", "null-text", "ddim"])
def test_every_way_to_remember_can_be_edited_from(method: Any, runner: TaskRunner, sd1_folder: Path) -> None:
    settings = InversionSettings(method=method, steps=STEPS, guidance=3.0, inner_steps=2)
    finished = run(runner, request(runner, sd1_folder, inversion=settings))
    assert finished.result["pixels_changed_outside"] == 0
    if method == "direct":
        assert finished.result["reconstruction_psnr"] == finished.result["roundtrip_psnr"]


def test_what_was_selected_is_edited_fully_and_growing_is_told(runner: TaskRunner, sd1_folder: Path) -> None:
    """The soft edge of a grown selection lies around what was selected."""
    made = request(runner, sd1_folder, operation="remove", target_prompt="grass", grow=5, feather=8)
    finished = run(runner, made)
    before = read_picture(runner.images.get(made.image)).pixels
    after = read_picture(runner.images.get(finished.artifacts["composite"])).pixels
    layer = read_picture(runner.images.get(finished.artifacts["layer"]))
    mask = read_selection(selection(), (72, 88))
    assert layer.alpha is not None
    assert (layer.alpha[mask > 0] == 255).all()
    edge = layer.alpha[(mask == 0) & (grown(mask, 5) > 0)]
    assert 0 < edge.min() < 64
    assert np.median(edge) < 192
    added = (before != after).any(axis=-1) & (mask == 0)
    assert finished.result["pixels_changed_by_growing"] == added.sum() > 0
    assert finished.result["pixels_changed_outside"] == 0
    assert not added[grown(mask, 5) == 0].any()


def test_without_growing_the_soft_edge_lies_inside(runner: TaskRunner, sd1_folder: Path) -> None:
    finished = run(runner, request(runner, sd1_folder, grow=0, feather=3))
    layer = read_picture(runner.images.get(finished.artifacts["layer"]))
    mask = read_selection(selection(), (72, 88))
    assert layer.alpha is not None
    assert not layer.alpha[mask == 0].any()
    assert set(layer.alpha[mask > 0].tolist()) > {64, 255}
    assert finished.result["pixels_changed_by_growing"] == 0


def test_nothing_selected_is_nothing_grown(runner: TaskRunner, sd1_folder: Path) -> None:
    finished = run(runner, request(runner, sd1_folder, selection=None, grow=7))
    assert finished.result["recipe"]["request"]["grow"] == finished.result["grown"] == 0


def test_a_photo_that_was_remembered_is_known_to_an_edit_that_grows(
    runner: TaskRunner, sd1_folder: Path
) -> None:
    """Growing changes what may change and not what the model looks at."""
    made = request(runner, sd1_folder, operation="remove", target_prompt="grass", grow=8)
    seen = InvertRequest(
        made.image, made.source_prompt, made.selection, made.model, made.inversion, made.context
    )
    list(runner.do(seen))
    assert run(runner, made).result["remembered"]


def test_a_learned_word_takes_part_in_an_edit(runner: TaskRunner, sd1_folder: Path) -> None:
    learn_by_hand(runner, sd1_folder)
    target = "a photo of a <my-toy> on grass"
    with_word = run(runner, request(runner, sd1_folder, target_prompt=target))
    assert list(with_word.result["recipe"]["concepts"]) == ["<my-toy>"]
    assert with_word.artifacts != run(runner, request(runner, sd1_folder)).artifacts


def learn_by_hand(runner: TaskRunner, folder: Path, family: str = "sd1") -> None:
    from palimpsest.core.concept import Concept

    rows = torch.randn(2, 24, generator=torch.Generator().manual_seed(5)) * 0.1
    concept = Concept("<my-toy>", (rows,), family, "subject", "toy")
    runner.concepts.save(concept, Provenance(), replace=True)


def test_sixteen_bits_stay_sixteen_bits(runner: TaskRunner, sd1_folder: Path) -> None:
    image = runner.images.put(picture(depth=np.uint16))
    finished = run(runner, request(runner, sd1_folder, image=image, grow=0))
    before, after = (read_picture(runner.images.get(i)) for i in (image, finished.artifacts["composite"]))
    mask = read_selection(selection(), (72, 88))
    assert after.depth == 16
    assert np.array_equal(after.pixels[mask == 0], before.pixels[mask == 0])


def test_nothing_selected_means_everything(runner: TaskRunner, sd1_folder: Path) -> None:
    finished = run(runner, request(runner, sd1_folder, selection=None))
    assert finished.result["pixels_changed_outside"] == 0


def test_the_recipe_makes_the_same_again(runner: TaskRunner, sd1_folder: Path) -> None:
    finished = run(runner, request(runner, sd1_folder, inversion=InversionSettings(steps=STEPS)))
    recipe = finished.result["recipe"]
    assert recipe["request"]["inversion"]["guidance"] == 7.5  # defaults are written down
    assert differences(recipe, runner) == []
    assert run(runner, request_of(recipe)).artifacts == finished.artifacts
    changed = {**recipe, "engine": 0}
    assert differences(changed, runner) == ["engine was 0, is 10"]
    with pytest.raises(RequestError, match="not a recipe"):
        request_of({"kind": "something"})


def test_progress_is_whole_and_time_left_falls_to_nothing(runner: TaskRunner, sd1_folder: Path) -> None:
    events = [e for e in runner.do(request(runner, sd1_folder)) if isinstance(e, Progressed)]
    assert [(e.phase, e.index, e.total) for e in events[:2]] == [("loading", 0, 1), ("loading", 1, 1)]
    rest = [(e.phase, e.index, e.total) for e in events[2:]]
    steps = [(phase, i + 1, STEPS) for phase in ("inverting", "editing") for i in range(STEPS)]
    assert rest[: 2 * STEPS] == steps
    end = [("decoding", 0, 0), ("laying", 0, 0), ("saving", 0, 2), ("saving", 1, 2), ("comparing", 0, 0)]
    assert rest[2 * STEPS :] == end, "a large picture takes long after the last step: what is done is told"
    assert all(e.seconds_left is None for e in events[-len(end) :])
    assert events[1 + 2 * STEPS].seconds_left == 0


def test_breaking_off_leaves_the_model_as_it_was(runner: TaskRunner, sd1_folder: Path) -> None:
    made = request(runner, sd1_folder)
    undisturbed = run(runner, made).artifacts
    for steps in range(1, 2 * STEPS, 2):
        runner.inversions.clear()
        broken = runner.do(made)
        for _ in range(steps):
            next(broken)
        broken.close()
    assert run(runner, made).artifacts == undisturbed


def refused(runner: TaskRunner, made: EditRequest, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        list(runner.do(made))


def test_unusable_requests_are_refused_by_name(runner: TaskRunner, sd1_folder: Path) -> None:
    def make(**changes: Any) -> EditRequest:
        return request(runner, sd1_folder, **changes)

    refused(runner, make(source_prompt=" "), RequestError, "isn't described")
    refused(runner, make(target_prompt=""), RequestError, "should show is missing")
    refused(runner, make(operation="remove", selection=None), SelectionError, "needs a selection")
    refused(runner, make(operation="reweight", target_prompt=""), RequestError, "No word is given a weight")
    refused(runner, make(weights={"horse": 2.0}), WordNotFoundError, "horse.*Words in it: .*dog")
    refused(runner, make(pairs=(("dog", "cat"),)), WordNotFoundError, "'dog' is not in the sentence")
    for control in (Control(cross=(0.8, 0.2)), Control(cross_words={"dog": (0.8, 0.2)})):
        refused(runner, make(control=control), RequestError, "runs from 0.8 to 0.2")
    blend = Control(blend_include=("mirror",))
    refused(runner, make(control=blend), WordNotFoundError, "mirror")
    refused(runner, make(target_prompt="squirrel " * 9), PromptTooLongError, "tokens")
    refused(runner, make(target_prompt="a <nobody> on grass"), ConceptNotFoundError, "<nobody>")
    refused(runner, make(target_prompt="a cube <lora:shiny:0.7>"), RequestError, "--lora NAME:STRENGTH")
    refused(runner, make(inversion=InversionSettings(working_size=4000)), RequestError, "too large for this")


def test_unusable_pictures_are_refused_by_name(runner: TaskRunner, sd1_folder: Path) -> None:
    put = runner.images.put
    empty = put(encode(np.zeros((88, 72), np.uint8)))
    other = put(encode(np.full((60, 70), 255, np.uint8)))
    small = put(picture(40, 40))
    refused(runner, request(runner, sd1_folder, selection=empty), SelectionEmptyError, "Nothing is selected")
    refused(runner, request(runner, sd1_folder, selection=other), SelectionSizeError, "70 x 60.*72 x 88")
    refused(runner, request(runner, sd1_folder, image=small, selection=None), ImageTooSmallError, "40")


def test_a_concept_of_another_family_is_refused(runner: TaskRunner, sd1_folder: Path) -> None:
    learn_by_hand(runner, sd1_folder, family="sd2")
    made = request(runner, sd1_folder, target_prompt="a photo of a <my-toy> on grass")
    refused(runner, made, ConceptIncompatibleError, "'sd2'.*'sd1'")


@pytest.mark.parametrize(
    "raised",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
        MemoryError(),
    ],
)
def test_out_of_memory_says_what_to_lower(
    raised: Exception, runner: TaskRunner, sd1_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the model is usable afterwards."""
    made = request(runner, sd1_folder)
    undisturbed = run(runner, made).artifacts
    model = runner.models.get(str(sd1_folder))
    handle = model.network.module.register_forward_pre_hook(lambda *_: raise_it(raised))
    runner.trajectory = None
    refused(runner, made, OutOfMemoryError, r"editing at \d+ x \d+ pixels.*Lower the working size")
    handle.remove()
    assert run(runner, made).artifacts == undisturbed


def raise_it(error: Exception) -> None:
    raise error


def test_other_errors_are_not_taken_for_memory(runner: TaskRunner, sd1_folder: Path) -> None:
    run(runner, request(runner, sd1_folder))
    model = runner.models.get(str(sd1_folder))
    error = RuntimeError("shapes differ")
    handle = model.network.module.register_forward_pre_hook(lambda *_: raise_it(error))
    refused(runner, request(runner, sd1_folder, seed=2), RuntimeError, "shapes differ")
    handle.remove()


@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
def test_what_the_photo_carries_is_in_the_result_and_in_its_replay(
    depth: type, runner: TaskRunner, sd1_folder: Path
) -> None:
    """Display P3 by cICP, 300 dpi and EXIF data, with something broken beside them."""
    data = picture(depth=depth)
    exif = Image.Exif()
    exif[271] = "Camera"
    extra = {
        b"cICP": bytes([12, 13, 0, 1]),
        b"pHYs": struct.pack(">IIB", 11811, 11811, 1),
        b"eXIf": exif.tobytes()[6:],
        b"gAMA": b"broken",
    }
    packed = b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in extra.items()
    )
    image = runner.images.put(data[:33] + packed + data[33:])
    made = request(runner, sd1_folder, image=image, grow=0)
    first = run(runner, made)
    (notice,) = first.result["notices"]
    assert "gAMA" in notice
    composite = runner.images.get(first.artifacts["composite"])
    layer = runner.images.get(first.artifacts["layer"])
    for kind in (b"cICP", b"pHYs", b"eXIf"):
        assert kind + extra[kind] in composite
        assert (kind + extra[kind] in layer) == (kind != b"eXIf")
    outside = read_selection(runner.images.get(made.selection or ""), (72, 88)) == 0
    assert np.array_equal(read_picture(composite).pixels[outside], read_picture(data).pixels[outside])
    again = run(runner, request_of(first.result["recipe"]))
    assert again.artifacts == first.artifacts


def test_a_large_canvas_is_never_there_as_floats(
    runner: TaskRunner, sd1_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Colours are converted a band at a time, both ways, also where everything is edited."""
    seen: list[int] = []

    def noted(function: Any) -> Any:
        def called(*arguments: Any) -> Any:
            found = function(*arguments)
            seen.append(found.shape[0] * found.shape[1])
            return found

        return called

    for name in ("to_model_rgb", "from_model_rgb"):
        function = getattr(canvas, name)
        monkeypatch.setattr(canvas, name, noted(function))
    for module in (region, composite):
        monkeypatch.setattr(module, "BAND", 3000)
    image = runner.images.put(picture(300, 200))
    made = request(runner, sd1_folder, image=image, selection=None, operation="restyle")
    whole = run(runner, replace(made, target_prompt="an oil painting of a cat on grass"))
    assert sum(seen) >= 3 * 300 * 200, "read for the model, read again and written"
    assert max(seen) <= 3000
    assert whole.result["pixels_changed_outside"] == 0


def test_of_a_large_photo_the_region_alone_is_worked_on(
    runner: TaskRunner, sd1_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A photo that was seen before is neither read nor decoded again."""
    shapes: list[tuple[int, ...]] = []
    lay = canvas.composite

    def seen(original: Any, *others: Any) -> Any:
        shapes.append(original.shape)
        return lay(original, *others)

    monkeypatch.setattr(canvas, "composite", seen)
    mask = np.zeros((500, 600), np.uint8)
    mask[300:340, 200:250] = 255
    image, chosen = runner.images.put(picture(600, 500)), runner.images.put(encode(mask))
    made = request(runner, sd1_folder, image=image, selection=chosen)
    first = run(runner, made)
    left, top, right, bottom = first.result["recipe"]["region"]["box"]
    assert (right - left) * (bottom - top) < 500 * 600 / 4
    monkeypatch.setattr(runner.images, "get", None)
    assert run(runner, made).artifacts == first.artifacts
    assert shapes == [(bottom - top, right - left, 3)] * 2


def test_of_the_region_alone_come_the_same_pixels(runner: TaskRunner, sd1_folder: Path) -> None:
    mask = np.zeros((300, 400), np.uint8)
    mask[200:240, 250:300] = 255
    image, chosen = runner.images.put(picture(400, 300)), runner.images.put(encode(mask))
    made = request(runner, sd1_folder, image=image, selection=chosen, maps=True)
    whole, part = (run(runner, replace(made, extent=extent)) for extent in ("canvas", "region"))
    assert set(part.artifacts) == set(whole.artifacts)
    left, top, right, bottom = part.result["recipe"]["region"]["box"]
    assert whole.result["recipe"]["region"] == part.result["recipe"]["region"]
    for name in ("layer", "composite", "map:cat"):
        large, small = (read_picture(runner.images.get(made.artifacts[name])) for made in (whole, part))
        assert (large.size, small.size) == ((400, 300), (right - left, bottom - top))
        assert np.array_equal(large.pixels[top:bottom, left:right], small.pixels)
    for name in ("thumbnail", "reconstruction"):
        assert whole.artifacts[name] == part.artifacts[name]
    assert whole.result["pixels_changed_inside"] == part.result["pixels_changed_inside"]
    assert run(runner, request_of(part.result["recipe"])).artifacts == part.artifacts
