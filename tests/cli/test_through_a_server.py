"""With a server running, a command goes through it: the same files, the same words, the same codes."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import palimpsest as palimpsest_package
from api.process import environment
from jobs.shop import eventually
from palimpsest.cli import backend
from palimpsest.contract import ENGINE
from palimpsest.settings import read_settings
from palimpsest_client.http.client import Client, find_client
from palimpsest_client.http.transport import Transport
from tiny import tiny_folder
from tiny_task import picture, selection

SHOWS = "a photo of a cat on grass"
EDIT = ("edit", "photo.png", "--selection", "selection.png", "--model", "tiny", "--guidance", "3")
EDIT = (*EDIT, "--shows", SHOWS, "--should-show", "a photo of a dog on grass", "--json")
LEARN = ("0.png", "1.png", "2.png", "--noun", "toy", "--model", "tiny", "--accept-outliers")
TOY_WORLD = Path(palimpsest_package.__file__).parent / "demo" / "pictures" / "photo.png"
Palimpsest = Callable[..., subprocess.CompletedProcess[str]]


def start(home: Path, folder: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "palimpsest", *arguments],
        **{"env": environment(home), "cwd": folder, "text": True},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, sd1_folder: Path) -> Iterator[Path]:
    """The home of a server with one small model, and real workers."""
    home = tmp_path_factory.mktemp("home")
    shutil.copytree(sd1_folder, home / "data" / "models" / "tiny")
    server = start(home, home, "serve")
    assert server.stdout is not None
    assert server.stdout.readline().startswith("Palimpsest is at")
    yield home
    server.send_signal(signal.SIGTERM)
    server.communicate(timeout=120)


@pytest.fixture(scope="module")
def client(home: Path) -> Client:
    return find_client(home / "config")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "photo.png").write_bytes(picture())
    (tmp_path / "selection.png").write_bytes(selection())
    for seed in range(3):
        (tmp_path / f"{seed}.png").write_bytes(picture(seed=seed))
    return tmp_path


@pytest.fixture
def palimpsest(home: Path, folder: Path) -> Palimpsest:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        child = start(home, folder, *arguments)
        out, err = child.communicate(timeout=300)
        return subprocess.CompletedProcess(arguments, child.returncode, out, err)

    return run


def count(client: Client) -> int:
    return len(client.jobs(200)["jobs"])


def test_the_server_and_this_process_write_the_same_bytes(
    palimpsest: Palimpsest, client: Client, folder: Path
) -> None:
    before = count(client)
    served = palimpsest(*EDIT, "--steps", "3", "--output", "served")
    assert (served.returncode, count(client) - before) == (0, 1), served.stderr
    assert "editing" in served.stderr
    assert f"The server at {client.transport.address} does it" in served.stderr
    local = palimpsest(*EDIT, "--steps", "3", "--output", "local", "--local")
    assert (local.returncode, count(client) - before) == (0, 1), local.stderr
    assert "The server at" not in local.stderr
    names = sorted(path.name for path in (folder / "served").iterdir())
    assert names == sorted(path.name for path in (folder / "local").iterdir())
    for name in [name for name in names if name.endswith(".png")]:
        assert (folder / "served" / name).read_bytes() == (folder / "local" / name).read_bytes(), name
    first, second = (json.loads(run.stdout)["result"] for run in (served, local))
    assert (set(first), first["recipe"]) == (set(second), second["recipe"])


def test_a_model_of_few_steps_runs_so_there_too(
    palimpsest: Palimpsest, home: Path, folder: Path, family: str
) -> None:
    name = f"{family}-turbo-4step"
    tiny_folder(home / "data" / "models" / name, family)
    asked = ("edit", "photo.png", "--selection", "selection.png", "--model", name, "--json", "--shows", SHOWS)
    asked = (*asked, "--should-show", "a photo of a dog on grass")
    served, local = (
        palimpsest(*asked, "--output", "served"),
        palimpsest(*asked, "--output", "local", "--local"),
    )
    assert served.returncode == local.returncode == 0, served.stderr + local.stderr
    first, second = (json.loads(run.stdout)["result"] for run in (served, local))
    inversion = first["recipe"]["request"]["inversion"]
    assert (inversion["steps"], inversion["guidance"]) == (4, 1.0)
    assert first["unet_evaluations"] == second["unet_evaluations"] <= 8
    layer = "photo-replace-layer.png"
    assert (folder / "served" / layer).read_bytes() == (folder / "local" / layer).read_bytes()


def test_a_made_selection_and_several_photos_go_through_it_too(
    palimpsest: Palimpsest, client: Client, folder: Path
) -> None:
    """The word is looked for by the server, and what is made of it is sent to it."""
    before = count(client)
    asked = ("edit", "0.png", "1.png", "--word", "cat", "--model", "tiny", "--guidance", "3", "--steps", "2")
    asked = (*asked, "--shows", SHOWS, "--should-show", "a photo of a dog on grass")
    served = palimpsest(*asked, "--output", "served")
    assert (served.returncode, count(client) - before) == (0, 4), served.stderr
    local = palimpsest(*asked, "--output", "local", "--local")
    assert (local.returncode, count(client) - before) == (0, 4), local.stderr
    names = sorted(path.name for path in (folder / "served").glob("*.png"))
    assert {"0-replace-selection.png", "1-replace-layer.png"} <= set(names)
    for name in names:
        assert (folder / "served" / name).read_bytes() == (folder / "local" / name).read_bytes(), name


def test_every_kind_of_work_goes_through_it(palimpsest: Palimpsest, client: Client) -> None:
    before = count(client)
    shown = ("photo.png", "--shows", SHOWS, "--model", "tiny")
    assert palimpsest("invert", *shown, "--steps", "3").returncode == 0
    found = palimpsest("attention", *shown, "--word", "cat")
    assert found.stdout.split() == ["photo-cat-map.png", "photo-cat-selection.png", "photo-cat.json"]
    learned = palimpsest("learn", "my-toy", *LEARN, "--steps", "3")
    assert learned.stdout == "<my-toy>\n", learned.stderr
    assert [card["name"] for card in client.concepts()] == ["my-toy"]
    caption = palimpsest("describe", str(TOY_WORLD))
    assert (caption.returncode, caption.stdout.strip() != "") == (0, True), caption.stderr
    drawn = palimpsest("draw", "a <my-toy> on grass", "--model", "tiny", "--steps", "3")
    assert drawn.stdout.split() == ["a-my-toy-on-grass-picture.png", "a-my-toy-on-grass.json"], drawn.stderr
    kinds = [job["kind"] for job in client.jobs(200)["jobs"]][: count(client) - before]
    assert kinds == ["draw", "describe", "learn", "attention", "invert"]


@pytest.mark.parametrize(
    ("change", "code", "exit_code"),
    [
        (("--should-show", "a <nobody> on grass"), "concept_not_found", 2),
        (("--should-show", "squirrel " * 9), "prompt_too_long", 2),
        (("--selection", "missing.png"), "image_not_found", 2),
        (("--selection", "0.png", "--feather", "-3"), "request_invalid", 2),
        (("--model", "nothing"), "model_not_found", 2),
        (("--steps", "0"), "request_invalid", 2),
    ],
)
def test_errors_have_the_codes_they_have_without_it(
    palimpsest: Palimpsest, change: tuple[str, ...], code: str, exit_code: int, folder: Path
) -> None:
    for where in ((), ("--local",)):
        refused = palimpsest(*EDIT, "--steps", "3", "--output", "out", *change, *where)
        assert json.loads(refused.stdout)["error"]["code"] == code, refused.stderr
        assert refused.returncode == exit_code
        assert not (folder / "out").exists()


def running(client: Client) -> dict[str, Any] | None:
    return next((job for job in client.jobs()["jobs"] if job["state"] == "running"), None)


def interrupted(child: subprocess.Popen[str], patience: int = 12) -> str:
    """Press Ctrl-C, again if nothing happens: Python loses one that falls into a destructor."""
    for _ in range(patience):
        child.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            return child.communicate(timeout=10)[1]
    raise AssertionError("Ctrl-C does nothing.")


def test_an_interruption_cancels_the_job_and_leaves_nothing(home: Path, folder: Path, client: Client) -> None:
    child = start(home, folder, *EDIT, "--steps", "1000", "--variations", "8", "--output", "out")
    job = eventually(lambda: running(client), 120)
    said = interrupted(child)
    assert (child.returncode, "Nothing was half-written" in said) == (130, True), said
    eventually(lambda: client.job(job["id"])["state"] == "cancelled", 120)
    assert not (folder / "out").exists()


def test_somebody_elses_cancel_is_told(home: Path, folder: Path, client: Client) -> None:
    child = start(home, folder, *EDIT, "--steps", "1000", "--output", "out")
    job = eventually(lambda: running(client), 120)
    client.cancel(job["id"])
    told, _ = child.communicate(timeout=120)
    assert (child.returncode, json.loads(told)["error"]["code"]) == (1, "job_cancelled")


def test_a_device_or_a_models_path_stays_in_this_process(
    palimpsest: Palimpsest, client: Client, sd1_folder: Path
) -> None:
    before = count(client)
    for change in (("--device", "cpu"), ("--model", str(sd1_folder))):
        done = palimpsest(*EDIT, "--steps", "3", "--output", change[0].strip("-"), *change)
        assert done.returncode == 0, done.stderr
    assert count(client) == before


def test_a_server_that_refuses_us_is_not_passed_over(home: Path, palimpsest: Palimpsest) -> None:
    token = Path(json.loads((home / "config" / "server.json").read_text())["token_file"])
    right = token.read_text()
    token.write_text("x" * 32)
    try:
        refused: Any = palimpsest(*EDIT, "--steps", "3")
    finally:
        token.write_text(right)
    assert (refused.returncode, json.loads(refused.stdout)["error"]["code"]) == (2, "token_invalid")


@pytest.mark.parametrize(
    ("version", "engine", "used"),
    [
        ("0.0.1", ENGINE, False),
        (palimpsest_package.__version__, ENGINE - 1, False),
        (palimpsest_package.__version__, None, False),
        (palimpsest_package.__version__, ENGINE, True),
    ],
)
def test_a_server_of_another_version_is_done_without(
    version: str,
    engine: int | None,
    used: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Its results may be others. What it downloads is the same."""
    client = Client(Transport("http://127.0.0.1:9", "x" * 32))
    monkeypatch.setattr(client, "health", lambda: {"version": version, "engine": engine})
    monkeypatch.setattr(backend, "find_client", lambda timeout: client)
    monkeypatch.setattr(backend, "holder", lambda data: 1)
    settings = read_settings()
    assert (backend.running_server(settings) is client) is used
    assert (f"of version {version} (engine {engine})" in capsys.readouterr().err) is not used
    assert backend.running_server(settings, any_version=True) is client


