"""What the two stages of training read: scenes as pixels for the autoencoder, as latents for the denoiser.

Both tables are drawn in shards that are kept on disk, so an interrupted run goes on at the next shard. Scenes
are drawn by worker processes; encoding stays with the caller, who owns the device.
"""

from __future__ import annotations

import itertools
import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from palimpsest import interpreter
from palimpsest.builtin import grammar
from palimpsest.scenes import scene as scenes
from palimpsest.scenes.scene import Animal, Person, Scene
from palimpsest.scenes.things import STYLES

SHARD = 512  # scenes
KINDS = ("one", "one living", "two", "two living", "many", "many living", "none")
Encoder = Callable[[Tensor], Tensor]  # (n, 3, H, W) in -1..1 → (n, C, h, w)
Tokenise = Callable[[list[str]], list[list[int]]]


@dataclass(frozen=True)
class Drawn:
    """One training scene: its picture, where any thing is, its captions, its kind and style."""

    picture: np.ndarray  # (H, W, 3) uint8
    cover: np.ndarray  # (H, W) bool
    captions: list[str]
    kind: str
    style: str


@dataclass(frozen=True)
class Order:
    """What a worker is asked to draw."""

    seed: int
    size: int
    captions: int


@dataclass(frozen=True)
class Shard:
    """One finished shard and how many there will be."""

    done: int
    total: int


def draw(order: Order) -> Drawn:
    """Draw the scene of ``order.seed`` and word it ``order.captions`` times."""
    scene = scenes.sample_scene(order.seed)
    rendering = scenes.render(scene, order.size, masks=False)
    rng = np.random.default_rng([order.seed, 1])
    captions = [grammar.caption(scene, rng) for _ in range(order.captions)]
    cover = np.asarray(rendering.bodies.any(axis=0))
    return Drawn(rendering.image, cover, captions, kind_of(scene), scene.style)


def kind_of(scene: Scene) -> str:
    """The group that a preset's mix weighs: how many things there are, and whether one of them lives."""
    number = ("none", "one", "two", "many")[min(len(scene.placed), 3)]
    living = any(isinstance(placed.thing, Person | Animal) for placed in scene.placed)
    return f"{number} living" if living else number


@contextmanager
def drawing(workers: int) -> Iterator[Callable[[Sequence[Order]], Iterator[Drawn]]]:
    """A function that draws many orders, in their order; with 0 workers in this very process."""
    if workers == 0:
        yield lambda orders: map(draw, orders)
        return
    with interpreter.in_safe_folder():
        started = multiprocessing.get_context("spawn").Pool(workers)
    with started as pool:
        yield lambda orders: pool.imap(draw, orders, chunksize=8)


def orders(seeds: Sequence[int], count: int, size: int, captions: int) -> list[list[Order]]:
    """The first ``count`` of ``seeds`` as shards of orders."""
    flat = [Order(seed, size, captions) for seed in itertools.islice(seeds, count)]
    return [flat[i : i + SHARD] for i in range(0, len(flat), SHARD)]


def draw_pictures(folder: Path, wanted: list[list[Order]], workers: int) -> Iterator[Shard]:
    """Draw the shards that ``folder`` lacks: ``pictures`` (n, 3, H, W) and ``cover`` (n, 1, H, W), uint8."""
    with drawing(workers) as draw_all:
        for index, file, shard in _missing(folder, wanted):
            drawn = list(draw_all(shard))
            cover = np.stack([d.cover for d in drawn])[:, None]
            _write(file, {"pictures": to_pixels(drawn), "cover": torch.from_numpy(cover.astype(np.uint8))})
            yield Shard(index + 1, len(wanted))


def draw_latents(
    folder: Path, wanted: list[list[Order]], workers: int, encoder: Encoder, tokenise: Tokenise
) -> Iterator[Shard]:
    """Draw and encode the shards that ``folder`` lacks.

    ``latents`` (n, C, h, w) float16, ``tokens`` (n, captions, context) int16, ``kinds`` (n,) of ``KINDS``
    and ``styles`` (n,) of ``STYLES`` uint8.
    """
    with drawing(workers) as draw_all:
        for index, file, shard in _missing(folder, wanted):
            drawn = list(draw_all(shard))
            tokens = torch.tensor([tokenise(d.captions) for d in drawn], dtype=torch.int16)
            kinds = torch.tensor([KINDS.index(d.kind) for d in drawn], dtype=torch.uint8)
            styles = torch.tensor([STYLES.index(d.style) for d in drawn], dtype=torch.uint8)
            latents = encode_pixels(to_pixels(drawn), encoder).half()
            _write(file, {"latents": latents, "tokens": tokens, "kinds": kinds, "styles": styles})
            yield Shard(index + 1, len(wanted))


def encode_pixels(pixels: Tensor, encoder: Encoder, batch: int = 32) -> Tensor:
    """Encode uint8 pictures piece by piece."""
    return torch.cat([encoder(to_signed(piece)).cpu() for piece in pixels.split(batch)])


def to_pixels(drawn: Sequence[Drawn]) -> Tensor:
    """Pictures as one uint8 tensor  # (n, 3, H, W)"""
    return torch.from_numpy(np.stack([d.picture for d in drawn])).permute(0, 3, 1, 2).contiguous()


def to_signed(pixels: Tensor) -> Tensor:
    """0..255 → -1..1, the range the autoencoder reads."""
    return pixels.float() / 127.5 - 1


def to_bytes(signed: Tensor) -> Tensor:
    """-1..1 → 0..255, clipped and rounded."""
    return ((signed.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)


def _missing(folder: Path, wanted: list[list[Order]]) -> Iterator[tuple[int, Path, list[Order]]]:
    for index, shard in enumerate(wanted):
        file = folder / f"{index:05d}.safetensors"
        if not file.is_file():
            yield index, file, shard


def _write(file: Path, tensors: dict[str, Tensor]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(file.name + ".partial")
    save_file(tensors, partial)
    partial.replace(file)


def read_table(folder: Path, count: int) -> dict[str, Tensor]:
    """The first ``count`` scenes of the shards in ``folder``, joined."""
    shards: list[dict[str, Tensor]] = []
    for file in sorted(folder.glob("*.safetensors"))[: -(-count // SHARD)]:
        shards.append(load_file(file))
    return {key: torch.cat([shard[key] for shard in shards])[:count] for key in shards[0]}
