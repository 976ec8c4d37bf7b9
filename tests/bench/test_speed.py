"""The speed benchmark counts right, tells what it measured, and goes on where memory doesn't suffice."""

from __future__ import annotations

import io
import json
import mmap
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from PIL import Image

from palimpsest.bench.meter import Metered, median, metered
from palimpsest.bench.shapes import FAMILIES, configuration, random_model
from palimpsest.bench.speed import QUICK, Bench, Extent, RandomModels, files, measure
from palimpsest.bench.speed_report import PICTURE, markdown
from palimpsest.bench.speed_rows import Row
from palimpsest.cli import main
from palimpsest.cli.bench import PARTS, SHAPES
from palimpsest.core.editing.draw import start_noise
from palimpsest.core.text.prompt import concepts_installed
from palimpsest.models.families.stable_diffusion import published
from palimpsest.models.families.stable_diffusion.configuration import spec_of
from palimpsest.models.plan import HIGH, LOW
from palimpsest.tasks.runner import TaskRunner
from tiny import tiny_model

STEPS = 4
LEVELS = {"replace": 4, "restyle": 3, "remove": 2, "insert": 1}  # of noise, as far as the photo is needed
SMALL = Extent(
    repeats=1, photos=1, learning=2, methods=("direct", "null-text"), steps=STEPS,
    canvases=(1024, 2048), pictures=(1, 2), step_counts=(2, 4),
)  # fmt: skip


@pytest.fixture
def bench(runner: TaskRunner) -> Bench:
    runner.models = RandomModels(runner.models.models, runner.device)
    return Bench(runner, "tiny", runner.models.get("tiny"), SMALL)


def test_the_command_offers_the_shapes_and_parts_there_are(bench: Bench) -> None:
    assert set(SHAPES) == set(FAMILIES)
    assert tuple(bench.parts) == PARTS


@pytest.mark.parametrize(("shape", "family"), [("sd15", "sd1"), ("sd21", "sd2"), ("sdxl", "sdxl")])
def test_a_shape_is_the_published_one(shape: str, family: str) -> None:
    told = configuration(shape)
    assert spec_of(told).family == family
    assert told.unet == published.UNETS[family]
    assert told.scheduler["prediction_type"] == ("v_prediction" if family == "sd2" else "epsilon")


def test_making_a_model_leaves_random_numbers_and_precision_alone() -> None:
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    model = random_model("tiny", torch.device("cpu"))
    assert torch.equal(torch.rand(2), expected)
    assert torch.get_default_dtype() == torch.float32
    assert not any(weight.requires_grad for weight in model.network.module.parameters())


def test_evaluations_calls_and_gradients_are_counted_apart() -> None:
    model = tiny_model()
    with concepts_installed(model, ()) as vocabulary:
        null = vocabulary.null()
    z = start_noise(model, 0)
    with metered(model) as made:
        with torch.no_grad():
            model.predict(z.expand(3, -1, -1, -1), 1, null.expand(3))
        context = null.context.expand(2, -1, -1).clone().requires_grad_(True)
        model.predict(z.expand(2, -1, -1, -1), 1, null.expand(2).with_context(context)).sum().backward()
    assert (made.evaluations, made.calls, made.backward) == (5, 2, 2)
    assert made.outside is None, "the way back is in no network's time"
    with torch.no_grad(), metered(model) as again:
        model.predict(z, 1, null)
    assert (again.evaluations, again.calls, again.backward) == (1, 1, 0)
    assert 0 < again.networks["unet"] <= again.seconds
    assert again.networks["autoencoder"] == 0


def test_the_median_run_is_one_that_was_made() -> None:
    runs = [Metered(seconds=seconds) for seconds in (3.0, 1.0, 9.0, 2.0)]
    assert median(runs).seconds == 2.0


def test_every_row_is_there_and_counts_what_the_algorithms_say(bench: Bench, runner: TaskRunner) -> None:
    """As ``tasks.edit`` batches: source, target and target without words; remembered, no inversion."""
    *_, report = measure(runner, "tiny", SMALL, [part for part in PARTS if part != "scaling"])
    rows = {row["name"]: row for row in report["rows"]}
    assert rows["UNet, 4 at once"]["evaluations"] == 4
    assert rows["UNet forward and back, 4 at once"]["backward"] == 4
    plain, drawn = rows["diffusers' pipeline, one latent"], rows["drawn from words, one latent"]
    assert plain["evaluations"] == drawn["evaluations"] == 2 * STEPS
    assert plain["calls"] == drawn["calls"] == STEPS
    assert rows["photo remembered, direct"]["evaluations"] == STEPS
    null_text = rows["photo remembered, null-text"]
    assert null_text["backward"] == 10 * STEPS or 0 < null_text["backward"] < 10 * STEPS
    for kind, levels in LEVELS.items():
        cold, hot = rows[f"{kind}, cold"], rows[f"{kind}, hot"]
        assert cold["evaluations"] - hot["evaluations"] == levels
        assert set(cold["phases"]) - set(hot["phases"]) == {"inverting"}
    assert rows["word learned"]["backward"] == 2 * 4
    assert not any(row["failed"] for row in rows.values())
    beside = {name for name, row in rows.items() if row["against"] is not None}
    edits = {f"{kind}, {state}" for kind in LEVELS for state in ("cold", "hot")}
    assert beside == {*edits, "drawn from words, one latent", "photo remembered, direct"}


