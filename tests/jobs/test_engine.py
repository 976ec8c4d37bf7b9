"""What the engine promises about jobs, shown with workers that sleep, fail, hang and die."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import time

import pytest

from jobs.shop import LANES, ended, eventually, last, names, open_shop, submission
from palimpsest.errors import JobExistsError, JobNotFoundError, QueueFullError, RequestError
from palimpsest.jobs.engine import Limits
from palimpsest.jobs.events import Cancelled, Failed, Finished, Progressed, Queued, Started
from palimpsest.jobs.supervisor import YIELDED, Lane, Timeouts
from palimpsest.storage.database import Database


@pytest.fixture
def engine(tmp_path):
    with open_shop(tmp_path) as engine:
        yield engine


def test_a_job_runs_and_its_events_are_numbered_without_gaps(engine):
    engine.submit(submission("a", steps=2))
    job = ended(engine, "a")
    assert job.state == "finished"
    assert names(engine, job) == ["Queued", "Started", "Progressed", "Progressed", "Previewed", "Finished"]
    assert [entry.sequence for entry in engine.log.after(job.number, 4)] == [5, 6]
    assert engine.workers()[0].status == {"device": "cpu"}


def test_the_same_submission_twice_is_the_same_job(engine):
    first, new = engine.submit(submission("a"))
    again, known = engine.submit(submission("a"))
    assert (new, known) == (True, False)
    assert first.number == again.number
    with pytest.raises(JobExistsError, match="'a'"):
        engine.submit(submission("a", "refuse"))


def test_two_owners_may_choose_the_same_id_and_see_only_their_own(engine):
    engine.submit(submission("a", say="anna's"))
    engine.submit(submission("a", owner="bert", say="bert's"))
    assert last(engine, ended(engine, "a")).result["said"] == "anna's"
    assert last(engine, ended(engine, "a", "bert")).result["said"] == "bert's"
    with pytest.raises(JobNotFoundError):
        engine.job("carl", "a")
    with pytest.raises(JobNotFoundError):
        engine.cancel("carl", "a")


@pytest.mark.parametrize(
    ("do", "code"),
    [
        ("refuse", "image_too_small"),
        ("stumble", "internal"),
        ("give_up", "internal"),
        ("talk_nonsense", "internal"),
        ("devour", "out_of_memory"),
    ],
)
def test_a_task_that_fails_says_why_and_the_next_job_runs(engine, do, code):
    engine.submit(submission("bad", do))
    engine.submit(submission("good"))
    failed = last(engine, ended(engine, "bad"))
    assert isinstance(failed, Failed)
    assert failed.error["code"] == code
    assert ended(engine, "good").state == "finished"


@pytest.mark.parametrize(("do", "reason"), [("exit", "status 7"), ("be_killed", "SIGKILL")])
def test_a_job_whose_worker_dies_is_tried_again_once_and_then_failed_with_the_reason(engine, do, reason):
    engine.submit(submission("bad", do))
    engine.submit(submission("good"))
    bad = ended(engine, "bad")
    assert names(engine, bad) == [
        "Queued",
        "Started",
        "Progressed",
        "Queued",
        "Started",
        "Progressed",
        "Failed",
    ]
    assert bad.attempt == 2
    assert last(engine, bad).error["code"] == "worker_died"
    assert reason in last(engine, bad).error["message"]
    good = ended(engine, "good")
    assert names(engine, good).count("Queued") == 1


def test_a_worker_that_dies_once_costs_a_job_nothing(engine, tmp_path):
    engine.submit(submission("a", "die_once", file=str(tmp_path / "died")))
    assert last(engine, ended(engine, "a")).result["said"] == "the second time"


def test_what_a_library_prints_is_not_taken_for_an_event(engine):
    engine.submit(submission("a", "chatter"))
    assert names(engine, ended(engine, "a")) == ["Queued", "Started", "Finished"]


def test_a_running_job_is_cancelled_within_one_step_and_cleaned_up(engine, tmp_path):
    engine.submit(submission("a", "note", steps=1000, pause=0.02, file=str(tmp_path / "note")))
    eventually(lambda: engine.job("anna", "a").sequence > 3)
    engine.cancel("anna", "a")
    job = ended(engine, "a")
    assert job.state == "cancelled"
    assert (tmp_path / "note").read_text() == "closed\n"
    assert engine.cancel("anna", "a") == job


def test_a_waiting_job_is_cancelled_without_touching_the_running_one(engine):
    engine.submit(submission("running", steps=20, pause=0.02))
    engine.submit(submission("waiting"))
    eventually(lambda: engine.job("anna", "running").state == "running")
    assert engine.cancel("anna", "waiting").state == "cancelled"
    assert ended(engine, "running").state == "finished"


def test_a_worker_that_does_not_stop_is_killed(tmp_path):
    with open_shop(tmp_path, timeouts=Timeouts(cancel_grace=0.3)) as engine:
        engine.submit(submission("a", "hang"))
        eventually(lambda: engine.job("anna", "a").sequence == 3)
        engine.cancel("anna", "a")
        assert isinstance(last(engine, ended(engine, "a")), Cancelled)
        engine.submit(submission("b"))
        assert ended(engine, "b").state == "finished"


def test_a_job_that_says_nothing_for_too_long_is_failed(tmp_path):
    with open_shop(tmp_path, timeouts=Timeouts(stall=1.5)) as engine:
        engine.submit(submission("a", "hang"))
        assert last(engine, ended(engine, "a")).error["code"] == "job_stalled"


def test_interactive_jobs_come_before_batch_jobs_and_say_how_many_are_ahead(engine):
    engine.submit(submission("first", steps=20, pause=0.02))
    eventually(lambda: engine.job("anna", "first").state == "running")
    batch, _ = engine.submit(submission("batch", priority="batch"))
    assert engine.ahead(batch) == 1
    edit, _ = engine.submit(submission("edit"))
    assert (engine.ahead(edit), engine.ahead(batch)) == (1, 2)
    assert ended(engine, "batch").state == "finished"
    order = [
        engine.log.after(engine.job("anna", id).number, 1, 1)[0].time for id in ("first", "edit", "batch")
    ]
    assert order == sorted(order)


def test_a_pull_runs_beside_an_edit(engine):
    engine.submit(submission("edit", steps=1000, pause=0.02))
    engine.submit(submission("pull", kind="pull"))
    assert ended(engine, "pull").state == "finished"
    assert engine.job("anna", "edit").state == "running"


SHARED = (Lane("main", "cpu", ("edit", "learn"), patient=("learn",)),)


def learning(tmp_path, steps: int = 60, **rest):
    file = str(tmp_path / "learned")
    return submission("learn", "resume", kind="learn", steps=steps, pause=0.03, file=file, **rest)


def indices(engine, job) -> list[int]:
    entries = engine.log.after(job.number, 0)
    return [entry.event.index for entry in entries if isinstance(entry.event, Progressed)]


def test_learning_makes_way_for_every_edit_and_goes_on_where_it_was(tmp_path):
    with open_shop(tmp_path, SHARED) as engine:
        engine.submit(learning(tmp_path))
        for number in (1, 2):
            before = engine.job("anna", "learn").sequence
            eventually(lambda before=before: engine.job("anna", "learn").sequence > before + 2)
            edit, _ = engine.submit(submission(f"edit-{number}"))
            assert engine.ahead(edit) in (0, None)
            assert ended(engine, edit.id).state == "finished"
            assert not engine.job("anna", "learn").ended
        job = ended(engine, "learn", seconds=60)
        assert last(engine, job).result == {"done": 60}
        assert indices(engine, job) == list(range(1, 61))  # nothing was done twice
        assert names(engine, job).count("Queued") == 3
        assert job.attempt == 1
        reasons = [e.event.reason for e in engine.log.after(job.number, 1) if isinstance(e.event, Queued)]
        assert reasons == [YIELDED] * 2


def test_a_batch_edit_waits_until_the_learning_is_done(tmp_path):
    with open_shop(tmp_path, SHARED) as engine:
        engine.submit(learning(tmp_path, steps=20))
        eventually(lambda: engine.job("anna", "learn").sequence > 3)
        batch, _ = engine.submit(submission("batch", priority="batch"))
        assert engine.ahead(batch) == 1
        assert ended(engine, "batch").state == "finished"
        assert names(engine, engine.job("anna", "learn")).count("Queued") == 1


def test_learning_that_made_way_can_be_cancelled(tmp_path):
    with open_shop(tmp_path, SHARED) as engine:
        engine.submit(learning(tmp_path))
        eventually(lambda: engine.job("anna", "learn").sequence > 3)
        engine.submit(submission("edit", "hang"))
        eventually(lambda: engine.job("anna", "edit").state == "running")
        assert engine.job("anna", "learn").state == "queued"
        assert engine.cancel("anna", "learn").state == "cancelled"
        assert (tmp_path / "learned").is_file()


def test_owners_take_turns(engine):
    engine.submit(submission("first", steps=20, pause=0.02))
    for index in range(3):
        engine.submit(submission(f"annas-{index}"))
    engine.submit(submission("berts", owner="bert"))
    assert engine.ahead(engine.job("bert", "berts")) in (1, 2)
    jobs = [ended(engine, "berts", "bert"), ended(engine, "annas-1"), ended(engine, "annas-2")]
    begun = [engine.log.after(job.number, 1, 1)[0].time for job in jobs]
    assert begun == sorted(begun)


def test_a_full_queue_refuses_and_forgets_nothing(tmp_path):
    with open_shop(tmp_path, limits=Limits(waiting=2, waiting_per_owner=1)) as engine:
        engine.submit(submission("running", "hang"))
        eventually(lambda: engine.job("anna", "running").state == "running")
        engine.submit(submission("waiting"))
        with pytest.raises(QueueFullError):
            engine.submit(submission("too much"))
        engine.submit(submission("bert's", owner="bert"))
        with pytest.raises(QueueFullError):
            engine.submit(submission("bert's second", owner="bert"))
        assert engine.counts() == {"waiting": 2, "running": 1}


def test_a_kind_that_no_lane_runs_is_refused(engine):
    with pytest.raises(RequestError, match="'paint'"):
        engine.submit(submission("a", kind="paint"))


def test_jobs_survive_a_stop_and_a_requested_cancel_is_kept(tmp_path):
    with open_shop(tmp_path) as engine:
        engine.submit(submission("running", steps=100, pause=0.05))
        engine.submit(submission("waiting"))
        eventually(lambda: engine.job("anna", "running").sequence > 2)
        number = engine.job("anna", "running").number
    with open_shop(tmp_path, LANES[1:]) as engine:  # nobody runs edits here
        assert names(engine, engine.job("anna", "running"))[-1] == "Queued"
        assert engine.job("anna", "waiting").state == "queued"
        engine.log.journal.request_cancel(number)
    with open_shop(tmp_path) as engine:
        assert ended(engine, "running").state == "cancelled"
        assert ended(engine, "waiting").state == "finished"


def test_an_idle_worker_gives_its_memory_back_and_on_demand_too(tmp_path):
    with open_shop(tmp_path, timeouts=Timeouts(idle_unload=0.5)) as engine:
        engine.submit(submission("a"))
        first = last(engine, ended(engine, "a")).result["pid"]
        eventually(lambda: engine.workers()[0].pid is None)
        engine.submit(submission("b"))
        assert last(engine, ended(engine, "b")).result["pid"] != first
    with open_shop(tmp_path) as engine:
        engine.submit(submission("c"))
        ended(engine, "c")
        engine.unload()
        eventually(lambda: engine.workers()[0].pid is None)


def test_an_unattended_job_is_cancelled_and_an_attended_one_is_not(engine):
    engine.submit(submission("left", "steps", steps=10_000, pause=0.02, unattended_seconds=1.0))
    engine.submit(
        submission("listened", "steps", steps=10_000, pause=0.02, unattended_seconds=1.0, kind="pull")
    )
    stop = engine.log.listen(engine.job("anna", "listened").number, lambda: None)
    assert last(engine, ended(engine, "left")) == Cancelled("Nobody was waiting for it.")
    assert engine.job("anna", "listened").state == "running"
    stop()
    assert ended(engine, "listened").state == "cancelled"


def test_a_runner_that_cannot_open_fails_the_job_with_its_traceback(tmp_path):
    with open_shop(tmp_path, runner="jobs.fixture_tasks:open_nothing") as engine:
        engine.submit(submission("a"))
        error = last(engine, ended(engine, "a")).error
        assert error["code"] == "worker_died"
        assert any("no runner on cpu" in line for line in error["details"]["log"])


def test_a_worker_ends_when_its_server_is_gone(engine):
    engine.submit(submission("a", "hang"))
    eventually(lambda: engine.job("anna", "a").sequence == 3)
    supervisor = engine._supervisors[0]
    pid = supervisor.pid
    assert supervisor._worker._process.stdin is not None
    supervisor._worker._process.stdin.close()  # what the system does for a killed server
    eventually(lambda: engine.job("anna", "a").attempt == 2)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_twenty_killed_workers_lose_no_job_and_touch_no_other(tmp_path):
    """Each round kills the worker of lane "main" in the middle of a job; lane "net" must not notice."""
    with open_shop(tmp_path, limits=Limits(worker_deaths=100)) as engine:
        engine.submit(submission("neighbour", kind="pull", steps=100_000, pause=0.01))
        for round in range(5):
            engine.submit(submission(f"job {round}", steps=10, pause=0.1))
            for _ in range(4):
                kill_in_the_middle(engine, f"job {round}")
        for round in range(5):
            job = ended(engine, f"job {round}")
            assert (job.state, job.attempt) == ("finished", 5)
            assert names(engine, job).count("Queued") == 5
        neighbour = engine.job("anna", "neighbour")
        assert names(engine, neighbour).count("Queued") == 1
        assert neighbour.state == "running"


def kill_in_the_middle(engine, id: str) -> None:
    attempt = engine.job("anna", id).attempt

    def progressed():
        job = engine.job("anna", id)
        return job.state == "running" and names(engine, job)[-1] == "Progressed"

    eventually(progressed)
    os.kill(engine._supervisors[0].pid, signal.SIGKILL)
    eventually(lambda: engine.job("anna", id).attempt > attempt)


def test_a_finished_job_is_told_to_those_who_listen(engine):
    job, _ = engine.submit(submission("a", pause=0.05))
    told: list[float] = []
    engine.log.listen(job.number, lambda: told.append(time.monotonic()))
    ended(engine, "a")
    assert len(told) >= 4
    assert isinstance(engine.log.after(job.number, 0)[0].event, Queued)
    assert isinstance(last(engine, job), Finished)


def test_a_worker_that_died_idle_is_not_held_against_the_next_job(engine, tmp_path):
    """Whether its death was noticed before the next job came or not."""
    for number, noticed in enumerate([True, False]):
        engine.submit(submission(f"warm-{number}"))
        os.kill(last(engine, ended(engine, f"warm-{number}")).result["pid"], signal.SIGKILL)
        if noticed:
            eventually(lambda: engine.workers()[0].pid is None)
        engine.submit(submission(f"job-{number}", "die_once", file=str(tmp_path / f"died-{number}")))
        job = ended(engine, f"job-{number}")
        assert last(engine, job).result["said"] == "the second time"
        assert job.attempt == 2


def left_running(database: Database, *attempts: tuple[str, str, int]) -> None:
    """What a server leaves that was killed: (id, kind, attempt) of jobs that were running."""
    for id, kind, attempt in attempts:
        job = database.add(submission(id, "hang", kind=kind), Queued())
        if attempt > 1:
            database.append(job.number, Started("cpu", 1))
            database.append(job.number, Queued(attempt, "earlier"))
        database.append(job.number, Started("cpu", attempt))


def test_a_server_that_died_counts_as_an_attempt_at_what_it_ran(tmp_path):
    database = Database(tmp_path / "jobs.db")
    left_running(database, ("first", "edit", 1), ("last", "edit", 6))
    database.close()
    with open_shop(tmp_path, ()) as engine:
        assert (engine.job("anna", "first").state, engine.job("anna", "first").attempt) == ("queued", 2)
        failed = engine.job("anna", "last")
        assert last(engine, failed).error["code"] == "server_died"
        assert "begun 6 times" in last(engine, failed).error["message"]


def under_dead_servers(folder, deaths: int, do: str, **rest) -> None:
    """A list of jobs that ``deaths`` servers have left with the same job "a" running."""
    database = Database(folder / "jobs.db")
    job = database.add(submission("a", do, **rest), Queued())
    database.append(job.number, Started("cpu", 1))
    for attempt in range(2, deaths + 1):
        database.append(job.number, Queued(attempt, "The server ended while this job was running."))
        database.append(job.number, Started("cpu", attempt))
    database.close()


@pytest.mark.parametrize("deaths", [1, 5])
def test_a_job_whose_worker_dies_is_tried_again_however_many_servers_died_under_it(tmp_path, deaths):
    under_dead_servers(tmp_path, deaths, "die_once", file=str(tmp_path / "died"))
    with open_shop(tmp_path) as engine:
        job = ended(engine, "a")
        assert last(engine, job).result["said"] == "the second time"
        assert (job.attempt, job.worker_deaths, job.server_deaths) == (deaths + 2, 1, deaths)


def test_two_workers_that_died_fail_a_job_whatever_happened_between(tmp_path):
    """A worker dies, then a server, then another worker: the worker's first death is not forgotten."""
    database = Database(tmp_path / "jobs.db")
    job = database.add(submission("a", "be_killed"), Queued())
    database.append(job.number, Started("cpu", 1))
    database.append(job.number, Queued(2, "The worker ended: SIGKILL."), worker_died=True)
    database.append(job.number, Started("cpu", 2))
    database.close()
    with open_shop(tmp_path) as engine:
        job = ended(engine, "a")
        assert last(engine, job).error["code"] == "worker_died"
        assert (job.attempt, job.worker_deaths, job.server_deaths) == (3, 1, 1)
        assert "begun 3 times" in last(engine, job).error["message"]


