"""The pictures a training run leaves behind: sample grids, round trips of the autoencoder, loss curves."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch import Tensor

from palimpsest.training.dataset import to_bytes
from palimpsest.training.layout import Parts
from palimpsest.training.precision import Precision
from palimpsest.training.tokenizer import encode
from palimpsest.training.train_vae import decode

PROMPTS = (
    "a photo of a red ball on grass",
    "a photo of a blue striped cube on sand",
    "a photo of a green mug on wood",
    "a photo of a yellow star on sea",
    "a photo of a pink ring on snow",
    "a photo of a white dotted cone on brick",
    "a photo of a brown cylinder on street",
    "a photo of a black checked pyramid on sand",
    "a photo of an orange cat on wood",
    "a photo of a brown dog on grass",
    "a photo of a blue bird on snow",
    "a photo of an orange tiger on grass",
    "a photo of a man with black hair in a red shirt and blue trousers on street",
    "a photo of a woman with blond hair in a green shirt and white trousers on grass",
    "a photo of a mirror on wood",
    "a photo of a man in a yellow shirt on snow",
    "a photo of a red ball and a blue cube on grass",
    "a photo of a yellow mug and a green ring on brick",
    "a photo of a white cat and a black dog on wood",
    "a photo of a cat next to a mirror on wood",
    "a photo of a woman in a purple shirt and a red ball on sand",
    "a photo of two blue stars on snow",
    "a photo of a red cone and a green cube and a blue ball on street",
    "a photo of a man in a red shirt and a woman in a blue shirt on grass",
    "an oil painting of a red cone on grass",
    "an ink wash of a black mug on snow",
    "a pixel mosaic of a blue ball on sand",
    "a sketch of a green star on wood",
    "an oil painting of a woman in a red shirt on street",
    "a pixel mosaic of an orange tiger on snow",
    "an ink wash of a red bird on brick",
    "a sketch of a yellow ring and a blue cone on grass",
)
"""What every sample grid shows, eight to a row: things, lives, pairs, styles."""


@torch.no_grad()
def sample(
    parts: Parts, prompts: Sequence[str], precision: Precision, steps: int, guidance: float, seed: int = 0
) -> Tensor:
    """Pictures of ``prompts`` by DDIM with classifier-free guidance  # (n, 3, H, W) uint8"""
    device, scheduler = precision.device, parts.scheduler
    tokens = torch.tensor(encode(parts.tokenizer, [*[""] * len(prompts), *prompts]), device=device)
    side, channels = parts.unet.config["sample_size"], parts.unet.config["in_channels"]
    rng = torch.Generator().manual_seed(seed)
    z = torch.randn(len(prompts), channels, side, side, generator=rng).to(device)
    scheduler.set_timesteps(steps)
    with precision.autocast():
        text = parts.text_encoder(tokens).last_hidden_state
        for t in scheduler.timesteps:
            null, cond = parts.unet(torch.cat([z, z]), t, text).sample.float().chunk(2)
            z = scheduler.step(null + guidance * (cond - null), int(t), z, return_dict=False)[0]
        pictures = decode(parts.vae, z / parts.vae.config["scaling_factor"])
    return to_bytes(pictures.float().cpu())


def save_grid(pictures: Tensor, file: Path, columns: int = 8) -> None:
    """Lay uint8 pictures out in rows; the last row may stay incomplete."""
    array = pictures.permute(0, 2, 3, 1).numpy()
    side = array.shape[1]
    sheet = np.zeros((-(-len(array) // columns) * side, columns * side, 3), np.uint8)
    for i, picture in enumerate(array):
        top, left = i // columns * side, i % columns * side
        sheet[top : top + side, left : left + side] = picture
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(sheet).save(file)


def save_round_trip(pixels: Tensor, restored: Tensor, file: Path, columns: int = 8) -> None:
    """Rows of pictures, each followed by the same row after the autoencoder."""
    rows = zip(pixels.split(columns), to_bytes(restored).split(columns), strict=True)
    save_grid(torch.cat([picture for pair in rows for picture in pair]), file, columns)


def save_curve(lines: Sequence[dict[str, float]], title: str, file: Path) -> None:
    """The logged loss against the step, on a logarithmic scale."""
    width, height, edge = 640, 320, 48
    image = Image.new("RGB", (width, height), "white")
    pen = ImageDraw.Draw(image)
    steps, losses = np.array([e["step"] for e in lines]), np.array([e["loss"] for e in lines])
    if len(steps) > 1:
        low, high = np.log(losses.min()), np.log(losses.max())
        x = edge + (steps - steps[0]) / (steps[-1] - steps[0]) * (width - 2 * edge)
        y = edge + (high - np.log(losses)) / max(high - low, 1e-9) * (height - 2 * edge)
        pen.line([(float(a), float(b)) for a, b in zip(x, y, strict=True)], fill=(30, 90, 200), width=2)
        pen.text((4, edge - 6), f"{losses.max():.3f}", fill="black")
        pen.text((4, height - edge - 6), f"{losses.min():.3f}", fill="black")
        pen.text((edge, height - edge + 8), f"step {int(steps[0])}", fill="black")
        pen.text((width - 2 * edge, height - edge + 8), f"step {int(steps[-1])}", fill="black")
    pen.text((edge, 12), title, fill="black")
    file.parent.mkdir(parents=True, exist_ok=True)
    image.save(file)
