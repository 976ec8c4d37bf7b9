"""The routes of the API, version 1: the machine, its models, and jobs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Header, Query, Request, Response
from fastapi.responses import FileResponse, StreamingResponse
from starlette.concurrency import run_in_threadpool

from palimpsest import contract
from palimpsest.api.concepts import require_unlearned, require_unused
from palimpsest.api.pictures import picture_response
from palimpsest.api.schemas import (
    SUBMISSION_EXAMPLES,
    AnyJob,
    Error,
    Events,
    Health,
    Jobs,
    JobView,
    LeftOut,
    LoraInfo,
    Loras,
    ModelInfo,
    Models,
    System,
    WorkerInfo,
)
from palimpsest.api.services import PROTOCOL, AppServices
from palimpsest.api.streams import stream_events, wait_for_events
from palimpsest.api.views import view_entry, view_job
from palimpsest.errors import (
    ArtifactNotFoundError,
    JobOpenError,
    ModelBusyError,
    ModelNotFoundError,
    RequestError,
    Text,
)
from palimpsest.jobs.events import Finished, Previewed
from palimpsest.jobs.state import Job, Submission

router = APIRouter()
public = APIRouter()  # needs no token
AFTER = Query(ge=0, lt=2**53, description="The number of the last event already seen.")
EVENT_STREAM: dict[str, Any] = {"text/event-stream": {"schema": {"type": "string"}}}


def may_fail(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For OpenAPI: the statuses that every route may answer, and ``statuses``."""
    always = (400, 401, 403, 405, 408, 413, 426, 429, 500, 503, 507)
    return {status: {"model": Error} for status in (*always, *statuses)}


def services_of(request: Request) -> AppServices:
    return request.app.state.services


def owner_of(request: Request) -> str:
    return request.scope["owner"]


Services = Annotated[AppServices, Depends(services_of)]
Owner = Annotated[str, Depends(owner_of)]


@public.get("/health", responses=may_fail())
def health(services: Services) -> Health:
    """Whether a server is here, which protocol it speaks and whose results it gives. Needs no token."""
    return Health(protocol=PROTOCOL, version=services.versions["palimpsest"])


@router.get("/system", responses=may_fail())
def system(services: Services, owner: Owner) -> System:
    """Devices, workers, queue, limits, versions, and notices for whoever runs the server."""
    workers = [
        WorkerInfo(
            lane=view.lane.name,
            device=view.lane.device,
            kinds=list(view.lane.kinds),
            pid=view.pid,
            running=view.kind,
            status=view.status,
        )
        for view in services.engine.workers()
    ]
    return System(
        protocol=PROTOCOL,
        versions=dict(services.versions),
        owner=owner,
        workers=workers,
        queue=services.engine.counts(),
        limits={name: float(value) for name, value in vars(services.limits).items()},
        notices=list(services.notices),
        store=services.database.identity,
        revisions={
            "concepts": services.concepts.revision(),
            "models": services.models_revision(),
            "results": services.database.results_revision(owner),
        },
        downloads=services.database.open_pulls(owner),
    )


@router.post("/system/unload", status_code=202, responses=may_fail())
def unload(services: Services, owner: Owner) -> Health:
    """Free the devices' memory: each worker ends as soon as it is idle; the next job starts a new one."""
    services.engine.unload()
    return Health(protocol=PROTOCOL, version=services.versions["palimpsest"])


@router.get("/models", responses=may_fail())
def models(services: Services, owner: Owner) -> Models:
    """The installed models with what they can do, and those that can be pulled."""
    found, left_out = services.models()
    return Models(
        models=[ModelInfo(**model) for model in found], left_out=[LeftOut(**left) for left in left_out]
    )


@router.get("/loras", responses=may_fail())
def loras(services: Services, owner: Owner) -> Loras:
    """The LoRAs of the backend's machine, as their files describe them."""
    return Loras(loras=[LoraInfo(**lora) for lora in services.loras()])


@router.post("/jobs", status_code=202, responses=may_fail(404, 409, 422))
def submit(
    services: Services,
    owner: Owner,
    response: Response,
    job: Annotated[AnyJob, Body(examples=SUBMISSION_EXAMPLES)],
) -> JobView:
    """Accept a job. It is on disk when this answers; the same id and request again is the same job."""
    submission = as_submission(job, owner)
    new = services.database.find(owner, submission.id) is None
    services.owned_images.hold(
        submission.images, owner
    )  # before room is made: what this job names must not go
    if new and submission.kind != "pull":
        services.owned_images.require_quota(owner)
    require_model(services, submission)
    with services.concept_lock:
        if new and submission.kind == "learn":
            require_teachable(services, submission)
        accepted, _ = services.engine.submit(submission)
    response.headers["Location"] = f"/v1/jobs/{accepted.id}"
    return view_job(services, accepted)


