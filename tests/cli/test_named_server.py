"""``--server URL --token-file FILE``: every command that a server can do, a sentence for each mistake."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from api.live import MODELS, TOKENS, Live, live
from cli.shell import Shell
from palimpsest.cli import build_parser
from palimpsest_client.http.protocol import PROTOCOL

HERE_ONLY = {
    # commands that are of this machine, or of a folder that others can't see
    "palimpsest models add",
    "palimpsest models remove",
    "palimpsest demo",
    "palimpsest sample",
    "palimpsest serve",
    "palimpsest stop",
    "palimpsest logs",
    "palimpsest plugins",
    "palimpsest bench model",
    "palimpsest bench server",
    "palimpsest bench quality",
    "palimpsest bench agreement",
    "palimpsest bench speed",
    "palimpsest bench memory",
    "palimpsest bench pie",
    "palimpsest doctor",
    "palimpsest completion",
}
HEALTHY: dict[str, Any] = {"protocol": PROTOCOL, "version": "0"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with live(tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture
def token(tmp_path: Path) -> Path:
    return token_file(tmp_path / "token", TOKENS["anna"])


def token_file(path: Path, token: str) -> Path:
    path.touch(mode=0o600)
    path.write_text(token)
    return path


@contextmanager
def answering(answers: dict[str, tuple[int, dict[str, Any]]]) -> Iterator[int]:
    """A server of these answers by path, 404 for others; its port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, told = answers.get(self.path, (404, {}))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(told).encode())

        def log_message(self, format: str, *arguments: Any) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def test_every_command_can_be_done_by_a_server_unless_it_is_of_this_machine() -> None:
    leaves = {leaf.prog: leaf for leaf in build_parser().leaves()}
    without = {prog for prog, leaf in leaves.items() if "--server" not in leaf._option_string_actions}
    assert without == HERE_ONLY
    for prog in set(leaves) - HERE_ONLY:
        assert "--token-file" in leaves[prog]._option_string_actions, prog


@pytest.mark.parametrize("command", ["doctor", "logs", "demo", "stop"])
def test_others_say_that_they_have_no_such_option(shell: Shell, command: str) -> None:
    said = shell(command, "--server", "http://127.0.0.1:1")
    assert said.err.startswith(f"Error: palimpsest {command} has no option --server."), said.err


def test_a_wrong_token_and_none_are_said(shell: Shell, server: Live, tmp_path: Path, token: Path) -> None:
    wrong = token_file(tmp_path / "wrong", "w" * 32)
    asked = ("status", "--server", server.address)
    give = "Give the file that holds its token: --token-file FILE.\n(token_invalid)\n"
    assert shell(*asked, "--token-file", token).code == 0
    said = shell(*asked)
    assert (said.err, said.code) == (f"Error: The server at {server.address} wants its token. {give}", 2)
    said = shell(*asked, "--token-file", wrong)
    what = f"The server at {server.address} doesn't know the token that it was given."
    assert (said.err, said.code) == (f"Error: {what} {give}", 2)
    said = shell(*asked, "--token-file", tmp_path / "missing")
    assert ("missing can't be read" in said.err, said.err.endswith(give), said.code) == (True, True, 2)
    token.chmod(0o644)
    assert f"Run: chmod 600 {token}" in shell(*asked, "--token-file", token).err
    said = shell("status", "--token-file", token)
    assert said.err.startswith(
        "Error: --token-file is of a server, and none is named. Give --server URL too."
    )


def test_a_server_that_is_none_of_ours_or_doesnt_answer_is_said(shell: Shell, token: Path) -> None:
    with answering({}) as port:
        strange = f"http://127.0.0.1:{port}"
        said = shell("status", "--server", strange, "--token-file", token)
    assert said.err.startswith(
        f"Error: What answers at {strange} is no server of Palimpsest. Check --server."
    )
    said = shell("status", "--server", strange, "--token-file", token, "--json")
    assert (said.code, said.json["error"]["code"]) == (1, "network")
    assert said.json["error"]["hint"] == f"Check --server {strange}, and that the server runs there."
    wrong = ("", "studio.example", "ftp://studio.example", "http://", "http://[::1", "http://a:99999")
    for address in wrong:
        said = shell("status", "--server", address, "--token-file", token)
        assert said.err.startswith(
            f"Error: {address!r} is no server's address. Write all of it, as in --server"
        )
        assert said.code == 2


