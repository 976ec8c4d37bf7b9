"""``palimpsest bench server``: what the server itself costs, with jobs that only sleep.

Overhead per job beyond the job's own time, time to the first event, many clients polling while a job
runs, cancel latency, upload of a large picture, and the memory of the API process.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from palimpsest import interpreter
from palimpsest.errors import StorageError
from palimpsest.jobs.events import Events, Finished, Progressed
from palimpsest_client.editor.geometry import Extent
from palimpsest_client.editor.png import Layout, encode_bands
from palimpsest_client.http.client import Client, find_client

MIB = 1 << 20
SLEEPER = "palimpsest.bench.server:open_sleeper"
STEP = 0.01  # seconds of one step of a sleeping job
PICTURE_SIDE = 8192


class Sleeper:
    """A runner whose jobs do nothing, in as many steps as the request's feather has pixels."""

    def run(self, kind: str, request: dict[str, Any]) -> Events[None]:
        total = request["feather"]
        for index in range(total):
            yield Progressed("sleeping", index, total)
            time.sleep(STEP)
        yield Finished()

    def status(self) -> dict[str, Any]:
        return {}


def open_sleeper(device: str, options: dict[str, Any]) -> Sleeper:
    return Sleeper()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--jobs", type=int, default=20, help="jobs per measurement (default: 20)")
    parser.add_argument("--clients", type=int, default=32, help="clients that poll at once (default: 32)")
    parser.add_argument(
        "--upload-side",
        type=int,
        default=PICTURE_SIDE,
        metavar="PIXELS",
        help=f"side of the 16-bit PNG that is uploaded (default: {PICTURE_SIDE})",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(options: argparse.Namespace) -> int:
    with tempfile.TemporaryDirectory(prefix="palimpsest-bench-") as folder:
        measured = measure(Path(folder), options.jobs, options.clients, options.upload_side)
    if options.json:
        print(json.dumps(measured))
    else:
        for name, value in measured.items():
            print(f"{name.replace('_', ' ')}: {value}")
    return 0


def measure(folder: Path, jobs: int, clients: int, upload_side: int) -> dict[str, Any]:
    """Times in milliseconds, memory in MiB."""
    with serving(folder) as (child, start):
        client = find_client(folder / "config")
        image = client.upload(b"a picture")
        finish(client, image, "warm-up", 1)
        return {
            "start_to_first_answer_ms": start,
            "first_event_ms": spread(timed(jobs, lambda i: first_event(client, image, f"first-{i}"))),
            "overhead_per_job_ms": spread(overheads(client, image, jobs)),
            "cancel_ms": spread(
                timed(jobs, lambda i: cancel(client, f"cancel-{i}"), lambda i: begin(client, image, i))
            ),
            f"poll_by_{clients}_clients_ms": spread(polls(client, image, clients)),
            "memory_before_upload_mib": memory(child.pid),
            **upload(client, folder, upload_side),
            "memory_peak_mib": memory(child.pid, peak=True),
        }


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[tuple[subprocess.Popen[str], float]]:
    """A server with sleeping jobs, and the milliseconds until it answered."""
    environment = interpreter.surroundings(PALIMPSEST_HOME=str(folder.absolute()), PALIMPSEST_DEVICE="cpu")
    began = time.perf_counter()
    command = interpreter.module_command("palimpsest", "serve", "--runner", SLEEPER)
    child = subprocess.Popen(
        command, cwd=interpreter.SAFE_FOLDER, env=environment, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    try:
        if not child.stdout.readline():
            raise StorageError("The server did not start.", "Its message is above.")
        find_client(folder / "config").health()
        yield child, ms(time.perf_counter() - began)
    finally:
        child.terminate()
        child.wait()
        child.stdout.close()


def submit(client: Client, image: str, id: str, steps: int) -> None:
    request = {"image": image, "operation": "remove", "source_prompt": "", "feather": steps}
    client.submit(id, "edit", request)


def finish(client: Client, image: str, id: str, steps: int) -> None:
    submit(client, image, id, steps)
    for _ in client.follow(id):
        pass


def first_event(client: Client, image: str, id: str) -> None:
    """From submitting to the first progress."""
    submit(client, image, id, 1)
    for event in client.follow(id):
        if event["event"] == "progressed":
            return


def overheads(client: Client, image: str, jobs: int) -> list[float]:
    """From submitting to the last event, less the job's own time in the worker."""
    found = []
    for index in range(jobs):
        began = time.perf_counter()
        finish(client, image, f"overhead-{index}", 1)
        lasted = time.perf_counter() - began
        times = {event["event"]: event["time"] for event in client.events(f"overhead-{index}")["events"]}
        found.append(ms(lasted - (times["finished"] - times["progressed"])))
    return found


def begin(client: Client, image: str, index: int) -> None:
    submit(client, image, f"cancel-{index}", 4000)
    while client.job(f"cancel-{index}")["state"] != "running":
        time.sleep(STEP)


def cancel(client: Client, id: str) -> None:
    client.cancel(id)
    for _ in client.follow(id):
        pass


def polls(client: Client, image: str, clients: int) -> list[float]:
    """Answers to ``GET /v1/jobs/{id}`` by many clients that ask without pause while the job runs."""
    submit(client, image, "polled", 200)
    found: list[float] = []

    def poll() -> None:
        while True:
            began = time.perf_counter()
            ended = client.job("polled")["state"] in ("finished", "failed")
            found.append(ms(time.perf_counter() - began))
            if ended:
                return

    threads = [threading.Thread(target=poll) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def upload(client: Client, folder: Path, side: int) -> dict[str, Any]:
    """A 16-bit RGB picture as an editor sends it: encoded without much packing, then uploaded."""
    picture = folder / "picture.png"
    began = time.perf_counter()
    picture.write_bytes(noise(side))
    encoded = time.perf_counter()
    client.upload_file(picture)
    seconds = time.perf_counter() - encoded
    return {
        "upload_mib": round(picture.stat().st_size / MIB),
        "encode_s": round(encoded - began, 2),
        "upload_s": round(seconds, 2),
    }


def noise(side: int) -> bytes:
    """A square 16-bit RGB PNG that doesn't compress: the largest there is of its size."""
    layout = Layout(Extent(side, side), channels=3, depth=16)
    rows = (os.urandom(layout.row_bytes) for _ in range(side))
    return encode_bands(rows, layout, level=0)


def timed(
    count: int, do: Callable[[int], None], before: Callable[[int], None] = lambda index: None
) -> list[float]:
    found = []
    for index in range(count):
        before(index)
        began = time.perf_counter()
        do(index)
        found.append(ms(time.perf_counter() - began))
    return found


def spread(values: list[float]) -> dict[str, float]:
    ordered = sorted(values)
    return {
        "count": len(ordered),
        "median": round(statistics.median(ordered), 1),
        "p95": round(ordered[int(0.95 * (len(ordered) - 1))], 1),
        "worst": round(ordered[-1], 1),
    }


def ms(seconds: float) -> float:
    return round(seconds * 1000, 2)


def memory(pid: int, peak: bool = False) -> int | None:
    """Resident memory of a process in MiB, now or at its highest; None where the system doesn't say."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return None
    name = "VmHWM:" if peak else "VmRSS:"
    return next(int(line.split()[1]) // 1024 for line in lines if line.startswith(name))