def test_a_server_that_is_gone_is_done_without(folder: Path, tmp_path: Path, sd1_folder: Path) -> None:
    """Its state file is left when it was killed."""
    home = tmp_path / "home"
    (home / "config").mkdir(parents=True)
    (home / "config" / "token").write_text("x" * 32)
    told = {"address": "http://127.0.0.1:9", "pid": os.getpid(), "protocol": 1, "version": "0"}
    told["token_file"] = str(home / "config" / "token")
    (home / "config" / "server.json").write_text(json.dumps(told))
    child = start(home, folder, *EDIT, "--steps", "2", "--model", str(sd1_folder).replace("//", "/"))
    _, said = child.communicate(timeout=300)
    assert child.returncode == 0, said


def test_models_of_other_tools_are_seen_by_a_running_server(
    palimpsest: Palimpsest, client: Client, folder: Path, sd1_folder: Path
) -> None:
    shutil.copytree(sd1_folder, folder / "tools" / "theirs")
    assert palimpsest("models", "add", "tools").stdout == "theirs\n"
    listed = palimpsest("models", "list").stdout.splitlines()
    (theirs,) = (line.split("\t") for line in listed if line.startswith("theirs\t"))
    assert theirs[1].startswith("sd1, 64 pixels")
    assert theirs[2] == str(folder / "tools" / "theirs")
    assert any(line.startswith("sdxl\t") and "palimpsest pull sdxl" in line for line in listed)
    assert "theirs" in [model["name"] for model in client.models() if model["installed"]]
    done = palimpsest(*EDIT, "--steps", "2", "--output", "out", "--model", "theirs")
    assert done.returncode == 0, done.stderr
    assert palimpsest("models", "remove", "tools").returncode == 0
    assert palimpsest("models", "remove", "tools").returncode == 2


