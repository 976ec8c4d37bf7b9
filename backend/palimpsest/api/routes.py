"""The routes of the API, version 1: the machine, its models, and jobs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Header, Query, Request, Response
from fastapi.responses import FileResponse, StreamingResponse
from starlette.concurrency import run_in_threadpool

from palimpsest import contract
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
    ModelInfo,
    Models,
    System,
    WorkerInfo,
)
from palimpsest.api.services import PROTOCOL, House
from palimpsest.api.streams import stream_events, wait_for_events
from palimpsest.api.views import view_entry, view_job
from palimpsest.api.words import require_unlearned, require_unused
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


def house_of(request: Request) -> House:
    return request.app.state.house


def owner_of(request: Request) -> str:
    return request.scope["owner"]


TheHouse = Annotated[House, Depends(house_of)]
Owner = Annotated[str, Depends(owner_of)]


@public.get("/health", responses=may_fail())
def health(house: TheHouse) -> Health:
    """Whether a server is here, and which protocol it speaks. Needs no token."""
    return Health(protocol=PROTOCOL, version=house.versions["palimpsest"])


@router.get("/system", responses=may_fail())
def system(house: TheHouse, owner: Owner) -> System:
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
        for view in house.engine.workers()
    ]
    return System(
        protocol=PROTOCOL,
        versions=dict(house.versions),
        owner=owner,
        workers=workers,
        queue=house.engine.counts(),
        limits={name: float(value) for name, value in vars(house.limits).items()},
        notices=list(house.notices),
        store=house.database.identity,
        revisions={
            "concepts": house.concepts.revision(),
            "models": house.models_revision(),
            "results": house.database.results_revision(owner),
        },
        downloads=house.database.open_pulls(owner),
    )


@router.post("/system/unload", status_code=202, responses=may_fail())
def unload(house: TheHouse, owner: Owner) -> Health:
    """Free the devices' memory: each worker ends as soon as it is idle; the next job starts a new one."""
    house.engine.unload()
    return Health(protocol=PROTOCOL, version=house.versions["palimpsest"])


@router.get("/models", responses=may_fail())
def models(house: TheHouse, owner: Owner) -> Models:
    """The installed models with what they can do, and those that can be pulled."""
    found, left_out = house.models()
    return Models(
        models=[ModelInfo(**model) for model in found], left_out=[LeftOut(**left) for left in left_out]
    )


@router.post("/jobs", status_code=202, responses=may_fail(404, 409, 422))
def submit(
    house: TheHouse,
    owner: Owner,
    response: Response,
    job: Annotated[AnyJob, Body(examples=SUBMISSION_EXAMPLES)],
) -> JobView:
    """Accept a job. It is on disk when this answers; the same id and request again is the same job."""
    submission = as_submission(job, owner)
    new = house.database.find(owner, submission.id) is None
    house.album.hold(submission.images, owner)  # before room is made: what this job names must not go
    if new and submission.kind != "pull":
        house.album.require_quota(owner)
    require_model(house, submission)
    with house.wording:
        if new and submission.kind == "learn":
            require_teachable(house, submission)
        accepted, _ = house.engine.submit(submission)
    response.headers["Location"] = f"/v1/jobs/{accepted.id}"
    return view_job(house, accepted)


