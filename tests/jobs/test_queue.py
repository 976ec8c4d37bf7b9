"""The queue's order, without threads or processes."""

from hypothesis import given
from hypothesis import strategies as st

from palimpsest.jobs.queue import JobQueue
from palimpsest.jobs.state import Job, Submission

jobs_strategy = st.lists(
    st.tuples(st.sampled_from(["edit", "learn", "pull"]), st.sampled_from(["interactive", "batch"])),
    max_size=12,
)


def filled(kinds) -> JobQueue:
    queue = JobQueue()
    for number, (kind, priority) in enumerate(kinds, 1):
        queue.put(Job(number, Submission(str(number), "anna", kind, {}, priority), "queued", 1, 1, 0, 0))
    return queue


@given(jobs_strategy)
def test_interactive_first_then_in_order_of_acceptance(kinds):
    queue = filled(kinds)
    taken = []
    while (job := queue.take({"edit", "learn", "pull"})) is not None:
        taken.append((job.submission.priority == "batch", job.number))
    assert taken == sorted(taken)
    assert len(taken) == len(kinds)


@given(jobs_strategy)
def test_ahead_is_how_many_are_taken_before(kinds):
    queue, every = filled(kinds), {"edit", "learn"}
    expected = {}
    probe = filled(kinds)
    while (job := probe.take(every)) is not None:
        expected[job.number] = len(expected)
    assert {number: queue.ahead(number, every) for number in expected} == expected


@given(jobs_strategy)
def test_a_lane_gets_only_its_kinds(kinds):
    queue = filled(kinds)
    while (job := queue.take({"pull"})) is not None:
        assert job.kind == "pull"
    assert len(queue) == sum(kind != "pull" for kind, _ in kinds)


def test_a_removed_job_is_not_taken():
    queue = filled([("edit", "batch")])
    assert queue.remove(1)
    assert not queue.remove(1)
    assert queue.take({"edit"}) is None
    assert queue.ahead(1, {"edit"}) == 0
