"""How much memory of a card a job needs, counted without one.

A model in its true shape is put on PyTorch's device ``meta``, where tensors have a size and no numbers; what
is alive there is counted, operation by operation, as it would be on a card. Not counted are what the driver
and CUDA take (about half a GiB) and what cuDNN takes for a convolution.
"""

from __future__ import annotations

import argparse
import json
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from palimpsest.bench.model_options import WEIGHTS
from palimpsest.bench.shapes import FAMILIES, configuration
from palimpsest.core.concept import Concept
from palimpsest.core.conditioning import Conditioning
from palimpsest.core.model import DiffusionModel
from palimpsest.core.text.prompt import concepts_installed
from palimpsest.models.families.stable_diffusion.load import Place, assemble, encoder_class
from palimpsest.models.libraries import quiet_libraries
from palimpsest.models.plan import PLANS, Plan

CARD = torch.device("meta")
EDIT_ROWS = 3  # of a batch: the photo, the target, the target without words
JOBS = ("edit", "learn", "null-text")
SENTENCE = "a photo of a <word> on grass"


class LiveBytes(TorchDispatchMode):
    """Counts what operations leave alive on ``CARD`` inside the ``with``: ``live`` now, ``peak`` at most.

    ``before``: tensors that were there before, and are not counted.
    """

    def __init__(self, before: Sequence[Tensor]) -> None:
        super().__init__()
        self.live = self.peak = 0
        self._known: weakref.WeakSet[Any] = weakref.WeakSet(tensor.untyped_storage() for tensor in before)

    def __torch_dispatch__(self, func: Any, types: Sequence[type], args: Any = (), kwargs: Any = None) -> Any:
        if func is torch.ops.aten.copy_.default and args[1].device == CARD != args[0].device:
            return args[0]  # to main memory: there are no numbers to take there
        result = func(*args, **(kwargs or {}))
        for made in tree_leaves(result):
            if isinstance(made, Tensor) and made.device == CARD:
                self._count(made.untyped_storage())
        return result

    def _count(self, storage: torch.UntypedStorage) -> None:
        if storage in self._known:
            return
        self._known.add(storage)
        size = storage.nbytes()
        weakref.finalize(storage, self._free, size)
        self.live += size
        self.peak = max(self.peak, self.live)

    def _free(self, size: int) -> None:
        self.live -= size


