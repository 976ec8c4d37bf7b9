"""A set of pictures that nothing good can be learned from is refused, and the picture is named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from torch.nn import functional

from palimpsest.core.learning.agreement import AgreementSettings, Oddness, judge, oddness
from palimpsest.core.learning.gate import Finding, GateSettings, check_set, inspect, sharpness
from palimpsest.core.model import DiffusionModel
from palimpsest.core.steps import finish
from palimpsest.errors import ConceptImagesError
from palimpsest.scenes.concepts import CONCEPTS, views
from tiny import tiny_model

GATE = GateSettings()
DEMO = Path(__file__).parents[3] / "backend" / "palimpsest" / "demo" / "pictures"
Pixels = NDArray[np.float32]


@pytest.fixture(scope="module")
def star() -> list[Pixels]:
    return [
        np.divide(view.image, 255, dtype=np.float32) for view in views(CONCEPTS["violet-star"], 4, seed=0)
    ]


def problems(findings: list[Finding]) -> list[tuple[int, str]]:
    return [(finding.picture, finding.problem) for finding in findings]


def resized(picture: Pixels, height: int, width: int) -> Pixels:
    pixels = torch.from_numpy(picture).permute(2, 0, 1)[None]
    grown = functional.interpolate(pixels, (height, width), mode="bicubic", antialias=True)
    return grown.clamp(0, 1)[0].permute(1, 2, 0).numpy()


def blurred(picture: Pixels, sigma: float) -> Pixels:
    radius = int(3 * sigma)
    kernel = np.exp(-(np.arange(-radius, radius + 1) ** 2) / (2 * sigma**2))
    kernel = (kernel / kernel.sum()).astype(np.float32)
    padded = np.pad(picture, ((radius, radius), (radius, radius), (0, 0)), "edge")
    for axis in (0, 1):
        padded = np.apply_along_axis(lambda row: np.convolve(row, kernel, "valid"), axis, padded)
    return padded.astype(np.float32)


@pytest.mark.parametrize("name", list(CONCEPTS))
def test_good_sets_pass(name: str) -> None:
    pictures = [view.image.astype(np.float32) / 255 for view in views(CONCEPTS[name], 4, seed=3)]
    assert inspect(pictures, 128, GATE) == []


def test_the_same_picture_twice_is_named_with_its_twin(star: list[Pixels]) -> None:
    found = inspect([star[0], star[1], star[2], star[1]], 128, GATE)
    assert problems(found) == [(3, "duplicate")]
    assert found[0].message == "Picture 4 is the same as picture 2."


def test_a_copy_is_a_duplicate_when_resized_recompressed_or_a_little_brighter(star: list[Pixels]) -> None:
    noise = np.random.default_rng(0).normal(0, 0.01, star[0].shape).astype(np.float32)
    copies = [
        resized(star[0], 200, 200),
        np.clip(star[0] + noise, 0, 1),
        np.clip(star[0] * 1.02, 0, 1),
        np.round(star[0] * 31) / 31,
    ]
    for copy in copies:
        assert (1, "duplicate") in problems(inspect([star[0], copy, star[2]], 128, GATE))


def test_views_of_a_subject_on_one_ground_are_no_duplicates() -> None:
    """Alike in composition, yet different pictures: both tests must agree before one is refused."""
    base = np.tile(np.linspace(0.2, 0.8, 128, dtype=np.float32)[:, None, None], (1, 128, 3))
    pictures = []
    for left in (10, 50, 90):
        picture = base.copy()
        picture[60:90, left : left + 25] = (0.9, 0.1, 0.1)
        pictures.append(picture)
    assert inspect(pictures, 128, GATE) == []


def test_small_cut_out_views_are_no_duplicates_for_the_white_around_them() -> None:
    """As layers bring them: the sample's toy, cut out closely."""
    pictures, opacities = [], []
    for number in (1, 2, 3, 4):
        shown = np.asarray(Image.open(DEMO / f"toy-{number}.png").convert("RGB"), np.float32) / 255
        mask = Image.open(DEMO / f"toy-{number}-mask.png").convert("L")
        opacities.append(np.asarray(mask, np.float32) / 255)
        pictures.append(1 + opacities[-1][..., None] * (shown - 1))
    assert "duplicate" in [problem for _, problem in problems(inspect(pictures, 128, GATE))]
    assert inspect(pictures, 128, GATE, opacities) == []
    twice = inspect([pictures[0], pictures[1], pictures[0]], 128, GATE, [opacities[i] for i in (0, 1, 0)])
    assert problems(twice) == [(2, "duplicate")]


def test_small_blank_and_blurred_pictures_are_named(star: list[Pixels]) -> None:
    noise = np.random.default_rng(0).normal(0.5, 0.005, (128, 128, 3)).astype(np.float32)
    white = np.ones((128, 128, 3), np.float32)
    white[:5, :5] = 0
    bad = [star[0], resized(star[1], 40, 200), noise, white, blurred(star[3], 4.0)]
    found = inspect(bad, 128, GATE)
    assert problems(found) == [(1, "small"), (2, "blank"), (3, "blank"), (4, "blurred")]
    assert "200 x 40" in found[0].message


def test_a_sharp_subject_before_a_soft_background_is_sharp(star: list[Pixels]) -> None:
    picture = blurred(star[0], 6.0)
    assert sharpness(picture, 128) < GATE.sharpness
    picture[40:80, 40:80] = star[0][40:80, 40:80]
    assert sharpness(picture, 128) > GATE.sharpness