def test_workers_that_died_are_not_held_against_a_job_when_servers_do(tmp_path):
    under_dead_servers(tmp_path, 5, "hang")
    database = Database(tmp_path / "jobs.db")
    job = database.find("anna", "a")
    assert job is not None
    database.append(job.number, Queued(6, "The worker ended: SIGKILL."), worker_died=True)
    database.append(job.number, Started("cpu", 6))
    job = database.job(job.number)
    assert job is not None
    assert job.server_deaths == 4
    database.close()
    for state in ("queued", "failed"):  # the fifth server, and the sixth
        with open_shop(tmp_path, ()) as engine:
            assert engine.job("anna", "a").state == state
        database = Database(tmp_path / "jobs.db")
        if state == "queued":
            database.append(job.number, Started("cpu", 7))
        database.close()


def test_a_list_of_jobs_without_worker_deaths_is_read(tmp_path):
    """As servers wrote it that counted them with the attempts: these then count as servers'."""
    under_dead_servers(tmp_path, 3, "hang")
    with contextlib.closing(sqlite3.connect(tmp_path / "jobs.db")) as old:
        old.execute("DROP TABLE worker_deaths")
    with open_shop(tmp_path, ()) as engine:
        job = engine.job("anna", "a")
        assert (job.state, job.attempt, job.worker_deaths) == ("queued", 4, 0)


