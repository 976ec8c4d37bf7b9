"""Train the judge: ``python -m palimpsest.training.judge_train``.

Two networks are trained on pixels only, on scenes drawn for them (``judge_data``): one that reads regions,
then one that reads whole pictures. Seeded; stop it at any time and the same command goes on where it
stopped. With ``--vae FOLDER`` some pictures are also sent through a model's autoencoder, so that the
judge gets used to what decoders do to pictures.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Generator, Tensor, nn
from torch.nn import functional

from palimpsest.builtin.judge import FACTS, Judge, find_boxes, save_judge, with_threshold
from palimpsest.builtin.judge_net import RegionNet, SceneNet, SceneOutput
from palimpsest.errors import PalimpsestError, RequestError
from palimpsest.scenes.scene import TRAINING_SEEDS, VALIDATION_SEEDS
from palimpsest.training.checkpoint import load_state, save_state, step_generator
from palimpsest.training.judge_batches import region_batch, region_weights, scene_batch
from palimpsest.training.judge_data import REGION_LABELS, SCENE_LABELS, UNKNOWN
from palimpsest.training.judge_shards import Examples, Shards

SAVE_EVERY = 200  # steps
MAY_BE_ZERO = ("seed", "round_trips", "weight_decay", "region_steps", "scene_steps")
"""A stage of no steps keeps the network as it was started."""


@dataclass(frozen=True)
class Course:
    """How long and on how much the judge trains."""

    scenes: int = 8_000
    validation: int = 500
    round_trips: int = 2_000  # scenes that also go through the autoencoder, when one is given
    region_steps: int = 2_000
    region_batch: int = 64
    scene_steps: int = 1_000
    scene_batch: int = 32
    shard: int = 500  # scenes to a file
    rate: float = 3e-3
    weight_decay: float = 1e-2
    seed: int = 7

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if name not in MAY_BE_ZERO and value <= 0:
                raise RequestError(f"{name} is {value}; it must be above 0.", f"Give a larger {name}.")
        if any(number % self.shard for number in (self.scenes, self.validation, self.round_trips)):
            raise RequestError(
                f"{self.scenes}, {self.validation} and {self.round_trips} scenes aren't all whole shards.",
                f"Give multiples of {self.shard}.",
            )


@dataclass(frozen=True)
class Trained:
    """One finished piece of work: shards drawn or optimiser steps made."""

    stage: str  # "draw", "round trips", "scene" or "region"
    step: int
    total: int
    loss: float | None = None


@dataclass(frozen=True)
class Stage:
    """One network's training: its loss on the batch of a step."""

    name: str
    net: nn.Module
    steps: int
    loss: Callable[[Generator], Tensor]


# --- losses ---------------------------------------------------------------------------------------------


def answer_loss(logits: dict[str, Tensor], answers: Tensor) -> Tensor:
    """Cross-entropy summed over the heads, each averaged over the examples that it is asked about."""
    total = torch.zeros(())
    for column, head in enumerate(logits.values()):
        asked = answers[:, column] != UNKNOWN
        if bool(asked.any()):
            total = total + functional.cross_entropy(head[asked], answers[asked, column])
    return total


def heat_loss(logits: Tensor, heat: Tensor) -> Tensor:
    """Penalty-reduced focal loss (Zhou et al. 2019, eq. 1; α = 2, β = 4), per centre."""
    p = torch.sigmoid(logits)
    centre = heat == 1
    hit = -((1 - p) ** 2) * functional.logsigmoid(logits) * centre
    miss = -((1 - heat) ** 4) * p**2 * functional.logsigmoid(-logits) * ~centre
    return (hit + miss).sum() / centre.sum().clamp(min=1)


