"""The model's benchmark: statistics against their definitions, fair verdicts, a whole report end to end."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from palimpsest.bench import model as bench
from palimpsest.bench.adherence import ALL, STRATA, Case, assess, cells, plan, visible
from palimpsest.bench.generate import Sampling, generate, psnr, round_trip, start_noise, unet_seconds
from palimpsest.bench.model_options import Settings
from palimpsest.bench.model_report import ModelReport, write
from palimpsest.bench.pictures import Tile, contact_sheet
from palimpsest.bench.statistics import Z95, Mean, Rate, mean, rate
from palimpsest.bench.word_maps import Captioned, iou, overlaps
from palimpsest.builtin.grammar import caption, parse
from palimpsest.builtin.judge import load_judge
from palimpsest.builtin.judge_answers import Answer, Found, Reading, View
from palimpsest.core.model import DiffusionModel
from palimpsest.core.steps import Steps, finish
from palimpsest.errors import RequestError
from palimpsest.scenes.scene import TEST_SEEDS, render, sample_scene
from tiny import ddpm_of, tiny_folder, tiny_model


@pytest.fixture(scope="module")
def tiny() -> DiffusionModel:
    """Native size 128, so that its pictures are as large as the judge's."""
    return tiny_model("sd1", sample=16, tokens=77)


# --- statistics -----------------------------------------------------------------------------------------


