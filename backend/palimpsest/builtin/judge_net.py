"""The judge's two small convolutional networks.

``RegionNet`` reads one region: a 96-pixel crop of the picture with the region's mask as fourth channel.
``SceneNet`` reads the whole picture: what it shows in all, and, on a grid of 8-pixel cells, where
things are (a heatmap of centres with the box around each, after Zhou et al. 2019, *Objects as Points*).

Both read pixels in [-1, 1], share no weight with the generator and never see a latent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

CROP = 96  # side in pixels of the region network's input
SIDE = 128  # short side in pixels at which whole pictures are read
CELL = 8  # pixels per cell of the scene network's grid

Labels = Mapping[str, Sequence[str]]
"""The answers each head chooses from, by head."""


class Residual(nn.Module):
    """Two 3x3 convolutions around which the input is added (He et al. 2016)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = Convolve(channels, channels)
        self.second = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x + self.norm(self.second(self.first(x))))


class Convolve(nn.Sequential):
    """3x3 convolution, batch norm, ReLU."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__(
            nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()
        )


class Heads(nn.Module):
    """Average and maximum over the picture, then one linear layer per question."""

    def __init__(self, channels: int, labels: Labels) -> None:
        super().__init__()
        self.heads = nn.ModuleDict(
            {name: nn.Linear(2 * channels, len(words)) for name, words in labels.items()}
        )

    def forward(self, features: Tensor) -> dict[str, Tensor]:
        pooled = torch.cat([features.mean((2, 3)), features.amax((2, 3))], 1)  # (batch, 2 x channels)
        return {name: head(pooled) for name, head in self.heads.items()}


class RegionNet(nn.Module):
    """What is in this region?"""

    def __init__(self, labels: Labels, widths: Sequence[int] = (32, 56, 112, 160)) -> None:
        super().__init__()
        a, b, c, d = widths
        stem = nn.Sequential(Convolve(4, a // 2, 2), Convolve(a // 2, a, 2), Residual(a))
        self.body = nn.Sequential(
            stem, Convolve(a, b, 2), Residual(b), Convolve(b, c, 2), Residual(c),
            Convolve(c, d, 2), Residual(d),
        )  # fmt: skip
        self.heads = Heads(d, labels)

    def forward(self, crops: Tensor) -> dict[str, Tensor]:
        """``crops``: (batch, 4, CROP, CROP), three colours in [-1, 1] and the mask in {-1, 1}.

        Returns logits (batch, answers) per head.
        """
        return self.heads(self.body(crops))


@dataclass(frozen=True)
class SceneOutput:
    """What the scene network says; ``grid`` is the picture in cells of ``CELL`` pixels."""

    heat: Tensor  # (batch, grid height, grid width): logit of "the centre of a thing lies in this cell"
    box: Tensor  # (batch, 4, grid height, grid width): edges from the cell's centre, in cells
    answers: dict[str, Tensor]  # logits (batch, answers) per head


class SceneNet(nn.Module):
    """Where are things, and what is the whole?"""

    def __init__(self, labels: Labels, widths: Sequence[int] = (20, 40, 64, 96)) -> None:
        super().__init__()
        a, b, c, d = widths
        self.fine = nn.Sequential(Convolve(3, a, 2), Convolve(a, b, 2), Convolve(b, c, 2), Residual(c))
        self.coarse = nn.Sequential(Convolve(c, d, 2), Residual(d), Residual(d))
        self.back = nn.Conv2d(d, c, 1)
        self.join = Residual(c)
        self.point = nn.Conv2d(c, 5, 1)
        self.heads = Heads(d, labels)
        nn.init.constant_(self.point.bias[:1], -4.0)  # type: ignore[index]  # things are rare: about 2 in 256 cells

    def forward(self, pictures: Tensor) -> SceneOutput:
        """``pictures``: (batch, 3, height, width) in [-1, 1], sides multiples of 16."""
        fine = self.fine(pictures)
        coarse = self.coarse(fine)
        wide = nn.functional.interpolate(self.back(coarse), scale_factor=2.0)
        points = self.point(self.join(torch.relu(fine + wide)))
        return SceneOutput(points[:, 0], nn.functional.softplus(points[:, 1:]), self.heads(coarse))
