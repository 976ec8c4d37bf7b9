"""The queue's order, without threads or processes."""

from hypothesis import given
from hypothesis import strategies as st

from palimpsest.jobs.queue import JobQueue
from palimpsest.jobs.state import Job, Submission

EVERY = {"edit", "learn", "pull"}
jobs_strategy = st.lists(
    st.tuples(
        st.sampled_from(["edit", "learn", "pull"]),
        st.sampled_from(["interactive", "batch"]),
        st.sampled_from(["anna", "bert", "carl"]),
        st.integers(1, 2),  # number of the last event: 2 was begun before
    ),
    max_size=12,
)


def filled(kinds, patient=("learn",)) -> JobQueue:
    queue = JobQueue(patient)
    for number, (kind, priority, owner, sequence) in enumerate(kinds, 1):
        submission = Submission(str(number), owner, kind, {}, priority)
        queue.put(Job(number, submission, "queued", 1, sequence, 0, 0))
    return queue


def taken(queue: JobQueue) -> list[Job]:
    found = []
    while (job := queue.take(EVERY)) is not None:
        found.append(job)
    return found


@given(jobs_strategy)
def test_interactive_first_then_the_patient_then_batch_and_what_was_begun_goes_on(kinds):
    queue = filled(kinds)
    found = taken(queue)
    told = [(job.submission.priority == "batch", job.kind == "learn", job.sequence == 1) for job in found]
    assert told == sorted(told)
    assert len(told) == len(kinds)


@given(jobs_strategy)
def test_an_owners_own_jobs_are_served_in_order_of_acceptance(kinds):
    numbers: dict[tuple, list[int]] = {}
    for job in taken(filled(kinds)):
        like = (job.owner, job.submission.priority, job.kind == "learn", job.sequence)
        numbers.setdefault(like, []).append(job.number)
    assert all(found == sorted(found) for found in numbers.values())


@given(st.lists(st.sampled_from(["anna", "bert", "carl"]), max_size=12))
def test_nobody_is_served_twice_while_somebody_else_waits_for_the_first_time(owners):
    found = [job.owner for job in taken(filled([("edit", "interactive", owner, 1) for owner in owners]))]
    for index, owner in enumerate(found):
        had = found[:index].count(owner)
        waiting = set(found[index + 1 :]) - {owner}
        assert all(found[:index].count(other) >= had for other in waiting)


def test_turns_go_on_when_new_jobs_come():
    queue = filled([("edit", "interactive", "anna", 1)] * 3)
    first = queue.take(EVERY)
    assert first is not None
    assert first.owner == "anna"
    submission = Submission("late", "bert", "edit", {})
    queue.put(Job(9, submission, "queued", 1, 1, 0, 0))
    assert [job.owner for job in taken(queue)] == ["bert", "anna", "anna"]


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
    assert len(queue) == sum(kind != "pull" for kind, *_ in kinds)


def test_a_removed_job_is_not_taken():
    queue = filled([("edit", "batch", "anna", 1)])
    assert queue.remove(1)
    assert not queue.remove(1)
    assert queue.take({"edit"}) is None
    assert queue.ahead(1, {"edit"}) == 0
