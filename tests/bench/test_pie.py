"""PIE-Bench's protocol on a miniature of its layout: three scenes of the built-in model's world."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from palimpsest.bench import quality_store
from palimpsest.bench.model_options import WEIGHTS
from palimpsest.bench.pie import Pie
from palimpsest.bench.pie_clip import Clip
from palimpsest.bench.pie_data import MAPPING, PICTURES, TYPES, Entry, chosen, read_entries
from palimpsest.bench.pie_measures import background, mask_of, ssim, with_border
from palimpsest.bench.pie_report import About, markdown, summary
from palimpsest.bench.quality_cases import make_case
from palimpsest.bench.quality_store import Store
from palimpsest.cli import main
from palimpsest.contract import BUILT_IN
from palimpsest.errors import RequestError
from palimpsest.tasks.runner import TaskRunner

SIZE = 128
CASES = {"1": "replace", "3": "remove", "9": "restyle"}  # editing_type_id → a kind of our own cases
ABOUT = About(BUILT_IN, "0" * 64, "direct", True, 30, 3.0, "cpu", None)
SENTENCES = {"image_path": "a.jpg", "original_prompt": "a cat", "editing_prompt": "a dog"}
OF_NO_TYPE = {**SENTENCES, "editing_type_id": "10", "mask": [0, 1]}
HALF_A_RUN = {**SENTENCES, "editing_type_id": "1", "mask": [0, 1, 5]}
KEYS = dict(zip(CASES, ("111000000000", "311000000000", "911000000000"), strict=True))


def runs_of(mask: NDArray[np.bool_]) -> list[int]:
    """As the data set has them: begin and length of every run."""
    edges = np.flatnonzero(np.diff(np.pad(mask.ravel().astype(np.int8), 1)))
    return [int(value) for begin, end in edges.reshape(-1, 2) for value in (begin, end - begin)]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """In PIE-Bench's layout: nested folders, brackets, masks as runs."""
    folder, mapping = tmp_path / "PIE-Bench_v1", {}
    for type, kind in CASES.items():
        case = make_case(kind, 1, "development")
        selection = case.selection(SIZE)
        mask = np.ones((SIZE, SIZE), np.bool_) if selection is None else selection > 0
        place = f"{type}_{TYPES[type].name.replace(' ', '_')}_1/1_artificial/{KEYS[type]}.png"
        (folder / PICTURES / place).parent.mkdir(parents=True)
        Image.fromarray(case.drawn(SIZE)[0].image).save(folder / PICTURES / place)
        first, *rest = case.should_show.split(" ")
        mapping[KEYS[type]] = {
            "image_path": place,
            "original_prompt": case.shows,
            "editing_prompt": " ".join([f"[{first}]", *rest]),
            "editing_instruction": "",
            "editing_type_id": type,
            "blended_word": "",
            "mask": runs_of(mask),
        }
    (folder / MAPPING).write_text(json.dumps(mapping), encoding="utf-8")
    return folder


def test_the_layout_is_read(data: Path) -> None:
    entries = read_entries(data)
    assert [entry.type for entry in entries] == list(CASES)
    for entry in entries:
        case = make_case(CASES[entry.type], 1, "development")
        assert (entry.shows, entry.should_show) == (case.shows, case.should_show)
        assert entry.photo.is_file()
        selection = case.selection(SIZE)
        mask = mask_of(entry, SIZE, SIZE)
        assert mask.all() if selection is None else np.array_equal(mask, selection > 0)
    assert chosen(entries, ["3"], None) == entries[1:2]
    assert chosen([*entries, *entries], (), 1) == entries


def test_the_operation_is_that_of_the_type_and_needs_no_selection_where_there_is_none(data: Path) -> None:
    entries = read_entries(data)
    assert [entry.operation(True) for entry in entries] == ["replace", "remove", "restyle"]
    assert [entry.operation(False) for entry in entries] == ["replace", "replace", "restyle"]
    assert replace(entries[0], type="2").operation(True) == "insert"


