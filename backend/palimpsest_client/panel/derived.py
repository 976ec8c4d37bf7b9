"""The panel's state, derived from what is the case: the one place where it is decided what is shown."""

from __future__ import annotations

from dataclasses import replace
from typing import Optional, Protocol, Set, Tuple

from ..editor.editor import DocumentFacts
from ..fields.controls import SHOWN, Form
from ..fields.presets import Presets
from ..http.session import Session
from ..text.habits import notices
from ..text.sentences import changes, telling
from ..text.wording import say
from .backend import Backend
from .catalogue import model_rows
from .completion import finished_length
from .doubts import UncertainWords
from .downloads import Download
from .gallery import Gallery
from .jobs import PanelJobs
from .library import BUILT_IN, Model
from .live_layer import LiveLayer
from .outcome import REMEMBERED, offer_after
from .preview_jobs import LivePreview, PreviewJobs
from .reason import Reason, because
from .remembered_photos import RememberedPhotos
from .softness import softness_text, softness_tip
from .state import PanelState, change_line, drawn_controls, incapable, unknown_text
from .status import (
    REMEDY,
    LocalBackend,
    Offer,
    Situation,
    cannot_apply,
    cannot_ask,
    cannot_describe,
    cannot_reach,
    cannot_send,
    smaller_size,
    status_of,
)


class Parts(Protocol):
    """Of a panel: all that its state follows from."""

    jobs: PanelJobs
    backend: Backend
    session: Session
    gallery: Gallery
    previews: PreviewJobs
    remembered_photos: RememberedPhotos
    uncertain_words: UncertainWords
    facts: Optional[DocumentFacts]
    beyond: Set[str]

    @property
    def form(self) -> Form: ...

    @property
    def live_layer(self) -> Optional[LiveLayer]: ...

    @property
    def presets(self) -> Presets: ...


def state_of(panel: Parts) -> PanelState:
    form, jobs, backend = panel.form, panel.jobs, panel.backend
    live = panel.previews.shown if panel.gallery.strip.shown is None else LivePreview()
    live_layer, facts = panel.live_layer, panel.facts
    fidelity = panel.remembered_photos.fidelity(facts, form, live_layer)
    model, now = chosen_model(panel), situation(panel)
    found = changes(form.source_prompt, form.target_prompt) if form.target_prompt else ()
    names, known = [concept.name for concept in backend.concepts], () if model is None else model.words
    remembered = jobs.outcome is not None and jobs.outcome.code == REMEMBERED
    sentences = [(text, finished_length(text, names, known)) for text in (form.source_prompt, form.operand)]
    heard = [tuple(notices(text, names, known, whole)) for text, whole in sentences]
    return PanelState(
        status=now.status,
        form=form,
        document=facts,
        shown=SHOWN[form.operation],
        controls=drawn_controls(form, backend.models, model),
        presets=panel.presets.names(form.operation),
        preset=panel.presets.chosen(form),
        changes=found,
        changes_text=change_line(form, found),
        notices=(heard[0], heard[1]),
        doubts=()
        if panel.facts is None
        else panel.uncertain_words.notices(panel.facts.key, form.source_prompt),
        unknown_text=unknown_text(heard),
        words=tuple(telling(form.source_prompt)),
        apply_notice=apply_notice(panel),
        apply_notice_tip=apply_notice_tip(panel),
        catalogue=model_rows(backend.models, panel.session.state.system),
        setup=backend.setup.state,
        downloads=downloads_now(panel),
        fetched=backend.downloads.message,
        cannot_apply=why_not_apply(panel, live_layer),
        cannot_apply_new=why_not_apply(panel, None),
        cannot_ask=cannot_ask(now, form),
        cannot_describe=cannot_describe(now, form),
        cannot_download=cannot_reach(now),
        cannot_learn=cannot_send(now, form),
        can_reopen=facts is not None and facts.has_recipe and live_layer is None,
        can_remember=live_layer is None
        and not (cannot_ask(now, form) or fidelity)
        and bool(form.source_prompt.strip()),
        cannot_operate=incapable(model),
        updating="" if live_layer is None else live_layer.name,
        concepts=backend.vocabulary.ordered(backend.concepts),
        models=backend.models,
        model=model,
        progress=jobs.progress,
        waiting=jobs.waiting,
        preview=jobs.preview_picture or live.picture,
        structures=panel.previews.strip,
        preview_text="" if jobs.preview_picture else live.text,
        outcome=jobs.outcome,
        offers=offers_now(panel),
        fidelity="" if remembered else fidelity,
        strip=panel.gallery.strip,
    )


def downloads_now(panel: Parts) -> Tuple[Download, ...]:
    """How far they are isn't known while the backend is away."""
    away = panel.session.state.connection != "ready"
    titles = {model.name: model.title for model in panel.backend.models}
    return tuple(
        replace(one, title=titles.get(one.model, one.model), job_json={} if away else one.job_json)
        for one in panel.backend.downloads.open
    )


def chosen_model(panel: Parts) -> Optional[Model]:
    """If it is installed."""
    return panel.backend.model(panel.form.settings.model)


def situation(panel: Parts) -> Situation:
    session, backend, model = panel.session.state, panel.backend, panel.form.settings.model
    starter, remote = backend.starter, bool(backend.choice.address)
    local = LocalBackend(starter.active, starter.possible, starter.failed, backend.setup.state)
    status = status_of(session, local, remote, model, chosen_model(panel))
    return Situation(session, status, panel.jobs.busy, panel.facts, backend.models, backend.concepts)


def why_not_apply(panel: Parts, live_layer: Optional[LiveLayer]) -> Reason:
    """While something is under way an edit can be asked for too: it waits its turn."""
    if panel.jobs.full:
        return because("queue-full", n=len(panel.jobs.waiting))
    now = replace(situation(panel), busy=False)
    return cannot_apply(now, panel.form, live_layer is not None and live_layer.edit.selection is not None)


def apply_notice(panel: Parts) -> str:
    """What is to be known before Apply: whether the model knows this, and sees enough of it."""
    model = chosen_model(panel)
    if panel.live_layer is not None or panel.facts is None or model is None:
        return ""
    told = [say("beyond-picture")] if model.name == BUILT_IN and panel.facts.key in panel.beyond else []
    return "\n".join([*told, *filter(None, [softness_text(model, panel.facts, panel.form)])])


def apply_notice_tip(panel: Parts) -> str:
    """Of seeing too little of the picture."""
    model, facts = chosen_model(panel), panel.facts
    if panel.live_layer is not None or facts is None or not softness_text(model, facts, panel.form):
        return ""
    return softness_tip(facts)


def offers_now(panel: Parts) -> Tuple[Offer, ...]:
    """What helps stands beside the sentence that it helps with, but for what the state line offers."""
    facts, outcome = panel.facts, panel.jobs.outcome
    if facts is not None and facts.remedy:
        return (Offer(REMEDY, facts.remedy),)
    return () if outcome is None else offer_after(outcome, smaller(panel))


def uses_built_in(panel: Parts) -> bool:
    return panel.form.settings.model == BUILT_IN


def smaller(panel: Parts) -> int:
    """The working size to try when memory ran out."""
    return smaller_size(chosen_model(panel), panel.form.settings.working_size)
