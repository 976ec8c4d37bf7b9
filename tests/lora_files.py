"""LoRA files with random numbers in the true names of each layout, and what they come to, multiplied out.

Written from the published formulas and names, and not from the product.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from original_naming import unet_weights
from palimpsest.core.model import DiffusionModel, TextPart
from palimpsest.core.networks.unet import UNet

RANK, ALPHA = 4, 3.0
LAYOUTS = ("kohya", "original", "peft", "diffusers", "processor", "locon", "tucker", "loha", "loha-tucker")
LAYOUTS += ("lokr", "lokr-whole", "lokr-tucker", "dora", "dora-inputs", "peft-dora")
ATTENTION = ("to_q", "to_k", "to_v", "to_out.0")
Weights = dict[str, Tensor]


@dataclass
class Made:
    """``tensors``: of the file. ``merged``: by part ("unet", "text_encoder", …) and path, the weight that the
    layer comes to at strength 1."""

    tensors: Weights = field(default_factory=dict)
    merged: dict[str, Weights] = field(default_factory=dict)
    metadata: dict[str, str] = field(default_factory=dict)

    def save(self, path: Path) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file({k: v.contiguous() for k, v in self.tensors.items()}, path, self.metadata or None)
        return path


def make(model: DiffusionModel, layout: str, seed: int = 3, size: float = 0.3, text: bool = True) -> Made:
    """A LoRA of ``layout`` for the model; of its text encoders too, where the layout has names for them."""
    made, draw = Made(), _drawing(seed, size)
    original = _original_names(model.network.module)
    for path, layer in _layers(model.network.module):
        if _wanted(layout, path, layer):
            name = f"lora_unet_{original[path] if layout == 'original' else path}".replace(".", "_")
            _add(made, layout, "unet", path, layer, name, draw)
    for index, part in enumerate(model.text if text and layout not in ("original", "processor") else ()):
        which = "text_encoder" + ("" if index == 0 else "_2")
        short = "lora_te_" if len(model.text) == 1 else f"lora_te{index + 1}_"
        for path, layer in _layers(part.encoder):
            inner = path.removeprefix("text_model.")
            if inner.startswith("encoder.layers."):
                name = short + f"text_model.{inner}".replace(".", "_")
                _add(made, layout, which, path, layer, name, draw)
    return made


def merged(model: DiffusionModel, made: Made) -> DiffusionModel:
    """A copy of the model whose weights are those with the LoRA at strength 1."""
    unet = copy.deepcopy(model.network.module)
    encoders = [copy.deepcopy(part.encoder) for part in model.text]
    for module, which in zip((unet, *encoders), ("unet", "text_encoder", "text_encoder_2"), strict=False):
        for path, weight in made.merged.get(which, {}).items():
            module.get_submodule(path).weight.data = weight
    parts = zip(model.text, encoders, strict=True)
    text = tuple(TextPart(p.tokenizer, e, p.hidden_state, p.pooled) for p, e in parts)
    return replace(model, network=UNet(unet), text=text)


def _layers(module: Any) -> Iterator[tuple[str, Any]]:
    named: Any = module.named_modules()
    return ((path, layer) for path, layer in named if isinstance(layer, (nn.Linear, nn.Conv2d)))


def _original_names(unet: Any) -> dict[str, str]:
    """By the published table: the same number stands under both names."""
    state = {path: torch.tensor(float(i)) for i, path in enumerate(unet.state_dict())}

    class Numbered:
        config = unet.config

        @staticmethod
        def state_dict() -> Weights:
            return state

    numbers = {float(value): name for name, value in unet_weights(Numbered).items()}
    return {
        path.removesuffix(".weight"): numbers[float(i)].removesuffix(".weight")
        for path, i in state.items()
        if path.endswith(".weight")
    }


def _wanted(layout: str, path: str, layer: Any) -> bool:
    """Attention and what is around it; the layouts of LyCORIS also have resnets and convolutions."""
    if layout == "processor":
        return path.endswith(ATTENTION)
    if layout in ("kohya", "original", "peft", "diffusers", "dora", "peft-dora"):
        return ".attentions." in path
    return path.startswith(("down_blocks", "mid_block", "up_blocks"))


def _drawing(seed: int, size: float) -> Callable[..., Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return lambda *shape: size * torch.randn(*shape, generator=generator)


def _add(made: Made, layout: str, which: str, path: str, layer: Any, name: str, draw: Any) -> None:
    weight = layer.weight.data
    if layout in ("peft", "diffusers", "processor", "peft-dora"):
        tensors, new = _dotted(layout, f"{which}.{path}", weight, draw)
        made.tensors.update(tensors)
    else:
        numbers, new = FORMS[layout](weight, draw)
        made.tensors.update({f"{name}.{key}": value for key, value in numbers.items()})
    made.merged.setdefault(which, {})[path] = new


def _pair(weight: Tensor, draw: Any) -> tuple[Tensor, Tensor, Tensor]:
    """down, up and their product in the shape of W."""
    out, into, *kernel = weight.shape
    down, up = draw(RANK, into, *kernel), draw(out, RANK, *([1] * len(kernel)))
    return down, up, (up.view(out, RANK) @ down.view(RANK, -1)).view(weight.shape)


def _dotted(layout: str, path: str, weight: Tensor, draw: Any) -> tuple[Weights, Tensor]:
    """PEFT's and diffusers' files have no alpha here: it is the rank."""
    down, up, delta = _pair(weight, draw)
    if layout == "diffusers":
        middle = "lora" if path.startswith("unet") else "lora_linear_layer"
        return {f"{path}.{middle}.down.weight": down, f"{path}.{middle}.up.weight": up}, weight + delta
    if layout == "processor":
        place, _, projection = path.removesuffix(".0").rpartition(".")
        named = f"{place}.processor.{projection}_lora"
        return {f"{named}.down.weight": down, f"{named}.up.weight": up}, weight + delta
    tensors, new = {f"{path}.lora_A.weight": down, f"{path}.lora_B.weight": up}, weight + delta
    if layout == "peft-dora":
        axes = tuple(range(1, new.ndim))
        norm = torch.linalg.vector_norm(new, dim=axes, keepdim=True)
        magnitude = norm * (1 + draw(*norm.shape))
        new = magnitude * new / norm
        flat = magnitude.flatten()
        tensors[f"{path}.lora_magnitude_vector"] = flat if new.ndim == 2 else flat.view(1, -1, 1, 1)
    return tensors, new


def _kohya(weight: Tensor, draw: Any) -> tuple[Weights, Tensor]:
    down, up, delta = _pair(weight, draw)
    tensors = {"lora_down.weight": down, "lora_up.weight": up, "alpha": torch.tensor(ALPHA)}
    return tensors, weight + ALPHA / RANK * delta


def _tucker(weight: Tensor, draw: Any) -> tuple[Weights, Tensor]:
    if weight.ndim == 2 or weight.shape[-1] == 1:
        return _kohya(weight, draw)
    out, into, *kernel = weight.shape
    down, mid, up = draw(RANK, into, 1, 1), draw(RANK, RANK, *kernel), draw(out, RANK, 1, 1)
    delta = torch.stack(
        [
            torch.stack([up[:, :, 0, 0] @ mid[:, :, r, s] @ down[:, :, 0, 0] for s in range(kernel[1])], -1)
            for r in range(kernel[0])
        ],
        -2,
    )
    tensors = {"lora_down.weight": down, "lora_mid.weight": mid, "lora_up.weight": up}
    return {**tensors, "alpha": torch.tensor(ALPHA)}, weight + ALPHA / RANK * delta


def _loha(weight: Tensor, draw: Any) -> tuple[Weights, Tensor]:
    out, rest = len(weight), weight[0].numel()
    a1, b1, a2, b2 = draw(out, RANK), draw(RANK, rest), draw(out, RANK), draw(RANK, rest)
    delta = ((a1 @ b1) * (a2 @ b2)).view(weight.shape)
    tensors = {"hada_w1_a": a1, "hada_w1_b": b1, "hada_w2_a": a2, "hada_w2_b": b2}
    return {**tensors, "alpha": torch.tensor(ALPHA)}, weight + ALPHA / RANK * delta


def _loha_tucker(weight: Tensor, draw: Any) -> tuple[Weights, Tensor]:
    if weight.ndim == 2 or weight.shape[-1] == 1:
        return _loha(weight, draw)
    out, into, *kernel = weight.shape
    tensors, halves = {}, []
    for number in (1, 2):
        core, a, b = draw(RANK, RANK, *kernel), draw(RANK, out), draw(RANK, into)
        halves.append(torch.einsum("ijkl,jr,ip->prkl", core, b, a))
        tensors |= {f"hada_t{number}": core, f"hada_w{number}_a": a, f"hada_w{number}_b": b}
    delta = halves[0] * halves[1]
    return {**tensors, "alpha": torch.tensor(ALPHA)}, weight + ALPHA / RANK * delta


def _kron(one: Tensor, two: Tensor, shape: Any) -> Tensor:
    """Block by block."""
    rows = [torch.cat([entry * two for entry in row], dim=1) for row in one]
    return torch.cat(rows, dim=0).view(shape)


def _lokr(weight: Tensor, draw: Any) -> tuple[Weights, Tensor]:
    out, into, *kernel = weight.shape
    one = draw(2, 2)
    a, b = draw(out // 2, RANK), draw(RANK, into // 2 * (kernel[0] * kernel[1] if kernel else 1))
    delta = _kron(one, (a @ b).view(out // 2, into // 2, *kernel), weight.shape)
    tensors = {"lokr_w1": one, "lokr_w2_a": a, "lokr_w2_b": b, "alpha": torch.tensor(ALPHA)}
    return tensors, weight + ALPHA / RANK * delta


def _lokr_whole(weight: Tensor, draw: Any) -> tuple[Weights, Tensor]:
    """Neither is a product: alpha means nothing."""
    out, into, *kernel = weight.shape
    one, two = draw(2, 2), draw(out // 2, into // 2, *kernel)
    tensors = {"lokr_w1": one, "lokr_w2": two, "alpha": torch.tensor(1e10)}
    return tensors, weight + _kron(one, two, weight.shape)


def _lokr_tucker(weight: Tensor, draw: Any) -> tuple[Weights, Tensor]:
    if weight.ndim == 2 or weight.shape[-1] == 1:
        return _lokr(weight, draw)
    out, into, *kernel = weight.shape
    one_a, one_b = draw(2, RANK), draw(RANK, 2)
    core, a, b = draw(RANK, RANK, *kernel), draw(RANK, out // 2), draw(RANK, into // 2)
    two = torch.einsum("ijkl,jr,ip->prkl", core, b, a)
    tensors = {"lokr_w1_a": one_a, "lokr_w1_b": one_b, "lokr_t2": core, "lokr_w2_a": a, "lokr_w2_b": b}
    delta = _kron(one_a @ one_b, two, weight.shape)
    return {**tensors, "alpha": torch.tensor(ALPHA)}, weight + ALPHA / RANK * delta


def _dora(weight: Tensor, draw: Any, per_output: bool = True) -> tuple[Weights, Tensor]:
    tensors, new = _kohya(weight, draw)
    axes = tuple(range(1, new.ndim)) if per_output else (0, *range(2, new.ndim))
    norm = torch.linalg.vector_norm(new, dim=axes, keepdim=True)
    magnitude = norm * (1 + draw(*norm.shape))
    return {**tensors, "dora_scale": magnitude}, magnitude * new / norm


FORMS: Mapping[str, Callable[[Tensor, Any], tuple[Weights, Tensor]]] = {
    "kohya": _kohya,
    "original": _kohya,
    "locon": _kohya,
    "tucker": _tucker,
    "loha": _loha,
    "loha-tucker": _loha_tucker,
    "lokr": _lokr,
    "lokr-whole": _lokr_whole,
    "lokr-tucker": _lokr_tucker,
    "dora": _dora,
    "dora-inputs": lambda weight, draw: _dora(weight, draw, per_output=False),
}
