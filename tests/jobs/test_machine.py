"""Whatever clients, workers and the server do to each other, no job is lost and no event comes twice."""

from __future__ import annotations

import contextlib
import os
import signal
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from jobs.shop import eventually, open_shop, submission
from palimpsest.jobs.engine import Engine, Limits
from palimpsest.jobs.state import follow
from palimpsest.jobs.supervisor import Lane

KINDS = st.sampled_from(["edit", "learn", "pull"])
DEEDS = st.sampled_from(
    ["steps", "steps", "slow", "hang", "refuse", "stumble", "exit", "be_killed", "devour"]
)
LANES = (Lane("main", "cpu", ("edit", "learn"), patient=("learn",)), Lane("net", "", ("pull",)))
ORDERS = {"slow": {"do": "steps", "steps": 5, "pause": 0.02}}
ENDS = {"refuse": "failed", "stumble": "failed", "exit": "failed", "be_killed": "failed", "devour": "failed"}


class EngineMachine(RuleBasedStateMachine):
    jobs = Bundle("jobs")

    @initialize()
    def open(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.stack = contextlib.ExitStack()
        self.accepted: dict[str, str] = {}  # id → what it does
        self.cancelled: set[str] = set()
        self.seen: dict[str, list] = {}  # what a client that reconnects has seen of each job
        self.engine = self.start()

    def start(self) -> Engine:
        limits = Limits(worker_deaths=2)
        return self.stack.enter_context(open_shop(Path(self.folder.name), LANES, limits=limits))

    @rule(target=jobs, kind=KINDS, do=DEEDS, batch=st.booleans())
    def submit(self, kind: str, do: str, batch: bool) -> str:
        id = f"job-{len(self.accepted)}"
        order = submission(
            id, kind=kind, priority="batch" if batch else "interactive", **ORDERS.get(do, {"do": do})
        )
        job, new = self.engine.submit(order)
        assert new
        assert job.state == "queued"
        self.accepted[id] = do
        self.seen[id] = []
        again, new = self.engine.submit(order)
        assert not new
        assert again.number == job.number
        return id

    @rule(id=jobs)
    def cancel(self, id: str) -> None:
        before = self.engine.job("anna", id)
        self.engine.cancel("anna", id)
        if not before.ended:
            self.cancelled.add(id)

    @rule(id=jobs)
    def reconnect(self, id: str) -> None:
        """Ask for what came after the last event seen; together they are the whole log."""
        job = self.engine.job("anna", id)
        known = self.seen[id]
        known += self.engine.log.after(job.number, len(known))
        assert [entry.sequence for entry in known] == list(range(1, len(known) + 1))
        assert self.engine.log.after(job.number, 0)[: len(known)] == known

    @rule(lane=st.integers(0, 1))
    def kill_worker(self, lane: int) -> None:
        pid = self.engine.workers()[lane].pid
        if pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    @rule()
    def restart(self) -> None:
        self.stack.close()
        self.engine = self.start()

    @invariant()
    def no_accepted_job_vanishes(self) -> None:
        for id in getattr(self, "accepted", {}):
            assert self.engine.job("anna", id).sequence >= len(self.seen[id])

    def teardown(self) -> None:
        if not hasattr(self, "engine"):
            return
        for id, do in self.accepted.items():
            if do == "hang" and not self.engine.job("anna", id).ended:
                self.engine.cancel("anna", id)
                self.cancelled.add(id)
        for id in self.accepted:
            eventually(lambda id=id: self.engine.job("anna", id).ended, 60)
            self.judge(id)
        self.stack.close()
        self.folder.cleanup()

    def judge(self, id: str) -> None:
        """The job's log is a way through the state table, and it ended as it should."""
        job = self.engine.job("anna", id)
        entries = self.engine.log.after(job.number, 0, 10_000)
        assert [entry.sequence for entry in entries] == list(range(1, job.sequence + 1))
        state = None
        for entry in entries:
            state = follow(state, entry.event)
        assert state == job.state
        allowed = {ENDS.get(self.accepted[id], "finished"), "failed" if job.attempt > 1 else "finished"}
        assert state in (allowed | {"cancelled"} if id in self.cancelled else allowed), (
            id,
            self.accepted[id],
        )


ANY: list[Any] = list(HealthCheck)  # its members' type isn't told
TestEngineMachine = EngineMachine.TestCase
TestEngineMachine.settings = settings(
    max_examples=6, stateful_step_count=10, deadline=None, suppress_health_check=ANY
)
