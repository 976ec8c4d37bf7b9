"""``palimpsest edit --mirror``: what is selected in a mirror, from the command to the picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cli.shell import Shell
from palimpsest.bench.quality_cases import make_case
from palimpsest.bench.quality_mirror import pane_of
from palimpsest.storage.png import encode

CASE = make_case("mirror", 5, "development")  # a woman beside a mirror becomes a man
SIZE = 128
PANE = pane_of(CASE.after, SIZE)


def as_mask(inside: NDArray[np.bool_]) -> bytes:
    return encode(np.where(inside, np.uint8(255), np.uint8(0)))


def picture_of(path: Path) -> NDArray[np.float64]:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"), np.float64)


def test_a_mirror_is_found_left_out_or_shown_by_a_file(shell: Shell) -> None:
    before, after = (drawn.image for drawn in CASE.drawn(SIZE))
    selected = CASE.selection(SIZE)
    assert selected is not None
    files = {"scene.png": encode(before), "both.png": as_mask(selected > 0), "pane.png": as_mask(PANE)}
    for name, content in files.items():
        Path(name).write_bytes(content)
    pairs = [f"--pair={old}={new}" for old, new in CASE.pairs]
    words = (
        "--shows",
        CASE.shows,
        "--should-show",
        CASE.should_show,
        *pairs,
        "--steps",
        "6",
        "--grow",
        "0",
        "--feather",
        "0",
    )
    gaps = []
    for mirror in ("auto", "none", "pane.png"):
        output = f"with-{mirror}"
        arguments = ("--selection", "both.png", *words, "--mirror", mirror, "--output", output, "--quiet")
        assert shell("edit", "scene.png", *arguments).code == 0
        picture = picture_of(Path(output, "scene-replace-composite.png"))
        gaps.append(np.abs(picture - after).mean(-1)[PANE & (selected > 0)])
    found, drawn, shown = np.mean(gaps, axis=1)
    assert found < 0.8 * drawn
    assert shown < 0.8 * drawn
    assert not np.array_equal(gaps[0], gaps[2]), "the file says otherwise where it is than it is found"