@router.get("/jobs", responses=may_fail())
def list_jobs(
    services: Services,
    owner: Owner,
    before: Annotated[int | None, Query(ge=1, lt=2**53)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Jobs:
    """One's own jobs, newest first."""
    found = services.database.jobs(owner, before, limit)
    oldest = found[-1].number if len(found) == limit else None
    return Jobs(jobs=[view_job(services, job) for job in found], next=oldest)


@router.get("/jobs/{id}", responses=may_fail(404))
def get_job(services: Services, owner: Owner, id: str) -> JobView:
    return view_job(services, attended(services, owner, id))


@router.delete("/jobs/{id}", status_code=202, responses=may_fail(404, 409))
def cancel(
    services: Services,
    owner: Owner,
    id: str,
    forget: Annotated[bool, Query(description="Forget an ended job and the pictures it alone has.")] = False,
) -> JobView:
    """Cancel one's own job: at once while it waits, within one step while it runs. Or forget an ended one."""
    if not forget:
        return view_job(services, services.engine.cancel(owner, id))
    job = services.engine.job(owner, id)
    if not job.ended:
        raise JobOpenError(f"Job {id!a} has not ended.", "Cancel it first, or wait for it.")
    view = view_job(services, job)
    services.owned_images.forget_job(job)
    return view


@router.get(
    "/jobs/{id}/events",
    response_model=Events,
    responses={**may_fail(404), 200: {"model": Events, "content": EVENT_STREAM}},
)
async def events(
    services: Services,
    owner: Owner,
    id: str,
    after: Annotated[int, AFTER] = 0,
    wait: Annotated[float | None, Query(ge=0, le=300, description="Seconds; answer as JSON.")] = None,
    last_event_id: Annotated[str | None, Header()] = None,
) -> Events | StreamingResponse:
    """A job's events after number ``after``: with ``wait`` as JSON, otherwise as server-sent events."""
    job = await run_in_threadpool(attended, services, owner, id)
    if wait is None:
        seen = after if last_event_id is None else sequence_of(last_event_id)
        return StreamingResponse(streamed(services, job, seen), media_type="text/event-stream")
    entries = await wait_for_events(services, job, after, min(wait, services.limits.wait_seconds))
    return Events(
        events=[view_entry(entry) for entry in entries],
        job=await run_in_threadpool(lambda: view_job(services, attended(services, owner, id))),
    )


@router.get(
    "/jobs/{id}/artifacts/{name}",
    response_class=FileResponse,
    responses={**may_fail(404), 200: {"content": {"image/png": {}}}},
)
def artifact(services: Services, owner: Owner, id: str, name: str) -> FileResponse:
    """A result by its name ("layer", "composite", …); "preview" is the latest preview."""
    job = attended(services, owner, id)
    finished = services.database.last(job.number, Finished)
    found = dict(finished.artifacts) if isinstance(finished, Finished) else {}
    previewed = services.database.last(job.number, Previewed)
    if isinstance(previewed, Previewed):
        found.setdefault("preview", previewed.image)
    if name not in found:
        raise ArtifactNotFoundError(f"Job {id!a} has no artifact {name!a}.", f"It has: {', '.join(found)}.")
    return picture_response(services, found[name], owner)


async def streamed(services: AppServices, job: Job, after: int) -> AsyncIterator[str]:
    async for text in stream_events(services, job, after):
        yield text


def attended(services: AppServices, owner: str, id: str) -> Job:
    """The job, whose owner has just shown interest in it."""
    job = services.engine.job(owner, id)
    services.engine.attend(job)
    return job


def as_submission(job: Any, owner: str) -> Submission:
    """From the API's shape to the contract's: the defaults are filled in, so equal requests are equal."""
    kind = contract.KINDS[job.kind]
    request = contract.from_json(kind, job.request.model_dump())
    told = contract.to_json(request)
    return Submission(
        id=job.id,
        owner=owner,
        kind=job.kind,
        request=plain(told),
        priority=job.priority,
        images=images_of(told),
        unattended_seconds=job.unattended_seconds,
        origin=job.origin,
    )


def images_of(request: dict[str, Any]) -> tuple[str, ...]:
    """Every picture that a request names, once."""
    named = [
        request.get("image"),
        request.get("selection"),
        request.get("reflection"),
        *request.get("images", ()),
        *request.get("masks", ()),
    ]
    return tuple(dict.fromkeys(image for image in named if image is not None))


def plain(value: Any) -> Any:
    """Tuples as lists, as they come back from the database."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, (list, tuple)) else value


def require_model(services: AppServices, submission: Submission) -> None:
    if submission.kind in ("pull", "describe"):  # describing needs no model to edit with
        return
    name = submission.request["model"]
    try:
        services.require_model(name)
    except ModelNotFoundError:
        pulls = [job for job in services.database.open_jobs() if job.kind == "pull"]
        if any(job.submission.request["model"] == name for job in pulls):
            raise ModelBusyError(Text("model-coming", model=name), Text("when-complete")) from None
        raise


def require_teachable(services: AppServices, submission: Submission) -> None:
    """Raises ConceptInUseError, ConceptOwnedError for a name that may not be given anew."""
    name, replace = submission.request["name"], submission.request["replace"]
    require_unlearned(services, name, submission.owner)
    if replace and services.concepts.has(name):
        require_unused(services, name)
        services.concepts.require_own(name, submission.owner)


def sequence_of(event_id: str) -> int:
    """The event number in a ``Last-Event-ID`` header."""
    if event_id.isascii() and event_id.isdecimal() and len(event_id) < 16:
        return int(event_id)
    raise RequestError(f"Last-Event-ID is {event_id!a}, which is not an event's number.")