@pytest.mark.parametrize("count", [0, 1, 2])
def test_too_few_pictures_are_refused_with_the_number_needed(star: list[Pixels], count: int) -> None:
    steps = check_set(tiny_model("sd1"), star[:count], [None] * count, "star", GATE)
    with pytest.raises(ConceptImagesError, match="at least 3") as caught:
        finish(steps)
    assert caught.value.code == "concept_images"
    assert caught.value.details["count"] == count


def test_every_bad_picture_is_told_at_once(star: list[Pixels]) -> None:
    bad = [star[0], star[0], np.zeros((128, 128, 3), np.float32)]
    with pytest.raises(ConceptImagesError) as caught:
        finish(check_set(tiny_model("sd1"), bad, [None] * 3, "star", GATE))
    told = caught.value.details["pictures"]
    assert [(entry["picture"], entry["problem"]) for entry in told] == [(1, "duplicate"), (2, "blank")]
    assert "Picture 2" in caught.value.message
    assert "Picture 3" in caught.value.message
    assert caught.value.hint


# ── the odd one out ───────────────────────────────────────────────────────────────────────────────
def points(*places: tuple[float, float]) -> torch.Tensor:
    at = torch.tensor(places, dtype=torch.float32)
    return torch.cdist(at, at)


def test_the_farthest_is_the_odd_one_and_scores_more_the_farther_it_is() -> None:
    scores = []
    for x in (0.5, 1.0, 2.0):
        found = judge(points((0, 0), (x, 0), (0.1, 0), (0, 0.1)), 0.25)
        assert found.picture == 1
        scores.append(found.score)
    assert scores == sorted(scores)


def test_wide_spread_makes_no_outlier_and_near_identical_views_neither() -> None:
    """Scores are relative to the others' spread, softened so that a tiny spread can't inflate them."""
    far = judge(points((0, 0), (1, 0), (0.1, 0), (0, 0.1)), 0.25).score
    wide = judge(points((0, 0), (1, 0), (0, 1), (1, 1)), 0.25).score
    tight = judge(points((0, 0), (0.01, 0), (0, 0.001), (0.001, 0)), 0.25).score
    assert far > 2 * wide
    assert tight < 0.1


def square(colour: tuple[float, float, float], seed: int, left: int = 20) -> tuple[Pixels, NDArray[np.uint8]]:
    """A coloured square on a grained ground of its own, and its mask."""
    picture = np.random.default_rng(seed).normal(0.5, 0.1, (64, 64, 3)).astype(np.float32).clip(0, 1)
    mask = np.zeros((64, 64), np.uint8)
    mask[20:44, left : left + 24] = 255
    picture[mask > 0] = colour
    return picture, mask


def test_a_stranger_is_found_by_features_even_of_random_networks(model: DiffusionModel) -> None:
    """A random network maps other colours to other features; the ground must not matter."""
    red, blue = (0.9, 0.1, 0.1), (0.1, 0.1, 0.9)
    scores = {}
    for name, colours in {"clean": (red,) * 4, "with a stranger": (red, red, blue, red)}.items():
        made = [square(colour, i) for i, colour in enumerate(colours)]
        pictures, masks = [p for p, _ in made], [m for _, m in made]
        found = finish(oddness(model, pictures, masks, "toy", AgreementSettings()))
        scores[name] = found
        assert torch.equal(found.distances.diagonal(), torch.zeros(4))
    assert scores["with a stranger"].picture == 2
    assert scores["with a stranger"].score > scores["clean"].score


def test_comparing_leaves_the_model_as_it_was(model: DiffusionModel) -> None:
    made = [square((0.9, 0.1, 0.1), i) for i in range(3)]
    steps = oddness(model, [p for p, _ in made], [m for _, m in made], "toy", AgreementSettings())
    list(steps)
    assert not any(module._forward_hooks for module in model.network.module.modules())


def checked(
    accept: bool, kind: str = "subject", masks: bool = True, threshold: float = 0.0
) -> Oddness | None:
    settings = GateSettings(sharpness=0.0, agreement=AgreementSettings(threshold=threshold))
    made = [square(c, i, 6 + 8 * i) for i, c in enumerate([(0.9, 0.1, 0.1)] * 2 + [(0.1, 0.1, 0.9)])]
    marked = [mask if masks else None for _, mask in made]
    model = tiny_model("sd1")
    return finish(check_set(model, [p for p, _ in made], marked, "toy", settings, kind, accept))


def test_a_stranger_is_refused_unless_it_is_meant() -> None:
    with pytest.raises(ConceptImagesError, match=r"Picture \d doesn't seem to show the same toy") as caught:
        checked(accept=False)
    assert caught.value.details["pictures"][0]["problem"] == "odd"
    assert "say that it is meant" in caught.value.hint
    assert checked(accept=True) is None
    found = checked(accept=False, threshold=1e9)
    assert found is not None
    assert found.score > 0


def test_pictures_of_a_style_are_not_asked_to_agree() -> None:
    assert checked(accept=False, kind="style") is None


def test_pictures_without_masks_are_asked_too() -> None:
    with pytest.raises(ConceptImagesError, match="the same toy"):
        checked(accept=False, masks=False)