@pytest.mark.parametrize(
    "health",
    [
        (200, {**HEALTHY, "protocol": PROTOCOL - 1}),
        (426, {"code": "protocol_mismatch", "message": "This server speaks protocol 1, the client '2'."}),
    ],
)
def test_an_older_server_is_said(shell: Shell, token: Path, health: tuple[int, dict[str, Any]]) -> None:
    with answering({"/v1/health": health}) as port:
        address = f"http://127.0.0.1:{port}"
        said = shell("draw", "a cat", "--server", address, "--token-file", token)
    told = f"Error: The server at {address} is of another version than this palimpsest."
    assert said.err.startswith(f"{told} Update the older of the two, or give another --server.\n"), said.err
    assert said.code == 2


def test_pictures_go_unencrypted_over_a_network_only_with_a_notice(shell: Shell, token: Path) -> None:
    """0.0.0.0 is no address of this machine alone, though it leads here."""
    answers = {"/v1/health": (200, HEALTHY), "/v1/system": (200, {})}
    with answering({**answers, "/v1/concepts": (200, {"concepts": [], "left_out": []})}) as port:
        for host, told in (("0.0.0.0", True), ("127.0.0.1", False), ("localhost", False)):
            address = f"http://{host}:{port}"
            said = shell("concepts", "list", "--server", address, "--token-file", token)
            assert said.code == 0, said.err
            assert (f"Notice: --server {address} is not encrypted" in said.err) is told
    said = shell("status", "--server", f"http://0.0.0.0:{port}", "--token-file", token)
    assert said.code == 1
    assert said.err.startswith("Notice: --server "), "a token that was sent was sent, whoever answers"


def test_what_keeps_the_work_here_contradicts_it(shell: Shell, server: Live, token: Path) -> None:
    there = ("--server", server.address, "--token-file", token)
    for more, what in (
        (("--local",), "--local has it done in this process"),
        (("--device", "cpu"), "--device cpu is of this machine"),
        (("--model", "/models/mine"), "--model /models/mine is a path on this machine"),
    ):
        said = shell("draw", "a cat", *there, *more)
        assert said.err.startswith(f"Error: {what}, and --server has it done elsewhere. Leave one of the two")
        assert said.code == 2


def test_the_environment_names_it_too(
    shell: Shell, server: Live, token: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PALIMPSEST_SERVER", server.address)
    monkeypatch.setenv("PALIMPSEST_TOKEN_FILE", str(token))
    assert server.address in shell("status").out
    assert shell("jobs", "list", "--json").json == {"jobs": []}
    said = shell("draw", "a cat", "--model", "endless")
    assert said.err.startswith("Error: There is no model called 'endless'."), said.err
    assert "Give --server there too" not in said.err
    said = shell("edit", "photo.png", "--shows", "a <nobody>", "--should-show", "a cat", "--local")
    assert "(concept_not_found)" in said.err


def test_the_environments_token_goes_to_its_own_server_alone(
    shell: Shell, server: Live, token: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PALIMPSEST_TOKEN_FILE", str(token))
    assert shell("status", "--server", server.address).code == 0
    monkeypatch.setenv("PALIMPSEST_SERVER", server.address)
    other = "http://127.0.0.1:1"
    said = shell("status", "--server", other)
    assert said.err.startswith(f"Error: The server at {other} wants its token. Give the file"), said.err
    assert shell("status", "--server", server.address).code == 0


def test_its_models_and_concepts_are_asked_before_anything_is_sent(
    shell: Shell, server: Live, token: Path
) -> None:
    there = ("--server", server.address, "--token-file", token)
    edit = ("edit", "photo.png", "--selection", "selection.png", "--shows", "a cat")
    said = shell(*edit, "--should-show", "a <nobody>", *there, "--json")
    assert said.json["error"]["code"] == "concept_not_found"
    said = shell(*edit, "--should-show", "a dog", "--model", "endless", *there)
    assert (said.code, "(model_not_found)" in said.err) == (2, True)
    assert "Give --server there too." in said.err
    assert shell("kept", "list", *there).out == ""


def test_a_model_that_it_can_pull_is_listed_with_the_command_that_does(shell: Shell, token: Path) -> None:
    models = {"models": MODELS[1:], "left_out": []}
    healthy = {"/v1/health": (200, HEALTHY), "/v1/system": (200, {})}
    with answering({**healthy, "/v1/models": (200, models)}) as port:
        address = f"http://127.0.0.1:{port}"
        said = shell("models", "list", "--server", address, "--token-file", token)
    assert said.out == f"endless\tAn endless one, 2.0 GiB: palimpsest pull endless --server {address}\n"
