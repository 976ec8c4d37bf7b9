"""Load a text-to-image model, frozen and ready, from what lies on this machine.

The built-in model is loaded by exactly this code. Nothing here ever reaches for the network.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from palimpsest.core.model import DiffusionModel, TextPart
from palimpsest.errors import ModelError, ModelNotFoundError, ModelUnreadableError, OutOfMemoryError, Text
from palimpsest.models import folder as layout
from palimpsest.models.precision import default_device, unet_dtype
from palimpsest.models.schedule import noise_schedule
from palimpsest.models.spec import Configuration, native_latent_side, spec_of, usable
from palimpsest.models.weights_hash import weights_hash

PENULTIMATE, LAST = -2, -1  # the text encoder's layer that the UNet reads: SDXL's, SD 1.x/2.x's


def load(
    source: Path,
    device: torch.device | str | None = None,
    memory: Path | None = None,
    lenders: Sequence[Path] = (),
) -> DiffusionModel:
    """``source``: a folder in the diffusers layout, or a single ``.safetensors`` checkpoint.

    ``memory``: a JSON file that remembers the hashes of weight files, see ``weights_hash``.
    ``lenders``: model folders whose tokenizer a checkpoint may use that comes without one.
    Raises a ModelError that names what is missing, damaged or unsupported; OutOfMemoryError.
    """
    where = default_device() if device is None else torch.device(device)
    with quiet_libraries(), _memory_errors(source, where):
        if source.is_dir():
            return _load_folder(source, where, memory)
        if source.suffix in layout.PICKLED:
            raise layout.pickled_error(source)
        if not source.is_file():
            raise ModelNotFoundError(f"There is no model {source}.", "Check the path.")
        from palimpsest.models.single_file import load_checkpoint

        return load_checkpoint(source, where, memory, lenders)


def assemble(
    configuration: Configuration,
    networks: tuple[Any, Any],
    text: list[tuple[Any, Any]],
    weights: str,
    device: torch.device,
) -> DiffusionModel:
    """Freeze (``unet``, ``vae``) and (tokenizer, encoder) pairs and put them together."""
    spec = spec_of(configuration)
    with usable(configuration.where):
        noise = noise_schedule(configuration.scheduler)
    unet, vae = networks
    unet.register_to_config(sample_size=native_latent_side(configuration))
    unet.to(device, unet_dtype(device, spec.family))
    for network in (vae, *(encoder for _, encoder in text)):
        network.to(device, torch.float32)
    for network in (unet, vae, *(encoder for _, encoder in text)):
        network.requires_grad_(False).eval()
    return DiffusionModel(
        unet=unet,
        vae=vae,
        text=tuple(_text_part(tokenizer, encoder, len(text)) for tokenizer, encoder in text),
        noise=noise,
        family=spec.family,
        weights_hash=weights,
        guidance=spec.guidance,
        steps=spec.steps,
        map_side=spec.map_side,
        words=spec.words,
        zero_null=configuration.zero_null,
    )


def _load_folder(folder: Path, device: torch.device, memory: Path | None) -> DiffusionModel:
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel

    configuration = layout.read_configuration(folder)
    spec_of(configuration)  # refuse what can't be used before reading gigabytes
    layout.check_weights(folder, configuration)
    files = layout.weight_files(folder, len(configuration.encoders))
    unet = load_network(UNet2DConditionModel, folder / "unet", files["unet"])
    vae = load_network(AutoencoderKL, folder / "vae", files["vae"])
    text = []
    for suffix in ("", "_2")[: len(configuration.encoders)]:
        encoder_folder = folder / f"text_encoder{suffix}"
        cls = encoder_class(configuration.encoders[len(text)])
        encoder = load_network(cls, encoder_folder, files[f"text_encoder{suffix}"])
        text.append((load_tokenizer(layout.tokenizer_folder(folder, f"tokenizer{suffix}"), encoder), encoder))
    every = [file for group in files.values() for file in group] + layout.configuration_files(folder)
    return assemble(configuration, (unet, vae), text, weights_hash(every, folder, memory), device)


def load_network(cls: Any, place: Path, files: list[Path]) -> Any:
    """One network in float32 on the CPU. A weight that is missing is an error, never a random number."""
    stem = layout.NETWORKS[place.name.removesuffix("_2")]
    options: dict[str, Any] = {"torch_dtype" if stem != "model" else "dtype": torch.float32}
    network, report = reading(
        place,
        lambda: cls.from_pretrained(
            place,
            local_files_only=True,
            use_safetensors=True,
            variant=layout.variant_of(files, stem),
            output_loading_info=True,
            low_cpu_mem_usage=False,
            **options,
        ),
    )
    refuse_missing(place, [*report["missing_keys"], *map(str, report.get("mismatched_keys", ()))])
    if stem != "model":
        refuse_unexpected(place, report["unexpected_keys"])
    return network


def load_tokenizer(place: Path, encoder: Any, **options: Any) -> Any:
    from transformers import CLIPTokenizer

    tokenizer = reading(place, lambda: CLIPTokenizer.from_pretrained(place, local_files_only=True, **options))
    rows = encoder.config.vocab_size
    if len(tokenizer) > rows:
        raise ModelUnreadableError(
            f"The tokenizer {place} knows {len(tokenizer)} tokens, the text encoder only {rows}.",
            "They belong to different models: copy the tokenizer that came with this model.",
        )
    return tokenizer


def encoder_class(config: Any) -> Any:
    """Which class of transformers a text encoder is."""
    from transformers import CLIPTextModel, CLIPTextModelWithProjection

    stated = config.get("architectures") or ["CLIPTextModel"]
    architecture = str(stated[0] if isinstance(stated, list) else stated)
    known = {"CLIPTextModel": CLIPTextModel, "CLIPTextModelWithProjection": CLIPTextModelWithProjection}
    if architecture not in known:
        raise ModelUnreadableError(
            f"The text encoder is a {architecture}, which Palimpsest does not know.",
            f"Known: {', '.join(known)}.",
        )
    return known[architecture]


def reading(place: Path, read: Callable[[], Any]) -> Any:
    """``read()``, with whatever the libraries raise turned into one error that names the place."""
    try:
        return read()
    except (ModelError, torch.OutOfMemoryError, MemoryError):
        raise
    except Exception as error:  # the libraries raise many kinds, some of them their own
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ModelUnreadableError(
            Text("model-not-loaded", file=str(place), reason=first), Text("maybe-files-damaged")
        ) from error


def refuse_missing(place: Path, missing: list[str]) -> None:
    wanted = [key for key in missing if not key.endswith("position_ids")]
    if wanted:
        raise ModelUnreadableError(
            f"{place} lacks {len(wanted)} weights, the first is {sorted(wanted)[0]}.",
            "The files may be incomplete or belong to another configuration: fetch them again.",
        )


def refuse_unexpected(place: Path, unexpected: Iterable[str]) -> None:
    """A network with more weights than ours computes something else."""
    more = sorted(unexpected)
    if more:
        raise ModelUnreadableError(
            f"{place} holds {len(more)} weights that its configuration has no place for, such as {more[0]}.",
            "The files belong to another configuration or another kind of model.",
        )


def _text_part(tokenizer: Any, encoder: Any, encoders: int) -> TextPart:
    pooled = encoders == 2 and "WithProjection" in type(encoder).__name__
    return TextPart(tokenizer, encoder, PENULTIMATE if encoders == 2 else LAST, pooled)


@contextmanager
def _memory_errors(source: Path, device: torch.device) -> Iterator[None]:
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise OutOfMemoryError(
            Text("model-beyond-memory", model=source.name, device=str(device)), Text("smaller-model")
        ) from error


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """No progress bars and no hints between ours; as they were afterwards."""
    from diffusers.utils import logging as diffusers_logging
    from transformers.utils import logging as transformers_logging

    before = diffusers_logging.get_verbosity(), transformers_logging.get_verbosity()
    bar = transformers_logging.is_progress_bar_enabled()
    diffusers_logging.set_verbosity_error()
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    try:
        yield
    finally:
        diffusers_logging.set_verbosity(before[0])
        transformers_logging.set_verbosity(before[1])
        if bar:
            transformers_logging.enable_progress_bar()
