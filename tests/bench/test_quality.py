"""The quality benchmark's cases are true, its judgement can tell right from wrong, its report adds up."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from palimpsest.bench import quality_store
from palimpsest.bench.quality import WHOLE, Extent, edited, files, measure, read_report
from palimpsest.bench.quality_cases import KINDS, SPLITS, Case, make_case, tried, word_of
from palimpsest.bench.quality_judging import keeps, succeeds
from palimpsest.bench.quality_report import compared, markdown
from palimpsest.bench.quality_standard import psnr
from palimpsest.bench.quality_store import Made, Store, learned
from palimpsest.builtin.judge import load_judge
from palimpsest.contract import BUILT_IN, LearnRequest
from palimpsest.core.concept import Concept
from palimpsest.core.learning.gate import Finding, GateSettings, refuse
from palimpsest.core.picture.selection import grown
from palimpsest.demo.make_pictures import MARGIN
from palimpsest.errors import ConceptImagesError, RequestError, Text
from palimpsest.jobs.events import Finished
from palimpsest.scenes import edits
from palimpsest.scenes.concepts import CONCEPTS
from palimpsest.scenes.rendering import render
from palimpsest.scenes.scene import TEST_SEEDS, TRAINING_SEEDS, VALIDATION_SEEDS
from palimpsest.scenes.things import Placed, Scene, Solid
from palimpsest.storage.concept_card import Provenance
from palimpsest.tasks.runner import TaskRunner
from palimpsest.training.judge_train import Course
from palimpsest.training.presets import Preset

SIZE = 128


@pytest.mark.parametrize("kind", KINDS)
def test_a_case_changes_only_its_selection(kind: str) -> None:
    for number in range(4):
        case = make_case(kind, number)
        assert case == make_case(kind, number)
        assert case.before.seed in TEST_SEEDS
        assert case.shows != case.should_show
        before, after = case.drawn(SIZE)
        mask = case.selection(SIZE)
        if mask is not None:
            assert 0 < (mask > 0).mean() < 0.9
            assert np.array_equal(before.image[mask == 0], after.image[mask == 0])


@pytest.mark.parametrize("kind", KINDS)
def test_a_case_is_of_a_scene_that_its_split_tries(kind: str) -> None:
    for split, seeds in SPLITS.items():
        for number in range(WHOLE[1]):
            assert make_case(kind, number, split).before.seed in tried(seeds[number])


def test_the_splits_never_meet_nor_does_training_read_them() -> None:
    """Whatever is tried where a scene doesn't suit, by any case that there can be."""
    everything = {
        split: [seed for first in seeds for seed in tried(first)] for split, seeds in SPLITS.items()
    }
    development, test = (set(everything[split]) for split in ("development", "test"))
    assert all(len(seeds) == len(set(seeds)) for seeds in everything.values()), "no two cases try the same"
    assert not development & test
    validation = VALIDATION_SEEDS[: max(Course().validation, Preset.checked)]
    for read in (TRAINING_SEEDS, validation):
        assert min(development) >= read.stop
        assert min(test) >= read.stop


@pytest.mark.parametrize("by", ["replace-by", "insert"])
def test_a_learned_word_is_asked_for_in_the_very_scenes_of_the_known_words(by: str) -> None:
    for number in range(16):
        known, learned = (make_case(f"{by}-{how}combination", number) for how in ("", "learned-"))
        assert (known.before, known.after, known.shows) == (learned.before, learned.after, learned.shows)
        assert learned.concept is not None
        assert word_of(learned.concept) in learned.should_show
        assert "<" not in known.should_show


CUBE = Placed(Solid("cube", "blue"), x=0.3, y=0.85, size=0.3, seed=4)
BALL = Placed(Solid("ball", "red"), x=0.3, y=0.85, size=0.3, seed=4)


