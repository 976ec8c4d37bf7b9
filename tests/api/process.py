"""``palimpsest serve`` in a process of its own, with fixture tasks in place of models."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from jobs.shop import eventually
from palimpsest_client.http.client import Client, find_client
from palimpsest_client.http.protocol import UnreachableError

FIXTURES = ("--runner", "jobs.fixture_tasks:open_prompted")


def environment(home: Path) -> dict[str, str]:
    paths = os.pathsep.join(filter(None, sys.path))
    return {**os.environ, "PALIMPSEST_HOME": str(home), "PYTHONPATH": paths, "PALIMPSEST_DEVICE": "cpu"}


def run(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """One command to its end."""
    command = [sys.executable, "-m", "palimpsest", *arguments]
    return subprocess.run(command, env=environment(home), capture_output=True, text=True, timeout=60)


def serving(home: Path, *arguments: str) -> contextlib.AbstractContextManager[subprocess.Popen[str]]:
    """A server of the fixture tasks that has answered; killed at the end if it still runs."""
    return starting(home, *FIXTURES, *arguments)


@contextlib.contextmanager
def starting(
    home: Path, *arguments: str, env: dict[str, str] | None = None
) -> Iterator[subprocess.Popen[str]]:
    """A server with the arguments of ``serve``."""
    child = subprocess.Popen(
        [sys.executable, "-m", "palimpsest", "serve", *arguments],
        env=environment(home) if env is None else env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    try:
        assert child.stdout.readline().startswith("Palimpsest is at http://127.0.0.1:")
        assert child.stdout.readline().startswith("Its token is in ")
        yield child
    finally:
        child.kill()
        child.wait()
        child.stdout.close()


def kill(child: subprocess.Popen[str]) -> None:
    child.send_signal(signal.SIGKILL)
    child.wait()


def find(home: Path) -> Client:
    return find_client(home / "config")


def when_found(home: Path) -> Client:
    def look() -> Client | None:
        with contextlib.suppress(UnreachableError):
            client = find(home)
            client.health()
            return client
        return None

    return eventually(look)
