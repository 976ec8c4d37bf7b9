"""``python -m palimpsest.training.distil --out FOLDER``: the built-in model made into one of a few steps.

Latent consistency distillation (Luo et al. 2023, arXiv 2310.04378; Song et al. 2023). At each of sixteen
levels t the student is taught to say the same ẑ_0 as its own average says one level below, where the
teacher's guided DDIM step leads:

    ‖ẑ_0(z_t, t) - ẑ_0⁻(z_s, s)‖,    z_s = DDIM(z_t, ε_null + w·(ε_text - ε_null), t → s)

and below the last level ẑ_0 is the teacher's. Guidance is in what is learned, so the student is used without.
Its text encoder and autoencoder are the teacher's. What is written is a model folder whose own settings are
in ``palimpsest.json``; run the command again and it goes on where it stopped.
"""

from __future__ import annotations

import argparse
import copy
import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from palimpsest.builtin.language import vocabulary
from palimpsest.errors import PalimpsestError
from palimpsest.installation.origin import commit
from palimpsest.scenes import scene as scenes
from palimpsest.training.checkpoint import append_line, load_state, save_state, step_generator
from palimpsest.training.dataset import draw_latents, orders, read_table
from palimpsest.training.layout import USE, Parts, load, save
from palimpsest.training.precision import Precision
from palimpsest.training.presets import UNetCourse
from palimpsest.training.provenance import describe_origin
from palimpsest.training.tokenizer import encode
from palimpsest.training.train import UNFINISHED, deadline
from palimpsest.training.train_unet import rate_at
from palimpsest.training.train_vae import Trained, encode_mean

LEVELS = 16  # of the noise, evenly spaced from the noisiest ("trailing")
HUBER = 1e-3  # where the loss turns from squares to distances
LOG_EVERY = 10  # optimiser steps
TEACHER = Path(__file__).parents[1] / "builtin" / "weights"


@dataclass(frozen=True)
class Course:
    """How the student trains."""

    steps: int = 2000
    batch: int = 16
    guidance: float = 3.0  # of the teacher
    scenes: int = 8192
    rate: float = 2e-4
    warmup: int = 20
    decay_share: float = 0.5  # of the steps, at the end, during which the rate falls to nothing
    ema: float = 0.98  # of the average that is learned from, and written
    caption_dropout: float = 0.05
    seed: int = 0

    def rate_at(self, step: int) -> float:
        return rate_at(step, UNetCourse(self.steps, self.batch, self.rate, self.warmup, self.decay_share))


@dataclass(frozen=True)
class Pupil:
    """The student and its average beside the teacher, all of them on one device."""

    teacher: Parts
    student: UNet2DConditionModel
    mean: UNet2DConditionModel

    @staticmethod
    def of(teacher: Parts) -> Pupil:
        for module in teacher.modules():
            module.eval().requires_grad_(False)
        student, mean = copy.deepcopy(teacher.unet), copy.deepcopy(teacher.unet)
        return Pupil(teacher, student.train().requires_grad_(True), mean)

    def modules(self) -> dict[str, nn.Module]:
        return {"unet": self.student, "mean_unet": self.mean}


@dataclass(frozen=True)
class Lesson:
    """What is learned from, and how."""

    latents: Tensor  # (n, C, h, w)
    tokens: Tensor  # (n, captions, context)
    empty: Tensor  # (context,) the tokens of the empty caption
    course: Course
    precision: Precision


