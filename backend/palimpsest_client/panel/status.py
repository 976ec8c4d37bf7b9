"""What the state line says, and why Apply isn't possible: every reason is a sentence."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Optional, Tuple

from ..editor.editor import DocumentFacts
from ..fields.controls import Form, weights_of
from ..fields.operations import FREE, OPERATIONS, WEIGHTS
from ..http.job_view import JobView, running_text, waiting_text
from ..http.session import SessionState
from ..setup.home import ABSENT, INCOMPLETE, OLDER, WHOLE
from ..setup.state import SetupState
from ..text.habits import half_written
from ..text.sentences import changes, concepts_in
from ..text.wording import say
from .library import BUILT_IN, Concept, Model
from .reason import BACKEND, DOCUMENT, NONE, Reason, because

START, CONNECT, TOKEN, COPY, SMALLER, REMEDY, MODELS, SETUP = (
    "start",
    "connect",
    "choose-token",
    "copy-command",
    "smaller",
    "remedy",
    "get-model",
    "setup",
)
AUTO = "auto"  # of a worker's device: not chosen yet
_DEVICE_NOISE = re.compile(r"\((?:R|TM)\)|NVIDIA |GeForce |AMD | CPU\b.*|\s+@.*")


@dataclass(frozen=True)
class Offer:
    """A button or link beside a message: ``Panel.take(key)`` does it."""

    key: str
    text: str


@dataclass(frozen=True)
class Status:
    """The state line. kind: "ready", "busy" or "trouble"."""

    kind: str
    text: str
    offers: Tuple[Offer, ...] = ()
    starting: bool = False  # this computer's backend was started, and will answer in a moment


@dataclass(frozen=True)
class Progress:
    """fraction 0 … 1, or None where it isn't known."""

    text: str
    fraction: Optional[float] = None
    can_cancel: bool = True


def offers(*keys: str) -> Tuple[Offer, ...]:
    return tuple(Offer(key, say(key)) for key in keys)


@dataclass(frozen=True)
class LocalBackend:
    """Of this computer's backend: whether it starts just now, can be started, failed to; its setup."""

    starting: bool = False
    can_start: bool = False
    failed: bool = False
    setup: SetupState = field(default_factory=SetupState)

    @property
    def setup_offers(self) -> Tuple[Offer, ...]:
        """What the setup can do about it."""
        kind = self.setup.kind
        if kind == WHOLE and self.failed:
            return (Offer(SETUP, say("setup-repair-offer")),)
        if kind == OLDER:
            return (Offer(SETUP, say("setup-update-offer")),)
        none = not self.can_start or self.failed  # what a record names may be gone
        return offers(SETUP) if kind == INCOMPLETE or (kind == ABSENT and none) else ()

    @property
    def text(self) -> str:
        if self.can_start:
            return say("searching")
        known = {ABSENT: "setup-absent", INCOMPLETE: "setup-incomplete"}
        return say(known.get(self.setup.kind, "not-installed"))


def status_of(
    session: SessionState, local: LocalBackend, remote: bool, name: str, model: Optional[Model]
) -> Status:
    """``model``: the one of this ``name``, if it is installed."""
    setup = () if remote else local.setup_offers
    if session.connection == "ready":
        only_built_in = offers(MODELS) if model is not None and model.name == BUILT_IN else ()
        title = name if model is None else model.title
        return Status("ready", ready_text(session.system, title), only_built_in + setup)
    if local.starting:
        return Status("busy", say("starting"), starting=True)
    if local.setup.running and not remote:
        return Status("busy", local.setup.text, (Offer(SETUP, say("setup-show")),))
    if session.connection == "refused":
        return refusal(session)
    if session.connection == "mismatch":
        return Status("trouble", session.text, setup if setup else offers(COPY))
    start = (offers(START) if local.can_start and not remote else ()) + setup
    if session.connection == "gone":
        return Status("trouble", say("gone"), start)
    if remote:
        return Status("trouble", say("unreachable", address=session.address), offers(CONNECT))
    was_there = bool(session.system) and not local.can_start and local.setup.kind != INCOMPLETE
    return Status("trouble", say("stopped") if was_there else local.text, start + offers(CONNECT))


def refusal(session: SessionState) -> Status:
    if session.code == "token_invalid":
        return Status("trouble", say("refused", address=session.address), offers(TOKEN))
    return Status("trouble", session.text, offers(CONNECT))


def ready_text(system: Mapping[str, Any], model: str) -> str:
    device = device_name(system)
    text = say("ready-on", model=model, device=device) if device else say("ready", model=model)
    return say("ready-learning", ready=text) if is_learning(system) else text


