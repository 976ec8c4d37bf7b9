"""What is replaced beside a mirror changes in the mirror, too; where that can't be done it stays."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from torch import Tensor

from palimpsest import demo
from palimpsest.bench.quality_cases import make_case
from palimpsest.bench.quality_mirror import pane_of
from palimpsest.contract import BUILT_IN, EditRequest, InversionSettings, LearnRequest, request_of
from palimpsest.core.model import DiffusionModel
from palimpsest.errors import ImageError, RequestError, SelectionEmptyError, SelectionError
from palimpsest.jobs.events import Finished
from palimpsest.scenes.rendering import render
from palimpsest.scenes.things import Scene
from palimpsest.storage.pictures import read_picture
from palimpsest.storage.png import encode
from palimpsest.tasks import mirror
from palimpsest.tasks.runner import TaskRunner
from palimpsest_client.text.wording import notices_text
from tiny_task import finish, new_runner

CASE = make_case("mirror", 5, "development")  # a woman beside a mirror becomes a man
SIZE = 128
DEMO = Path(demo.__file__).parent / "pictures"
PANE = pane_of(CASE.after, SIZE)


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> TaskRunner:
    return new_runner(tmp_path_factory.mktemp("mirror"))


def mask(inside: NDArray[np.bool_]) -> bytes:
    return encode(np.where(inside, np.uint8(255), np.uint8(0)))


def selected() -> NDArray[np.bool_]:
    found = CASE.selection(SIZE)
    assert found is not None
    return found > 0


def request(runner: TaskRunner, photo: NDArray[np.uint8] | None = None) -> EditRequest:
    return EditRequest(
        image=runner.images.put(encode(CASE.drawn(SIZE)[0].image if photo is None else photo)),
        operation="replace",
        source_prompt=CASE.shows,
        target_prompt=CASE.should_show,
        selection=runner.images.put(mask(selected())),
        pairs=CASE.pairs,
        model=BUILT_IN,
        inversion=InversionSettings(steps=6),
        grow=0,
        feather=0,
    )


def done(runner: TaskRunner, made: EditRequest) -> tuple[Finished, NDArray[np.uint8]]:
    finished = finish(runner.do(made))
    content = runner.images.get(finished.artifacts["composite"])
    return finished, read_picture(content).pixels


@pytest.fixture(scope="module")
def shown(runner: TaskRunner) -> tuple[Finished, NDArray[np.uint8]]:
    return done(runner, request(runner))


@pytest.fixture(scope="module")
def drawn(runner: TaskRunner) -> tuple[Finished, NDArray[np.uint8]]:
    return done(runner, replace(request(runner), reflect=False))


def test_the_mirror_shows_the_new_thing(
    shown: tuple[Finished, NDArray[np.uint8]], drawn: tuple[Finished, NDArray[np.uint8]]
) -> None:
    told = shown[0].result["mirror"]
    assert told["image"] == "found"
    assert told["scale"] == pytest.approx(0.7, abs=0.08)
    assert shown[0].result["pixels_changed_outside"] == 0
    assert not np.any((shown[1] != CASE.drawn(SIZE)[0].image)[~selected()])
    truth, inside = CASE.drawn(SIZE)[1].image.astype(float), PANE & selected()
    ours, plain = (np.abs(picture - truth)[inside].mean() for picture in (shown[1], drawn[1]))
    assert ours < 0.8 * plain


def test_without_it_the_mirror_is_drawn_like_the_rest(
    shown: tuple[Finished, NDArray[np.uint8]], drawn: tuple[Finished, NDArray[np.uint8]]
) -> None:
    assert "mirror" not in drawn[0].result
    differs = np.abs(shown[1].astype(int) - drawn[1]).max(axis=-1)
    left, top, right, bottom = shown[0].result["mirror"]["box"]
    assert differs[top:bottom, left:right].max() > 60
    differs[top:bottom, left:right] = 0
    assert differs.max() <= 12  # the rest differs by the colours that it is fitted to alone


def test_its_recipe_gives_the_same_bytes_and_an_older_one_saw_no_mirror(
    runner: TaskRunner,
    shown: tuple[Finished, NDArray[np.uint8]],
    drawn: tuple[Finished, NDArray[np.uint8]],
) -> None:
    recipe = shown[0].result["recipe"]
    assert finish(runner.do(request_of(recipe))).artifacts["layer"] == shown[0].artifacts["layer"]
    del recipe["request"]["reflect"], recipe["request"]["reflection"]
    assert finish(runner.do(request_of(recipe))).artifacts["layer"] == drawn[0].artifacts["layer"]


def test_where_the_mirror_is_can_be_shown(
    runner: TaskRunner, drawn: tuple[Finished, NDArray[np.uint8]]
) -> None:
    made = replace(request(runner), reflection=runner.images.put(mask(PANE)))
    finished, picture = done(runner, made)
    assert finished.result["mirror"]["image"] == "shown"
    assert not np.any((picture != CASE.drawn(SIZE)[0].image)[~selected()])
    truth, inside = CASE.drawn(SIZE)[1].image.astype(float), PANE & selected()
    ours, plain = (np.abs(one - truth)[inside].mean() for one in (picture, drawn[1]))
    assert ours < 0.8 * plain


def test_the_image_that_is_shown_grows_with_the_selection(runner: TaskRunner) -> None:
    """Nothing of a ring around it is the network's."""
    image = PANE & selected()
    made = replace(request(runner), reflection=runner.images.put(mask(image)), grow=3)
    photo = CASE.drawn(SIZE)[0].image.copy()
    photo[PANE] = np.random.default_rng(0).integers(0, 255, 3)
    finished, picture = done(runner, replace(made, image=runner.images.put(encode(photo))))
    assert finished.result["mirror"] == {"image": "left"}
    assert np.array_equal(picture[PANE], photo[PANE])


