"""A job's events as they happen: as server-sent events, or as one answer that waits."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Iterator

from starlette.concurrency import run_in_threadpool

from palimpsest.api.services import AppServices
from palimpsest.api.views import view_entry
from palimpsest.jobs.log import Entry
from palimpsest.jobs.state import Job

KEEP_ALIVE_SECONDS = 15.0
CLOSING_SECONDS = 0.5  # how often a waiting stream looks whether the server is closing


async def wait_for_events(services: AppServices, job: Job, after: int, seconds: float) -> list[Entry]:
    """The events after number ``after``: at once if there are any or the job has ended, else the next."""
    deadline = time.monotonic() + seconds
    with listening(services, job) as happened:
        while True:
            happened.clear()
            ended = await has_ended(services, job)  # asked first: its last event is then among the entries
            entries = await run_in_threadpool(services.engine.log.after, job.number, after)
            left = deadline - time.monotonic()
            if entries or ended or left <= 0 or services.closing.is_set():
                return entries
            await pause(happened, min(left, CLOSING_SECONDS))


async def stream_events(services: AppServices, job: Job, after: int) -> AsyncIterator[str]:
    """Server-sent events until the job has ended. The id of each is its sequence number."""
    told = time.monotonic()
    with listening(services, job) as happened:
        while not services.closing.is_set():
            happened.clear()
            ended = await has_ended(services, job)
            entries = await run_in_threadpool(services.engine.log.after, job.number, after)
            for entry in entries:
                yield format_event(entry)
                after, told = entry.sequence, time.monotonic()
            if ended and not entries:
                return
            if not entries:
                await pause(happened, CLOSING_SECONDS)
            if time.monotonic() - told > KEEP_ALIVE_SECONDS:
                yield ": waiting\n\n"
                told = time.monotonic()


def format_event(entry: Entry) -> str:
    view = view_entry(entry).model_dump(mode="json")
    return f"id: {entry.sequence}\nevent: {view['event']}\ndata: {json.dumps(view)}\n\n"


async def has_ended(services: AppServices, job: Job) -> bool:
    found = await run_in_threadpool(services.database.job, job.number)
    return found is None or found.ended


@contextlib.contextmanager
def listening(services: AppServices, job: Job) -> Iterator[asyncio.Event]:
    """An asyncio event that is set whenever the job gets a new entry."""
    loop, happened = asyncio.get_running_loop(), asyncio.Event()

    def tell() -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody is waiting any more
            loop.call_soon_threadsafe(happened.set)

    stop = services.engine.log.listen(job.number, tell)
    try:
        yield happened
    finally:
        stop()
        services.engine.attend(job)


async def pause(happened: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(asyncio.TimeoutError):
        await asyncio.wait_for(happened.wait(), seconds)
