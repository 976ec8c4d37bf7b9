"""One training run in its folder: the stages, in their order, each resumable by itself.

    pictures   scenes as pixels                          pictures/*.safetensors
    vae        encoder and decoder                       vae/state, vae/baked
    latents    scenes as latents and tokens              latents/*.safetensors
    unet       denoiser and text encoder                 unet/state
    decoder    decoder alone, behind fixed latents       decoder/state
    export     the folder in the Stable Diffusion layout

``decoder`` needs only what ``vae`` left, so it may run in a second process beside ``latents`` and ``unet``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from torch import Tensor, nn
from transformers import CLIPTokenizer

from palimpsest.builtin import grammar
from palimpsest.errors import RequestError
from palimpsest.scenes import scene as scenes
from palimpsest.training.checkpoint import append_line, load_state, read_lines, save_state
from palimpsest.training.dataset import (
    Order,
    Shard,
    draw,
    draw_latents,
    draw_pictures,
    orders,
    read_table,
    to_pixels,
)
from palimpsest.training.layout import Parts, build, load, save, write_json
from palimpsest.training.pictures import PROMPTS, sample, save_curve, save_grid, save_round_trip
from palimpsest.training.precision import Precision
from palimpsest.training.presets import Preset, VaeCourse
from palimpsest.training.provenance import describe_origin, fixed_settings, provenance, use
from palimpsest.training.tokenizer import build_tokenizer, encode, save_tokenizer
from palimpsest.training.train_unet import Denoiser, DenoisingLesson, Latents, train_unet
from palimpsest.training.train_unet import make_optimizer as unet_optimizer
from palimpsest.training.train_vae import (
    Lesson,
    Trained,
    bake_normalisation,
    encode_mean,
    psnr,
    round_trip,
    train_vae,
)
from palimpsest.training.train_vae import make_optimizer as vae_optimizer
from palimpsest.training.warm_start import inherit

STAGES = ("pictures", "vae", "latents", "unet", "decoder", "export")
LOG_EVERY = 10  # optimiser steps
NORMALISED = 1024  # pictures whose latents set the normalisation


@dataclass(frozen=True)
class Progress:
    """One line of progress of a stage."""

    stage: str
    done: int
    total: int
    text: str = ""


Stage: TypeAlias = Generator[Progress, None, None]


@dataclass
class Run:
    """A folder, a preset and a device; every stage reads what the stages before it left in the folder."""

    folder: Path
    preset: Preset
    precision: Precision
    workers: int = 0
    start_from: Path | None = None
    notes: dict[str, Any] = field(default_factory=dict)

    def stage(self, name: str) -> Stage:
        """The stage called ``name``; yields after every optimiser step or shard.

        Closing it there keeps the state, so the stage goes on from the same step next time.
        """
        stages: dict[str, Callable[[], Stage]] = {
            "pictures": self.draw_pictures,
            "vae": self.train_vae,
            "latents": self.draw_latents,
            "unet": self.train_unet,
            "decoder": self.train_decoder,
            "export": self.export,
        }
        return stages[name]()

    def claim(self) -> None:
        """Write the run's settings into its folder, or refuse the folder of a run with other ones."""
        file, mine = self.folder / "run.json", fixed_settings(self.preset)
        if file.is_file():
            stored = json.loads(file.read_text(encoding="utf-8"))
            differing = sorted(key for key in mine if stored["settings"].get(key) != mine[key])
            if differing:
                raise RequestError(
                    f"{self.folder} holds a run with other settings: {', '.join(differing)}.",
                    "Continue it with its own preset, or give another folder with --out.",
                )
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        write_json(file, {"settings": mine, "init": describe_origin(self.start_from)})

    def origin(self) -> str:
        return json.loads((self.folder / "run.json").read_text(encoding="utf-8"))["init"]

    # --- what the stages share ---

    def tokenizer(self) -> CLIPTokenizer:
        """The run's tokenizer; built once, since saved token rows depend on it."""
        folder = self.folder / "tokenizer"
        if not (folder / "tokenizer.json").is_file():
            save_tokenizer(build_tokenizer(grammar.vocabulary(), self.preset.text.context), folder)
        return CLIPTokenizer.from_pretrained(str(folder), local_files_only=True)

    def parts(self) -> Parts:
        """The parts as this run starts: random, or inherited from ``start_from``, which may not change."""
        if describe_origin(self.start_from) != self.origin():
            raise RequestError(
                f"This run started from {self.origin()}, not from {describe_origin(self.start_from)}.",
                "Give the --init that it was started with, or another folder with --out.",
            )
        parts = build(self.preset, self.tokenizer())
        if self.start_from is not None:
            self.notes["inherited"] = str(inherit(parts, load(self.start_from)))
        return parts.to(self.precision.device)

    def state(self, stage: str) -> Path:
        return self.folder / stage / "state.safetensors"

    def log(self, stage: str) -> Path:
        return self.folder / stage / "log.jsonl"

    def picture_table(self) -> dict[str, Tensor]:
        return read_table(self.folder / "pictures", self.preset.pictures)

    def seed(self, stage: str) -> int:
        return self.preset.seed * len(STAGES) + STAGES.index(stage)

    def require(self, stage: str, *files: Path) -> None:
        for file in files:
            if not file.exists():
                raise RequestError(
                    f"The stage '{stage}' needs {file}, which is not there.",
                    "Run the stages before it first, or leave out --only.",
                )

    def validation(self) -> Tensor:
        """Validation scenes as pixels  # (n, 3, H, W)"""
        seeds = scenes.VALIDATION_SEEDS[: self.preset.checked]
        return to_pixels([draw(Order(seed, self.preset.size, 0)) for seed in seeds])

    # --- the stages ---

    def draw_pictures(self) -> Stage:
        wanted = orders(scenes.TRAINING_SEEDS, self.preset.pictures, self.preset.size, captions=0)
        yield from _shards("pictures", draw_pictures(self.folder / "pictures", wanted, self.workers))

    def train_vae(self) -> Stage:
        baked = self.folder / "vae" / "baked.safetensors"
        if baked.is_file():
            return
        self.require("vae", self.folder / "pictures")
        parts, table = self.parts(), self.picture_table()
        lesson = self._lesson(table, self.preset.vae_course, "vae")
        yield from self._train_autoencoder("vae", parts, lesson)
        bake_normalisation(parts.vae.eval(), table["pictures"][:NORMALISED], self.precision)
        save_state(baked, lesson.course.steps, {"vae": parts.vae}, None)

    def _lesson(self, table: dict[str, Tensor], course: VaeCourse, stage: str) -> Lesson:
        held = {key: tensor.to(self.precision.device) for key, tensor in table.items()}
        return Lesson(
            pictures=held["pictures"],
            cover=held["cover"],
            course=course,
            precision=self.precision,
            seed=self.seed(stage),
            decoder_only=stage == "decoder",
            anchor=self.anchor() if stage == "vae" else None,
        )

    def anchor(self) -> AutoencoderKL | None:
        """The autoencoder that this run started from, whose latents it keeps; None if it has no room."""
        if self.start_from is None:
            return None
        vae, shape = load(self.start_from).to(self.precision.device).vae, self.preset.vae
        narrower = vae.config["latent_channels"] <= shape.latent_channels
        alike = len(vae.config["block_out_channels"]) == len(shape.channels)
        return vae if narrower and alike else None

    def _train_autoencoder(self, stage: str, parts: Parts, lesson: Lesson) -> Stage:
        optimizer = vae_optimizer(parts.vae, lesson)
        modules: dict[str, nn.Module] = {"vae": parts.vae}
        start = load_state(self.state(stage), modules, optimizer) if self.state(stage).is_file() else 0
        checked = self.validation()
        for step in self._watched(stage, train_vae(parts.vae, optimizer, lesson, start), lesson.course.steps):
            text = ""
            if step.step % self.preset.save_every == 0 or step.step == lesson.course.steps:
                parts.vae.eval()
                restored = round_trip(parts.vae, checked, self.precision)
                save_round_trip(checked[:16], restored[:16], self.folder / stage / "round-trip.png")
                text = f"validation PSNR {psnr(restored, checked):.2f} dB"
                parts.vae.train()
                save_state(self.state(stage), step.step, modules, optimizer)
            try:
                yield Progress(stage, step.step, lesson.course.steps, text)
            except GeneratorExit:
                save_state(self.state(stage), step.step, modules, optimizer)
                raise

    def _watched(self, stage: str, steps: Iterator[Trained], total: int) -> Iterator[Trained]:
        """Pass ``steps`` through, logging their mean loss; the curve is drawn where a state is saved."""
        losses: list[float] = []
        for step in steps:
            losses.append(step.loss)
            if step.step % LOG_EVERY == 0 or step.step == total:
                entry = {"step": step.step, "loss": sum(losses) / len(losses), "rate": step.rate}
                append_line(self.log(stage), entry)
                losses.clear()
            if step.step % self.preset.save_every == 0 or step.step == total:
                save_curve(read_lines(self.log(stage)), f"{stage}: loss", self.folder / stage / "loss.png")
            yield step

    def _baked(self, stage: str) -> Parts:
        """The run's parts with the finished autoencoder."""
        baked = self.folder / "vae" / "baked.safetensors"
        self.require(stage, baked)
        parts = self.parts()
        load_state(baked, {"vae": parts.vae}, None)
        parts.vae.eval()
        return parts

    def draw_latents(self) -> Stage:
        parts = self._baked("latents")
        scale = parts.vae.config["scaling_factor"]
        preset = self.preset
        shards = draw_latents(
            self.folder / "latents",
            orders(scenes.TRAINING_SEEDS, preset.scenes, preset.size, preset.captions),
            self.workers,
            lambda x: encode_mean(parts.vae, x, self.precision) * scale,
            lambda captions: encode(parts.tokenizer, captions),
        )
        yield from _shards("latents", shards)

    def train_unet(self) -> Stage:
        preset, parts = self.preset, self._baked("unet")
        self.require("unet", self.folder / "latents")
        denoiser = Denoiser.of(parts.unet, parts.text_encoder, self.precision)
        optimizer = unet_optimizer(denoiser, preset.unet_course)
        modules, file = denoiser.modules(), self.state("unet")
        start = load_state(file, modules, optimizer) if file.is_file() else 0
        lesson = DenoisingLesson(self._latents(parts), preset.unet_course, self.precision, self.seed("unet"))
        total = preset.unet_course.steps
        for step in self._watched("unet", train_unet(denoiser, optimizer, lesson, start), total):
            if step.step % preset.save_every == 0 or step.step == total:
                save_state(file, step.step, modules, optimizer)
            if step.step % preset.grid_every == 0 or step.step == total:
                self._grid(averaged(parts, denoiser), step.step)
            try:
                yield Progress("unet", step.step, total)
            except GeneratorExit:
                save_state(file, step.step, modules, optimizer)
                raise

    def _latents(self, parts: Parts) -> Latents:
        table = read_table(self.folder / "latents", self.preset.scenes)
        if "styles" not in table:
            raise RequestError(
                f"{self.folder / 'latents'} was written before scenes' styles were kept.",
                "Delete it: the stage 'latents' writes it anew.",
            )
        held = {key: tensor.to(self.precision.device) for key, tensor in table.items()}
        empty = torch.tensor(encode(parts.tokenizer, [""])[0], device=self.precision.device)
        alphas = parts.scheduler.alphas_cumprod.to(self.precision.device)
        return Latents(held["latents"], held["tokens"], held["kinds"], held["styles"], empty, alphas)

    def _grid(self, parts: Parts, step: int) -> None:
        preset = self.preset
        drawn = sample(parts, PROMPTS[: preset.shown], self.precision, preset.sampling_steps, preset.guidance)
        save_grid(drawn, self.folder / "grids" / f"unet-{step:06d}.png")

    def train_decoder(self) -> Stage:
        parts = self._baked("decoder")
        lesson = self._lesson(self.picture_table(), self.preset.decoder_course, "decoder")
        yield from self._train_autoencoder("decoder", parts, lesson)

    def export(self) -> Stage:
        """Write the model as far as it has been trained."""
        parts, steps = self.finished()
        target = self.folder / "model"
        save(parts, target, use(self.preset), provenance(self.preset, steps, self.origin(), self.notes))
        yield Progress("export", 1, 1, f"written to {target}")

    def finished(self) -> tuple[Parts, dict[str, int]]:
        """The averaged denoiser, its text encoder and the latest decoder, with the steps each has had."""
        self.require("export", self.state("unet"))
        parts = self._baked("export")
        steps = {"vae": load_state(self.folder / "vae" / "baked.safetensors", {"vae": parts.vae}, None)}
        means: dict[str, nn.Module] = {"mean_unet": parts.unet, "mean_text_encoder": parts.text_encoder}
        steps["unet"] = load_state(self.state("unet"), means, None)
        steps["decoder"] = 0
        if self.state("decoder").is_file():
            steps["decoder"] = load_state(self.state("decoder"), {"vae": parts.vae}, None)
        for module in parts.modules():
            module.eval()
        return parts, steps


def averaged(parts: Parts, denoiser: Denoiser) -> Parts:
    """``parts`` with the slow averages in place of the weights in training."""
    return Parts(parts.tokenizer, denoiser.mean_text_encoder, parts.vae, denoiser.mean_unet, parts.scheduler)


def _shards(stage: str, shards: Iterator[Shard]) -> Stage:
    for shard in shards:
        yield Progress(stage, shard.done, shard.total)
