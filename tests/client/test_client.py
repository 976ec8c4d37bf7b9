"""The client against a live server, and against things that are none."""

from __future__ import annotations

import json
import socket
import threading

import pytest

from api.embeddings import embedding
from api.live import TOKENS, live
from jobs.shop import eventually
from palimpsest_client.http import session as sessions
from palimpsest_client.http.client import Client, find_client
from palimpsest_client.http.protocol import RefusedError, UnreachableError
from palimpsest_client.http.session import Session, SessionListener
from palimpsest_client.http.submission import Submission
from palimpsest_client.http.transport import Transport


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with live(tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture
def client(server):
    return Client(Transport(server.address, TOKENS["anna"]))


def edit(client: Client, id: str, **submission) -> dict:
    request = {
        "image": client.upload(b"a photo"),
        "operation": "replace",
        "source_prompt": json.dumps(submission),
    }
    return client.submit(id, "edit", request)


def test_a_picture_goes_and_comes_back(client, tmp_path):
    image = client.upload(b"some bytes")
    assert client.download(image) == b"some bytes"
    (tmp_path / "file").write_bytes(b"x" * 3_000_000)
    image = client.upload_file(tmp_path / "file")
    assert client.download(image) == b"x" * 3_000_000
    assert client.upload_file(tmp_path / "file") == image


def test_a_job_is_followed_to_its_end(client):
    edit(client, "followed", do="steps", pause=0.05)
    told = list(client.follow("followed"))
    assert [event["sequence"] for event in told] == list(range(1, len(told) + 1))
    assert told[-1]["event"] == "finished"
    assert list(client.follow("followed", after=len(told))) == []
    assert client.job("followed")["state"] == "finished"
    assert client.jobs(limit=1)["jobs"][0]["id"] == "followed"


def test_a_job_is_cancelled(client):
    edit(client, "cancelled", do="steps", steps=10_000, pause=0.01)
    client.cancel("cancelled")
    assert list(client.follow("cancelled"))[-1]["event"] == "cancelled"


def test_concepts_go_in_and_out(client):
    client.import_concept("toy", embedding())
    assert client.concept("toy")["vectors"] == 1
    client.rename_concept("toy", "bear")
    assert client.export_concept("bear")[-3072:] == embedding()[-3072:]
    client.remove_concept("bear")
    assert client.concepts() == []


def test_a_refusal_carries_code_and_hint(client, server):
    with pytest.raises(RefusedError) as caught:
        client.job("nothing")
    assert (caught.value.status, caught.value.code) == (404, "job_not_found")
    with pytest.raises(RefusedError) as caught:
        Client(Transport(server.address, "wrong")).system()
    assert caught.value.code == "token_invalid"


def test_what_does_not_answer_or_is_no_server_is_unreachable():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(UnreachableError, match="doesn't answer"):
        Client(Transport(f"http://127.0.0.1:{port}", "t")).health()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(
            target=answer_once, args=(listener, b"HTTP/1.1 200 OK\r\n\r\nhello"), daemon=True
        ).start()
        with pytest.raises(UnreachableError, match="not a Palimpsest server"):
            Client(Transport(f"http://127.0.0.1:{listener.getsockname()[1]}", "t")).health()
    with pytest.raises(UnreachableError, match="no address"):
        Transport("127.0.0.1:80", "t")


def answer_once(listener: socket.socket, answer: bytes) -> None:
    connection, _ = listener.accept()
    connection.recv(10_000)
    connection.sendall(answer)
    connection.close()


def test_no_state_file_means_not_running(tmp_path):
    with pytest.raises(UnreachableError, match="isn't running"):
        find_client(tmp_path)
    (tmp_path / "server.json").write_text("{half")
    with pytest.raises(UnreachableError, match="isn't running"):
        find_client(tmp_path)


class Canvas(SessionListener):
    def __init__(self) -> None:
        self.lines: list[str] = []
        self.shows = 0
        self.inserted: list[dict] = []
        self.threads: set[str] = set()

    def show(self, state) -> None:
        self.threads.add(threading.current_thread().name)
        self.shows += 1
        line = f"{state.connection}: {state.job.text() if state.job is not None else state.text}"
        if not self.lines or self.lines[-1] != line:
            self.lines.append(line)

    def insert(self, view, pictures) -> None:
        self.threads.add(threading.current_thread().name)
        self.inserted.append(dict(pictures))


@pytest.fixture
def session(client):
    session = Session(lambda: client, Canvas())
    session.start()
    yield session
    session.stop()


def until(session: Session, holds):
    def drained():
        session.drain()
        return holds()

    return eventually(drained)


def at_rest(session: Session) -> bool:
    """A backend is there, and no job is under way."""
    state = session.state
    return state.connection == "ready" and (state.job is None or state.job.ended)


def submission(do: str, **rest) -> Submission:
    prompt = json.dumps({"do": do, **rest})
    return Submission("edit", {"operation": "replace", "source_prompt": prompt}, {"image": b"a photo"})


def test_a_session_brings_the_result_to_the_host_on_the_editors_thread(session):
    canvas = session._host
    until(session, lambda: session.state.connection == "ready")
    session.submit(submission("keep"))
    assert not at_rest(session)
    until(session, lambda: at_rest(session))
    assert session.state.job.state == "finished"
    assert canvas.inserted == [{"layer": b"a layer"}]
    assert canvas.threads == {"MainThread"}
    assert canvas.lines[-1] == "ready: Done."


def test_a_session_that_looks_for_its_backend_tells_only_what_is_new(session, monkeypatch):
    """Not the last job's end once more."""
    monkeypatch.setattr(sessions, "RETRY_SECONDS", 0.05)
    until(session, lambda: session.state.connection == "ready")
    session.submit(submission("keep"))
    until(session, lambda: at_rest(session))
    looks, system = [], session._client.system
    session._client.system = lambda: looks.append(session._host.shows) or system()
    until(session, lambda: len(looks) == 4)
    assert looks[1:] == [looks[1]] * 3


def test_a_session_cancels_and_tells_failures(session):
    until(session, lambda: session.state.connection == "ready")
    session.submit(submission("steps", steps=10_000, pause=0.01))
    until(session, lambda: session.state.job.state == "running")
    session.cancel(session.state.job.id)
    until(session, lambda: session.state.job.ended)
    assert session.state.job.text() == "Cancelled."
    session.submit(submission("refuse"))
    until(session, lambda: session.state.job.ended)
    assert session.state.job.text() == "The picture is 3×3. Use a larger one."
    session.submit(Submission("edit", {"nonsense": 1}))
    until(session, lambda: session.state.job.ended)
    assert session.state.job.error["code"] == "request_invalid"


def test_a_session_without_a_backend_says_so(server):
    def nowhere() -> Client:
        raise UnreachableError("Palimpsest's backend isn't running.")

    for connect, state in [
        (nowhere, "searching"),
        (lambda: Client(Transport(server.address, "no")), "refused"),
    ]:
        canvas = Canvas()
        session = Session(connect, canvas)
        session.start()
        until(session, lambda canvas=canvas: canvas.lines)
        until(session, lambda session=session, state=state: session.state.connection == state)
        assert not at_rest(session)
        session.stop()
