"""The layers of a Stable Diffusion UNet and of CLIP's text encoders, from their configurations alone.

A UNet's have two names each: that of diffusers (``down_blocks.1.attentions.0.…``) and that of the original
codes (``input_blocks.4.1.…``), which LoRAs of SDXL mostly use.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from palimpsest.models.families.modules import Modules
from palimpsest.models.families.stable_diffusion import folder as layout
from palimpsest.models.families.stable_diffusion.checkpoint import read_checkpoint_configuration
from palimpsest.models.families.stable_diffusion.configuration import spec_of
from palimpsest.models.spec import usable

TOP = {
    "conv_in": "input_blocks.0.0",
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "add_embedding.linear_1": "label_emb.0.0",
    "add_embedding.linear_2": "label_emb.0.2",
    "conv_out": "out.2",
}
RESNET = {
    "conv1": "in_layers.2",
    "time_emb_proj": "emb_layers.1",
    "conv2": "out_layers.3",
    "conv_shortcut": "skip_connection",
}
ATTENTION = (
    *(f"{one}.{part}" for one in ("attn1", "attn2") for part in ("to_q", "to_k", "to_v", "to_out.0")),
    *("ff.net.0.proj", "ff.net.2"),
)
ENCODER = (*(f"self_attn.{part}_proj" for part in ("q", "k", "v", "out")), "mlp.fc1", "mlp.fc2")


def modules_of(source: Path) -> Modules:
    """Of a model folder or single-file checkpoint. Raises a ModelError."""
    configuration = (
        layout.read_configuration(source) if source.is_dir() else read_checkpoint_configuration(source)
    )
    spec = spec_of(configuration)
    with usable(source):
        return Modules(
            family=spec.family,
            context=int(configuration.unet["cross_attention_dim"]),
            network=_by_both_names(configuration.unet),
            encoders=tuple(_of_encoder(int(one["num_hidden_layers"])) for one in configuration.encoders),
        )


def _by_both_names(unet: Mapping[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    for ours, original in unet_layers(unet):
        place = ours.replace(".", "_")
        found[place] = found[original.replace(".", "_")] = place
    return found


def _of_encoder(depth: int) -> dict[str, str]:
    paths = [f"encoder.layers.{layer}.{part}" for layer in range(depth) for part in ENCODER]
    places = [path.replace(".", "_") for path in (*paths, "text_projection")]
    return dict(zip(places, places, strict=True))


def unet_layers(unet: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Path in diffusers' naming and in the original one of every linear and convolution layer."""
    down, up = unet["down_block_types"], unet["up_block_types"]
    levels = len(down)
    resnets = _each(unet.get("layers_per_block", 2), levels)
    depths = _each(unet.get("transformer_layers_per_block", 1), levels)
    yield from TOP.items()
    place = 1  # among input_blocks, where resnets and what follows them are numbered through
    for level, kind in enumerate(down):
        for index in range(resnets[level]):
            deep = depths[level] if "CrossAttn" in kind else 0
            yield from _pair(f"down_blocks.{level}", index, f"input_blocks.{place}", deep)
            place += 1
        yield f"down_blocks.{level}.downsamplers.0.conv", f"input_blocks.{place}.0.op"
        place += 1
    yield from _resnet("mid_block.resnets.0", "middle_block.0")
    yield from _attention("mid_block.attentions.0", "middle_block.1", depths[-1])
    yield from _resnet("mid_block.resnets.1", "middle_block.2")
    place = 0
    for block, kind in enumerate(up):
        level, attends = levels - 1 - block, "CrossAttn" in kind
        for index in range(resnets[level] + 1):
            deep = depths[level] if attends else 0
            yield from _pair(f"up_blocks.{block}", index, f"output_blocks.{place}", deep)
            place += 1
        after = f"output_blocks.{place - 1}.{2 if attends else 1}.conv"
        yield f"up_blocks.{block}.upsamplers.0.conv", after


def _each(given: Any, levels: int) -> list[int]:
    return [int(given)] * levels if isinstance(given, int) else [int(one) for one in given]


def _pair(ours: str, index: int, original: str, depth: int) -> Iterator[tuple[str, str]]:
    """A resnet, and the attention after it where there is one."""
    yield from _resnet(f"{ours}.resnets.{index}", f"{original}.0")
    if depth:
        yield from _attention(f"{ours}.attentions.{index}", f"{original}.1", depth)


def _resnet(ours: str, original: str) -> Iterator[tuple[str, str]]:
    for part, theirs in RESNET.items():
        yield f"{ours}.{part}", f"{original}.{theirs}"


def _attention(ours: str, original: str, depth: int) -> Iterator[tuple[str, str]]:
    inner = [f"transformer_blocks.{block}.{part}" for block in range(depth) for part in ATTENTION]
    for part in ("proj_in", *inner, "proj_out"):
        yield f"{ours}.{part}", f"{original}.{part}"
