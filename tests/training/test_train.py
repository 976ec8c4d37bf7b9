"""The recipe's promises: it resumes exactly, stops when told, refuses to mix runs, trains what it says."""

from __future__ import annotations

import copy
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from palimpsest.errors import ModelUnreadableError
from palimpsest.scenes.things import STYLES
from palimpsest.training import train
from palimpsest.training.checkpoint import load_state, save_state
from palimpsest.training.dataset import KINDS, to_signed
from palimpsest.training.layout import PROVENANCE, build_vae, load
from palimpsest.training.precision import Precision
from palimpsest.training.presets import PRESETS, miniature, preset
from palimpsest.training.train_unet import Latents, min_snr, sampling_shares
from palimpsest.training.train_unet import rate_at as unet_rate
from palimpsest.training.train_vae import (
    Lesson,
    bake_normalisation,
    encode_mean,
    make_optimizer,
    reconstruction_loss,
    round_trip,
    train_vae,
)

HERE = Precision(torch.device("cpu"))
COMMON = ("--device", "cpu", "--workers", "0", "--miniature")


def options(name: str, out: Path, *more: str) -> list[str]:
    return ["--preset", name, "--out", str(out), *COMMON, *more]


@pytest.fixture(scope="module", params=sorted(PRESETS))
def finished(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole run of each preset, at tiny sizes."""
    out = tmp_path_factory.mktemp(request.param)
    assert train.main(options(request.param, out)) == 0
    return out


def before_unet(run: Path, target: Path) -> Path:
    """A copy of ``run`` as it was when its denoiser had not begun."""
    shutil.copytree(run, target, ignore=shutil.ignore_patterns("unet", "decoder", "model", "grids"))
    return target


def states(run: Path, stage: str = "unet") -> dict[str, torch.Tensor]:
    return load_file(run / stage / "state.safetensors")


def same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[key], b[key]) for key in a)


class TestWholeRun:
    def test_it_leaves_a_model_that_loads(self, finished: Path) -> None:
        parts = load(finished / "model")
        assert parts.unet.config["sample_size"] * 8 == 64
        told = json.loads((finished / "model" / PROVENANCE).read_text(encoding="utf-8"))
        assert told["optimiser_steps"] == {"vae": 4, "unet": 4, "decoder": 4}
        assert told["initialised_from"] == "random weights"

    def test_it_leaves_pictures_to_look_at(self, finished: Path) -> None:
        for file in ("grids/unet-000004.png", "vae/round-trip.png", "vae/loss.png", "unet/loss.png"):
            with Image.open(finished / file) as picture:
                assert picture.convert("L").getextrema()[0] < picture.convert("L").getextrema()[1]

    def test_running_it_again_changes_nothing(self, finished: Path) -> None:
        before = states(finished)
        name = json.loads((finished / "run.json").read_text(encoding="utf-8"))["settings"]["name"]
        assert train.main(options(name.removesuffix("-miniature"), finished, "--only", "vae,unet")) == 0
        assert same(states(finished), before)

    def test_the_decoder_stage_leaves_the_latents_alone(self, finished: Path) -> None:
        baked = load_file(finished / "vae" / "baked.safetensors")
        tuned = states(finished, "decoder")
        frozen = [k for k in baked if k.startswith(("vae/encoder", "vae/quant_conv"))]
        assert frozen
        assert all(torch.equal(baked[k], tuned[k]) for k in frozen)
        assert not torch.equal(baked["vae/decoder.conv_out.weight"], tuned["vae/decoder.conv_out.weight"])

    def test_latents_have_unit_variance_whatever_the_scaling_factor(self, finished: Path) -> None:
        z = torch.cat([load_file(f)["latents"].float() for f in (finished / "latents").glob("*")])
        torch.testing.assert_close(z.std((0, 2, 3)), torch.ones(z.shape[1]), rtol=0.25, atol=0)
        assert z.mean((0, 2, 3)).abs().max() < 0.25


@pytest.fixture(scope="module")
def cpu_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("cpu-only")
    assert train.main(options("cpu", out, "--only", "pictures,vae,latents,unet", "--unet-steps", "9")) == 0
    return out


def test_a_killed_run_ends_in_the_same_weights(cpu_run: Path, tmp_path: Path) -> None:
    """SIGKILL in the middle, then the same command again: bit for bit what an undisturbed run gives."""
    other = before_unet(cpu_run, tmp_path / "killed")
    command = options("cpu", other, "--only", "unet", "--unet-steps", "9")
    program = [sys.executable, "-m", "palimpsest.training.train", *command]
    child = subprocess.Popen(program, env=child_environment())
    while not (other / "unet" / "state.safetensors").exists() and child.poll() is None:
        time.sleep(0.01)
    child.send_signal(signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL
    assert train.main(command) == 0
    assert same(states(other), states(cpu_run))


def child_environment() -> dict[str, str]:
    package = Path(train.__file__).parents[2]
    return {**os.environ, "PYTHONPATH": str(package)}


def test_a_run_out_of_time_says_so_and_goes_on(
    cpu_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = before_unet(cpu_run, tmp_path / "pieces")
    command = options("cpu", other, "--only", "unet", "--unet-steps", "9")
    results = [train.main([*command, "--minutes", "0"]) for _ in range(4)]
    assert results == [train.UNFINISHED] * 4
    assert "run the same command again" in capsys.readouterr().out
    assert train.main(command) == 0
    assert same(states(other), states(cpu_run))


def test_the_minutes_are_those_of_the_whole_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a clock that moves 20 s whenever it is read, drawing and three steps take more than 2½ minutes."""
    readings = itertools.count(step=20)
    monkeypatch.setattr(train.time, "monotonic", lambda: next(readings))
    command = options("cpu", tmp_path, "--only", "pictures,vae")
    assert train.main([*command, "--minutes", "2.5"]) == train.UNFINISHED
    assert (tmp_path / "vae" / "state.safetensors").exists()


def test_an_autoencoder_resumes_exactly(tmp_path: Path) -> None:
    lesson = small_lesson(steps=5)
    whole, halves = build_vae(miniature(preset("cpu")).vae, 64), build_vae(miniature(preset("cpu")).vae, 64)
    halves.load_state_dict(whole.state_dict())
    list(train_vae(whole, make_optimizer(whole, lesson), lesson, 0))
    optimizer = make_optimizer(halves, lesson)
    for step in train_vae(halves, optimizer, lesson, 0):
        if step.step == 2:
            save_state(tmp_path / "state.safetensors", 2, {"vae": halves}, optimizer)
    again = make_optimizer(halves, lesson)
    start = load_state(tmp_path / "state.safetensors", {"vae": halves}, again)
    list(train_vae(halves, again, lesson, start))
    assert same(halves.state_dict(), whole.state_dict())


def small_lesson(steps: int) -> Lesson:
    rng = torch.Generator().manual_seed(0)
    pictures = torch.randint(256, (6, 3, 64, 64), generator=rng, dtype=torch.uint8)
    cover = torch.zeros(6, 1, 64, 64, dtype=torch.uint8)
    cover[:, :, 20:40, 20:40] = 1
    return Lesson(pictures, cover, replace(miniature(preset("cpu")).vae_course, steps=steps), HERE, seed=3)


def test_baking_gives_unit_latents_and_keeps_the_pictures() -> None:
    vae = build_vae(miniature(preset("cpu")).vae, 64).eval()
    pictures = small_lesson(1).pictures
    before = round_trip(vae, pictures, HERE)
    bake_normalisation(vae, pictures, HERE)
    z = vae.config["scaling_factor"] * encode_mean(vae, pictures.float() / 127.5 - 1, HERE)
    torch.testing.assert_close(z.mean((0, 2, 3)), torch.zeros(z.shape[1]), atol=1e-3, rtol=0)
    torch.testing.assert_close(z.std((0, 2, 3)), torch.ones(z.shape[1]), atol=1e-3, rtol=0)
    torch.testing.assert_close(round_trip(vae, pictures, HERE), before, atol=1e-3, rtol=0)


def test_an_anchored_autoencoder_keeps_the_latents_it_started_from() -> None:
    """Trained on noise the latents go their own way, over six seeds 3 to 11 times as far as at an anchor."""
    torch.manual_seed(0)
    origin = build_vae(miniature(preset("cpu")).vae, 64).eval()
    lesson = small_lesson(steps=60)
    strays = []
    for anchor in (origin, None):
        vae = copy.deepcopy(origin)
        course = replace(lesson.course, rate=3e-3, anchor_weight=100.0)
        free = replace(lesson, course=course, anchor=anchor)
        list(train_vae(vae, make_optimizer(vae, free), free, 0))
        x = to_signed(lesson.pictures)
        strays.append(float((encode_mean(vae, x, HERE) - encode_mean(origin, x, HERE)).square().mean()))
    assert strays[0] < 0.5 * strays[1]


def test_a_run_that_is_anchored_goes_on_with_the_model_it_started_from_only(
    cpu_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train.main(options("cpu", cpu_run, "--only", "export")) == 0
    start = options("cpu", tmp_path, "--only", "pictures,vae")
    assert train.main([*start, "--init", str(cpu_run / "model"), "--minutes", "0"]) == train.UNFINISHED
    assert train.main([*start]) == 2
    assert "--init" in capsys.readouterr().err
    assert train.main([*start, "--init", str(cpu_run / "model")]) == 0


def test_a_run_with_fewer_latent_channels_is_not_anchored(cpu_run: Path, tmp_path: Path) -> None:
    assert preset("gpu").vae.latent_channels < preset("cpu").vae.latent_channels
    assert train.main(options("cpu", cpu_run, "--only", "export")) == 0
    start = ["--init", str(cpu_run / "model"), "--only", "pictures,vae"]
    assert train.main(options("gpu", tmp_path, *start)) == 0


def test_the_number_format_can_be_chosen(tmp_path: Path) -> None:
    assert train.main(options("cpu", tmp_path, "--precision", "bfloat16", "--only", "pictures,vae")) == 0
    assert json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))["settings"]["half"] is True