@pytest.mark.parametrize(
    "content",
    [None, "[]", "{", '{"a": {}}', *(json.dumps({"a": item}) for item in (OF_NO_TYPE, HALF_A_RUN))],
)
def test_what_is_no_such_data_is_refused(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / MAPPING).write_text(content)
    with pytest.raises(RequestError, match=MAPPING):
        read_entries(tmp_path)
    assert main(["bench", "pie", str(tmp_path), "--output", str(tmp_path / "out")]) == 2


def test_the_background_is_compared_with_the_edited_part_black_in_both() -> None:
    rng = np.random.default_rng(0)
    photo = rng.integers(0, 256, (40, 40, 3), np.uint8)
    mask = np.zeros((40, 40), np.bool_)
    mask[:, 20:] = True
    inside = photo.copy()
    inside[:, 20:] = 0
    inside[0] = 255  # the border is no background
    same = background(photo, inside, mask)
    assert same is not None
    assert (same.mse, same.psnr, same.ssim) == (0, None, pytest.approx(1))
    other = photo.copy()
    other[10, 10] = 255 - other[10, 10]
    found = background(photo, other, mask)
    assert found is not None
    error = float(((photo[10, 10] / 255 - other[10, 10] / 255) ** 2).sum()) / photo.size
    assert found.mse == pytest.approx(error)
    assert found.psnr == pytest.approx(10 * np.log10(1 / error))
    assert found.ssim < 1
    assert background(photo, other, np.ones_like(mask)) is None


def test_the_outermost_pixels_are_to_change() -> None:
    wide = with_border(np.zeros((5, 6), np.bool_))
    assert wide.sum() == 18
    assert not wide[1:-1, 1:-1].any()


def test_similarity_of_structure_is_that_of_its_definition() -> None:
    """One window of 11 × 11, written out point by point."""
    a, b = np.random.default_rng(1).random((2, 11, 11, 1))
    weights = np.array(
        [[np.exp(-((x - 5) ** 2 + (y - 5) ** 2) / (2 * 1.5**2)) for x in range(11)] for y in range(11)]
    )
    weights /= weights.sum()

    def expected(values: NDArray[np.float64]) -> float:
        return float((values[..., 0] * weights).sum())

    ma, mb = expected(a), expected(b)
    va, vb, both = expected((a - ma) ** 2), expected((b - mb) ** 2), expected((a - ma) * (b - mb))
    c1, c2 = 1e-4, 9e-4
    value = (2 * ma * mb + c1) * (2 * both + c2) / ((ma**2 + mb**2 + c1) * (va + vb + c2))
    assert ssim(a, b) == pytest.approx(value)
    assert ssim(a, a) == pytest.approx(1)


def pie(runner: TaskRunner, folder: Path | None, masks: bool = True) -> Pie:
    return Pie(runner, BUILT_IN, "direct", masks, Store(folder))