def test_of_jobs_at_their_last_attempt_one_runs_at_a_time(tmp_path):
    """The server dies of one of them: the other must not be blamed again."""
    database = Database(tmp_path / "jobs.db")
    left_running(database, ("edit", "edit", 5), ("pull", "pull", 5))
    database.close()
    with open_shop(tmp_path) as engine:
        eventually(lambda: "running" in states(engine, "edit", "pull"))
        engine.submit(submission("other", kind="pull" if running(engine) == "edit" else "edit"))
        assert ended(engine, "other").state == "finished"  # a job that is not suspected runs beside it
        assert sorted(states(engine, "edit", "pull")) == ["queued", "running"]
        first = running(engine)
        engine.cancel("anna", first)
        assert ended(engine, first).state == "cancelled"
        eventually(lambda: "running" in states(engine, "edit", "pull"))


def states(engine, *ids: str) -> list[str]:
    return [engine.job("anna", id).state for id in ids]


def running(engine) -> str:
    return next(id for id in ("edit", "pull") if engine.job("anna", id).state == "running")


def test_what_may_have_taken_the_server_down_waits_for_the_others(tmp_path):
    database = Database(tmp_path / "jobs.db")
    left_running(database, ("suspect", "edit", 2))
    database.add(submission("innocent"), Queued())
    database.close()
    with open_shop(tmp_path) as engine:
        assert ended(engine, "innocent").state == "finished"


def test_a_worker_killed_while_the_server_is_told_to_stop_counts(tmp_path):
    """systemd stops the whole service when the system has killed one of its processes for its memory."""
    with open_shop(tmp_path) as engine:
        engine.submit(submission("a", "hang"))
        eventually(lambda: engine.job("anna", "a").sequence == 3)
        pid = engine.workers()[0].pid
        assert pid is not None
        with engine._changed:  # the engine can't look at the job meanwhile
            os.kill(pid, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):  # the engine has buried it already
                os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
            engine.stopping = True
    database = Database(tmp_path / "jobs.db")
    job = database.find("anna", "a")
    assert job is not None
    assert (job.state, job.attempt) == ("queued", 2)
    database.close()
