"""Textual inversion (Gal et al. 2022): learn a word by its embedding alone, or with adapters beside it.

    v* = argmin_v E_{z_0, ε, t} w ⊙ ||ε - ε_θ(z_t, t, c_θ(y(v)))||²          (eq. 2)

Nothing but the k rows of v moves, and with detail low-rank adapters that only this word will bring with it
(``core.adapters``), by the same loss: all float32 whatever the model's precision. Everything else is
frozen. What is drawn at random (``draws``) is a function of (seed, step), so a run that is resumed from its
last state gives the same word as one that was never interrupted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from palimpsest.core.adapters import Adapters, adapted, first_adapters
from palimpsest.core.concept import Concept
from palimpsest.core.editing.draw import draw as draw_picture
from palimpsest.core.editing.draw import start_noise
from palimpsest.core.gradient import gradient
from palimpsest.core.learning.draws import EXAM, TRAINING, Draw, Draws
from palimpsest.core.learning.noun import noun_rows
from palimpsest.core.learning.optimiser import Optimiser
from palimpsest.core.learning.settings import LearnSettings
from palimpsest.core.learning.state import AdapterState, LearningState
from palimpsest.core.learning.templates import fill, templates_for
from palimpsest.core.learning.views import View, grouped, stacked
from palimpsest.core.model import DiffusionModel
from palimpsest.core.process import noised
from palimpsest.core.steps import Step, Steps
from palimpsest.core.text.prompt import Prompt, Vocabulary, concepts_installed, refuse_misfits
from palimpsest.errors import RequestError

LOOK_STEPS = 12  # of a picture on the way: enough to see what the word has become


@dataclass(frozen=True)
class Lesson:
    """What is to be learned."""

    placeholder: str  # "<my-toy>"
    noun: str
    kind: str = "subject"  # or "style"
    vectors: int = 2
    captions: tuple[str | None, ...] = ()  # per picture, with {} for the word; None or absent: templates
    seed: int = 0


@dataclass(frozen=True)
class Start:
    """A word that was learned before and is to be learned on."""

    concept: Concept
    steps: int = 0  # that it took: what is drawn at random goes on after them


@dataclass(frozen=True)
class LearningStep(Step):
    """A step with the state after it, to be kept against interruption."""

    state: LearningState | None = None


@dataclass(frozen=True)
class Learned:
    concept: Concept
    steps: int  # taken
    best_step: int  # the one whose rows and adapters were kept
    exams: tuple[float, ...]


def learn(
    model: DiffusionModel,
    views: Sequence[View],
    lesson: Lesson,
    settings: LearnSettings,
    state: LearningState | None = None,
    look: Callable[[], bool] = lambda: False,
    more: Start | None = None,
) -> Steps[Learned]:
    """Learn ``lesson`` from ``views``; yields a LearningStep per optimiser step.

    ``state``: continue from a state of the same lesson, views and settings. ``look``: asked after every
    step whether a picture of the word as it is now is wanted; it comes as a step's ``z0``, and changes
    nothing of what is learned. ``more``: begin with its rows instead of the noun's, and with its adapters;
    if no step makes them better, they are kept. Raises RequestError, ConceptIncompatibleError.
    """
    if more is not None:
        refuse_misfits(model, [more.concept])
        lesson = replace(lesson, vectors=more.concept.vectors)
    noun = first_rows(model, lesson, settings)
    begin = noun if more is None else _like(more.concept.rows, noun)
    adapters = _begin_adapters(model, lesson, settings, more)
    if state is not None and state.adapters is not None:  # as read from a file, on the processor
        state = replace(state, adapters=state.adapters.on(model.device))
    rows = [Tensor.requires_grad_(row.clone()) for row in (begin if state is None else state.rows)]
    live = None if adapters is None else _live(adapters, state)
    concept = Concept(lesson.placeholder, tuple(rows), model.family, lesson.kind, lesson.noun, live)
    leaves = [*rows, *(() if live is None else live.tensors)]
    with concepts_installed(model, [concept]) as vocabulary:
        prompts = sentences(vocabulary, lesson)
        draws = Draws(model.process, tuple(views), prompts, lesson.seed, settings.times)
        optimiser = Optimiser(settings, noun, begin)
        begun = 0 if more is None else more.steps
        course = _Course(model, vocabulary, settings, draws, optimiser, begun, adapters)
        if state is None:
            state = course.first_state()
        while state.step < settings.steps and not settings.stop.satisfied(state.exams):
            loss, state = course.advance(leaves, state)
            yield LearningStep("learn", state.step, settings.steps, loss=loss, state=state)
            if look():
                yield from course.seen(state)
    kept = None if state.adapters is None else state.adapters.best
    learned = replace(concept, rows=state.best, adapters=kept)
    return Learned(learned, state.step, state.best_step, state.exams)


def _like(rows: Sequence[Tensor], others: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """``rows`` where and as the others are."""
    return tuple(row.to(other) for row, other in zip(rows, others, strict=True))


def _begin_adapters(
    model: DiffusionModel, lesson: Lesson, settings: LearnSettings, more: Start | None
) -> Adapters | None:
    """Those before the first step, on the model's device. Raises RequestError."""
    had = None if more is None else more.concept.adapters
    wanted = settings.adapters
    if wanted is None:
        if had is not None:
            raise RequestError(
                f"{lesson.placeholder} was learned with detail and can't be learned on without it.",
                "Learn it on with detail.",
            )
        return None
    found = first_adapters(model.network, wanted.rank, wanted.layers, lesson.seed) if had is None else had
    return found.with_tensors([tensor.to(model.device, torch.float32) for tensor in found.tensors])