@router.get("/jobs", responses=may_fail())
def list_jobs(
    house: TheHouse,
    owner: Owner,
    before: Annotated[int | None, Query(ge=1, lt=2**53)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Jobs:
    """One's own jobs, newest first."""
    found = house.database.jobs(owner, before, limit)
    oldest = found[-1].number if len(found) == limit else None
    return Jobs(jobs=[view_job(house, job) for job in found], next=oldest)


@router.get("/jobs/{id}", responses=may_fail(404))
def get_job(house: TheHouse, owner: Owner, id: str) -> JobView:
    return view_job(house, attended(house, owner, id))


@router.delete("/jobs/{id}", status_code=202, responses=may_fail(404, 409))
def cancel(
    house: TheHouse,
    owner: Owner,
    id: str,
    forget: Annotated[bool, Query(description="Forget an ended job and the pictures it alone has.")] = False,
) -> JobView:
    """Cancel one's own job: at once while it waits, within one step while it runs. Or forget an ended one."""
    if not forget:
        return view_job(house, house.engine.cancel(owner, id))
    job = house.engine.job(owner, id)
    if not job.ended:
        raise JobOpenError(f"Job {id!a} has not ended.", "Cancel it first, or wait for it.")
    view = view_job(house, job)
    house.album.forget_job(job)
    return view


@router.get(
    "/jobs/{id}/events",
    response_model=Events,
    responses={**may_fail(404), 200: {"model": Events, "content": EVENT_STREAM}},
)
async def events(
    house: TheHouse,
    owner: Owner,
    id: str,
    after: Annotated[int, AFTER] = 0,
    wait: Annotated[float | None, Query(ge=0, le=300, description="Seconds; answer as JSON.")] = None,
    last_event_id: Annotated[str | None, Header()] = None,
) -> Events | StreamingResponse:
    """A job's events after number ``after``: with ``wait`` as JSON, otherwise as server-sent events."""
    job = await run_in_threadpool(attended, house, owner, id)
    if wait is None:
        seen = after if last_event_id is None else sequence_of(last_event_id)
        return StreamingResponse(streamed(house, job, seen), media_type="text/event-stream")
    entries = await wait_for_events(house, job, after, min(wait, house.limits.wait_seconds))
    return Events(
        events=[view_entry(entry) for entry in entries],
        job=await run_in_threadpool(lambda: view_job(house, attended(house, owner, id))),
    )


@router.get(
    "/jobs/{id}/artifacts/{name}",
    response_class=FileResponse,
    responses={**may_fail(404), 200: {"content": {"image/png": {}}}},
)
def artifact(house: TheHouse, owner: Owner, id: str, name: str) -> FileResponse:
    """A result by its name ("layer", "composite", …); "preview" is the latest preview."""
    job = attended(house, owner, id)
    finished = house.database.last(job.number, Finished)
    found = dict(finished.artifacts) if isinstance(finished, Finished) else {}
    previewed = house.database.last(job.number, Previewed)
    if isinstance(previewed, Previewed):
        found.setdefault("preview", previewed.image)
    if name not in found:
        raise ArtifactNotFoundError(f"Job {id!a} has no artifact {name!a}.", f"It has: {', '.join(found)}.")
    return picture_response(house, found[name], owner)


async def streamed(house: House, job: Job, after: int) -> AsyncIterator[str]:
    async for text in stream_events(house, job, after):
        yield text


def attended(house: House, owner: str, id: str) -> Job:
    """The job, whose owner has just shown interest in it."""
    job = house.engine.job(owner, id)
    house.engine.attend(job)
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
        *request.get("images", ()),
        *request.get("masks", ()),
    ]
    return tuple(dict.fromkeys(image for image in named if image is not None))


def plain(value: Any) -> Any:
    """Tuples as lists, as they come back from the database."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, (list, tuple)) else value


def require_model(house: House, submission: Submission) -> None:
    if submission.kind in ("pull", "describe"):  # describing needs no model to edit with
        return
    name = submission.request["model"]
    try:
        house.require_model(name)
    except ModelNotFoundError:
        pulls = [job for job in house.database.open_jobs() if job.kind == "pull"]
        if any(job.submission.request["model"] == name for job in pulls):
            raise ModelBusyError(Text("model-coming", model=name), Text("when-complete")) from None
        raise


def require_teachable(house: House, submission: Submission) -> None:
    """Raises ConceptInUseError, ConceptOwnedError for a name that may not be given anew."""
    name, replace = submission.request["name"], submission.request["replace"]
    require_unlearned(house, name, submission.owner)
    if replace and house.concepts.has(name):
        require_unused(house, name)
        house.concepts.require_own(name, submission.owner)


def sequence_of(event_id: str) -> int:
    """The event number in a ``Last-Event-ID`` header."""
    if event_id.isascii() and event_id.isdecimal() and len(event_id) < 16:
        return int(event_id)
    raise RequestError(f"Last-Event-ID is {event_id!a}, which is not an event's number.")
