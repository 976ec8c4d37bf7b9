"""What a model can do, read from its configuration alone: no weights are loaded, torch is not imported.

A model folder may carry a ``palimpsest.json`` beside ``model_index.json`` that says what the published
configuration cannot: ``{"family": "demo", "guidance": 3.0, "steps": 30, "native_size": 128, "map_side":
8}`` (every field optional).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from palimpsest.core.learning.settings import LearningAdvice
from palimpsest.errors import ModelUnreadableError
from palimpsest.storage.files import read_regular
from palimpsest_client.fields.operations import OPERATIONS

OWN_FILE = "palimpsest.json"
HUB = "models--"  # a repository in the Hugging Face cache: models--owner--name/snapshots/…
OWN_FIELDS: dict[str, Any] = {
    "family": str,
    "guidance": (int, float),
    "steps": int,
    "map_side": int,
    "native_size": int,
    "words": list,  # all that it knows, where they are few
    "prediction": str,  # single files only: "epsilon" or "v_prediction"
    "distilled": str,  # for few steps: "lightning", "hyper", "tcd", "turbo", "dmd2", "lcm", or "none"
    "sampler": str,  # "ddim" or "consistency"
    "timestep_spacing": str,  # "leading", "linspace", "trailing" or "distilled"
    "embedded_guidance": (int, float),  # that a UNet is told which learned guidance
}
MOST_BYTES = 16 << 20  # of a configuration, which has a few thousand
MOST = 1 << 20  # no number in a configuration is as large: steps, pixels, timesteps


@dataclass(frozen=True)
class Encoder:
    """One text encoder: a concept needs one row of ``width`` numbers per vector and encoder."""

    width: int
    tokens: int  # context length, start and end marks included


@dataclass(frozen=True)
class AttentionSite:
    """One group of transformer blocks in the UNet."""

    place: str  # "down.0", "mid", "up.1"
    cross: int  # number of cross-attention layers (there are as many self-attention layers)


@dataclass(frozen=True)
class Spec:
    """The capabilities of a model family as data: shown by the API, greyed out by the plug-ins."""

    family: str  # "sd1", say
    prediction: str  # "epsilon" or "v_prediction"
    native_size: int  # pixels, side of the square pictures it was trained on
    stride: int  # pixels per latent cell
    granularity: int  # working sizes are multiples of this many pixels
    encoders: tuple[Encoder, ...]
    sites: tuple[AttentionSite, ...]
    guidance: float  # recommended classifier-free guidance
    steps: int  # recommended sampling steps
    map_side: int  # cells of a word's attention map, longer side
    operations: tuple[str, ...] = tuple(OPERATIONS)
    words: tuple[str, ...] = ()  # all that it knows; empty where they are too many to tell
    sampler: str = "ddim"  # or "consistency": each step takes ẑ_0, and noises it anew
    distilled: str = ""  # for few steps: its kind ("Lightning", say); empty for ordinary models
    known_by: str = ""  # how that is known: "settings", "scheduler", "unet", or guessed by its "name"
    learning: LearningAdvice = field(default_factory=LearningAdvice)  # of which JSON has the steps

    @property
    def token_limit(self) -> int:
        """How many tokens of a prompt are read, start and end marks not counted."""
        return min(encoder.tokens for encoder in self.encoders) - 2

    @property
    def learning_steps(self) -> int:
        """How many steps a word takes at most, unless a request says otherwise."""
        return self.learning.quick.steps

    @property
    def detail_steps(self) -> int:
        """The same with detail."""
        return self.learning.detailed.steps

    def to_json(self) -> dict[str, Any]:
        fields = asdict(self)
        del fields["learning"]
        return {
            **fields,
            "token_limit": self.token_limit,
            "learning_steps": self.learning_steps,
            "detail_steps": self.detail_steps,
        }


@contextmanager
def usable(where: Path) -> Iterator[None]:
    """What a damaged configuration raises, as ModelUnreadableError that names the model."""
    try:
        yield
    except (ValueError, ArithmeticError, LookupError, TypeError, AttributeError) as error:
        raise ModelUnreadableError(
            f"The configuration of {where} can't be used: {error!r}.",
            "The files may be damaged: fetch them again.",
        ) from error


def name_of(folder: Path) -> str:
    """The folder's name; in the hub's cache, where folders are named by commits, the repository's."""
    repositories = [part for part in folder.parts if part.startswith(HUB)]
    return repositories[-1].rpartition("--")[2] if repositories else folder.name


def read_own(path: Path) -> dict[str, Any]:
    """The content of a ``palimpsest.json``; empty when there is none. Unknown fields are refused."""
    if not path.is_file():
        return {}
    own = read_json(path)
    for name, value in own.items():
        if name not in OWN_FIELDS or not _is_sensible(value, OWN_FIELDS[name]):
            raise ModelUnreadableError(
                f"{path}: {name!r} = {value!r} can't be used.", f"Fields: {', '.join(OWN_FIELDS)}."
            )
    return own


def _is_sensible(value: Any, kind: Any) -> bool:
    """Of its type, and where it is a number, above 0 and no infinity."""
    number = isinstance(value, (int, float))
    return isinstance(value, kind) and not isinstance(value, bool) and (not number or 0 < value < MOST)


def read_json(path: Path) -> dict[str, Any]:
    """Raises ModelUnreadableError that names the file."""
    try:
        content = json.loads(read_regular(path, MOST_BYTES).decode("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ModelUnreadableError(f"{path} can't be read: {error}.") from error
    if not isinstance(content, dict):
        raise ModelUnreadableError(f"{path} is not a JSON object.")
    return content
