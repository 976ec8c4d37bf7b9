"""Textual inversion (Gal et al. 2022): learn a word by its embedding alone, or with adapters beside it.

    v* = argmin_v E_{z_0, ε, t} w ⊙ ||ε - ε_θ(z_t, t, c_θ(y(v)))||²          (eq. 2)

Nothing but the k rows of v moves, and with detail low-rank adapters that only this word will bring with it
(``core.adapters``), by the same loss: all float32 whatever the model's precision. Everything else is
frozen. Randomness is a function of (seed, step), so a run that is resumed from its last state gives
the same word as one that was never interrupted.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from palimpsest.core.adapters import Adapters, adapted, first_adapters
from palimpsest.core.concept import Concept
from palimpsest.core.editing.draw import draw as draw_picture
from palimpsest.core.editing.draw import start_noise
from palimpsest.core.gradient import gradient
from palimpsest.core.learning.noun import noun_rows
from palimpsest.core.learning.state import AdapterState, LearningState
from palimpsest.core.learning.stopping import Dvar
from palimpsest.core.learning.templates import fill, templates_for
from palimpsest.core.learning.views import View, grouped, stacked
from palimpsest.core.model import DiffusionModel
from palimpsest.core.process import Level, noised
from palimpsest.core.steps import Step, Steps
from palimpsest.core.text.prompt import Prompt, Vocabulary, concepts_installed, refuse_misfits
from palimpsest.errors import RequestError

TRAINING, EXAM = 0, 1  # two independent streams of randomness
LOOK_STEPS = 12  # of a picture on the way: enough to see what the word has become


@dataclass(frozen=True)
class AdapterSettings:
    """Of adapters that are learned with a word, by AdamW (Loshchilov & Hutter 2019).

    The rate is absolute and runs the same course as the rows' does; 1e-4 is the published one.
    """

    rank: int = 8
    rate: float = 1e-4
    decay: float = 1e-2  # of the weights, in units of the rate
    layers: str = "all"  # or "cross": see ``adapters.projections``


@dataclass(frozen=True)
class LearnSettings:
    """How to learn. ``rate`` is relative: Adam's step in units of the noun's own rows (root mean square).

    For CLIP-L's table (rms 0.0145) the default is an absolute 3.6e-3, between diffusers' recipe
    (2e-3) and the paper's (5e-3); a table of another scale needs no other number.
    """

    steps: int = 400
    batch: int = 4
    rate: float = 0.25
    final_rate: float = 0.05  # at the end of a cosine
    warmup: int = 10
    betas: tuple[float, float] = (0.9, 0.99)
    norms: tuple[float, float] = (0.8, 1.25)  # every row's norm, in units of its first norm
    times: tuple[float, float] = (0.1, 0.9)  # t/T that are trained on
    spread_noise: float = 0.02  # between rows that start from the same token
    exam_every: int = 5
    exam_size: int = 8
    stop: Dvar = field(default_factory=Dvar)
    at_once: int = 4  # most latents in the network together; less needs less memory, the word is the same
    adapters: AdapterSettings | None = None  # learned with the rows: the word "with detail"


# The built-in model's small text encoder learns in a quarter of the steps: after 80 a combination of words
# it never saw is as well described by the learned word as by the words themselves.
RECOMMENDED: dict[str, LearnSettings] = {"demo": LearnSettings(steps=100, exam_every=10)}
DETAILED: dict[str, LearnSettings] = {
    "demo": LearnSettings(steps=150, exam_every=10, adapters=AdapterSettings(rate=3e-3))
}


def recommended(family: str, detail: bool = False) -> LearnSettings:
    """The settings for a model family; the defaults where nothing else was found better."""
    if detail:
        return DETAILED.get(family, LearnSettings(adapters=AdapterSettings()))
    return RECOMMENDED.get(family, LearnSettings())


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
    steps: int = 0  # that it took: what is drawn by lot goes on after them


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


@dataclass(frozen=True)
class _Draw:
    """One latent of a batch: which view, in which sentence, at which noise."""

    view: View
    prompt: Prompt
    level: Level
    sample: Tensor  # noise of the autoencoder's distribution
    eps: Tensor


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
    start = first_rows(model, lesson, settings)
    begin = start if more is None else _like(more.concept.rows, start)
    adapters = _begin_adapters(model, lesson, settings, more)
    if state is not None and state.adapters is not None:  # as read from a file, on the processor
        state = replace(state, adapters=state.adapters.on(model.device))
    rows = [Tensor.requires_grad_(row.clone()) for row in (begin if state is None else state.rows)]
    live = None if adapters is None else _live(adapters, state)
    concept = Concept(lesson.placeholder, tuple(rows), model.family, lesson.kind, lesson.noun, live)
    leaves = [*rows, *(() if live is None else live.tensors)]
    with concepts_installed(model, [concept]) as vocabulary:
        told = sentences(vocabulary, lesson)
        begun = 0 if more is None else more.steps
        course = _Course(
            model, vocabulary, tuple(views), lesson, settings, start, told, begin, begun, adapters
        )
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
    views: tuple[View, ...]
    lesson: Lesson
    settings: LearnSettings
    start: tuple[Tensor, ...]  # the noun's rows: the measure of rates and norms
    sentences: Callable[[int], tuple[Prompt, ...]]  # by picture
    begin: tuple[Tensor, ...]  # the rows before the first step
    begun: int = 0  # steps that were taken before it
    adapters: Adapters | None = None  # before the first step

    def first_state(self) -> LearningState:
        zeros = tuple(torch.zeros_like(row) for row in self.start)
        adapters = None if self.adapters is None else AdapterState.first(self.adapters)
        return LearningState(0, self.begin, zeros, zeros, self.begin, 0, (self.exam(),), adapters)

    def advance(self, leaves: Sequence[Tensor], state: LearningState) -> tuple[float, LearningState]:
        """One optimiser step, and an exam when it is due.

        ``leaves``: the rows, then the adapters' tensors; they are changed in place.
        """
        draws = self.draw(TRAINING, self.begun + state.step, self.settings.batch)
        loss, gradients = self.gradient(leaves, draws)
        after = _adam(self, state, gradients)
        with torch.no_grad():
            for leaf, new in zip(leaves, after.learned, strict=True):
                leaf.copy_(new)
        due = after.step % self.settings.exam_every == 0 or after.step == self.settings.steps
        return loss, self.examined(after) if due else after

    def seen(self, state: LearningState) -> Iterator[LearningStep]:
        """The word drawn as it is now, always from the same noise; the last step has the picture."""
        model, prompt = self.model, self.sentences(0)[0]
        noise = start_noise(model, self.lesson.seed)
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
            draws = self.draw(EXAM, 0, self.settings.exam_size)
            return sum(float(loss) for loss in self.losses(draws))

    def gradient(self, leaves: Sequence[Tensor], draws: Sequence[_Draw]) -> tuple[float, list[Tensor]]:
        """The batch's loss and its gradient, group by group so that only one group is in memory."""
        total, gradients = 0.0, [torch.zeros_like(leaf) for leaf in leaves]
        with torch.enable_grad():
            for loss in self.losses(draws):
                parts = gradient(loss, leaves, self.model.dtype)
                gradients = [g + part for g, part in zip(gradients, parts, strict=True)]
                total += float(loss.detach())
        return total, gradients

    def losses(self, draws: Sequence[_Draw]) -> Iterator[Tensor]:
        """Each group's share of the batch's mean loss."""
        for indices in grouped([draw.view for draw in draws], self.settings.at_once):
            group = [draws[index] for index in indices]
            yield self.group_loss(group) / len(draws)

    def group_loss(self, group: Sequence[_Draw]) -> Tensor:
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

    def draw(self, stream: int, step: int, size: int) -> list[_Draw]:
        """``size`` latents: pictures in turn, one noise level from each of ``size`` equal strata."""
        generator = _generator(self.lesson.seed, stream, step)
        strata = torch.randperm(size, generator=generator)
        within = torch.rand(size, generator=generator)
        levels = self.model.process.between(self.settings.times, (strata + within) / size)
        return [self.one(generator, step * size + i, level) for i, level in enumerate(levels)]

    def one(self, generator: torch.Generator, number: int, level: Level) -> _Draw:
        view = self.pick(number, generator)
        choice = self.sentences(view.picture)
        prompt = choice[int(torch.randint(len(choice), (1,), generator=generator))]
        sample = torch.randn(view.mean.shape, generator=generator)
        return _Draw(view, prompt, level, sample, torch.randn(view.mean.shape, generator=generator))

    def pick(self, number: int, generator: torch.Generator) -> View:
        """A view of each picture in turn, so that no batch forgets one."""
        pictures = sorted({view.picture for view in self.views})
        picture = pictures[number % len(pictures)]
        own = [view for view in self.views if view.picture == picture]
        return own[int(torch.randint(len(own), (1,), generator=generator))]


