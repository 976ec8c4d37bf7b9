"""``palimpsest serve`` as people run it: found, stopped, killed, started again."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import stat
import sys
import threading
from pathlib import Path

import pytest

from api.process import find, kill, run, serving, when_found
from jobs.shop import eventually
from palimpsest.errors import RequestError, TokenError
from palimpsest.storage import announcement
from palimpsest_client.http.protocol import UnreachableError

PATIENCE = 120.0  # seconds; machines are slow at times


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    with serving(home):
        yield home


def test_it_is_found_by_its_state_file_and_closed_to_others(home):
    told = json.loads((home / "config" / "server.json").read_text())
    assert set(told) == {"address", "pid", "protocol", "version", "token_file"}
    assert mode(home / "config" / "server.json") == 0o600
    assert mode(Path(told["token_file"])) == 0o600
    assert find(home).health()["status"] == "ok"
    workers = find(home).system()["workers"]
    assert [worker["pid"] for worker in workers] == [None] * len(workers)


def test_the_api_process_has_no_torch_in_it(home):
    if not sys.platform.startswith("linux"):
        pytest.skip("looks into /proc")
    pid = json.loads((home / "config" / "server.json").read_text())["pid"]
    assert "libtorch" not in Path(f"/proc/{pid}/maps").read_text()


def test_status_says_what_it_does(home, tmp_path):
    status = run(home, "status")
    assert status.returncode == 0
    assert "0 running, 0 waiting" in status.stdout
    elsewhere = run(tmp_path, "status", "--json")
    assert elsewhere.returncode == 1
    assert "isn't running" in json.loads(elsewhere.stdout)["reason"]


def test_a_second_server_over_the_same_folders_is_refused(home):
    second = run(home, "serve")
    assert second.returncode == 1
    assert "server_running" in second.stderr


def test_a_second_server_over_the_same_data_is_refused_whatever_else_differs(home, tmp_path):
    """It would take up the jobs that the first one runs."""
    (tmp_path / "data").symlink_to(home / "data")
    second = run(tmp_path, "serve")
    assert second.returncode == 1
    assert "server_running" in second.stderr
    assert find(home).health()["status"] == "ok"
    assert "doesn't answer here" in run(tmp_path, "status").stderr


@pytest.mark.skipif(sys.platform == "win32", reason="permissions are another matter there")
def test_nothing_that_it_keeps_is_open_to_other_accounts(tmp_path):
    """Whatever the umask; and what an older version left open is closed when it starts."""
    (tmp_path / "data" / "concepts").mkdir(parents=True)
    (tmp_path / "data" / "concepts").chmod(0o777)
    (tmp_path / "data").chmod(0o755)
    before = os.umask(0)
    try:
        with serving(tmp_path):
            client = find(tmp_path)
            submit(client, "a", do="keep")
            assert list(client.follow("a"))[-1]["event"] == "finished"
            places = [*tmp_path.rglob("*")]
            assert len(places) > 10
            assert [str(place) for place in places if mode(place) & 0o077] == []
    finally:
        os.umask(before)


def test_a_state_file_that_a_killed_server_left_is_not_believed(tmp_path):
    """Its port may belong to somebody else by now, who would be sent the token."""
    with serving(tmp_path) as child:
        kill(child)
    asked: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        state = json.loads((tmp_path / "config" / "server.json").read_text())
        state["address"] = f"http://127.0.0.1:{listener.getsockname()[1]}"
        (tmp_path / "config" / "server.json").write_text(json.dumps(state))
        listener.settimeout(0)
        assert "isn't running" in run(tmp_path, "status").stderr
        assert "isn't running" in run(tmp_path, "stop").stderr
        with contextlib.suppress(BlockingIOError):
            asked.append(listener.accept()[0].recv(1000))
    assert asked == []


def test_a_port_in_use_is_refused(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        taken = run(tmp_path, "serve", "--port", str(listener.getsockname()[1]))
    assert taken.returncode == 2
    assert "can't be used" in taken.stderr


def test_on_an_open_network_it_refuses_to_start_without_a_token(tmp_path):
    refused = run(tmp_path, "serve", "--host", "0.0.0.0")
    assert refused.returncode == 2
    assert "--token-file" in refused.stderr
    token = tmp_path / "token"
    token.write_text("short")
    token.chmod(0o600)
    assert "too easy" in run(tmp_path, "serve", "--host", "0.0.0.0", "--token-file", str(token)).stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_cleanly_in_the_middle_of_a_job(tmp_path, number):
    with serving(tmp_path) as child:
        submit(find(tmp_path), "a", steps=10_000, pause=0.01)
        eventually(lambda: find(tmp_path).job("a")["state"] == "running")
        client = find(tmp_path)

        def wait() -> None:
            with contextlib.suppress(UnreachableError):  # the server's end may come before the question
                client.events("a", 10**6, wait=PATIENCE)

        waiting = threading.Thread(target=wait)
        waiting.start()
        child.send_signal(number)
        assert child.wait(PATIENCE) == 0
        waiting.join(PATIENCE)
        assert not waiting.is_alive()
        assert not (tmp_path / "config" / "server.json").exists()
        assert announcement.holder(tmp_path / "data") is None


@pytest.mark.parametrize("options", [(), ("--with-parent",)])
def test_stop_stops_it(tmp_path, options):
    with serving(tmp_path, *options) as child:
        assert "Stopped" in run(tmp_path, "stop").stdout
        assert child.wait(PATIENCE) == 0
    again = run(tmp_path, "stop")
    assert (again.returncode, again.stderr) == (0, "Palimpsest's backend isn't running.\n")


def test_it_ends_with_its_parent_when_told_so(tmp_path):
    with serving(tmp_path, "--with-parent") as child:
        assert child.stdin is not None
        child.stdin.close()
        assert child.wait(PATIENCE) == 0


def test_it_stops_when_nobody_has_asked_for_long_enough(tmp_path):
    with serving(tmp_path, "--stop-after-idle", "0.5") as child:
        assert child.wait(PATIENCE) == 0


def submit(client, id: str, **order) -> None:
    request = {"operation": "replace", "source_prompt": json.dumps({"do": "steps", **order})}
    client.submit(id, "edit", {**request, "image": client.upload(b"a photo")})


def test_five_killed_servers_lose_no_job_and_no_event(tmp_path):
    """A client follows its job through kill -9 of the server: nothing is missing, nothing comes twice.

    After one more the job itself would be taken for the reason.
    """
    told: list[dict] = []
    followers = []
    for round in range(5):
        with serving(tmp_path) as child:
            client = when_found(tmp_path)
            submit(client, f"job-{round}", steps=3, pause=0.2)
            if round == 0:
                submit(client, "followed", steps=60, pause=0.05)
                followers.append(follow_aside(client, told))
            kill_in_the_middle(client, child)
    with serving(tmp_path):
        client = when_found(tmp_path)
        for id in [*(f"job-{round}" for round in range(5)), "followed"]:
            assert list(client.follow(id))[-1]["event"] == "finished", id
        (follower,) = followers
        follower.join(PATIENCE)
    assert [event["sequence"] for event in told] == list(range(1, len(told) + 1))
    assert told[-1]["event"] == "finished"
    assert [event["event"] for event in told].count("queued") > 1


def test_a_job_that_takes_the_server_down_is_not_tried_for_ever_and_keeps_no_other_waiting(tmp_path):
    for life in range(1, 7):
        with serving(tmp_path) as child:
            if life == 1:  # later ones may be over before they are found
                client = when_found(tmp_path)
                submit(client, "bad", do="kill_server")
                submit(client, "good", steps=3)
            assert child.wait(PATIENCE) == -signal.SIGKILL, life
    with serving(tmp_path):
        client = when_found(tmp_path)
        failed = client.job("bad")
        assert (failed["state"], failed["attempt"]) == ("failed", 6)
        assert list(client.follow("bad"))[-1]["error"]["code"] == "server_died"
        told = list(client.follow("good"))
        assert told[-1]["event"] == "finished"
        assert client.job("good")["attempt"] == 1


def test_stopping_in_order_is_held_against_no_job(tmp_path):
    for _ in range(8):
        with serving(tmp_path) as child:
            client = when_found(tmp_path)
            submit(client, "a", steps=10_000, pause=0.01)  # again the same job
            eventually(lambda client=client: client.job("a")["state"] == "running")
            child.send_signal(signal.SIGTERM)
            assert child.wait(PATIENCE) == 0
    with serving(tmp_path):
        assert when_found(tmp_path).job("a")["attempt"] == 1


def follow_aside(client, told: list[dict]) -> threading.Thread:
    thread = threading.Thread(target=lambda: told.extend(client.follow("followed", patience=60)))
    thread.start()
    return thread


def kill_in_the_middle(client, child) -> None:
    """kill -9 while a job runs; its worker must end by itself."""
    eventually(lambda: busy(client))
    workers = [worker["pid"] for worker in client.system()["workers"] if worker["pid"] is not None]
    kill(child)
    eventually(lambda: not any(alive(pid) for pid in workers))


def busy(client) -> bool:
    return client.system()["queue"]["running"] > 0


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (ProcessLookupError, FileNotFoundError):
        return False


def test_tokens_of_several_owners_are_read_and_must_differ(tmp_path):
    from palimpsest.app import ServeOptions, tokens_for
    from palimpsest.settings import read_settings

    settings = read_settings({"PALIMPSEST_HOME": str(tmp_path)})
    others = tmp_path / "config" / "tokens"
    others.mkdir(parents=True)
    write_token(others / "anna", "a" * 32)
    tokens, path = tokens_for(settings, ServeOptions())
    assert set(tokens) == {"local", "anna"}
    assert tokens["local"] == path.read_text().strip()
    write_token(others / "bert", "a" * 32)
    with pytest.raises(TokenError, match="same token"):
        tokens_for(settings, ServeOptions())
    (others / "bert").chmod(0o644)
    with pytest.raises(TokenError, match="read by others"):
        tokens_for(settings, ServeOptions())
    with pytest.raises(RequestError):
        tokens_for(settings, ServeOptions(host="::"))


def write_token(path: Path, token: str) -> None:
    path.write_text(token + "\n")
    path.chmod(0o600)