def box_loss(box: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Absolute error in cells where a centre is near."""
    return ((box - target).abs().sum(1) * weight).sum() / weight.sum().clamp(min=1)


# --- stages ---------------------------------------------------------------------------------------------


def scene_stage(net: SceneNet, examples: Examples, course: Course) -> Stage:
    def loss(random: Generator) -> Tensor:
        batch = scene_batch(examples, course.scene_batch, random)
        output: SceneOutput = net(batch.pixels.contiguous(memory_format=torch.channels_last))
        where = heat_loss(output.heat, batch.heat) + 0.3 * box_loss(output.box, batch.box, batch.weight)
        return where + answer_loss(output.answers, batch.answers)

    return Stage("scene", net, course.scene_steps, loss)


def region_stage(net: RegionNet, examples: Examples, course: Course) -> Stage:
    weights = region_weights(examples)

    def loss(random: Generator) -> Tensor:
        batch = region_batch(examples, weights, course.region_batch, random)
        return answer_loss(net(batch.crops.contiguous(memory_format=torch.channels_last)), batch.answers)

    return Stage("region", net, course.region_steps, loss)


def rate_at(step: int, total: int) -> float:
    """Linear warm-up over a twentieth, then a cosine down to nearly nothing; as a factor."""
    warm = max(1, total // 20)
    if step < warm:
        return (step + 1) / warm
    return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, total - warm)))


def train_stage(stage: Stage, folder: Path, course: Course) -> Iterator[Trained]:
    """Train one network from its saved state on; all randomness of a step follows from its number."""
    optimizer = torch.optim.AdamW(stage.net.parameters(), course.rate, weight_decay=course.weight_decay)
    file = folder / f"{stage.name}.safetensors"
    step = load_state(file, {"net": stage.net}, optimizer) if file.is_file() else 0
    stage.net.train()
    while step < stage.steps:
        for group in optimizer.param_groups:
            group["lr"] = course.rate * rate_at(step, stage.steps)
        loss = stage.loss(step_generator(course.seed, step, torch.device("cpu")))
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(stage.net.parameters(), 5.0)
        optimizer.step()
        step += 1
        if step % SAVE_EVERY == 0 or step == stage.steps:
            save_state(file, step, {"net": stage.net}, optimizer)
        yield Trained(stage.name, step, stage.steps, float(loss.detach()))
    stage.net.eval()


def train(
    folder: Path, course: Course, vae: Path | None = None, start: Path | None = None
) -> Iterator[Trained]:
    """Draw, train both networks, choose the detector's threshold, write the judge to ``folder / "judge"``.

    ``start`` is a finished judge to train further; its own course goes along in the new one's facts.
    """
    training = Shards(folder / "examples", TRAINING_SEEDS[: course.scenes], course.shard)
    validation = Shards(folder / "examples", VALIDATION_SEEDS[: course.validation], course.shard)
    for shards in (validation, training):
        for done in shards.draw():
            yield Trained("draw", done, len(shards.starts))
    if vae is not None:
        travelling = replace(training, seeds=training.seeds[: course.round_trips])
        for done in travelling.send(autoencoder(vae)):
            yield Trained("round trips", done, len(travelling.starts))
    examples = training.read()
    region, scene = new_networks(course.seed)
    networks: dict[str, nn.Module] = {"region": region, "scene": scene}
    inherited: list[int] = []
    if start is not None:
        inherited = [take_over(net, start / f"{name}.safetensors") for name, net in networks.items()]
    for stage in (region_stage(region, examples, course), scene_stage(scene, examples, course)):
        yield from train_stage(stage, folder, course)
    judge = Judge(region, scene, REGION_LABELS, SCENE_LABELS)
    sent = 0 if examples.round_trips is None else len(examples.round_trips)
    facts: dict[str, Any] = {"course": asdict(course), "round_trips": sent}
    if start is not None:
        facts["started_from"] = {**history(start), "tensors_taken_over": sum(inherited)}
    save_judge(choose_threshold(judge, validation.read()), folder / "judge", facts)


@torch.no_grad()
def take_over(net: nn.Module, file: Path) -> int:
    """Copy the tensors of an older network that have the same name and shape; returns how many."""
    old, taken = load_file(file), 0
    for name, tensor in net.state_dict().items():
        if name in old and old[name].shape == tensor.shape:
            tensor.copy_(old[name])
            taken += 1
    return taken


def history(folder: Path) -> dict[str, Any]:
    """How the judge in ``folder`` was made."""
    facts = json.loads((folder / FACTS).read_text(encoding="utf-8"))
    return {
        key: facts[key]
        for key in ("course", "round_trips", "started_from", "tensors_taken_over")
        if key in facts
    }


def new_networks(seed: int) -> tuple[RegionNet, SceneNet]:
    """Both networks with random weights."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        region, scene = RegionNet(REGION_LABELS), SceneNet(SCENE_LABELS)
    for net in (region, scene):
        net.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    return region, scene


def autoencoder(folder: Path) -> Callable[[Tensor], Tensor]:
    """Pictures through the autoencoder of a model folder, by the distribution's mean."""
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL

    vae: Any = AutoencoderKL.from_pretrained(
        folder, subfolder="vae", torch_dtype=torch.float32, local_files_only=True
    )

    @torch.no_grad()
    def through(pixels: Tensor) -> Tensor:
        return vae.decode(vae.encode(pixels).latent_dist.mean).sample

    return through


def choose_threshold(judge: Judge, examples: Examples) -> Judge:
    """The judge with the score at which it counts the things of validation scenes best."""
    counts = examples.whole[:, list(SCENE_LABELS).index("count")].tolist()
    outputs = [judge.survey(list(pictures.numpy()))[1] for pictures in examples.pictures.split(50)]

    def right(threshold: float) -> int:
        found = [
            len(find_boxes(heat, box, threshold))
            for output in outputs
            for heat, box in zip(output.heat, output.box, strict=True)
        ]
        return sum(a == b for a, b in zip(found, counts, strict=True))

    return with_threshold(judge, max((k / 20 for k in range(3, 15)), key=right))


def main(arguments: Sequence[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    torch.set_num_threads(options.threads)
    try:
        names = [field for field in asdict(Course()) if getattr(options, field) is not None]
        course = Course(**{name: getattr(options, name) for name in names})
        report(train(options.folder, course, options.vae, options.start))
    except PalimpsestError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("Stopped; the same command goes on from the last saved step.", file=sys.stderr)
        return 1
    print(options.folder / "judge")
    return 0


def parser() -> argparse.ArgumentParser:
    described = argparse.ArgumentParser(prog="python -m palimpsest.training.judge_train", description=__doc__)
    described.add_argument("folder", type=Path, help="where examples, state and the finished judge are kept")
    described.add_argument(
        "--vae", type=Path, help="model folder whose autoencoder some pictures are sent through"
    )
    described.add_argument("--threads", type=int, default=torch.get_num_threads(), help="CPU threads")
    described.add_argument("--start", type=Path, help="folder of a finished judge to train further")
    for name, value in asdict(Course()).items():
        option = f"--{name.replace('_', '-')}"
        described.add_argument(option, type=type(value), metavar=str(value), help="default: %(metavar)s")
    return described


def report(events: Iterator[Trained]) -> None:
    """One line on stderr every few seconds."""
    start, shown = time.monotonic(), -math.inf
    for event in events:
        now = time.monotonic()
        if now - shown >= 5 or event.step == event.total:
            loss = "" if event.loss is None else f"  loss {event.loss:.3f}"
            print(
                f"{now - start:7.0f} s  {event.stage} {event.step}/{event.total}{loss}",
                file=sys.stderr,
                flush=True,
            )
            shown = now


if __name__ == "__main__":
    sys.exit(main())