def _adam(course: _Course, state: LearningState, gradients: Sequence[Tensor]) -> LearningState:
    """Kingma & Ba 2015, algorithm 1, without weight decay; then every row's norm is put in bounds.

    The adapters have weight decay and no bounds. ``gradients``: of the rows, then of the adapters.
    """
    settings, step = course.settings, state.step + 1
    count = len(state.rows)
    means, squares = _moments(settings, state.means, state.squares, gradients[:count])
    rows = []
    parts = zip(state.rows, means, squares, course.start, course.begin, strict=True)
    for row, mean, square, start, begin in parts:
        unit = start.square().mean().sqrt()
        moved = row - rate(settings, step) * unit * _direction(settings, step, mean, square)
        rows.append(within_norms(moved, start, settings.norms, begin))
    adapters = None
    if state.adapters is not None:
        adapters = _adamw(settings, step, state.adapters, gradients[count:])
    return replace(state, step=step, rows=tuple(rows), means=means, squares=squares, adapters=adapters)


def _adamw(
    settings: LearnSettings, step: int, state: AdapterState, gradients: Sequence[Tensor]
) -> AdapterState:
    """Loshchilov & Hutter 2019, algorithm 2, at a rate that runs the rows' course."""
    chosen, now = settings.adapters, state.now
    assert chosen is not None
    speed = chosen.rate * rate(settings, step) / settings.rate
    means, squares = _moments(settings, state.means.tensors, state.squares.tensors, gradients)
    moved = [
        tensor - speed * (_direction(settings, step, mean, square) + chosen.decay * tensor)
        for tensor, mean, square in zip(now.tensors, means, squares, strict=True)
    ]
    return replace(
        state, now=now.with_tensors(moved), means=now.with_tensors(means), squares=now.with_tensors(squares)
    )


