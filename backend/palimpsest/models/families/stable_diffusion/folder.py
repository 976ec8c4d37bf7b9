"""A model in the diffusers layout: what must lie in the folder, and reading it without the network.

model/  model_index.json  scheduler/scheduler_config.json  tokenizer/  [tokenizer_2/]
        unet/ vae/ text_encoder/ [text_encoder_2/]   each with config.json and *.safetensors
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from palimpsest.errors import ModelNotFoundError, ModelUnreadableError, PickledModelError, Text
from palimpsest.interpreter import to_paste
from palimpsest.models.families.stable_diffusion.configuration import Configuration
from palimpsest.models.families.stable_diffusion.signatures import (
    MARKS_OF_UNETS,
    TRANSFORMERS,
    refusal,
    refuse_marks,
    refuse_quantised,
)
from palimpsest.models.header import read_header, require_whole
from palimpsest.models.spec import OWN_FILE, read_json, read_own

PICKLED = (".ckpt", ".bin", ".pt", ".pth")
NETWORKS = {"unet": "diffusion_pytorch_model", "vae": "diffusion_pytorch_model", "text_encoder": "model"}
TOKENIZER_FILES = ("tokenizer.json", "vocab.json")


def read_configuration(folder: Path) -> Configuration:
    """The configuration files of a model folder. Raises a ModelError that names what is wrong."""
    if not folder.is_dir():
        raise ModelNotFoundError(f"There is no model folder {folder}.", "Check the path.")
    _refuse_other_architectures(folder)
    _require(folder, [f"{name}/config.json" for name in NETWORKS] + ["scheduler/scheduler_config.json"])
    encoders = [folder / "text_encoder", folder / "text_encoder_2"]
    return Configuration(
        where=folder,
        unet=read_json(folder / "unet" / "config.json"),
        vae=read_json(folder / "vae" / "config.json"),
        encoders=tuple(read_json(e / "config.json") for e in encoders if (e / "config.json").is_file()),
        scheduler=read_json(folder / "scheduler" / "scheduler_config.json"),
        own=read_own(folder / OWN_FILE),
        index=_index(folder / "model_index.json"),
    )


def weight_files(folder: Path, encoders: int) -> dict[str, list[Path]]:
    """Network → its safetensors files. Raises PickledModelError or ModelUnreadableError if there are none."""
    names = {**NETWORKS, "text_encoder_2": "model"} if encoders == 2 else dict(NETWORKS)
    return {network: _network_files(folder / network, stem) for network, stem in names.items()}


def check_weights(folder: Path, configuration: Configuration) -> None:
    """Raises a ModelError for weights that are missing, cut short or quantised. Only headers are read."""
    for network, files in weight_files(folder, len(configuration.encoders)).items():
        _require_every_part(folder / network, files)
        for file in files:
            header = read_header(file)
            if network == "unet":
                refuse_marks(folder, header, MARKS_OF_UNETS)
            refuse_quantised(folder, header)
            require_whole(file, header)
    for encoder in range(len(configuration.encoders)):
        tokenizer_folder(folder, ("tokenizer", "tokenizer_2")[encoder])


def variant_of(files: list[Path], stem: str) -> str | None:
    """``fp16`` for ``model.fp16.safetensors``: how diffusers and transformers call a second set of files."""
    first = files[0].name.removeprefix(stem + ".").split("-of-")[0]
    part = first.split(".")[0].split("-")[0]
    return None if part in ("safetensors", "") or part.isdigit() else part


def tokenizer_folder(folder: Path, name: str) -> Path:
    """``name`` is ``tokenizer`` or ``tokenizer_2``."""
    place = folder / name
    if any((place / file).is_file() for file in TOKENIZER_FILES):
        return place
    raise ModelUnreadableError(
        f"The model {folder} has no readable {name}: {place} holds neither {' nor '.join(TOKENIZER_FILES)}.",
        "Copy the missing folder from where the model comes from.",
    )


def configuration_files(folder: Path) -> list[Path]:
    """Every small file that decides what the model computes: configurations and vocabularies."""
    return [path for pattern in ("*.json", "*/*.json", "*/merges.txt") for path in folder.glob(pattern)]


def pickled_error(path: Path) -> PickledModelError:
    command = to_paste("palimpsest.storage.unpickle", "checkpoint", path, path.with_suffix(".safetensors"))
    return PickledModelError(Text("model-pickled", file=str(path)), Text("convert-pickle", command=command))


def _network_files(place: Path, stem: str) -> list[Path]:
    plain = sorted(place.glob(f"{stem}.safetensors")) or sorted(place.glob(f"{stem}-*.safetensors"))
    found = plain or sorted(place.glob(f"{stem}.*.safetensors"))
    if found:
        return found
    for suffix in PICKLED:
        for pickle in sorted(place.glob(f"*{suffix}")):
            raise pickled_error(pickle)
    raise ModelUnreadableError(
        f"The model's weights are missing: {place} holds no {stem}.safetensors.",
        "An interrupted download? Fetch the folder again.",
    )


def _require_every_part(place: Path, files: list[Path]) -> None:
    """``model-00001-of-00003.safetensors`` has two brothers."""
    parts = [match for file in files if (match := re.search(r"-\d+-of-(\d+)\.", file.name + "."))]
    if parts and len(files) < int(parts[0][1]):
        raise ModelUnreadableError(
            f"The model's weights are missing: {place} holds {len(files)} of {int(parts[0][1])} files.",
            "An interrupted download? Fetch the folder again.",
        )


def _index(path: Path) -> dict[str, Any]:
    return read_json(path) if path.is_file() else {}


def _require(folder: Path, parts: list[str]) -> None:
    missing = [part for part in parts if not (folder / part).is_file()]
    if missing:
        raise ModelUnreadableError(
            f"{folder} is not a complete model in the diffusers layout: {', '.join(missing)} missing.",
            "A model folder holds unet, vae, text_encoder, tokenizer and scheduler.",
        )


def _refuse_other_architectures(folder: Path) -> None:
    if (folder / "transformer").is_dir() and not (folder / "unet").is_dir():
        pipeline = str(_index(folder / "model_index.json").get("_class_name", ""))
        raise refusal(folder, next(kind for kind, mark in TRANSFORMERS if re.search(mark, pipeline)))
    if (folder / "text_encoder_2").is_dir() and not (folder / "text_encoder").is_dir():
        raise refusal(folder, "refiner")