def test_the_image_is_recognised_however_far_the_selection_grows(runner: TaskRunner) -> None:
    """By default it grows by 8 pixels, and the frame comes in, which obeys no law."""
    finished, _ = done(runner, replace(request(runner), grow=8, feather=8))
    assert finished.result["mirror"]["image"] == "found"
    assert finished.result["mirror"]["scale"] == pytest.approx(0.7, abs=0.08)


def test_of_a_thing_before_the_mirror_nothing_stays_there(runner: TaskRunner) -> None:
    before, after = (standing_before(scene) for scene in (CASE.before, CASE.after))
    case, i = replace(CASE, before=before, after=after), CASE.thing
    photo, inside = case.drawn(SIZE)[0].image, case.selection(SIZE)
    assert inside is not None
    assert i is not None
    mirror = render(replace(before, placed=(before.placed[1 - i],)), SIZE).bodies[0]
    old = render(before, SIZE).bodies[i] & mirror
    made = replace(request(runner, photo), selection=runner.images.put(mask(inside > 0)))
    finished, picture = done(runner, made)
    assert finished.result["mirror"]["image"] == "found"
    stays = np.abs(picture.astype(int) - photo).max(-1)[old] < 12
    assert np.count_nonzero(old) > 50
    assert stays.mean() < 0.2


def test_what_begins_from_a_learned_subjects_picture_is_shown_as_it_was_laid_in(runner: TaskRunner) -> None:
    """A violet star in place of an orange pyramid."""
    case = make_case("mirror", 0, "development")
    photo, inside = case.drawn(SIZE)[0].image, case.selection(SIZE)
    assert inside is not None
    learned = LearnRequest(
        name="my-toy",
        images=tuple(runner.images.put((DEMO / f"toy-{n}.png").read_bytes()) for n in (1, 2, 3)),
        masks=tuple(runner.images.put((DEMO / f"toy-{n}-mask.png").read_bytes()) for n in (1, 2, 3)),
        noun="star",
        steps=1,
    )
    finish(runner.do(learned))
    selection = runner.images.put(mask(inside > 0))
    words = {"source_prompt": case.shows, "target_prompt": "a photo of a <my-toy> and a mirror on sand"}
    made = replace(request(runner, photo), selection=selection, pairs=(), **words)
    finished, picture = done(runner, made)
    assert finished.result["recipe"]["request"]["begin_from"] == "view"
    assert finished.result["mirror"]["image"] == "found"
    pane = pane_of(case.after, SIZE)
    before, after = (((p[..., 2].astype(int) - p[..., 1]) > 20)[pane].mean() for p in (photo, picture))
    assert before < 0.01 < 0.03 < after, "violet: more blue than green"