def _moments(
    settings: LearnSettings, means: Sequence[Tensor], squares: Sequence[Tensor], gradients: Sequence[Tensor]
) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
    first, second = settings.betas
    new = tuple(first * m + (1 - first) * g for m, g in zip(means, gradients, strict=True))
    return new, tuple(second * v + (1 - second) * g * g for v, g in zip(squares, gradients, strict=True))


def _direction(settings: LearnSettings, step: int, mean: Tensor, square: Tensor) -> Tensor:
    first, second = settings.betas
    return (mean / (1 - first**step)) / ((square / (1 - second**step)).sqrt() + 1e-12)


def rate(settings: LearnSettings, step: int) -> float:
    """Linear warm-up, then half a cosine from ``rate`` to ``final_rate``."""
    if step <= settings.warmup:
        return settings.rate * step / settings.warmup
    progress = (step - settings.warmup) / max(1, settings.steps - settings.warmup)
    swing = (settings.rate - settings.final_rate) * (1 + math.cos(math.pi * progress)) / 2
    return settings.final_rate + swing


def within_norms(
    rows: Tensor, start: Tensor, bounds: tuple[float, float], begin: Tensor | None = None
) -> Tensor:
    """Each row scaled so that its norm is within ``bounds`` times the noun's (as a word's should be).

    ``begin``: rows whose norms are always within them, as those of a word from elsewhere may not be.
    """
    norms, first = rows.norm(dim=1, keepdim=True), start.norm(dim=1, keepdim=True)
    least, most = bounds[0] * first, bounds[1] * first
    if begin is not None:
        had = begin.norm(dim=1, keepdim=True)
        least, most = torch.minimum(least, had), torch.maximum(most, had)
    return rows * (norms.clamp(min=least, max=most) / norms)


def _generator(seed: int, stream: int, step: int) -> torch.Generator:
    """A stream of its own for every (seed, stream, step)."""
    mixed = (seed * 2 + stream) * 1_000_003 + step
    return torch.Generator().manual_seed(mixed)