def test_pixels_of_things_weigh_more() -> None:
    course = preset("cpu").vae_course
    x = torch.zeros(1, 3, 8, 8)
    weight = torch.ones(1, 1, 8, 8)
    weight[..., :4] = 4
    inside, outside = x.clone(), x.clone()
    inside[..., 1, 1], outside[..., 1, 6] = 1, 1
    ratio = reconstruction_loss(inside, x, weight, course) / reconstruction_loss(outside, x, weight, course)
    assert ratio == pytest.approx(4)


def test_min_snr_is_the_published_weight() -> None:
    alpha_bar = torch.tensor([0.999, 0.9, 0.5, 0.01], dtype=torch.float64)
    snr = [a / (1 - a) for a in alpha_bar.tolist()]
    expected = torch.tensor([min(s, 5.0) / s for s in snr], dtype=torch.float64)
    torch.testing.assert_close(min_snr(alpha_bar, 5.0), expected)


def test_the_rate_holds_before_it_falls_so_that_a_run_can_be_made_longer() -> None:
    course = replace(preset("cpu").unet_course, steps=1000)
    longer = replace(course, steps=1600)
    assert [unet_rate(s, course) for s in (100, 499)] == [unet_rate(s, longer) for s in (100, 499)]
    assert unet_rate(999, course) < 0.02 * course.rate
    assert unet_rate(0, course) < unet_rate(20, course) < course.rate