@pytest.mark.parametrize("name", ["canvases", "pictures", "step_counts"])
def test_what_is_quick_leaves_out_the_largest_of_what_grows(name: str) -> None:
    assert getattr(QUICK, name) == getattr(Extent(), name)[:2]


def test_what_grows_is_measured_hot_and_drawn(bench: Bench, runner: TaskRunner) -> None:
    *_, report = measure(runner, "tiny", SMALL, ["scaling"])
    found = {(row["series"], row["at"]): row for row in report["rows"]}
    small, large = (found["canvas side, pixels", side] for side in (1024, 2048))
    assert small["evaluations"] == large["evaluations"]
    assert "inverting" not in small["phases"]
    assert small["times"] == 1
    one, two = (found["pictures at once", count] for count in (1, 2))
    assert two["evaluations"] == 2 * one["evaluations"]
    assert two["calls"] == one["calls"]
    assert found["steps", 4]["calls"] == 2 * found["steps", 2]["calls"]
    made = files(report, random_weights=True)
    assert "pictures at once: 2, hot" in made["report.md"].decode()
    with Image.open(io.BytesIO(made[PICTURE])) as picture:
        assert picture.width > 3 * picture.height // 2


def test_memory_at_most_is_of_the_work_alone() -> None:
    """Memory straight from the system: what PyTorch frees may stay with the process for its next tensor."""
    model = tiny_model()
    with metered(model) as large, mmap.mmap(-1, 1 << 28) as held:
        for page in range(0, len(held), mmap.PAGESIZE):
            held[page] = 1
    with metered(model) as small:
        pass
    if large.peak is None or small.peak is None:
        pytest.skip("This system doesn't say.")
    assert large.peak - small.peak > 1 << 27


def test_a_row_that_finds_no_memory_says_so_and_the_rest_goes_on(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(Bench, "_led_back", full)
    rows = list(bench.networks())
    assert [bool(row.failed) for row in rows] == ["back" in row.name for row in rows]
    assert "memory" in next(row.failed for row in rows if row.failed)


def without_memory(_: int) -> None:
    raise torch.OutOfMemoryError("CUDA out of memory")


def with_no_evaluation(_: int) -> None:
    pass


@pytest.mark.parametrize("pipeline", [without_memory, with_no_evaluation])
def test_a_job_is_measured_where_the_pipeline_beside_it_cannot_be(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, pipeline: Callable[[int], None]
) -> None:
    monkeypatch.setitem(vars(bench.watch), "plain", pipeline)
    row = next(bench.remembering())
    assert (row.failed, row.evaluations, row.against) == ("", STEPS, None)


def test_the_report_says_where_and_that_weights_are_random() -> None:
    rows = [
        Row("replace, hot", 1, 3.0, 100, 0, 25, against=1.5, peak=3 << 30, phases={"editing": 2.5}),
        Row("word learned", 0, failed="too large"),
    ]
    report = {
        "model": "sdxl", "native_size": 1024, "steps": 50, "guidance": 5.0, "precision": "bfloat16",
        "memory_of_the_model": 8 << 30, "device": "Card 1", "torch": "2.11", "commit": "abc",
        "rows": [vars(row) for row in rows],
    }  # fmt: skip
    made = files(report, random_weights=True)
    assert set(made) == {"report.json", "report.md"}, "nothing grew"
    assert json.loads(made["report.json"])["random_weights"] is True
    text = made["report.md"].decode()
    assert "Card 1" in text
    assert "random" in text
    assert "| replace, hot | 1 | 3.00 | 100 |  | 25 | 1.50 |  | 3.00 |" in text
    assert "too large" in text
    assert "random" not in markdown({**report, "random_weights": False})


def test_the_command_refuses_before_it_loads(tmp_path: Path) -> None:
    assert main(["bench", "speed", "--model", "nowhere", "--output", str(tmp_path)]) == 2


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--shape", "tiny", "--model", "sd15"), "--shape tiny and --model sd15 are two models."),
        (("--photos", "0"), "--photos can't be 0."),
        (("--learning-steps", "-1"), "--learning-steps can't be -1."),
        (("--steps", "0"), "--steps can't be 0."),
    ],
)
def test_what_would_measure_nothing_or_another_model_is_refused(
    options: tuple[str, ...], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bench", "speed", *options, "--output", str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith(f"Error: {told} ")


def test_random_weights_are_measured_by_the_plan_that_is_set() -> None:
    model = random_model("tiny", torch.device("cpu"), LOW)
    assert model.striped
    assert model.decode(torch.zeros(1, 4, 8, 8)).shape == (1, 3, 64, 64)
    pool = RandomModels(Path("nowhere"), torch.device("cuda"), plan=HIGH)
    assert not pool.save_memory(), "a row that memory isn't enough for says so"