def is_learning(system: Mapping[str, Any]) -> bool:
    """Whether a word is being learned there, whoever's it is."""
    return any(worker.get("running") == "learn" for worker in system.get("workers", ()))


def device_name(system: Mapping[str, Any]) -> str:
    """Of the worker that edits, as short as a state line needs it."""
    for worker in system.get("workers", ()):
        if "edit" in worker["kinds"]:
            device = "" if worker["device"] == AUTO else worker["device"].upper()
            return _DEVICE_NOISE.sub("", str(worker["status"].get("name") or device)).strip()
    return ""


def progress_of(view: JobView, cancelling: bool, away: bool = False) -> Progress:
    """``away``: the backend doesn't answer, so that nobody knows how far the job is."""
    if cancelling:
        return Progress(say("cancelling"), None, can_cancel=False)
    if away:
        return Progress(say("backend-away"))
    if view.state == "queued":
        return Progress(waiting_text(view.ahead))
    return Progress(running_text(view), view.fraction if view.total > 0 else None)


@dataclass(frozen=True)
class Situation:
    """All that decides whether something can be asked for."""

    session: SessionState
    status: Status
    busy: bool
    document: Optional[DocumentFacts]
    models: Sequence[Model]
    concepts: Sequence[Concept]


def cannot_ask(now: Situation, form: Form) -> Reason:
    """Why no job about the open picture can be sent; empty if it can."""
    if now.document is None:
        return because("no-document")
    return Reason(now.document.refusal, DOCUMENT) if now.document.refusal else cannot_send(now, form)


def cannot_reach(now: Situation) -> Reason:
    """Why nothing at all can be asked of the backend."""
    if now.session.connection == "ready":
        return NONE
    return because("waiting-for-backend") if now.status.starting else Reason(now.status.text, BACKEND)


def cannot_send(now: Situation, form: Form) -> Reason:
    """Why no job can be sent that is followed as the job under way."""
    reason = cannot_reach(now) or (because("busy") if now.busy else NONE)
    if reason:
        return reason
    if now.models and chosen(now.models, form.settings.model) is None:
        return because("model-missing", model=form.settings.model)
    return NONE


def cannot_apply(now: Situation, form: Form, updating: bool = False) -> Reason:
    """Why Apply isn't possible; empty if it is."""
    return cannot_ask(now, form) or cannot_operate(now, form, updating) or cannot_say(now, form)


def cannot_operate(now: Situation, form: Form, updating: bool) -> Reason:
    model = chosen(now.models, form.settings.model)
    if model is not None and not model.can(form.operation):
        return because("model-cannot", model=model.title, operation=say(form.operation))
    assert now.document is not None
    if now.document.selection is None and OPERATIONS[form.operation].selection != FREE and not updating:
        return because("select-" + form.operation)
    return NONE


def cannot_say(now: Situation, form: Form) -> Reason:
    """What is wrong with the words."""
    operation = OPERATIONS[form.operation]
    if not form.source_prompt.strip() and not operation.wordless:
        return because("say-what-it-shows")
    own = form.own_targets.get(form.operation, "").strip()
    if not form.operand.strip() and not own and operation.missing:
        return because(operation.missing)
    if operation.asks == WEIGHTS and not weights_of(form):
        return because("no-weight")
    if operation.rewords and not changes(form.source_prompt, form.target_prompt):
        return because("nothing-changes")
    return wrong_concept(now, form)


def wrong_concept(now: Situation, form: Form) -> Reason:
    """The first learned word that isn't there, or not for this model."""
    model = chosen(now.models, form.settings.model)
    there = {concept.name: concept for concept in now.concepts}
    for text in (form.source_prompt, form.operand, form.target_prompt):
        for name in half_written(text):
            return because("no-concept", name=name or "…")
    for name in concepts_in(form.source_prompt, form.target_prompt):
        if name not in there:
            return because("no-concept", name=name)
        if model is not None and model.family != there[name].family:
            return because("concept-family", name=name, family=there[name].family)
    return NONE


def cannot_describe(now: Situation, form: Form) -> Reason:
    reason = cannot_ask(now, form)
    model = chosen(now.models, form.settings.model)
    return reason if reason or model is None or model.describes else because("cannot-describe")


def chosen(models: Sequence[Model], name: str) -> Optional[Model]:
    """The installed model of this name."""
    return next((model for model in models if model.installed and model.name == name), None)


def smaller_size(model: Optional[Model], settings_size: Optional[int]) -> int:
    """What to try when memory ran out: two thirds, as the model's sizes go."""
    native = 512 if model is None else model.native_size
    step = 64 if model is None else model.granularity
    now = native if settings_size is None else settings_size
    return max(step, now * 2 // 3 // step * step)
