"""What is wrong with a set of pictures, before time is spent on learning from it.

Too few, the same one twice, too small, blank, blurred: seen in the pixels alone. A picture of something
else is found with the model's own features (``agreement``). Every finding names its picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from palimpsest.core.learning.agreement import AgreementSettings, Oddness, oddness
from palimpsest.core.model import DiffusionModel
from palimpsest.core.picture.region import Mask
from palimpsest.core.steps import Steps
from palimpsest.errors import ConceptImagesError, Text, in_a_row, translatable

LUMA = (0.2126, 0.7152, 0.0722)  # ITU-R BT.709


@dataclass(frozen=True)
class GateSettings:
    fewest: int = 3
    smallest: float = 0.5  # of the model's native size, for the shorter side; never under 64 pixels
    hash_bits: int = 10  # of 64 that may differ in a duplicate's hash, and …
    pixel_difference: float = 0.03  # … the mean difference of its 32 x 32 thumbnail, where anything is seen
    contrast: float = 0.02  # standard deviation of luminance below which a picture is blank
    clipped: float = 0.97  # share of pure black or white above which a picture is blank
    sharpness: float = 0.025  # strength of the sharpest half percent of pixels, below which it's blurred
    agreement: AgreementSettings = field(default_factory=AgreementSettings)


@dataclass(frozen=True)
class Finding:
    """``problem`` is "duplicate", "small", "blank", "blurred" or "odd"; pictures count from 0."""

    picture: int
    problem: str
    message: Text

    def to_json(self) -> dict[str, Any]:
        fields = {"picture": self.picture, "problem": self.problem, "message": self.message}
        return {**fields, "texts": translatable(message=self.message)}


def check_set(
    model: DiffusionModel,
    pictures: Sequence[NDArray[Any]],
    masks: Sequence[Mask | None],
    noun: str,
    settings: GateSettings,
    kind: str = "subject",
    accept_odd: bool = False,
    opacities: Sequence[NDArray[Any] | None] = (),
) -> Steps[Oddness | None]:
    """Raise ConceptImagesError for a set that nothing good can be learned from; else say how odd the
    oddest picture is (None where that isn't asked).

    ``pictures``: sRGB in [0, 1], (height, width, 3), over white where ``opacities`` (height, width) in [0, 1]
    says that one is transparent; none given = none is. ``accept_odd``: the user knows that one seems not to
    fit. Pictures of a style may show different things, so they are not asked to agree.
    """
    check_pictures(pictures, model.native_size, settings, opacities)
    if accept_odd or kind == "style":
        return None
    found = yield from oddness(model, pictures, masks, noun, settings.agreement)
    if found.score > settings.agreement.threshold:
        message = Text("set-picture-odd", n=found.picture + 1, noun=noun)
        refuse([Finding(found.picture, "odd", message)], len(pictures), settings)
    return found


def check_pictures(
    pictures: Sequence[NDArray[Any]],
    native_size: int,
    settings: GateSettings,
    opacities: Sequence[NDArray[Any] | None] = (),
) -> None:
    """Raise ConceptImagesError for what the pixels alone tell, as ``check_set`` does."""
    refuse(inspect(pictures, native_size, settings, opacities), len(pictures), settings)


def inspect(
    pictures: Sequence[NDArray[Any]],
    native_size: int,
    settings: GateSettings,
    opacities: Sequence[NDArray[Any] | None] = (),
) -> list[Finding]:
    """Everything that the pixels alone tell, in the order of the pictures."""
    findings = [
        finding
        for index, picture in enumerate(pictures)
        if (finding := _inspect_one(index, picture, native_size, settings)) is not None
    ]
    hashes = [difference_hash(picture) for picture in pictures]
    small = [_shrunk(picture, 32, 32) for picture in pictures]
    shown = [_shown(opacity) for opacity in opacities or [None] * len(pictures)]
    for i, j in combinations(range(len(pictures)), 2):
        same_hash = int((hashes[i] != hashes[j]).sum()) <= settings.hash_bits
        seen = torch.maximum(shown[i], shown[j]) > 0  # of two cut out small the white around says nothing
        difference = (small[i] - small[j]).abs().mean(dim=0)[seen]
        if same_hash and float(difference.mean()) <= settings.pixel_difference:
            message = Text("set-picture-same", n=j + 1, first=i + 1)
            findings.append(Finding(j, "duplicate", message))
    return sorted(findings, key=lambda finding: finding.picture)


def refuse(findings: Sequence[Finding], count: int, settings: GateSettings) -> None:
    """Raise ConceptImagesError if there is a finding, or fewer pictures than needed."""
    if not findings and count >= settings.fewest:
        return
    messages = [finding.message for finding in findings]
    if count < settings.fewest:
        messages.append(Text("set-few", n=count, least=settings.fewest))
    problems = {finding.problem for finding in findings}
    only_odd = problems == {"odd"}
    hint = Text("leave-out-or-meant") if only_odd else _hint(problems)
    details = [finding.to_json() for finding in findings]
    raise ConceptImagesError(in_a_row(messages), hint, pictures=details, count=count)


def difference_hash(picture: NDArray[Any]) -> Tensor:
    """64 bits: is each cell of an 8 x 9 thumbnail brighter than its right neighbour?"""
    cells = _luminance(_shrunk(picture, 8, 9))
    return (cells[:, :-1] > cells[:, 1:]).flatten()


def sharpness(picture: NDArray[Any], side: int) -> float:
    """The 99.5th percentile of |∇²| of luminance, seen with the longer side at most ``side``.

    A percentile, because a sharp subject before a soft background is sharp.
    """
    height, width = picture.shape[:2]
    scale = min(1.0, side / max(height, width))
    seen = _luminance(_shrunk(picture, max(3, round(height * scale)), max(3, round(width * scale))))
    kernel = torch.tensor([[0.0, 1.0, 0.0], [1.0, -4.0, 1.0], [0.0, 1.0, 0.0]])
    edges = functional.conv2d(seen[None, None], kernel[None, None]).abs()
    return float(np.quantile(edges.numpy(), 0.995))


def _inspect_one(
    index: int, picture: NDArray[Any], native_size: int, settings: GateSettings
) -> Finding | None:
    height, width = picture.shape[:2]
    smallest = max(64, round(settings.smallest * native_size))
    n = index + 1
    if min(height, width) < smallest:
        too_small = Text("set-picture-small", n=n, width=width, height=height, least=smallest)
        return Finding(index, "small", too_small)
    light = np.asarray(picture, np.float32) @ np.asarray(LUMA, np.float32)
    clipped = max(float((light <= 0.004).mean()), float((light >= 0.996).mean()))
    if float(light.std()) < settings.contrast or clipped > settings.clipped:
        return Finding(index, "blank", Text("set-picture-blank", n=n))
    if sharpness(picture, native_size) < settings.sharpness:
        return Finding(index, "blurred", Text("set-picture-blurred", n=n))
    return None


def _shrunk(picture: NDArray[Any], height: int, width: int) -> Tensor:
    """(3, height, width), each cell the mean of what it covers."""
    pixels = torch.from_numpy(np.ascontiguousarray(picture, np.float32)).permute(2, 0, 1)[None]
    return functional.interpolate(pixels, (height, width), mode="area")[0]


def _shown(opacity: NDArray[Any] | None) -> Tensor:
    """How much of each cell of a thumbnail can be seen, (32, 32)."""
    return torch.ones(32, 32) if opacity is None else _shrunk(opacity[..., None], 32, 32)[0]


def _luminance(pixels: Tensor) -> Tensor:
    return (pixels * torch.tensor(LUMA)[:, None, None]).sum(dim=0)


def _hint(problems: set[str]) -> Text:
    hints = {
        "small": Text("give-larger"),
        "blank": Text("check-exposure"),
        "blurred": Text("give-sharper"),
        "duplicate": Text("give-other-views"),
    }
    found = [hint for problem, hint in hints.items() if problem in problems]
    return in_a_row(found) if found else Text("add-views")