def test_the_mix_weighs_scene_kinds_and_styles() -> None:
    mix = (("two", 3.0), ("many living", 0.5), ("sketch", 2.0))
    pairs = list(itertools.product(range(len(KINDS)), range(len(STYLES))))
    kinds, styles = torch.tensor(pairs, dtype=torch.uint8).unbind(1)
    nothing = torch.zeros(0)
    table = Latents(nothing, nothing, kinds, styles, nothing, nothing)
    shares = sampling_shares(table, replace(preset("cpu").unet_course, mix=mix))
    expected = [dict(mix).get(KINDS[k], 1.0) * dict(mix).get(STYLES[s], 1.0) for k, s in pairs]
    assert shares.tolist() == expected


def test_a_folder_of_another_run_is_refused(cpu_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert train.main(options("gpu", cpu_run)) == 2
    assert "--out" in capsys.readouterr().err


def test_latents_without_styles_are_refused(
    cpu_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    older = before_unet(cpu_run, tmp_path / "older")
    for file in (older / "latents").glob("*.safetensors"):
        table = load_file(file)
        del table["styles"]
        save_file(table, file)
    assert train.main(options("cpu", older, "--only", "unet", "--unet-steps", "9")) == 2
    assert f"{older / 'latents'} was written before" in capsys.readouterr().err


def test_a_state_of_another_shape_is_refused(cpu_run: Path) -> None:
    wider = replace(miniature(preset("cpu")).vae, channels=(16, 16, 16, 16))
    with pytest.raises(ModelUnreadableError, match="does not fit"):
        load_state(cpu_run / "vae" / "baked.safetensors", {"vae": build_vae(wider, 64)}, None)


def test_the_command_line_changes_the_batch_and_nothing_else() -> None:
    arguments = ["--preset", "cpu", "--unet-batch", "512"]
    chosen = train.chosen_preset(train.parser().parse_args(arguments))
    known = preset("cpu")
    assert chosen == replace(known, unet_course=replace(known.unet_course, batch=512))


def test_the_gpu_preset_asks_for_a_gpu(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if torch.cuda.is_available():
        pytest.skip("there is one")
    assert train.main(["--preset", "gpu", "--out", str(tmp_path)]) == 2
    assert "--preset cpu" in capsys.readouterr().err


def test_a_stage_without_its_forerunner_says_what_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train.main(options("cpu", tmp_path, "--only", "unet")) == 2
    assert "baked.safetensors" in capsys.readouterr().err


def test_unknown_stages_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert train.main(options("cpu", tmp_path, "--only", "unet,polish")) == 2
    assert "polish" in capsys.readouterr().err


def test_a_model_can_start_from_another(cpu_run: Path, tmp_path: Path) -> None:
    """With a rate of nothing, what is exported is what was given."""
    assert train.main(options("cpu", cpu_run, "--only", "export")) == 0
    still = ["--init", str(cpu_run / "model"), "--vae-rate", "0", "--unet-rate", "0", "--vae-steps", "1"]
    stages = "pictures,vae,latents,unet,export"
    assert train.main(options("cpu", tmp_path, *still, "--unet-steps", "1", "--only", stages)) == 0
    old, new = load(cpu_run / "model"), load(tmp_path / "model")
    assert same(new.unet.state_dict(), old.unet.state_dict())
    assert same(new.text_encoder.state_dict(), old.text_encoder.state_dict())
    told = json.loads((tmp_path / "model" / PROVENANCE).read_text(encoding="utf-8"))
    assert told["initialised_from"].startswith("Palimpsest built-in, preset cpu-miniature, unet sha256 ")