@given(st.integers(1, 2000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilsons_bounds_are_where_the_observed_rate_is_just_95_percent_likely(
    counts: tuple[int, int],
) -> None:
    """By definition |p̂ - p| = z √(p(1-p)/n) at both ends."""
    result = Rate(*counts)
    assert result.interval is not None
    observed = result.hits / result.n
    for p in result.interval:
        assert abs(observed - p) == pytest.approx(Z95 * math.sqrt(p * (1 - p) / result.n), abs=1e-7)
    low, high = result.interval
    assert 0 <= low <= observed + 1e-12
    assert observed - 1e-12 <= high <= 1


def test_what_was_not_measured_is_not_a_rate() -> None:
    assert rate([]).interval is None
    assert rate([]).to_json() == {"hits": 0, "n": 0, "rate": None, "low": None, "high": None}
    assert "not measured" in str(rate([]))
    assert mean([]) == Mean(None, None, 0)


@given(st.lists(st.floats(-100, 100), min_size=2, max_size=50))
def test_means_agree_with_numpy(values: list[float]) -> None:
    result = mean(values)
    assert result.mean == pytest.approx(np.mean(values), abs=1e-9)
    assert result.deviation == pytest.approx(np.std(values, ddof=1), abs=1e-9)


# --- verdicts -------------------------------------------------------------------------------------------

STRIPED_CUBE = Reading(Answer("cube", 1.0), colour=Answer("blue", 1.0), texture=Answer("striped", 1.0))
RED_BALL = Reading(Answer("ball", 1.0), colour=Answer("red", 1.0), texture=Answer("plain", 1.0))


def seen(*readings: Reading, ground: str = "sand", style: str = "photo") -> View:
    found = [Found((40 * k, 40, 40 * k + 30, 90), 0.9, reading) for k, reading in enumerate(readings)]
    return View(
        Answer(ground, 1.0), Answer(style, 1.0), Answer(str(len(found)), 1.0), tuple(found), (128, 128)
    )


def case(prompt: str) -> Case:
    return Case("two things", prompt, sample_scene(TEST_SEEDS[0]))


TWO = case("a photo of a red ball and a blue striped cube on sand")


def test_a_picture_that_shows_all_is_all_right_in_any_order() -> None:
    for readings in ((RED_BALL, STRIPED_CUBE), (STRIPED_CUBE, RED_BALL)):
        verdict = assess(TWO, seen(*readings))
        assert verdict.right
        assert len(verdict.of("thing")) == 2
        assert len(verdict.of("colour")) == 2
        assert verdict.of("texture") == [True]
        assert verdict.of("plain") == [True]


@pytest.mark.parametrize(
    ("view", "wrong"),
    [
        (seen(RED_BALL), {"thing": 1, "colour": 1, "texture": 1, "count": 1}),
        (seen(RED_BALL, STRIPED_CUBE, RED_BALL), {"count": 1}),
        (seen(RED_BALL, RED_BALL), {"thing": 1, "colour": 1, "texture": 1}),
        (seen(RED_BALL, STRIPED_CUBE, ground="snow"), {"ground": 1}),
        (seen(RED_BALL, STRIPED_CUBE, style="sketch"), {"style": 1}),
        (seen(), {"thing": 2, "colour": 2, "texture": 1, "count": 1}),
    ],
)
def test_each_failing_is_charged_where_it_belongs(view: View, wrong: dict[str, int]) -> None:
    verdict = assess(TWO, view)
    assert not verdict.right
    charged = {
        what: verdict.of(what).count(False)
        for what in ("thing", "colour", "texture", "count", "ground", "style")
    }
    assert {what: n for what, n in charged.items() if n} == wrong


def test_swapped_colours_are_two_wrong_colours_and_two_right_things() -> None:
    blue_ball = Reading(Answer("ball", 1.0), colour=Answer("blue", 1.0), texture=Answer("plain", 1.0))
    red_cube = Reading(Answer("cube", 1.0), colour=Answer("red", 1.0), texture=Answer("striped", 1.0))
    verdict = assess(TWO, seen(blue_ball, red_cube))
    assert verdict.of("thing") == [True, True]
    assert verdict.of("colour") == [False, False]


def test_stripes_where_none_were_asked_are_reported_but_not_held_against_the_picture() -> None:
    striped_ball = Reading(Answer("ball", 1.0), colour=Answer("red", 1.0), texture=Answer("striped", 1.0))
    verdict = assess(case("a photo of a red ball on sand"), seen(striped_ball))
    assert verdict.right
    assert verdict.of("plain") == [False]


def test_ink_is_not_asked_for_colour() -> None:
    description = visible(parse("an ink wash of a red ball and a man in a blue shirt on sand"))
    assert [(m.colour, m.shirt, m.noun) for m in description.mentions] == [
        (None, None, "ball"),
        (None, None, "man"),
    ]
    assert visible(parse(TWO.prompt)) == parse(TWO.prompt)


def test_the_plan_keeps_its_proportions_and_its_seeds_and_reads_back() -> None:
    cases = plan(500)
    assert len(cases) == 500
    assert cases == plan(500)
    counted = {stratum.name: sum(c.stratum == stratum.name for c in cases) for stratum in STRATA}
    assert counted == {s.name: round(500 * s.share) for s in STRATA}
    assert all(c.scene.seed in TEST_SEEDS for c in cases)
    assert len({c.scene.seed for c in cases}) == 500
    assert all(parse(c.prompt).count == len(c.scene.placed) for c in cases)
    assert {c.prompt for c in plan(50, seed=7000)}.isdisjoint({c.prompt for c in plan(50)})


def test_true_pictures_are_all_right() -> None:
    """The judge credits a perfect model, so what it withholds from another is that model's own."""
    cases = plan(110)
    views = load_judge().look([render(c.scene, 128, masks=False).image for c in cases])
    table = cells(cases, [assess(c, v) for c, v in zip(cases, views, strict=True)])
    one, overall = table["one thing"]["all right"], table[ALL]["all right"]
    assert one.hits >= 0.9 * one.n, str(one)
    assert overall.hits >= 0.8 * overall.n, str(overall)
    assert table["ink wash"]["colour"].n == 0


# --- measures -------------------------------------------------------------------------------------------


def test_overlap_and_psnr_by_hand() -> None:
    a, b = np.zeros((4, 4), np.bool_), np.zeros((4, 4), np.bool_)
    a[:2], b[1:3] = True, True
    assert iou(a, b) == 4 / 12
    assert iou(a, a) == 1
    grey = np.full((8, 8, 3), 100, np.uint8)
    assert psnr(grey, grey + 5) == pytest.approx(20 * math.log10(255 / 5))
    assert psnr(grey, grey) == math.inf


def test_pictures_do_not_depend_on_the_batch(tiny: DiffusionModel) -> None:
    prompts = ["a photo of a red ball on sand", "a blue cube", "a cat"]
    alone = [p for batch in generate(tiny, prompts, Sampling(3.0, steps=3, batch=1)) for p in batch]
    together = [p for batch in generate(tiny, prompts, Sampling(3.0, steps=3, batch=3)) for p in batch]
    for one, other in zip(alone, together, strict=True):
        assert np.abs(one.astype(int) - other).max() <= 1


def test_pictures_are_those_of_diffusers_own_pipeline(tmp_path: Path) -> None:
    """Same noise, same steps, same guidance: our sampling is DDIM as others know it."""
    from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import StableDiffusionPipeline
    from diffusers.schedulers.scheduling_ddim import DDIMScheduler

    from palimpsest.models.families import load

    folder = tiny_folder(tmp_path / "model", "sd1")
    model = load(folder)
    pipeline = StableDiffusionPipeline.from_pretrained(
        str(folder), torch_dtype=torch.float32, safety_checker=None
    )
    pipeline.scheduler = DDIMScheduler.from_config(
        pipeline.scheduler.config, clip_sample=False, steps_offset=ddpm_of(model).steps_offset
    )
    pipeline.set_progress_bar_config(disable=True)
    images, _ = pipeline(
        "a red ball",
        latents=start_noise(model, 5),
        num_inference_steps=6,
        guidance_scale=4.0,
        output_type="np",
        return_dict=False,
    )
    theirs = np.asarray(images[0])
    ours = next(generate(model, ["a red ball"], Sampling(4.0, steps=6, batch=1, seed=5)))[0]
    assert np.abs(ours / 255 - theirs).max() < 2 / 255


def test_word_maps_are_read_at_every_resolution_and_leave_the_model_as_it_was(tiny: DiffusionModel) -> None:
    scene = sample_scene(TEST_SEEDS[5], count=1, style="photo", kinds=("solid",))
    rendering = render(scene, 128, masks=False)
    noun = getattr(scene.placed[0].thing, "shape", "")
    before = tiny.network.module.attn_processors
    found = overlaps(
        tiny, Captioned(rendering.image, caption(scene), {noun: rendering.bodies[0]}), 300, seed=1
    )
    assert sorted({o.resolution for o in found}) == [8, 16]
    assert all(0 <= o.iou <= 1 and o.timestep == 300 for o in found)
    assert tiny.network.module.attn_processors.keys() == before.keys()
    assert all(tiny.network.module.attn_processors[name] is before[name] for name in before)


def test_two_things_of_one_name_have_no_word_map(tiny: DiffusionModel) -> None:
    picture = render(sample_scene(TEST_SEEDS[5]), 128, masks=False).image
    assert overlaps(tiny, Captioned(picture, "a photo of two red balls on sand", {}), 300, seed=1) == []


def test_a_round_trip_keeps_size_and_order_and_time_is_positive(tiny: DiffusionModel) -> None:
    pictures = [render(sample_scene(seed), 128, masks=False).image for seed in TEST_SEEDS[:2]]
    back = round_trip(tiny, pictures)
    assert [p.shape for p in back] == [p.shape for p in pictures]
    assert np.abs(back[1].astype(int) - round_trip(tiny, pictures[1:])[0]).max() <= 1
    assert unet_seconds(tiny, 1, repeats=1) > 0


# --- the whole ------------------------------------------------------------------------------------------


def test_the_whole_benchmark_writes_a_report_that_adds_up(tiny: DiffusionModel, tmp_path: Path) -> None:
    model = replace(tiny, steps=2, guidance=2.5)
    settings = Settings(prompts=10, batch=4, round_trips=5, maps=2)
    phases: list[str] = []
    report = finish(watched(bench.measure(model, load_judge(), settings), phases))
    assert phases == ["draw", "judge the truth", "round trips", "word maps"]
    write(report, tmp_path)
    content = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert (content["settings"]["guidance"], content["settings"]["steps"]) == (2.5, 2)  # the model's own
    assert len(content["prompts"]) + len(content["too_long"]) == len(plan(10))
    table = content["adherence"]
    right = [p["right"] for p in content["prompts"]]
    assert table[ALL]["all right"]["n"] == len(right)
    assert table[ALL]["all right"]["hits"] == sum(right)
    assert sum(table[s.name]["all right"]["n"] for s in STRATA) == len(right)
    assert content["adherence_of_true_pictures"][ALL]["all right"]["n"] == len(right)
    assert content["round_trip_psnr"]["photo"]["n"] == 3
    assert content["word_map_iou"]["16x16"]["n"] == 4 * content["word_map_iou"]["16x16, t = 300"]["n"]
    text = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert f"| {ALL} |" in text
    assert "left out" in text or not content["too_long"]
    assert Image.open(tmp_path / "grid.png").width > 8 * 128


def watched(steps: Steps[ModelReport], phases: list[str]) -> Steps[ModelReport]:
    """The same steps, noting each new phase."""
    while True:
        try:
            step = next(steps)
        except StopIteration as stop:
            return stop.value
        assert 1 <= step.index <= step.total
        if not phases or phases[-1] != step.phase:
            phases.append(step.phase)
        yield step


def test_prompts_that_the_model_cannot_read_are_left_out_and_said(tmp_path: Path) -> None:
    short = tiny_model("sd1", sample=16, tokens=16)
    cases = plan(20)
    kept = bench.readable(short, cases)
    assert 0 < len(kept) < len(cases)


def test_a_sheet_has_room_for_every_picture_and_frames_them() -> None:
    picture = np.full((20, 20, 3), 7, np.uint8)
    sheet = np.asarray(
        contact_sheet([Tile(picture, "a ball", True), Tile(picture, "a cube", False), Tile(picture)], 2, 20)
    )
    assert (sheet == 7).all(-1).sum() == 3 * 20 * 20
    assert (sheet == (40, 160, 60)).all(-1).any()
    assert (sheet == (210, 50, 40)).all(-1).any()


@pytest.mark.parametrize("option", ["prompts", "steps", "batch", "round_trips", "maps"])
def test_settings_that_measure_nothing_are_refused(option: str) -> None:
    with pytest.raises(RequestError, match=option):
        Settings(**{option: 0})


def test_the_command_names_a_folder_without_a_model(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bench.main(["--model", str(tmp_path / "none"), "--out", str(tmp_path)]) == 2
    assert "none" in capsys.readouterr().err