def _live(adapters: Adapters, state: LearningState | None) -> Adapters:
    """Leaves of the gradient, as ``state`` has them."""
    now = adapters if state is None or state.adapters is None else state.adapters.now
    return adapters.with_tensors([tensor.clone().requires_grad_() for tensor in now.tensors])


def first_rows(model: DiffusionModel, lesson: Lesson, settings: LearnSettings) -> tuple[Tensor, ...]:
    return noun_rows(model, lesson.noun, lesson.vectors, settings.spread_noise, lesson.seed)


def sentences(vocabulary: Vocabulary, lesson: Lesson) -> Callable[[int], tuple[Prompt, ...]]:
    """The sentences a picture may be described by: its own caption, else the templates."""
    tokenizers = [part.tokenizer for part in vocabulary.model.text]

    def parsed(texts: Sequence[str]) -> tuple[Prompt, ...]:
        return tuple(vocabulary.parse(fill(text, lesson.placeholder)) for text in texts)

    general = parsed(templates_for(lesson.kind, tokenizers))
    own = [general if caption is None else parsed([caption]) for caption in lesson.captions]
    return lambda picture: own[picture] if picture < len(own) else general


@dataclass(frozen=True)
class _Course:
    model: DiffusionModel
    vocabulary: Vocabulary
    settings: LearnSettings
    draws: Draws
    optimiser: Optimiser
    begun: int = 0  # steps that were taken before the first one
    adapters: Adapters | None = None  # before the first step

    def first_state(self) -> LearningState:
        rows = self.optimiser.begin
        zeros = tuple(torch.zeros_like(row) for row in rows)
        adapters = None if self.adapters is None else AdapterState.first(self.adapters)
        return LearningState(0, rows, zeros, zeros, rows, 0, (self.exam(),), adapters)

    def advance(self, leaves: Sequence[Tensor], state: LearningState) -> tuple[float, LearningState]:
        """One optimiser step, and an exam when it is due.

        ``leaves``: the rows, then the adapters' tensors; they are changed in place.
        """
        draws = self.draws.batch(TRAINING, self.begun + state.step, self.settings.batch)
        loss, gradients = self.gradient(leaves, draws)
        after = self.optimiser.step(state, gradients)
        with torch.no_grad():
            for leaf, new in zip(leaves, after.learned, strict=True):
                leaf.copy_(new)
        due = after.step % self.settings.exam_every == 0 or after.step == self.settings.steps
        return loss, self.examined(after) if due else after

    def seen(self, state: LearningState) -> Iterator[LearningStep]:
        """The word drawn as it is now, always from the same noise; the last step has the picture."""
        model, prompt = self.model, self.draws.sentences(0)[0]
        noise = start_noise(model, self.draws.seed)
        for step in draw_picture(model, self.vocabulary, [prompt], noise, model.guidance, LOOK_STEPS):
            z0 = step.z0 if step.index == step.total else None
            yield LearningStep("learn", state.step, self.settings.steps, z0=z0, state=state)

    def examined(self, state: LearningState) -> LearningState:
        exam = self.exam()
        examined = replace(state, exams=(*state.exams, exam))
        return examined.kept() if exam < min(state.exams) else examined

    def exam(self) -> float:
        """L_det: the loss on a batch that is always the same."""
        with torch.no_grad():
            draws = self.draws.batch(EXAM, 0, self.settings.exam_size)
            return sum(float(loss) for loss in self.losses(draws))

    def gradient(self, leaves: Sequence[Tensor], draws: Sequence[Draw]) -> tuple[float, list[Tensor]]:
        """The batch's loss and its gradient, group by group so that only one group is in memory."""
        total, gradients = 0.0, [torch.zeros_like(leaf) for leaf in leaves]
        with torch.enable_grad():
            for loss in self.losses(draws):
                parts = gradient(loss, leaves, self.model.dtype)
                gradients = [g + part for g, part in zip(gradients, parts, strict=True)]
                total += float(loss.detach())
        return total, gradients

    def losses(self, draws: Sequence[Draw]) -> Iterator[Tensor]:
        """Each group's share of the batch's mean loss."""
        for indices in grouped([draw.view for draw in draws], self.settings.at_once):
            group = [draws[index] for index in indices]
            yield self.group_loss(group) / len(draws)

    def group_loss(self, group: Sequence[Draw]) -> Tensor:
        """Σ over the group of the weighted mean of the squared errors of what was predicted."""
        device, process = self.model.device, self.model.process
        z0, weight = stacked([draw.view for draw in group], [draw.sample for draw in group])
        eps = torch.stack([draw.eps for draw in group])
        levels = torch.tensor([draw.level for draw in group])
        rows = [noised(process, row, draw.eps, draw.level) for row, draw in zip(z0, group, strict=True)]
        z = torch.stack(rows)  # (group, c, h, w)
        size = (z.shape[2] * self.model.stride, z.shape[3] * self.model.stride)
        prompts = [draw.prompt for draw in group]
        conditioning = self.vocabulary.encode(prompts, size)
        with adapted(self.model.network, self.vocabulary.adaptation()) as adaptation:
            adaptation.begin(self.vocabulary.adapting(prompts))
            predicted = self.model.predict(z.to(device), levels.to(device), conditioning)
        error = process.errors(predicted, process.target(z0, eps).to(device), levels)
        weight = weight.to(device)
        return ((weight * error).mean(dim=(1, 2, 3)) / weight.mean(dim=(1, 2, 3))).sum()