def test_a_pull_goes_through_it_and_says_what_a_person_should_know(
    palimpsest: Palimpsest, client: Client
) -> None:
    """Downloads are switched off here: both ways say so in the same words."""
    before = count(client)
    served, local = palimpsest("pull", "sd15", "--json"), palimpsest("pull", "sd15", "--json", "--local")
    assert [json.loads(run.stdout)["error"]["code"] for run in (served, local)] == ["offline", "offline"]
    assert served.stdout == local.stdout
    assert (served.returncode, count(client) - before) == (1, 1)
    assert "CreativeML Open RAIL-M" in served.stderr
    assert palimpsest("pull", "nothing").returncode == 2


def test_a_named_server_does_all_of_it_for_a_shell_that_has_nothing(
    home: Path, client: Client, folder: Path, shell: Any
) -> None:
    """This machine has neither the model nor the word; both are the server's."""
    record = json.loads((home / "config" / "server.json").read_text())
    there = ("--server", record["address"], "--token-file", record["token_file"])

    def do(*arguments: str) -> Any:
        said = shell(*arguments, *there)
        assert said.code == 0, said.err
        return said

    do("learn", "her-toy", *LEARN, "--steps", "3")
    assert "<her-toy>" in do("concepts", "list").out
    assert do("concepts", "rename", "her-toy", "his-toy").out == "<his-toy>\n"
    assert do("concepts", "export", "his-toy", "toy.safetensors").out == "toy.safetensors\n"
    assert do("concepts", "import", "toy.safetensors", "--name", "our-toy").out == "<our-toy>\n"
    assert do("concepts", "remove", "his-toy").out == "<his-toy>\n"
    assert do("concepts", "show", "our-toy", "--json").json["placeholder"] == "<our-toy>"
    assert any(line.startswith("tiny\tsd1, 64 pixels") for line in do("models", "list").out.splitlines())
    edit = ("edit", "photo.png", "--word", "cat", "--model", "tiny", "--guidance", "3", "--steps", "2")
    edit = (*edit, "--shows", SHOWS, "--should-show", "a photo of a <our-toy> on grass")
    made = do(*edit, "--output", "made").out.split()
    job = client.jobs()["jobs"][0]
    assert f"{job['id']}\tedit\tfinished\tphoto.png" in do("jobs", "list").out.splitlines()
    assert "picture: photo.png" in do("jobs", "show", job["id"]).out.splitlines()
    do("results", "fetch", job["id"], "--output", "fetched")
    for name in ("photo-replace-layer.png", "photo-replace-composite.png"):
        assert (folder / "fetched" / name).read_bytes() == (folder / "made" / name).read_bytes()
    recipe = next(name for name in made if name.endswith(".json"))
    again = do("replay", recipe, "photo.png", "--output", "again")
    assert "Not the same as then" not in again.err
    for name in [name for name in made if name.endswith(".png")]:
        assert (folder / "again" / Path(name).name).read_bytes() == (folder / name).read_bytes(), name
    apart = do(*edit, "--extent", "region", "--output", "apart").err
    fetched = do("results", "fetch", client.jobs()["jobs"][0]["id"], "--output", "apart-fetched").err
    place = re.search(r"to be laid at \d+, \d+ of the photo", apart)
    assert place is not None
    assert place[0] in fetched
    assert not (folder / "home" / "data").exists()