def test_edits_are_done_measured_and_not_done_twice(
    data: Path, runner: TaskRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entries, output = read_entries(data), tmp_path / "out"
    outcomes = list(pie(runner, output).outcomes(entries))
    assert [outcome.operation for outcome in outcomes] == ["replace", "remove", "restyle"]
    assert not any(outcome.refused for outcome in outcomes)
    for entry, outcome in zip(entries[:2], outcomes, strict=False):
        edited = np.asarray(Image.open(output / "pictures" / f"{entry.key}.png"))
        photo = np.asarray(Image.open(entry.photo))
        assert outcome.background == background(photo, edited, mask_of(entry, SIZE, SIZE))
        assert (edited != photo).any()
        assert outcome.background is not None
        assert outcome.background.ssim > 0.9
    assert outcomes[2].background is None, "everything was to change"
    monkeypatch.setattr(quality_store, "finish", lambda *_: pytest.fail("was done before"))
    assert list(pie(runner, output).outcomes(entries)) == outcomes
    report = summary(ABOUT, outcomes)
    assert report["edits"]["all"]["n"] == 3
    kept = outcomes[0].background
    assert kept is not None
    assert report["edits"]["1 change object"]["mse"]["mean"] == kept.mse
    assert json.loads(json.dumps(report))["cases"][0]["key"] == KEYS["1"]
    text = markdown(report)
    assert "| 3 delete object | 1 | 0 |" in text
    assert "| forward | backward | seconds |" in text
    assert "DINO" in text
    assert "LPIPS" in text
    assert "--clip" in text


def test_nothing_is_selected_unless_masks_are_asked_for(data: Path, runner: TaskRunner) -> None:
    entries = read_entries(data)
    masks = [mask_of(entry, SIZE, SIZE) for entry in entries]
    asked = [pie(runner, None).request(*both) for both in zip(entries, masks, strict=True)]
    assert [request.selection is not None for request in asked] == [True, True, False]
    free = [pie(runner, None, masks=False).request(*both) for both in zip(entries, masks, strict=True)]
    assert [request.selection for request in free] == [None, None, None]
    assert [request.operation for request in free] == ["replace", "replace", "restyle"]


def test_what_the_product_refuses_is_reported_and_the_rest_goes_on(data: Path, runner: TaskRunner) -> None:
    first = replace(read_entries(data)[0], should_show="")
    gone = replace(first, photo=data / "gone.png")
    outcomes = [pie(runner, None).outcome(entry) for entry in (first, gone)]
    assert "target description" in outcomes[0].refused
    assert "gone.png" in outcomes[1].refused
    report = summary(ABOUT, outcomes)
    assert (report["edits"]["all"]["n"], report["edits"]["all"]["refused"]) == (0, 2)
    assert "gone.png" in markdown(report)


@pytest.fixture(scope="module")
def clip_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny random CLIP, with the built-in model's tokenizer."""
    from transformers import CLIPConfig, CLIPModel, CLIPTokenizer

    folder = tmp_path_factory.mktemp("clip")
    tokenizer = CLIPTokenizer.from_pretrained(WEIGHTS / "tokenizer", local_files_only=True)
    part: dict[str, Any] = {
        "hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2,
    }  # fmt: skip
    text = {**part, "vocab_size": len(tokenizer), "eos_token_id": tokenizer.eos_token_id}
    torch.manual_seed(0)
    config = CLIPConfig(
        text_config=text, vision_config={**part, "image_size": 32, "patch_size": 16}, projection_dim=8
    )
    CLIPModel(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    eye = {"image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]}
    (folder / "preprocessor_config.json").write_text(json.dumps(eye))
    return folder


def test_similarity_is_measured_of_the_whole_and_of_the_edited_part(clip_folder: Path) -> None:
    clip = Clip(clip_folder, torch.device("cpu"))
    picture = np.random.default_rng(0).integers(0, 256, (48, 48, 3), np.uint8)
    mask = np.zeros((48, 48), np.bool_)
    mask[:24] = True
    sentence = "a photo of a red ball"
    found = clip.similarity(picture, sentence, mask)
    assert 0 <= found.whole <= 100
    black = np.where(mask[..., None], picture, np.uint8(0))
    assert found.edited == clip.similarity(black, sentence, mask).whole
    assert clip.similarity(picture, sentence, ~mask).whole == found.whole
    assert clip.similarity(picture, sentence, np.zeros_like(mask)).edited is None
    report = summary(replace(ABOUT, clip=str(clip_folder)), [])
    assert not any("CLIP" in measure for measure in report["left_out"])


def test_the_command_writes_its_report(data: Path, tmp_path: Path, clip_folder: Path) -> None:
    output = tmp_path / "out"
    arguments = ["bench", "pie", str(data), "--type", "3", "--cases", "1", "--masks", "--device", "cpu"]
    assert main([*arguments, "--clip", str(clip_folder), "--output", str(output)]) == 0
    report = json.loads((output / "report.json").read_text())
    assert report["edits"]["all"]["clip_whole"]["n"] == 1
    assert "| 3 delete object | 1 |" in (output / "report.md").read_text()
    assert main([*arguments, "--clip", str(tmp_path / "none"), "--output", str(output)]) == 2


def test_an_entry_says_what_it_is() -> None:
    entry = Entry("a", Path("a.png"), "0", "a cat", "a dog", (2, 3, 9, 2))
    assert mask_of(entry, 3, 4).astype(int).tolist() == [[0, 0, 1, 1], [1, 0, 0, 0], [0, 1, 1, 0]]
