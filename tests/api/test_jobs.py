"""Jobs and events through a live server."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from api.live import live
from jobs.shop import eventually
from palimpsest.api.services import ApiLimits
from palimpsest.jobs.engine import Limits


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with live(tmp_path_factory.mktemp("server")) as server:
        yield server


def test_a_job_runs_and_its_events_come_once_and_in_order(server):
    answer = server.submit("one")
    assert answer.status_code == 202
    assert answer.headers["Location"] == "/v1/jobs/one"
    told = server.follow("one")
    assert [event["sequence"] for event in told] == list(range(1, len(told) + 1))
    assert [event["event"] for event in told] == [
        *("queued", "started", "progressed", "progressed", "progressed", "previewed", "finished")
    ]
    view = server.ask("GET", "/v1/jobs/one").json()
    assert (view["state"], view["ahead"]) == ("finished", None)
    assert view["artifacts"] == {"layer": "cd" * 32}
    assert view["progress"] == {"phase": "working", "index": 2, "total": 3, "seconds_left": None}


def test_the_stream_says_the_same_as_the_poll_and_goes_on_where_it_broke_off(server):
    server.submit("streamed", order={"pause": 0.1})
    told = parse_stream(server.ask("GET", "/v1/jobs/streamed/events").text)
    assert told == server.follow("streamed")
    rest = server.ask("GET", "/v1/jobs/streamed/events", headers={"Last-Event-ID": "3"})
    assert parse_stream(rest.text) == told[3:]
    assert rest.headers["content-type"].startswith("text/event-stream")
    assert server.ask("GET", "/v1/jobs/streamed/events", headers={"Last-Event-ID": "x"}).status_code == 400


def parse_stream(text: str) -> list[dict]:
    blocks = [block.split("\n") for block in text.split("\n\n") if block and not block.startswith(":")]
    found = [json.loads(lines[2].removeprefix("data: ")) for lines in blocks]
    assert [lines[0] for lines in blocks] == [f"id: {event['sequence']}" for event in found]
    return found


def test_posting_twice_is_one_job_and_another_request_under_its_id_is_refused(server):
    first, again = server.submit("twice").json(), server.submit("twice").json()
    assert first["created"] == again["created"]
    refused = server.submit("twice", request={"seed": 5})
    assert (refused.status_code, refused.json()["code"]) == (409, "job_exists")


def test_a_clients_note_comes_back_wherever_its_job_is_told(server):
    note = '{"document": "Bäume.kra", "at": [64, 0]}'
    posted = server.submit("noted", origin=note).json()
    again = server.submit("noted", origin="another").json()
    [listed] = [job for job in server.ask("GET", "/v1/jobs").json()["jobs"] if job["id"] == "noted"]
    followed = server.ask("GET", "/v1/jobs/noted/events?wait=0").json()["job"]
    assert {job["origin"] for job in (posted, again, listed, followed)} == {note}
    assert server.submit("unnoted").json()["origin"] == ""


def test_defaults_said_or_unsaid_are_the_same_request(server):
    server.submit("defaults")
    assert server.submit("defaults", request={"seed": 0, "control": {"cross": None}}).status_code == 202


def test_a_running_job_is_cancelled_and_a_strangers_is_not_found(server):
    server.submit("long", order={"steps": 10_000, "pause": 0.01})
    eventually(lambda: server.ask("GET", "/v1/jobs/long").json()["state"] == "running")
    for method, path in [("GET", ""), ("DELETE", ""), ("GET", "/events"), ("GET", "/artifacts/layer")]:
        answer = server.ask(method, "/v1/jobs/long" + path, "bert")
        assert (answer.status_code, answer.json()["code"]) == (404, "job_not_found")
    assert "long" not in [job["id"] for job in server.ask("GET", "/v1/jobs", "bert").json()["jobs"]]
    assert server.ask("DELETE", "/v1/jobs/long").status_code == 202
    assert server.follow("long")[-1]["event"] == "cancelled"


def test_a_failure_is_told_with_code_and_hint(server):
    server.submit("bad", "refuse")
    server.follow("bad")
    error = server.ask("GET", "/v1/jobs/bad").json()["error"]
    assert (error["code"], error["details"]) == ("image_too_small", {"width": 3})


def test_jobs_are_listed_newest_first_in_pages(server):
    for index in range(3):
        server.submit(f"listed-{index}", owner="bert")
    first = server.ask("GET", "/v1/jobs?limit=2", "bert").json()
    assert [job["id"] for job in first["jobs"]] == ["listed-2", "listed-1"]
    rest = server.ask("GET", f"/v1/jobs?before={first['next']}", "bert").json()
    assert ([job["id"] for job in rest["jobs"]], rest["next"]) == (["listed-0"], None)


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"request": {"image": "0" * 64}}, 404, "image_not_found"),
        ({"request": {"selection": "1" * 64}}, 404, "image_not_found"),
        ({"request": {"operation": "replace", "reflection": "2" * 64}}, 404, "image_not_found"),
        ({"request": {"image": "../../etc/passwd"}}, 400, "request_invalid"),
        ({"request": {"model": "nothing"}}, 404, "model_not_found"),
        ({"request": {"feather": "8"}}, 400, "request_invalid"),
        ({"request": {"feather": True}}, 400, "request_invalid"),
        ({"request": {"unknown": 1}}, 400, "request_invalid"),
        ({"request": {"source_prompt": "x" * 3000}}, 400, "request_invalid"),
        ({"request": {"operation": "explode"}}, 400, "request_invalid"),
        ({"kind": "explode"}, 400, "request_invalid"),
        ({"id": "../x"}, 400, "request_invalid"),
        ({"id": ""}, 400, "request_invalid"),
        ({"surprise": 1}, 400, "request_invalid"),
        ({"origin": "x" * 1025}, 400, "request_invalid"),
        ({"origin": {"document": "photo"}}, 400, "request_invalid"),
    ],
)
def test_a_submission_that_cannot_be_is_refused(server, change, status, code):
    answer = server.submit(change.pop("id", "refused"), **change)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert set(answer.json()) == {"code", "message", "hint", "details", "texts"}


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"id": NaN}', b'{"id": "\\ud800"}', b"[" * 5000, b'"' * 9],
)
def test_what_is_no_submission_is_refused(server, body):
    answer = server.ask("POST", "/v1/jobs", data=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (400, "request_invalid")


def test_a_prompt_is_not_repeated_in_a_refusal(server):
    answer = server.submit("private", request={"source_prompt": "a secret" + "x" * 3000})
    assert "secret" not in answer.text


def test_a_model_that_is_being_downloaded_is_busy(server):
    server.ask("POST", "/v1/jobs", json={"id": "pull", "kind": "pull", "request": {"model": "endless"}})
    answer = server.submit("early", request={"model": "endless"})
    assert (answer.status_code, answer.json()["code"]) == (409, "model_busy")
    server.ask("DELETE", "/v1/jobs/pull")


def test_a_long_poll_answers_when_something_happens_and_not_before(server):
    server.submit("slow", order={"steps": 60, "pause": 1.0})
    eventually(lambda: server.ask("GET", "/v1/jobs/slow").json()["state"] == "running")
    last = server.ask("GET", "/v1/jobs/slow").json()["sequence"]
    answer = server.ask("GET", f"/v1/jobs/slow/events?after={last}&wait=20").json()
    assert [event["sequence"] for event in answer["events"]] == [last + 1]
    empty = server.ask("GET", "/v1/jobs/slow/events?after=1000&wait=0").json()
    assert empty["events"] == []
    server.ask("DELETE", "/v1/jobs/slow")
    server.follow("slow")


def test_thirty_two_clients_see_the_same_job_whole(server):
    server.submit("watched", order={"steps": 30, "pause": 0.02})
    with ThreadPoolExecutor(32) as crowd:
        told = list(crowd.map(lambda _: server.follow("watched"), range(32)))
    assert told[0][-1]["event"] == "finished"
    assert all(events == told[0] for events in told)


def test_an_unknown_query_parameter_is_refused_by_name(server):
    for path in ("/v1/jobs?limt=5", "/v1/health?x=1", "/v1/concepts?limit=1"):
        answer = server.ask("GET", path)
        assert (answer.status_code, answer.json()["code"]) == (400, "request_invalid"), path
    assert "more than once" in server.ask("GET", "/v1/jobs?limit=5&limit=6").json()["message"]
    assert "'limt'" in server.ask("GET", "/v1/jobs?limt=5").json()["message"]


def test_whole_numbers_may_be_written_as_json_allows_and_nothing_else_is_one(server):
    assert server.submit("whole", request={"seed": 5.0, "feather": 8.0}).status_code == 202
    assert server.ask("GET", "/v1/jobs/whole").json()["request"]["seed"] == 5
    assert server.submit("whole", request={"seed": 5}).status_code == 202  # the same request
    for wrong in (5.5, "5", True, 1e300, -1):
        assert server.submit("not-whole", request={"seed": wrong}).status_code == 400, wrong


def test_a_name_that_cannot_be_is_refused_before_anything_is_learned(server):
    image = server.bring(b"a photo")
    request = {"name": "My Toy", "noun": "toy", "images": [image]}
    answer = server.ask("POST", "/v1/jobs", json={"id": "named", "kind": "learn", "request": request})
    assert (answer.status_code, answer.json()["code"]) == (422, "concept_name")
    assert "'my-toy'" in answer.json()["hint"]


def test_a_full_queue_says_so(tmp_path):
    with live(tmp_path, queue=Limits(waiting=1)) as server:
        server.submit("running", "hang")
        eventually(lambda: server.ask("GET", "/v1/jobs/running").json()["state"] == "running")
        assert server.submit("waiting").json()["ahead"] == 1
        refused = server.submit("too-much")
        assert (refused.status_code, refused.json()["code"]) == (503, "queue_full")
        assert server.ask("GET", "/v1/jobs/too-much").status_code == 404


def test_the_system_is_described(server):
    told = server.ask("GET", "/v1/system").json()
    assert told["owner"] == "anna"
    assert [worker["lane"] for worker in told["workers"]] == ["main", "net"]
    assert server.ask("GET", "/v1/models").json()["models"][0]["name"] == "built-in"
    assert server.ask("POST", "/v1/system/unload").status_code == 202


def test_what_has_changed_is_told_by_other_texts(server, tmp_path):
    """By whomever: a file that another process puts among the concepts counts as well."""

    def told():
        return server.ask("GET", "/v1/system").json()

    before = told()
    assert told() == before
    server.submit("made")
    server.follow("made")
    assert changed(before, told()) == {"results"}
    before = told()
    server.services.concepts.folder.mkdir(parents=True, exist_ok=True)
    (server.services.concepts.folder / "another.safetensors").write_bytes(b"by another process")
    assert changed(before, told()) == {"concepts"}
    before = told()
    assert server.ask("DELETE", "/v1/jobs/made?forget=true").status_code == 202
    assert changed(before, told()) == {"results"}
    other = server.ask("GET", "/v1/system", "bert").json()
    server.submit("another")
    server.follow("another")
    assert server.ask("GET", "/v1/system", "bert").json()["revisions"] == other["revisions"]
    assert (other["store"], other["downloads"]) == (told()["store"], [])


def changed(before, after):
    assert before["store"] == after["store"]
    one, two = before["revisions"], after["revisions"]
    return {name for name in two if one[name] != two[name]}


def test_too_many_requests_are_told_to_wait(tmp_path):
    with live(tmp_path, limits=ApiLimits(requests_per_second=2)) as server:
        answers = [server.ask("GET", "/v1/jobs") for _ in range(8)]
        assert [answer.status_code for answer in answers[:4]] == [200] * 4
        assert answers[-1].json()["code"] == "rate_limited"
        assert "Retry-After" in answers[-1].headers


def test_the_server_does_without_torch():
    check = (
        "import sys, palimpsest.api.application, palimpsest.api.concepts; assert 'torch' not in sys.modules"
    )
    subprocess.run(
        [sys.executable, "-c", check], check=True, env={"PYTHONPATH": ":".join(filter(None, sys.path))}
    )
