"""The real backend of this checkout with the built-in model: started, killed, started again."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

from palimpsest_client.http.client import Client, find_client
from palimpsest_client.http.protocol import UnreachableError

REPOSITORY = Path(__file__).parent.parent.parent
PATIENCE = 120.0  # seconds to start, and for a job to begin or end
PHOTO = REPOSITORY / "backend/palimpsest/demo/pictures/photo.png"


class Backend:
    """``home`` is its PALIMPSEST_HOME: whoever has the same one finds it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def client(self) -> Client:
        return find_client(self.home / "config")

    def start(self) -> None:
        """Returns when it answers. On one thread, so that the editor has the other processor."""
        environment = {
            **os.environ,
            "PALIMPSEST_HOME": str(self.home),
            "PALIMPSEST_DEVICE": "cpu",
            "PYTHONPATH": str(REPOSITORY / "backend"),
            "OMP_NUM_THREADS": "1",
            "HF_HUB_OFFLINE": "1",
        }
        with (self.home / "backend.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "palimpsest", "serve", "--with-parent"],
                env=environment,
                stdin=subprocess.PIPE,  # it ends with us, whatever happens to us
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + PATIENCE
        while not self.answers():
            assert self._process.poll() is None, self._log()
            assert time.monotonic() < deadline, self._log()
            time.sleep(0.1)

    def answers(self) -> bool:
        with contextlib.suppress(UnreachableError):
            self.client.health()
            return True
        return False

    @contextlib.contextmanager
    def occupied(self) -> Iterator[None]:
        """It works on something long, so that whatever comes now waits."""
        job = uuid.uuid4().hex
        request = {
            "image": self.client.upload(PHOTO.read_bytes()),
            "operation": "replace",
            "source_prompt": "a photo of a red ball on grass",
            "target_prompt": "a photo of a blue cube on grass",
            "inversion": {"method": "null-text", "steps": 500},
        }
        self.client.submit(job, "edit", request)
        try:
            self._until(job, "running")
            yield
        finally:
            self.client.cancel(job)
            self._until(job, "cancelled")

    @contextlib.contextmanager
    def halted(self) -> Iterator[None]:
        """What is under way stands still, and doesn't end before it is looked for."""
        assert self._process is not None
        threads = Path(f"/proc/{self._process.pid}/task").iterdir()
        workers = [int(pid) for thread in threads for pid in (thread / "children").read_text().split()]
        assert workers, "the backend has no worker"
        for worker in workers:
            os.kill(worker, signal.SIGSTOP)
        try:
            yield
        finally:
            for worker in workers:
                os.kill(worker, signal.SIGCONT)

    def drafts(self) -> list[str]:
        """Jobs for small previews that were sent and aren't forgotten yet."""
        return [job["id"] for job in self.client.jobs()["jobs"] if job["request"].get("draft")]

    def _until(self, job: str, state: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while self.client.job(job)["state"] != state:
            assert time.monotonic() < deadline, f"the job isn't {state}: {self.client.job(job)}"
            time.sleep(0.1)

    def forget_concepts(self) -> None:
        """Those that the tests of before have learned."""
        for told in self.client.concepts():
            self.client.remove_concept(told["name"])

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Without a word, as a crash does."""
        self._end(signal.SIGKILL)

    def _end(self, kind: signal.Signals) -> None:
        if self._process is None:
            return
        self._process.send_signal(kind)
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process = None

    def _log(self) -> str:
        return (self.home / "backend.log").read_text(errors="replace")[-4000:]