def test_that_a_mirror_does_not_show_what_is_inserted_is_told(runner: TaskRunner) -> None:
    shows = "a photo of a woman and a mirror on sea"
    made = replace(
        request(runner),
        operation="insert",
        source_prompt=shows,
        target_prompt=shows.replace(" on ", " and a cube on "),
        pairs=(),
        begin_from="noise",
    )
    finished, _ = done(runner, made)
    assert finished.result["texts"]["notices"] == [{"name": "mirror-without-inserted", "values": {}}]


def standing_before(scene: Scene) -> Scene:
    """With its thing before the mirror's frame."""
    assert CASE.thing is not None
    placed = list(scene.placed)
    placed[CASE.thing] = replace(placed[CASE.thing], x=0.45, y=0.895)
    return replace(scene, placed=tuple(placed))


@pytest.mark.parametrize(
    ("shows", "should_show"),
    [
        ("a photo of a woman and a mirror on grass", "a photo of a woman and a cube on grass"),
        ("a photo of a woman and a mirror on grass", "a photo of a woman on grass"),
    ],
)
def test_a_mirror_that_goes_shows_nothing(runner: TaskRunner, shows: str, should_show: str) -> None:
    made = replace(request(runner), source_prompt=shows, target_prompt=should_show, pairs=())
    finished, _ = done(runner, made)
    assert "mirror" not in finished.result


def test_a_mirror_that_shows_nothing_of_the_thing_is_left_as_it_was(
    runner: TaskRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Tensor] = []
    encode_of = DiffusionModel.encode
    monkeypatch.setattr(DiffusionModel, "encode", lambda model, x: seen.append(x) or encode_of(model, x))
    photo = CASE.drawn(SIZE)[0].image.copy()
    photo[PANE] = np.random.default_rng(0).integers(0, 255, 3)
    made = replace(request(runner, photo), reflection=runner.images.put(mask(PANE)))
    finished, picture = done(runner, made)
    assert finished.result["mirror"] == {"image": "left"}
    (notice,), (text,) = finished.result["notices"], finished.result["texts"]["notices"]
    assert "left as it was" in notice
    assert text["values"]["one"] == {"name": "mirror-image-unknown", "values": {}}
    assert np.array_equal(picture[PANE], photo[PANE])
    assert not np.array_equal(picture, photo)
    assert len(seen) == 1, "the photo is encoded once"


def test_what_only_the_shell_can_do_is_not_told_in_a_panel(
    runner: TaskRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nothing(*_: object) -> Iterator[None]:
        return
        yield

    monkeypatch.setattr(mirror, "find_scene", nothing)
    finished, _ = done(runner, request(runner))
    assert finished.result["mirror"] == {"image": "none"}
    assert "--mirror FILE" in " ".join(finished.result["notices"])
    assert notices_text(finished.result).endswith("Select the image in the mirror, too.")


def test_a_draft_shows_it_too(runner: TaskRunner, shown: tuple[Finished, NDArray[np.uint8]]) -> None:
    draft = finish(runner.do(replace(request(runner), draft=True)))
    assert draft.artifacts["draft"] == shown[0].artifacts["thumbnail"]


@pytest.mark.parametrize(
    ("reflection", "error"),
    [
        (mask(~selected()), SelectionError),
        (mask(np.zeros((SIZE, SIZE), bool)), SelectionEmptyError),
        (mask(np.ones((SIZE, SIZE + 1), bool)), SelectionError),
        (b"no picture", ImageError),
    ],
)
def test_a_wrong_mask_of_the_mirror_is_refused(
    runner: TaskRunner, reflection: bytes, error: type[Exception]
) -> None:
    with pytest.raises(error):
        list(runner.do(replace(request(runner), reflection=runner.images.put(reflection))))


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"operation": "restyle"}, RequestError),
        ({"reflect": False}, RequestError),
        ({"selection": None}, SelectionError),
    ],
)
def test_a_mask_of_a_mirror_that_has_no_use_is_refused(
    runner: TaskRunner, changes: dict[str, object], error: type[Exception]
) -> None:
    shown = runner.images.put(mask(PANE))
    with pytest.raises(error):
        list(runner.do(replace(request(runner), reflection=shown, **changes)))