def train(pupil: Pupil, optimizer: torch.optim.Optimizer, lesson: Lesson, start: int) -> Iterator[Trained]:
    """Take the steps of ``lesson`` from number ``start`` on, yielding after each one."""
    course = lesson.course
    average = get_ema_multi_avg_fn(course.ema)
    for step in range(start, course.steps):
        rate = course.rate_at(step)
        for group in optimizer.param_groups:
            group["lr"] = rate
        loss = consistency_loss(pupil, lesson, step)
        loss.backward()
        nn.utils.clip_grad_norm_(pupil.student.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        with torch.no_grad():
            average(tuple(pupil.mean.parameters()), tuple(pupil.student.parameters()), step)
        yield Trained(step + 1, loss.item(), rate)


def consistency_loss(pupil: Pupil, lesson: Lesson, step: int) -> Tensor:
    """Of one batch; everything random comes from the step's number."""
    course, device = lesson.course, lesson.precision.device
    rng = step_generator(course.seed, step, device)
    rows = torch.randint(len(lesson.latents), (course.batch,), generator=rng, device=device)
    z0, tokens = lesson.latents[rows].float(), _captions(lesson, rows, rng)
    at = torch.randint(LEVELS, (course.batch,), generator=rng, device=device)  # 0: the noisiest
    eps = torch.randn(z0.shape, generator=rng, device=device)
    alphas = pupil.teacher.scheduler.alphas_cumprod.to(device)
    levels = trailing(len(alphas)).to(device)
    t, below = levels[at], levels[(at + 1).clamp(max=LEVELS - 1)]
    last = (at == LEVELS - 1)[:, None, None, None]
    alpha, alpha_below = (alphas[level][:, None, None, None] for level in (t, below))
    z = alpha.sqrt() * z0 + (1 - alpha).sqrt() * eps
    with torch.no_grad():
        text = pupil.teacher.text_encoder(tokens).last_hidden_state
        null = pupil.teacher.text_encoder(lesson.empty[None]).last_hidden_state
        taught = _guided(pupil.teacher.unet, lesson, z, t, text, null)
        known = clean(z, taught, alpha)
        moved = alpha_below.sqrt() * known + (1 - alpha_below).sqrt() * taught
        target = torch.where(last, known, clean(moved, pupil.mean(moved, below, text).sample, alpha_below))
    said = clean(z, pupil.student(z, t, text).sample, alpha)
    return ((said - target).square() + HUBER**2).sqrt().sub(HUBER).mean()


def trailing(timesteps: int) -> Tensor:
    """The levels, noisiest first: those of LEVELS "trailing" steps, and so of 2, 4 and 8."""
    return torch.tensor([round(timesteps - timesteps * i / LEVELS) - 1 for i in range(LEVELS)])


def clean(z: Tensor, eps: Tensor, alpha: Tensor) -> Tensor:
    """ẑ_0 of z by its noise."""
    return (z - (1 - alpha).sqrt() * eps) / alpha.sqrt()


def _guided(
    unet: UNet2DConditionModel, lesson: Lesson, z: Tensor, t: Tensor, text: Tensor, null: Tensor
) -> Tensor:
    words = torch.cat([null.expand_as(text), text])
    with lesson.precision.autocast():
        without, with_text = unet(torch.cat([z, z]), torch.cat([t, t]), words).sample.float().chunk(2)
    return without + lesson.course.guidance * (with_text - without)


def _captions(lesson: Lesson, rows: Tensor, rng: torch.Generator) -> Tensor:
    """One wording of each scene, some of them empty."""
    wording = torch.randint(lesson.tokens.shape[1], rows.shape, generator=rng, device=rng.device)
    dropped = torch.rand(rows.shape, generator=rng, device=rng.device) < lesson.course.caption_dropout
    return torch.where(dropped[:, None], lesson.empty[None], lesson.tokens[rows, wording].long())


def read_lesson(folder: Path, teacher: Parts, course: Course, precision: Precision) -> Lesson:
    """Scenes drawn as latents and tokens, those that ``folder`` lacks."""
    size = int(teacher.vae.config["sample_size"])
    scale = teacher.vae.config["scaling_factor"]
    wanted = orders(scenes.TRAINING_SEEDS, course.scenes, size, captions=2)
    shards = draw_latents(
        folder,
        wanted,
        0,
        lambda x: encode_mean(teacher.vae, x, precision) * scale,
        lambda captions: encode(teacher.tokenizer, captions),
    )
    for shard in shards:
        print(f"latents {shard.done}/{shard.total}", flush=True)
    table = {key: value.to(precision.device) for key, value in read_table(folder, course.scenes).items()}
    empty = torch.tensor(encode(teacher.tokenizer, [""]), device=precision.device)[0]
    return Lesson(table["latents"], table["tokens"], empty, course, precision)


def write(pupil: Pupil, folder: Path, teacher: Path, step: int, course: Course) -> None:
    """The averaged student as a model folder."""
    parts = copy.copy(pupil.teacher)
    parts.unet = pupil.mean
    parts.scheduler = copy.deepcopy(parts.scheduler)
    parts.scheduler.register_to_config(timestep_spacing="trailing")
    taught = json.loads((teacher / USE).read_text(encoding="utf-8"))
    use = {**taught, "guidance": 1.0, "steps": 4, "sampler": "consistency", "words": vocabulary()}
    made = {
        "name": "Palimpsest built-in in few steps",
        "commit": commit(),
        "distilled_from": describe_origin(teacher),
        "optimiser_steps": {"unet": step},
        "batch": course.batch,
        "guidance": course.guidance,
        "license": "MIT",
    }
    save(parts, folder, use, made)


def main(arguments: Sequence[str] | None = None) -> int:
    """Distil; 0 when all is done, 75 when time ran out, else the error's exit status."""
    options = parser().parse_args(arguments)
    given = {name: getattr(options, name) for name in ("steps", "batch", "scenes", "guidance", "rate")}
    course = Course(**{name: value for name, value in given.items() if value is not None})
    precision = Precision(torch.device(options.device), half=True)
    until = deadline(options.minutes)
    try:
        pupil = Pupil.of(load(options.init).to(precision.device))
        lesson = read_lesson(options.out / "latents", pupil.teacher, course, precision)
        done = _learn(pupil, lesson, options.out / "state.safetensors", until)
        write(pupil, options.out / "model", options.init, done, course)
    except PalimpsestError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    print(f"written to {options.out / 'model'}", flush=True)
    return 0 if done == course.steps else UNFINISHED


def _learn(pupil: Pupil, lesson: Lesson, file: Path, until: float) -> int:
    """Train until all is done or time is up, keep the state, and say how many steps that makes."""
    optimizer = torch.optim.AdamW(pupil.student.parameters(), betas=(0.9, 0.99), weight_decay=0.0)
    done = load_state(file, pupil.modules(), optimizer) if file.is_file() else 0
    losses: list[float] = []
    for trained in train(pupil, optimizer, lesson, done):
        done, losses = trained.step, [*losses, trained.loss]
        if done % LOG_EVERY == 0 or done == lesson.course.steps:
            entry = {"step": done, "loss": sum(losses) / len(losses), "rate": trained.rate}
            append_line(file.with_name("log.jsonl"), entry)
            print(f"distil {done}/{lesson.course.steps}  loss {entry['loss']:.4f}", flush=True)
            losses = []
        if time.monotonic() > until:
            break
    save_state(file, done, pupil.modules(), optimizer)
    return done


def parser() -> argparse.ArgumentParser:
    p = argparse.ArgumentParser(
        prog="palimpsest.training.distil", description=(__doc__ or "").split("\n\n")[0]
    )
    p.add_argument("--out", type=Path, required=True, help="the run's folder")
    p.add_argument("--init", type=Path, default=TEACHER, help="the teacher (default: the built-in model)")
    p.add_argument("--minutes", type=float, help="stop after this long, and keep the state")
    p.add_argument("--device", default="cpu")
    p.add_argument("--steps", type=int, help=f"optimiser steps (default: {Course.steps})")
    p.add_argument("--batch", type=int, help=f"latents of a step (default: {Course.batch})")
    p.add_argument("--scenes", type=int, help=f"scenes that are drawn (default: {Course.scenes})")
    p.add_argument("--guidance", type=float, help=f"of the teacher (default: {Course.guidance:g})")
    p.add_argument("--rate", type=float, help=f"learning rate (default: {Course.rate})")
    return p


if __name__ == "__main__":
    sys.exit(main())
