"""From what the server keeps to what it answers."""

from __future__ import annotations

import dataclasses
from typing import Any

from palimpsest.api.schemas import ConceptView, Error, EventView, JobView, Progress
from palimpsest.api.services import AppServices
from palimpsest.jobs import events
from palimpsest.jobs.events import Failed, Finished, Previewed, Progressed, Started
from palimpsest.jobs.log import Entry
from palimpsest.jobs.state import Job
from palimpsest.storage.concept_card import ConceptCard


def view_job(services: AppServices, job: Job) -> JobView:
    progressed = services.database.last(job.number, Progressed)
    previewed = services.database.last(job.number, Previewed)
    finished = services.database.last(job.number, Finished) if job.state == "finished" else None
    failed = services.database.last(job.number, Failed) if job.state == "failed" else None
    return JobView(
        id=job.id,
        kind=job.kind,
        state=job.state,
        priority=job.submission.priority,
        attempt=job.attempt,
        sequence=job.sequence,
        created=job.created,
        started=services.database.first_time(job.number, Started),
        updated=job.updated,
        ahead=services.engine.ahead(job),
        progress=Progress(**dataclasses.asdict(progressed)) if isinstance(progressed, Progressed) else None,
        preview=previewed.image if isinstance(previewed, Previewed) else None,
        artifacts=finished.artifacts if isinstance(finished, Finished) else {},
        result=finished.result if isinstance(finished, Finished) else {},
        error=Error(**failed.error) if isinstance(failed, Failed) else None,
        request=job.submission.request,
        origin=job.submission.origin,
    )


def view_entry(entry: Entry) -> EventView:
    return EventView(sequence=entry.sequence, time=entry.time, **events.to_json(entry.event))


def view_concept(card: ConceptCard) -> ConceptView:
    told: dict[str, Any] = dataclasses.asdict(card)
    return ConceptView(**{**told, "widths": list(card.widths)})