def inserted(*placed: Placed) -> tuple[Case, np.ndarray, np.ndarray]:
    """A cube is asked for on bare grass, on the left half; what ``placed`` shows is there."""
    bare = Scene((), "grass", "photo", TEST_SEEDS[0])
    case = Case("insert", "insert", bare, edits.insert(bare, CUBE), 0, "grass", "a blue cube on grass")
    left = np.zeros((SIZE, SIZE), np.bool_)
    left[:, : SIZE // 2] = True
    return case, render(replace(bare, placed=placed), SIZE).image, left


def test_an_inserted_thing_counts_wherever_in_the_selection_it_stands() -> None:
    judge = load_judge()
    for x, y, size in ((0.3, 0.85, 0.3), (0.22, 0.7, 0.24), (0.36, 0.95, 0.34)):
        case, picture, left = inserted(replace(CUBE, x=x, y=y, size=size))
        assert succeeds(judge, case, picture, left)


def test_an_inserted_thing_counts_nowhere_else_and_another_thing_never() -> None:
    judge = load_judge()
    for placed in ((), (replace(CUBE, x=0.75),), (BALL,), (BALL, replace(CUBE, x=0.75))):
        case, picture, left = inserted(*placed)
        assert not succeeds(judge, case, picture, left)


def test_what_was_removed_may_not_have_become_something_else() -> None:
    """A small thing on the ground beside the removed one's body, inside the selection."""
    judge, bare = load_judge(), Scene((), "grass", "photo", TEST_SEEDS[0])
    case = Case("remove", "remove", edits.insert(bare, CUBE), bare, 0, "a blue cube on grass", "grass")
    left = np.zeros((SIZE, SIZE), np.bool_)
    left[:, : SIZE // 2] = True
    small = replace(BALL, x=0.12, y=0.98, size=0.2)
    for placed, gone in (((), True), ((replace(BALL, x=0.75),), True), ((small,), False), ((CUBE,), False)):
        picture = render(replace(bare, placed=placed), SIZE).image
        assert succeeds(judge, case, picture, left) == gone


def test_the_judge_accepts_the_truth_and_refuses_the_unedited_photo() -> None:
    """Over all kinds together: a judge that always agreed, or never, would be useless."""
    judge, cases = load_judge(), [make_case(kind, number) for kind in KINDS for number in range(4)]
    masks = [case.selection(SIZE) for case in cases]
    both = [(case, None if mask is None else mask > 0) for case, mask in zip(cases, masks, strict=True)]
    true = [succeeds(judge, case, case.drawn(SIZE)[1].image, region) for case, region in both]
    unedited = [succeeds(judge, case, case.drawn(SIZE)[0].image, region) for case, region in both]
    kept = [keeps(judge, case, case.drawn(SIZE)[1].image) for case in cases]
    assert np.mean(true) - np.mean(unedited) > 0.5
    assert any(value is not None for value in kept)


def test_psnr_is_that_of_the_definition() -> None:
    a = np.zeros((4, 4, 3), np.uint8)
    b = a.copy()
    b[0, 0, 0] = 255
    assert psnr(a, b) == pytest.approx(10 * np.log10(48), abs=1e-3)
    assert psnr(a, a) == 100


def test_the_report_adds_up(runner: TaskRunner, tmp_path: Path) -> None:
    """One photo, one removal, with the built-in model at its own steps."""
    extent = Extent(1, 1, methods=("ddim", "direct"), kinds=("remove",))
    report, outcomes = measure(runner, BUILT_IN, extent, Store(tmp_path))
    recorded = report["reconstruction_psnr"]
    assert recorded["direct"]["values"] == recorded["autoencoder"]["values"]
    assert report["edits"]["remove"]["success"]["n"] == len(outcomes) == len(report["cases"]) == 1
    assert report["pixels_changed_outside"] == 0
    made = files(report, [replace(outcome, success=False) for outcome in outcomes])
    assert set(made) == {"report.json", "report.md", "edits.png", "grid.png"}
    assert json.loads(made["report.json"]) == json.loads(json.dumps(report))
    assert "| remove |" in made["report.md"].decode()
    assert report["edits"]["remove"]["identity"]["n"] == 0  # of nothing there is none


def test_two_runs_are_compared_case_by_case(runner: TaskRunner, tmp_path: Path) -> None:
    report, _ = measure(runner, BUILT_IN, Extent(0, 2, kinds=("remove",)), Store(tmp_path))
    worse = json.loads(json.dumps(report))
    worse["cases"][0] |= {"joint": False, "truth_psnr": report["cases"][0]["truth_psnr"] - 3}
    worse["cases"] += [{**worse["cases"][1], "number": 77}]
    report["cases"][0]["joint"] = report["cases"][1]["joint"] = True
    worse["cases"][1]["joint"] = True
    found = compared(report, worse)["remove"]
    assert (found["joint"]["mean"], found["joint"]["n"]) == (0.5, 2)
    assert found["truth_psnr"]["mean"] == pytest.approx(1.5)
    assert found["identity"]["n"] == 0
    assert "| remove | 2 | +50 (+0 to +100) |" in markdown({**report, "against": {"remove": found}})


def test_a_report_of_the_other_split_is_no_comparison(tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    file.write_text(json.dumps({"split": "development", "cases": []}))
    assert read_report(file, "development")["cases"] == []
    with pytest.raises(RequestError, match="no report of the test split"):
        read_report(file, "test")
    file.write_text("half a")
    with pytest.raises(RequestError, match=r"can't be read"):
        read_report(file, "test")


@pytest.mark.parametrize("kind", ["replace", "remove"])
def test_a_snug_selection_is_exactly_what_changes(kind: str) -> None:
    case = make_case(kind, 0)
    before, after = case.drawn(SIZE)
    snug, loose, wider = case.selection(SIZE, 0), case.selection(SIZE), case.selection(SIZE, 2)
    assert snug is not None
    assert loose is not None
    assert wider is not None
    assert np.array_equal(snug > 0, (before.image != after.image).any(axis=-1))
    assert (loose[snug > 0] == 255).all()
    assert np.array_equal(wider, grown(snug, 2))


def test_what_is_selected_snugly_is_gone(runner: TaskRunner) -> None:
    """With the operation's own growth, as well as with a loose selection, and as near to the truth."""
    judge, cases = load_judge(), [make_case("remove", number) for number in (0, 1)]
    snug, loose = (
        [edited(runner, BUILT_IN, judge, case, 0, margin) for case in cases] for margin in (0, MARGIN)
    )
    assert all(outcome.success for outcome in snug)
    assert [outcome.kind for outcome in (snug[0], loose[0])] == ["remove, margin 0", "remove"]
    assert np.mean([o.truth_psnr for o in snug]) > np.mean([o.truth_psnr for o in loose]) - 2


def test_what_is_removed_does_not_come_back_as_its_neighbour(runner: TaskRunner) -> None:
    """Another thing stands beside the hole and is named; nothing like it may grow there."""
    judge, cases = load_judge(), [make_case("remove", number) for number in (1, 3, 105, 123)]
    assert all(len(case.after.placed) == 1 for case in cases)
    outcomes = [edited(runner, BUILT_IN, judge, case, 0) for case in cases]
    assert np.mean([outcome.truth_psnr for outcome in outcomes]) > 23


def test_what_is_kept_is_used_for_the_very_same_only(tmp_path: Path) -> None:
    store, made = Store(tmp_path), Made(b"pixels", {"seconds": 1.5})
    store.keep("cases/replace-0.png", "key", made)
    assert store.recall("cases/replace-0.png", "key") == made
    assert store.recall("cases/replace-0.png", "another") is None
    assert store.recall("cases/replace-1.png", "key") is None
    (tmp_path / "cases" / "replace-0.png").write_bytes(b"half")
    assert store.recall("cases/replace-0.png", "key") is None
    assert Store(None).recall("cases/replace-0.png", "key") is None


def test_an_interrupted_run_goes_on_where_it_was(
    runner: TaskRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge, case, store = load_judge(), make_case("remove", 0), Store(tmp_path)
    first = edited(runner, BUILT_IN, judge, case, 0, store=store)
    monkeypatch.setattr(quality_store, "finish", lambda *_: pytest.fail("was done before"))
    again = edited(runner, BUILT_IN, judge, case, 0, store=store)
    assert again == first
    assert np.array_equal(again.picture, first.picture)
    assert first.unet_evaluations > 0
    assert first.backward_evaluations == 0


def test_a_word_is_learned_once(runner: TaskRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And anew from other pictures."""
    library, asked = runner.concepts, []

    def finish(_place: TaskRunner, request: LearnRequest) -> tuple[Finished, dict[str, int]]:
        asked.append(request)
        width = runner.models.get(BUILT_IN).text[0].width
        rows = (torch.full((2, width), float(len(asked))),)
        pictures = [np.full((8, 6, 4), len(asked), np.uint8)]
        concept = Concept(f"<{request.name}>", rows, "demo", "subject", request.noun)
        library.save(concept, Provenance(), pictures=pictures)
        return Finished({}, {"seconds": 1.0}), {"evaluations": 8, "backward": 8}

    monkeypatch.setattr(quality_store, "finish", finish)
    owl, store = CONCEPTS["owl"], Store(tmp_path)
    first = learned(runner, BUILT_IN, owl, 1, store)
    assert first.refused == ""
    library.remove("owl")
    assert learned(runner, BUILT_IN, owl, 1, store) == first
    assert float(library.load("owl").rows[0][0, 0]) == 1
    assert [int(picture[0, 0, 0]) for picture in library.pictures("owl")] == [1]
    assert len(asked) == 1
    library.remove("owl")
    assert learned(runner, BUILT_IN, owl, 2, store) != first
    library.remove("owl")
    learned(runner, BUILT_IN, owl, 2, store, detail=True)
    assert [len(request.images) for request in asked] == [4, 4, 4]
    assert [request.detail for request in asked] == [False, False, True]


def test_pictures_that_seem_not_to_fit_are_accepted_and_the_report_says_so(
    runner: TaskRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def finish(_place: TaskRunner, request: LearnRequest) -> tuple[Finished, dict[str, int]]:
        asked.append(request.accept_outliers)
        if not request.accept_outliers:
            refuse([Finding(3, "odd", Text("set-picture-odd", n=4, noun="owl"))], 4, GateSettings())
        rows = (torch.ones(2, runner.models.get(BUILT_IN).text[0].width),)
        runner.concepts.save(Concept("<owl>", rows, "demo", "subject", "owl"), Provenance())
        return Finished({}, {"seconds": 1.0}), {"evaluations": 8, "backward": 8}

    monkeypatch.setattr(quality_store, "finish", finish)
    store = Store(tmp_path)
    word = learned(runner, BUILT_IN, CONCEPTS["owl"], 1, store)
    assert asked == [False, True]
    assert "Picture 4" in word.refused
    runner.concepts.remove("owl")
    assert learned(runner, BUILT_IN, CONCEPTS["owl"], 1, store) == word, "kept with what was said"
    about, _ = measure(runner, BUILT_IN, Extent(0, 0), Store(None))
    words = {"<owl>": {"refused": word.refused}, "<toy>": {"refused": ""}}
    told = markdown({**about, "words": words})
    assert "accepted as they are: 1 of 2 words" in told
    assert word.refused in told
    assert "accepted as they are" not in markdown(about)


def test_pictures_with_another_fault_end_the_run(runner: TaskRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    def finish(_place: TaskRunner, request: LearnRequest) -> tuple[Finished, dict[str, int]]:
        assert not request.accept_outliers
        odd, blank = (
            Finding(3, problem, Text("set-picture-odd", n=4, noun="owl")) for problem in ("odd", "blank")
        )
        refuse([odd, blank], 4, GateSettings())
        raise AssertionError("it was refused")

    monkeypatch.setattr(quality_store, "finish", finish)
    with pytest.raises(ConceptImagesError):
        learned(runner, BUILT_IN, CONCEPTS["owl"], 1, Store(None))