class _Attended(torch.autograd.Function):
    """Attention as a card computes it, fused: nothing of the size queries · keys is ever made."""

    @staticmethod
    def forward(ctx: Any, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        out = q.new_empty((*q.shape[:-1], v.shape[-1]))
        ctx.save_for_backward(q, k, v, out)
        return out

    @staticmethod
    def backward(ctx: Any, *_gradients: Tensor) -> tuple[Tensor, ...]:
        return tuple(torch.empty_like(each) for each in ctx.saved_tensors[:3])


@contextmanager
def _fused() -> Iterator[None]:
    """PyTorch's attention is ``_Attended``; also in what is computed again for a gradient."""
    before = nn.functional.scaled_dot_product_attention
    nn.functional.scaled_dot_product_attention = lambda query, key, value, **_: _Attended.apply(
        query, key, value
    )
    try:
        yield
    finally:
        nn.functional.scaled_dot_product_attention = before


def hollow_model(shape: str, plan: Plan) -> DiffusionModel:
    """``shape`` of ``shapes.FAMILIES`` on ``CARD``, in a card's precision; what is lent lies in main memory,
    which is set aside but never touched."""
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
    from transformers import CLIPTextConfig, CLIPTokenizer

    chosen = configuration(shape)
    place = Place(CARD, torch.bfloat16, torch.float32, plan=plan)
    tokenizer = CLIPTokenizer.from_pretrained(WEIGHTS / "tokenizer", local_files_only=True)

    def put(network: Any, dtype: torch.dtype, stays: bool) -> Any:
        network.to(dtype)
        return place.put(network if stays else network.to_empty(device="cpu"), stays)

    with CARD:
        unet = UNet2DConditionModel.from_config(dict(chosen.unet))
        vae = AutoencoderKL.from_config(dict(chosen.vae))
        encoders = [encoder_class(config)(CLIPTextConfig(**config)) for config in chosen.encoders]
    networks = put(unet, place.unet, plan.network), put(vae, place.vae, plan.vae)
    text = [(tokenizer, put(encoder, place.text, plan.text)) for encoder in encoders]
    with quiet_libraries():
        return assemble(chosen, networks, text, f"no weights, {shape}", place)


def peaks(shape: str, plan: Plan) -> dict[str, int]:
    """By each of ``JOBS``: bytes of the card at the most, for one target at the model's native size."""
    with _unread():
        model = hollow_model(shape, plan)
        phases = {name: _peak(model, work) for name, work in _phases(model).items()}
    common = max(phases[name] for name in ("text", "encoded", "decoded"))
    own = {"edit": "edited", "learn": "learned", "null-text": "optimised"}
    held = sum(tensor.nbytes for tensor in _held(model))
    return {job: held + max(common, phases[own[job]]) for job in JOBS}


def run(options: argparse.Namespace) -> int:
    """Print the peaks of every plan and job as a Markdown table in GB, or as JSON in bytes."""
    shapes = [name for name in FAMILIES if name != "tiny"] if options.shape is None else [options.shape]
    with quiet_libraries():
        counted = {shape: {plan.name: peaks(shape, plan) for plan in PLANS} for shape in shapes}
    print(json.dumps(counted) if options.json else "\n".join(_table(counted)))
    return 0


def _table(counted: Mapping[str, Mapping[str, Mapping[str, int]]]) -> Iterator[str]:
    yield f"| plan | job | {' | '.join(counted)} |"
    yield f"|---|---|{'---|' * len(counted)}"
    for plan in PLANS:
        for job in JOBS:
            figures = (f"{found[plan.name][job] / 1e9:.1f}" for found in counted.values())
            yield f"| `{plan.name}` | {job} | {' | '.join(figures)} |"


def _held(model: DiffusionModel) -> list[Tensor]:
    networks = (model.network.module, model.vae, *(part.encoder for part in model.text))
    tensors = (tensor for network in networks for tensor in (*network.parameters(), *network.buffers()))
    return [tensor for tensor in tensors if tensor.device == CARD]


def _peak(model: DiffusionModel, work: Callable[[], Any]) -> int:
    with _fused(), LiveBytes(_held(model)) as counted:
        work()
    return counted.peak


def _phases(model: DiffusionModel) -> Mapping[str, Callable[[], Any]]:
    side = model.native_size
    cells = side // model.stride
    z = torch.empty(1, model.network.channels, cells, cells, device=CARD)

    def text() -> None:
        with torch.no_grad(), concepts_installed(model, [_word(model)]) as vocabulary:
            vocabulary.encode([vocabulary.parse(SENTENCE)] * 2)

    def edited() -> None:
        with torch.no_grad():
            model.predict(z.expand(EDIT_ROWS, -1, -1, -1), 1, _conditioning(model, EDIT_ROWS))

    def learned() -> None:
        word = _word(model)
        rows = [row.requires_grad_(True) for row in word.rows]
        many = model.learning.quick.at_once
        with concepts_installed(model, [word]) as vocabulary:
            conditioning = vocabulary.encode([vocabulary.parse(SENTENCE)] * many)
            loss = model.predict(z.expand(many, -1, -1, -1), 1, conditioning).square().mean()
            torch.autograd.grad(loss, rows)

    def optimised() -> None:
        conditioning = _conditioning(model, 1)
        context = conditioning.context.requires_grad_(True)
        loss = model.predict(z, 1, conditioning.with_context(context)).square().mean()
        torch.autograd.grad(loss, [context])

    return {
        "text": text,
        "encoded": lambda: model.encode(torch.empty(1, 3, side, side, device=CARD)),
        "decoded": lambda: model.decode(z),
        "edited": edited,
        "learned": learned,
        "optimised": optimised,
    }


def _word(model: DiffusionModel) -> Concept:
    rows = tuple(torch.empty(2, part.width, device=CARD) for part in model.text)
    return Concept("<word>", rows, model.family, noun="toy")


def _conditioning(model: DiffusionModel, rows: int) -> Conditioning:
    with torch.no_grad(), concepts_installed(model, ()) as vocabulary:
        return vocabulary.encode([vocabulary.parse("a photo of a toy on grass")] * rows)


@contextmanager
def _unread() -> Iterator[None]:
    """Nobody asks whether numbers are finite that there aren't."""
    from palimpsest.core import model

    before = model.all_finite, model.require_finite
    model.all_finite, model.require_finite = lambda *_: True, lambda tensor, *_: tensor
    try:
        yield
    finally:
        model.all_finite, model.require_finite = before
