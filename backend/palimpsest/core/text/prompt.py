"""Prompts with learned words: from text to the conditioning that the network reads.

A learned word (Gal et al. 2022, Textual Inversion) is k embedding rows. They are concatenated to the
frozen table only while a ``with concepts_installed(...)`` lasts, under ids that no tokenizer knows:
the old rows cannot move, gradients reach the new rows alone, and the encoder is restored bit for bit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

import torch
from torch import Tensor, nn

from palimpsest.core import lora
from palimpsest.core.adapters import Adaptation, attached, layers, misfit
from palimpsest.core.concept import Concept
from palimpsest.core.conditioning import Conditioning
from palimpsest.core.lora import Lora, Strengthened
from palimpsest.core.model import DiffusionModel, TextPart
from palimpsest.core.text.tokens import Prompt, WordSpan, parse
from palimpsest.errors import ConceptExistsError, ConceptIncompatibleError, LoraIncompatibleError

__all__ = ["Prompt", "SplitEmbedding", "Vocabulary", "WordSpan", "concepts_installed"]


class SplitEmbedding(nn.Module):
    """A frozen table of n rows, and the learned rows as ids n, n+1, … (kept in their own precision)."""

    def __init__(self, table: nn.Module, rows: Sequence[Tensor]) -> None:
        super().__init__()
        self.table = table
        self.rows = tuple(rows)  # a plain attribute: learned rows are no part of the encoder's state

    @property
    def weight(self) -> Tensor:
        """The frozen table: encoders read their device and precision from here."""
        return self.table.get_parameter("weight")

    def forward(self, ids: Tensor) -> Tensor:
        size = len(self.weight)
        known = self.table(ids.clamp(max=size - 1))
        if not self.rows:
            return known
        learned = torch.cat([row.to(known.device, known.dtype) for row in self.rows])
        chosen = learned[(ids - size).clamp(min=0)]
        return torch.where((ids < size)[..., None], known, chosen)


class Vocabulary:
    """The words a model knows now: its tokenizers' and the installed concepts'.

    Made by ``concepts_installed``; valid as long as that ``with`` lasts.
    """

    def __init__(
        self, model: DiffusionModel, concepts: Sequence[Concept], loras: Sequence[tuple[Lora, float]] = ()
    ) -> None:
        self.model = model
        self.concepts = tuple(concepts)
        self.loras = tuple((each, strength) for each, strength in loras if strength != 0)
        sizes = [len(_table(part)) for part in model.text]
        self._ids: dict[str, tuple[tuple[int, ...], ...]] = {}
        taken = 0
        for concept in self.concepts:
            places = range(taken, taken + concept.vectors)
            self._ids[concept.placeholder] = tuple(tuple(size + i for i in places) for size in sizes)
            taken += concept.vectors

    def parse(self, text: str) -> Prompt:
        """Tokenise for every encoder. Raises PromptTooLongError, ConceptNotFoundError."""
        parts = self.model.text
        tokenizers = [part.tokenizer for part in parts]
        return parse(text, tokenizers, [part.context_length for part in parts], self._ids)

    def encode(
        self, prompts: Sequence[Prompt], size: tuple[int, int] | None = None, with_loras: bool = False
    ) -> Conditioning:
        """C = c_θ(y), one row per prompt, float32.

        ``size``: height and width in pixels of the picture, told to SDXL; default native. ``with_loras``:
        by text encoders that have the LoRAs, as what is made is read, and never what a photo shows.
        Gradients flow to the concepts' rows if those require them; otherwise none are recorded.
        """
        learning = any(row.requires_grad for concept in self.concepts for row in concept.rows)
        with torch.set_grad_enabled(torch.is_grad_enabled() and learning), ExitStack() as stack:
            for i, part in enumerate(self.model.text if with_loras and self.loras else ()):
                stack.enter_context(self._in_encoder(i, part, len(prompts)))
            device = self.model.device
            encoded = [_encode(part, prompts, i, device) for i, part in enumerate(self.model.text)]
        context = torch.cat([hidden for hidden, _ in encoded], dim=-1)  # (batch, tokens, width)
        pooled = next((pool for _, pool in encoded if pool is not None), None)
        times = None if pooled is None else self._time_ids(len(prompts), size)
        return Conditioning(context, pooled, times)

    def null(self, size: tuple[int, int] | None = None, with_loras: bool = False) -> Conditioning:
        """The unconditional row ∅ of classifier-free guidance, as the checkpoint was trained with."""
        empty = self.encode([self.parse("")], size, with_loras)
        if not self.model.zero_null:
            return empty
        pooled = None if empty.pooled is None else torch.zeros_like(empty.pooled)
        return Conditioning(torch.zeros_like(empty.context), pooled, empty.time_ids)

    def adaptation(self) -> Adaptation:
        """The adapters of those concepts that have some, and the LoRAs; ``adapting`` says whose rows they
        are."""
        learned = [c.adapters for c in self.concepts if c.adapters is not None]
        loras = [Strengthened(each.network, strength, each.sha256) for each, strength in self.loras]
        return Adaptation([*learned, *loras])

    def adapting(self, prompts: Sequence[Prompt], first: int = 0) -> list[tuple[int, ...]]:
        """For ``Adaptation.begin``: per concept with adapters, the rows of the prompts that name it; per LoRA
        all of them.

        ``first``: the batch's row of the first prompt; the others follow.
        """
        named = [
            tuple(first + i for i, prompt in enumerate(prompts) if _names(prompt, concept))
            for concept in self.concepts
            if concept.adapters is not None
        ]
        return [*named, *(tuple(range(first, first + len(prompts))) for _ in self.loras)]

    def adapting_nulls(self, prompts: Sequence[Prompt], first: int = 0) -> list[tuple[int, ...]]:
        """The same of the prompts' unconditional rows, which have the adapters of subjects, not of styles,
        and LoRAs, as everywhere.

        So guidance makes a style stronger, and of a subject only its words: it glares otherwise.
        """
        subjects = [c.kind == "subject" for c in self.concepts if c.adapters is not None]
        named = self.adapting(prompts, first)
        having = [*subjects, *(True for _ in self.loras)]
        return [rows if has else () for rows, has in zip(named, having, strict=True)]

    @contextmanager
    def _in_encoder(self, encoder: int, part: TextPart, batch: int) -> Iterator[None]:
        """Inside the ``with`` the text encoder has its parts of the LoRAs, in every row."""
        some = [Strengthened(each.encoders[encoder], strength, each.sha256) for each, strength in self.loras]
        adaptation = Adaptation(some)
        adaptation.begin([range(batch)] * len(some))
        with attached(part.encoder, adaptation, self.model.device, part.encoder.dtype):
            yield

    def _time_ids(self, batch: int, size: tuple[int, int] | None) -> Tensor:
        native = self.model.native_size
        height, width = (native, native) if size is None else size
        row = torch.tensor([height, width, 0, 0, height, width], dtype=torch.float32)
        return row.to(self.model.device).expand(batch, -1)  # (batch, 6): original, crop, target


@contextmanager
def concepts_installed(
    model: DiffusionModel, concepts: Sequence[Concept], loras: Sequence[tuple[Lora, float]] = ()
) -> Iterator[Vocabulary]:
    """Inside the ``with`` the text encoders know the concepts; after it they are as they were.

    ``loras``: each with its strength; what is edited and drawn by the vocabulary's words has them.
    Raises ConceptIncompatibleError, ConceptExistsError and LoraIncompatibleError before anything is touched.
    """
    refuse_misfits(model, concepts)
    _refuse_loras(model, [each for each, _ in loras])
    with ExitStack() as stack:
        for i, part in enumerate(model.text):
            stack.enter_context(_rows_installed(part, [concept.rows[i] for concept in concepts]))
        yield Vocabulary(model, concepts, loras)


@contextmanager
def _rows_installed(part: TextPart, rows: Sequence[Tensor]) -> Iterator[None]:
    table = part.encoder.get_input_embeddings()
    part.encoder.set_input_embeddings(SplitEmbedding(table, rows))
    try:
        yield
    finally:
        part.encoder.set_input_embeddings(table)


def _encode(
    part: TextPart, prompts: Sequence[Prompt], encoder: int, device: torch.device
) -> tuple[Tensor, Tensor | None]:
    ids = torch.tensor([prompt.ids[encoder] for prompt in prompts], device=device)
    output = part.encoder(ids, output_hidden_states=True)
    last = output.last_hidden_state
    hidden = last if part.hidden_state == -1 else output.hidden_states[part.hidden_state]
    if not part.pooled:
        return hidden.float(), None
    # Not the encoder's own pooling: with older configurations it takes the largest id for EOS, and
    # learned words have larger ids.
    ends = torch.tensor([prompt.end for prompt in prompts], device=last.device)
    pooled = part.encoder.text_projection(last[torch.arange(len(prompts), device=last.device), ends])
    return hidden.float(), pooled.float()


def _names(prompt: Prompt, concept: Concept) -> bool:
    return any(word.kind == "placeholder" and word.text == concept.placeholder for word in prompt.words)


def _table(part: TextPart) -> Tensor:
    return part.encoder.get_input_embeddings().weight


def refuse_misfits(model: DiffusionModel, concepts: Sequence[Concept]) -> None:
    """Raises ConceptIncompatibleError, ConceptExistsError."""
    widths = tuple(part.width for part in model.text)
    seen: set[str] = set()
    for concept in concepts:
        learned = tuple(int(row.shape[1]) for row in concept.rows)
        if concept.family != model.family or learned != widths:
            raise ConceptIncompatibleError(
                f"{concept.placeholder} was learned for {concept.family!r} ({_dimensions(learned)}); "
                f"the loaded model is {model.family!r} and needs {_dimensions(widths)}.",
                f"Learn it again for {model.family!r}, or load a {concept.family!r} model.",
                concept=concept.placeholder,
            )
        _refuse_adapters(model, concept)
        if concept.placeholder in seen:
            raise ConceptExistsError(f"Two learned words are called {concept.placeholder}.", "Rename one.")
        seen.add(concept.placeholder)


def _refuse_adapters(model: DiffusionModel, concept: Concept) -> None:
    place = None if concept.adapters is None else misfit(model.network, concept.adapters)
    if place is not None:
        raise ConceptIncompatibleError(
            f"{concept.placeholder} was learned with detail for another network: its adapter {place} fits "
            "no projection of the loaded model.",
            f"Learn it again for this {model.family!r} model, or load the one it was learned for.",
            concept=concept.placeholder,
        )


def _refuse_loras(model: DiffusionModel, loras: Sequence[Lora]) -> None:
    """Raises LoraIncompatibleError."""
    modules = [model.network.module, *(part.encoder for part in model.text)]
    for each in loras:
        for module, parts in zip(modules, (each.network, *each.encoders), strict=True):
            place = lora.misfit(layers(module), parts)
            if place is not None:
                raise LoraIncompatibleError(
                    f"The LoRA {each.name} doesn't fit the model ({model.family}): its update of {place} is "
                    "of another size, or of a layer that the model doesn't have.",
                    "It was made for another model: choose that one, or leave the LoRA out.",
                    lora=each.name,
                )


def _dimensions(widths: Sequence[int]) -> str:
    return "+".join(map(str, widths)) + "-d"
