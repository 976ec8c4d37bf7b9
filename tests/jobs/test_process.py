"""The server's end of a worker: its log is a help, never a condition."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobs.shop import eventually
from palimpsest.jobs.process import WorkerEndedError, WorkerProcess, WorkerSpec


def worker(errors: Path) -> WorkerProcess:
    return WorkerProcess(WorkerSpec("jobs.fixture_tasks:open_fixtures", errors), "one", "cpu")


def order(do: str) -> dict:
    return {"run": 1, "kind": "edit", "owner": "anna", "request": {"do": do}}


def heard(process: WorkerProcess) -> str | None:
    message = process.receive(0.1)
    return None if message is None else message.get("event")


@pytest.mark.parametrize("trouble", ["the folder is a file", "the log is a folder"])
def test_a_worker_whose_log_cannot_be_written_works_all_the_same(tmp_path, caplog, trouble):
    logs = tmp_path / "logs"
    if trouble == "the folder is a file":
        logs.write_bytes(b"")
    else:
        (logs / "worker-one.log").mkdir(parents=True)
    process = worker(logs)
    process.send(order("steps"))
    eventually(lambda: heard(process) == "finished")
    assert "can't be written" in caplog.text
    process.close()


def test_of_a_worker_that_died_without_a_log_nothing_is_made_up(tmp_path):
    (tmp_path / "worker-one.log").mkdir()
    process = worker(tmp_path)
    process.send(order("be_killed"))
    with pytest.raises(WorkerEndedError) as caught:
        eventually(lambda: heard(process) == "finished")
    assert (caught.value.tail, caught.value.reason) == ("", "it was killed by SIGKILL")


def test_the_log_is_made_with_its_folder_and_holds_what_the_worker_printed(tmp_path):
    process = worker(tmp_path / "new" / "logs")
    process.send(order("stumble"))
    eventually(lambda: heard(process) == "failed")
    process.close()
    assert b"Traceback" in (tmp_path / "new" / "logs" / "worker-one.log").read_bytes()
