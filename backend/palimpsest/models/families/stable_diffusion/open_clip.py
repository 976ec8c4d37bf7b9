"""OpenCLIP's text encoder in the naming of transformers' CLIP (SD 2.x and SDXL ship it inside one file)."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

BLOCK = {
    "ln_1": "layer_norm1",
    "ln_2": "layer_norm2",
    "mlp.c_fc": "mlp.fc1",
    "mlp.c_proj": "mlp.fc2",
    "attn.out_proj": "self_attn.out_proj",
}
WHOLE = {
    "token_embedding.weight": "text_model.embeddings.token_embedding.weight",
    "positional_embedding": "text_model.embeddings.position_embedding.weight",
    "ln_final.weight": "text_model.final_layer_norm.weight",
    "ln_final.bias": "text_model.final_layer_norm.bias",
}


def from_open_clip(weights: Mapping[str, Tensor], layers: int) -> dict[str, Tensor]:
    """The first ``layers`` layers. OpenCLIP keeps q, k and v as one matrix, transformers as three;
    its text projection multiplies from the right, a Linear's weight from the left.
    """
    named = {new: weights[old] for old, new in WHOLE.items() if old in weights}
    if "text_projection" in weights:
        named["text_projection.weight"] = weights["text_projection"].T.contiguous()
    elif "text_projection.weight" in weights:
        named["text_projection.weight"] = weights["text_projection.weight"]
    for layer in range(layers):
        old, new = f"transformer.resblocks.{layer}.", f"text_model.encoder.layers.{layer}."
        named.update(_layer(weights, old, new))
    return named


def _layer(weights: Mapping[str, Tensor], old: str, new: str) -> dict[str, Tensor]:
    named = {}
    for kind in ("weight", "bias"):
        for theirs, ours in BLOCK.items():
            if (key := f"{old}{theirs}.{kind}") in weights:
                named[f"{new}{ours}.{kind}"] = weights[key]
        if (key := f"{old}attn.in_proj_{kind}") in weights:
            for part, tensor in zip("qkv", weights[key].chunk(3), strict=True):
                named[f"{new}self_attn.{part}_proj.{kind}"] = tensor
    return named
