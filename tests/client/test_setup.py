"""The panel sets the backend up: a stand-in for uv and an index of ours, everything else as it is."""

from __future__ import annotations

import base64
import errno
import json
import os
import subprocess
import sys
import threading
import urllib.error
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest

from client.package_index import stand_in
from client.setup_bench import WHEEL, setup_bench
from jobs.shop import eventually
from palimpsest.storage.paths import folders
from palimpsest_client.folders import data_folder
from palimpsest_client.http.connection import LAUNCH, launch_command
from palimpsest_client.lock import taken
from palimpsest_client.setup import errors as setup_errors
from palimpsest_client.setup import index, uv
from palimpsest_client.setup import installer as backend_setup
from palimpsest_client.setup.errors import of_reading, of_uv, of_writing
from palimpsest_client.setup.home import Home, marks_of
from palimpsest_client.setup.machine import (
    Machine,
    build_for,
    builds_for,
    download,
    look_at_machine,
    torch_source,
)
from palimpsest_client.setup.state import Setup, mirror
from palimpsest_client.text.wording import gigabytes

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the stand-in for uv is a script")
REAL_INDEX = "PALIMPSEST_REAL_INDEX"
STEPS = ["environment", "runtime", "torch", "package"]
REAL_NO_PYTHON = """error: Request failed after 3 retries in 6.2s
  cause: Failed to download https://example.org/python-build-standalone/releases/download/cpython-3.12.tar.gz
  cause: dns error"""


@pytest.fixture
def bench(tmp_path, monkeypatch):
    with setup_bench(tmp_path, monkeypatch) as bench:
        yield bench


def test_before_anything_it_says_what_it_takes_and_where(bench):
    state = bench.setup.state
    assert (state.kind, state.button_text) == ("absent", "Set up")
    assert str(bench.home.place) in state.costs
    bench.setup.choose(index="")
    small = download("cpu", sys.platform)
    assert f"{gigabytes(small)} are downloaded" in bench.setup.state.costs
    assert "3.0 GB must be free" in bench.setup.state.costs
    assert bench.index.asked == []
    assert not bench.home.place.exists()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the usual index has a processor's build")
def test_what_a_mirror_may_serve_is_told_and_asked_for(bench):
    """The usual index has CUDA alone for Linux, and so has its mirror."""
    assert "2.8 GB are downloaded" in bench.setup.state.costs
    assert "12.0 GB must be free" in bench.setup.state.costs
    bench.free = 6 << 30
    bench.with_uv().setup.begin()
    assert bench.ended().message.startswith("The disk is too full")
    bench.setup.choose(index="")
    bench.order(index=bench.index.address)
    assert [call[0] for call in bench.done()] == STEPS


def test_a_plugin_that_brought_no_backend_offers_none(tmp_path):
    setup = Setup(tmp_path, lambda: None, lambda: None, Home(tmp_path / "backend"))
    assert setup.state.kind == ""
    setup.begin()
    setup.remove()
    assert not setup.state.running


def test_all_is_fetched_and_the_backend_can_be_started(bench):
    calls = bench.with_uv().done()
    assert [call[0] for call in calls] == STEPS
    assert bench.came == ["ready"]
    command = launch_command(bench.folder, {})
    assert command[:4] == [str(bench.home.python), "-I", "-m", "palimpsest"]
    assert bench.setup.state.kind == "whole"
    assert not bench.home.cache.exists()
    assert bench.panel().state.kind == "whole"
    libraries = calls[1]
    assert {"--require-hashes", "--no-deps", str(bench.bundle.lock)} <= set(libraries)
    assert {"/simple/numpy/", "/simple/pillow/"} <= set(bench.index.asked)
    assert "torch==2.13.0" in calls[2]
    assert "--extra-index-url" not in calls[2]  # a mirror was named: nothing comes from elsewhere


@pytest.mark.parametrize("html", [False, True], ids=["json", "html"])
def test_without_uv_its_own_wheel_is_fetched_by_its_hash(bench, html):
    bench.index.html = html
    assert [call[0] for call in bench.done()] == STEPS
    program = bench.home.place / "uv" / index.VERSION / "uv"
    assert program.read_bytes() == stand_in()
    assert [path.name for path in program.parent.iterdir()] == ["uv"]
    assert bench.index.asked.count("/simple/uv/") == 1


def test_a_uv_that_is_too_old_is_left_alone(bench, monkeypatch):
    monkeypatch.setenv("FAKE_UV_VERSION", "uv 0.4.30")
    bench.with_uv().done()
    assert "/simple/uv/" in bench.index.asked


def test_what_is_not_the_released_uv_is_never_unpacked(bench):
    bench.index.wheel = bench.index.wheel + b"more"
    bench.setup.begin()
    assert "isn't what was released and was not installed" in bench.ended().message
    assert list((bench.home.place / "uv" / index.VERSION).iterdir()) == []
    assert bench.calls() == []
    assert launch_command(bench.folder, {}) == []


@pytest.mark.parametrize("at", range(4), ids=STEPS)
def test_cancelled_in_any_step_it_goes_on_with_that(bench, at):
    bench.with_uv().order(hang=STEPS[at])
    bench.setup.begin()
    bench.until(lambda _: len((bench.folder / "calls").read_text().splitlines()) > at
                if (bench.folder / "calls").exists() else False)  # fmt: skip
    bench.setup.cancel()
    assert bench.setup.state.text == "Cancelling…"
    state = bench.ended()
    assert state.message.startswith("Cancelled. What is there is kept")
    assert (state.kind, state.button_text) == ("incomplete", "Go on")
    assert launch_command(bench.folder, {}) == []
    assert bench.panel().state.kind == "incomplete"
    bench.order()
    assert [call[0] for call in bench.done()] == STEPS[at:]


def test_what_was_cancelled_runs_no_longer(bench):
    bench.with_uv().order(hang="runtime")
    bench.setup.begin()
    calls = bench.folder / "calls"
    eventually(lambda: calls.exists() and '["runtime"' in calls.read_text())
    bench.setup.cancel()
    bench.ended()
    eventually(lambda: not running(str(bench.home.place)))


def test_an_editor_that_goes_leaves_no_program_behind(tmp_path):
    """Its threads end with it, in the middle of whatever they do."""
    runner, began, held = uv.Runner(), threading.Event(), threading.Event()

    def beat():
        began.set()
        held.wait()

    def work():
        with suppress(setup_errors.CancelledError):
            runner.run([sys.executable, "-c", "import time; time.sleep(600)", str(tmp_path)], around, beat)

    around = uv.Surroundings(tmp_path)
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        assert began.wait(120)
        runner.stop()
        eventually(lambda: not running(str(tmp_path)))
        assert thread.is_alive()
    finally:
        held.set()
        thread.join()
    with pytest.raises(setup_errors.CancelledError):
        runner.run([sys.executable, "-c", ""], around, lambda: None)


def test_a_uv_that_says_nothing_can_be_left(bench, monkeypatch):
    asked, held = threading.Event(), threading.Event()

    def asks():
        asked.set()
        held.wait()
        return ""

    monkeypatch.setattr(backend_setup, "find_uv", asks)
    try:
        bench.setup.begin()
        assert asked.wait(120)
        bench.setup.cancel()
        assert bench.ended().message.startswith("Cancelled.")
    finally:
        held.set()


def running(told: str) -> list[str]:
    """Command lines of all programs that were told this."""
    found = []
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(process.read_bytes().decode("utf-8", "replace"))
        except OSError:
            continue
    return [line for line in found if told in line]


def test_an_index_that_sends_nothing_more_can_be_left(bench):
    bench.index.stall = True
    bench.setup.begin()
    bench.until(lambda _: any(path.startswith("/files/") for path in bench.index.asked))
    bench.setup.cancel()
    assert bench.ended().message.startswith("Cancelled.")
    bench.index.stall = False
    assert [call[0] for call in bench.done()] == STEPS


def test_a_step_that_failed_is_done_again_and_no_other(bench):
    bench.with_uv().order(fail={"torch": "error: something of uv's own"})
    bench.setup.begin()
    assert bench.ended().message == "The setup failed: something of uv's own"
    assert bench.setup.state.kind == "incomplete"
    bench.order()
    assert [call[0] for call in bench.done()] == ["torch", "package"]


def test_a_lost_file_is_mended_and_nothing_else_fetched(bench):
    bench.with_uv().done()
    bench.calls()
    site = next(bench.home.environment.glob("lib/python*/site-packages"))
    (site / "pillow.py").write_text("")
    assert bench.setup.state.button_text == "Repair"
    (call,) = bench.done()
    assert call[0] == "runtime"
    assert [word for word in call if "reinstall" in word] == ["--reinstall-package=pillow"]
    assert (site / "pillow.py").read_text() != ""


def test_mending_pytorch_takes_nothing_of_the_lock_from_elsewhere(bench):
    """It is installed without hashes: what was checked by one stays as it is."""
    bench.with_uv().done()
    site = next(bench.home.environment.glob("lib/python*/site-packages"))
    (site / "torch.py").write_text("")
    (call,) = bench.done()
    assert call[0] == "torch"
    assert [word for word in call if "reinstall" in word] == ["--reinstall-package=torch"]


@pytest.mark.parametrize("name", ["pillow", "torch", "palimpsest"])
def test_a_package_without_its_metadata_is_known_by_its_folder(bench, name):
    bench.with_uv().done()
    site = next(bench.home.environment.glob("lib/python*/site-packages"))
    (metadata,) = site.glob(f"{name}-*.dist-info/METADATA")
    metadata.unlink()
    step = {"pillow": "runtime", "torch": "torch", "palimpsest": "package"}[name]
    (call,) = bench.done()
    assert call[0] == step
    assert f"--reinstall-package={name}" in call


def test_what_no_step_brings_is_mended_by_an_environment_made_anew(bench):
    bench.with_uv().done()
    bench.setup = bench.panel(bench.bring("0.2.0", ("numpy==2.0",)))
    bench.done()
    site = next(bench.home.environment.glob("lib/python*/site-packages"))
    (site / "pillow.py").unlink()
    assert [call[0] for call in bench.done()] == ["torch", *STEPS]
    assert bench.setup.state.kind == "whole"
    assert not (site / "pillow-13.0.dist-info").exists()


def test_a_library_that_was_removed_whole_is_mended(bench):
    bench.with_uv().done()
    site = next(bench.home.environment.glob("lib/python*/site-packages"))
    for path in (site / "torch.py", *(site / "torch-2.13.0.dist-info").iterdir()):
        path.unlink()
    (site / "torch-2.13.0.dist-info").rmdir()
    assert [call[0] for call in bench.done()] == ["torch"]


def test_an_environment_without_its_python_is_made_anew(bench):
    bench.with_uv().done()
    bench.home.python.unlink()
    assert [call[0] for call in bench.done()] == STEPS


def test_another_version_of_the_plugin_updates_what_differs(bench):
    bench.with_uv().done()
    bench.setup = bench.panel(bench.bring("0.2.0"))
    assert (bench.setup.state.kind, bench.setup.state.button_text) == ("older", "Update")
    assert [call[0] for call in bench.done()] == ["package"]
    bench.setup = bench.panel(bench.bring("0.3.0", ("numpy==2.1",)))
    assert [call[0] for call in bench.done()] == ["runtime", "package"]
    assert bench.setup.state.kind == "whole"


def test_the_build_that_was_chosen_outlives_another_version_of_it(bench, monkeypatch):
    suits = build_for(look_at_machine())
    other = next(build for build in bench.setup.state.builds if build != suits)
    bench.setup.choose(build=other)
    bench.with_uv().order(hang="torch")
    monkeypatch.setattr(backend_setup, "TORCH", "2.99.0")
    bench.setup.begin()
    bench.until(lambda state: state.text.startswith("Fetching PyTorch"))
    bench.setup.cancel()
    bench.ended()
    assert "torch" not in bench.home.done()
    assert bench.panel().state.build == other


def test_an_update_that_breaks_off_starts_nothing_half(bench):
    bench.with_uv().done()
    bench.setup = bench.panel(bench.bring("0.2.0"))
    bench.order(fail={"package": "error: no"})
    bench.setup.begin()
    assert bench.ended().kind == "incomplete"
    assert not (bench.folder / LAUNCH).exists()


def test_removed_is_what_was_fetched_and_nothing_else(bench):
    bench.with_uv().done()
    (bench.home.place.parent / "concepts").mkdir()
    bench.setup.remove()
    assert bench.ended().message == "The backend was removed."
    left = sorted(path.name for path in bench.home.place.parent.iterdir())
    assert left == ["backend.lock", "concepts"]
    assert bench.setup.state.kind == "absent"
    assert launch_command(bench.folder, {}) == []


def test_another_backends_record_stays(bench):
    bench.with_uv().done()
    (bench.folder / LAUNCH).write_text('{"command": ["elsewhere/python"]}')
    bench.setup.remove()
    bench.ended()
    assert launch_command(bench.folder, {}) == ["elsewhere/python"]


def test_a_folder_of_somebody_else_is_left_alone(bench):
    bench.home.place.mkdir(parents=True)
    (bench.home.place / "thesis.txt").write_text("mine")
    bench.with_uv().setup.begin()
    assert "holds files that are not Palimpsest's" in bench.ended().message
    bench.setup.remove()
    bench.ended()
    assert (bench.home.place / "thesis.txt").read_text() == "mine"


def test_two_editors_do_not_work_in_one_folder(bench):
    bench.home.lock.parent.mkdir(parents=True)
    with bench.home.lock.open("a+b") as other:
        assert taken(other)
        bench.with_uv().setup.begin()
        assert bench.ended().message.startswith("Another editor sets the backend up just now")
    assert bench.done() != []


def test_too_little_room_is_said_before_anything_is_fetched(bench):
    bench.free = 1 << 30
    bench.with_uv().setup.begin()
    assert bench.ended().message == f"The disk is too full for {bench.home.place}: make room, then go on."
    assert bench.calls() == []


@pytest.mark.parametrize("what", ["build", "version"])
def test_another_pytorch_needs_its_room_too(bench, monkeypatch, what):
    bench.with_uv().done()
    bench.free = 1 << 30
    if what == "build":
        bench.setup.choose(build=bench.setup.state.builds[-1])
    else:
        monkeypatch.setattr(backend_setup, "TORCH", "2.99.0")
    bench.setup.begin()
    assert bench.ended().message.startswith("The disk is too full")
    assert bench.calls() == []


def test_a_folder_that_may_not_be_written_is_named(bench, monkeypatch):
    def refused(_):
        raise PermissionError(errno.EACCES, "Permission denied", "/data/backend")

    monkeypatch.setattr(Home, "make", refused)
    bench.with_uv().setup.begin()
    assert bench.ended().message == "/data/backend may not be written: change its permissions, then go on."


def test_offline_it_says_so(bench, monkeypatch):
    monkeypatch.setattr(index, "USUAL", "http://127.0.0.1:9/simple")
    bench.setup.choose(index="")
    bench.setup.begin()
    assert bench.ended().message == "The package index can't be reached: check the network, then go on."


@pytest.mark.parametrize("status", [407, 0], ids=["refuses", "is not there"])
def test_a_proxy_that_refuses_is_named(bench, monkeypatch, status):
    bench.index.status = status
    monkeypatch.setattr(index, "USUAL", "http://index.example/simple")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", bench.index.host if status else "http://127.0.0.1:9")
    bench.setup.choose(index="")
    bench.setup.begin()
    assert bench.ended().message.startswith("The proxy refuses (")


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:9/simple",
        "nonsense",
        "ftp://127.0.0.1/simple",
        "http://[x",
        "http://127.0.0.1:port/simple",
    ],
)
def test_a_wrong_mirror_is_named(bench, address):
    bench.setup.choose(index=address)
    bench.setup.begin()
    assert bench.ended().message.startswith(f"The package index {address} doesn't serve this (")


def test_a_mirror_without_uv_is_named_and_kept(bench):
    bench.index.status = 404
    bench.setup.begin()
    assert f"{bench.index.address} doesn't serve this (404" in bench.ended().message
    assert bench.panel().state.index == bench.index.address


@pytest.mark.parametrize(
    ("complaint", "mirrored", "sentence"),
    [
        ("error: x\n  cause: No space left on device (os error 28)", False, "The disk is too full for /p"),
        (
            "error: x\n  cause: Permission denied (os error 13)",
            False,
            "/p may not be",
        ),
        (
            "error: x\n  cause: Hash mismatch for `six==1.17.0`",
            False,
            "six==1.17.0 isn't",
        ),
        (
            "error: No interpreter found for Python >=3.10, <3.14 in search path",
            False,
            "No Python 3.10 to 3.13",
        ),
        (REAL_NO_PYTHON, False, "No Python 3.10 to 3.13"),
        (
            "error: Failed to fetch: `https://x/`\n  cause: tunnel error: unsuccessful",
            False,
            "The proxy",
        ),
        (
            "error: Failed to fetch: `https://x/`\n  cause: dns error",
            False,
            "The package index can't be",
        ),
        (
            "error: Failed to fetch: `https://x/`\n  cause: dns error",
            True,
            "The package index M doesn't",
        ),
        (
            "error: Failed to fetch: `http://x/`\n  cause: HTTP status client error (404)",
            True,
            "The package ind",
        ),
        ("error: Because numpy was not found in the package registry", True, "The package index M doesn't"),
        ("Downloading torch (407.1MiB)\nerror: odd", False, "The setup failed: odd"),
        ("error: odd\n  cause: this\n  cause: that", False, "The setup failed: odd (that)"),
        ("", False, "The setup failed: no reason given"),
    ],
)
def test_what_uv_says_becomes_one_sentence(complaint, mirrored, sentence):
    told = str(of_uv(complaint, "/p", "M" if mirrored else ""))
    assert told.startswith(sentence)
    assert "\n" not in told


def test_older_versions_of_uv_are_understood_too():
    complaint = "error: odd\n  Caused by: this\n  Caused by: that"
    assert str(of_uv(complaint, "/p", "")) == "The setup failed: odd (that)"


def test_a_password_goes_to_its_own_index_alone_and_is_never_shown(bench):
    own = bench.index.address.replace("//", "//anna:s%40cret@")
    bench.setup.choose(index=own)
    assert [call[0] for call in bench.done()] == STEPS
    assert bench.index.authorized == {"Basic " + base64.b64encode(b"anna:s@cret").decode()}
    assert index._authorization("http://127.0.0.1:1/files/uv.whl", own) == {}
    bench.setup.remove()
    bench.ended()
    bench.index.status = 404
    bench.setup.begin()
    assert "s%40cret" not in bench.ended().message
    assert (bench.folder / "setup.json").stat().st_mode & 0o077 == 0
    assert json.loads((bench.folder / "setup.json").read_text())["index"] == own
    again = bench.panel()
    assert again.state.index == bench.index.address
    assert again._index == own


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_password_follows_to_its_own_host_alone(bench, host):
    bench.index.moved = bench.index.address.replace("127.0.0.1", host) + "/there/"
    bench.setup.choose(index=bench.index.address.replace("//", "//anna:pass@"))
    bench.done()
    assert "/simple/there/" in bench.index.asked
    assert ("/simple/there/" in bench.index.let_in) == (host == "127.0.0.1")


def test_a_password_of_the_environment_is_used_but_neither_shown_nor_kept(bench, monkeypatch):
    own = bench.index.address.replace("//", "//anna:pass@")
    monkeypatch.setenv("UV_DEFAULT_INDEX", own)
    bench.setup = bench.panel()
    bench.setup.choose(build="cpu", index=bench.index.address)  # as a window says what it shows
    assert bench.setup.state.index == bench.index.address
    bench.done()
    assert bench.index.authorized != set()
    assert "index" not in json.loads((bench.folder / "setup.json").read_text())


def test_a_password_is_left_out_whole_wherever_its_signs_stand():
    shown = setup_errors.without_password("see http://anna:p@ss@host/a and https://b:c@other/d@e")
    assert shown == "see http://host/a and https://other/d@e"


def test_what_python_says_becomes_one_sentence():
    full = of_writing(OSError(errno.ENOSPC, "No space left on device"), "/p")
    assert str(full).startswith("The disk is too full for /p")
    tunnel = urllib.error.URLError(OSError("Tunnel connection failed: 403 Forbidden"))
    assert str(of_reading(tunnel, "", True)).startswith("The proxy refuses (")
    assert str(of_reading(TimeoutError("timed out"), "", False)).startswith(
        "The package index can't be reached"
    )


def test_every_kind_of_complaint_has_a_sentence_of_its_own():
    kinds = dict.fromkeys(kind for kind, _ in setup_errors.SIGNS)
    told = [str(setup_errors.error_of(kind, "/p", "M", "why")) for kind in kinds]
    assert len(set(told)) == len(kinds) - 1  # a mirror that is away may as well be a wrong one


def test_the_editors_own_python_is_not_taken(monkeypatch):
    """It would go with the editor's next version, or as soon as an AppImage is closed."""
    monkeypatch.setenv("APPDIR", "/tmp/.mount_krita")
    monkeypatch.setattr(sys, "prefix", "/opt/editor")
    places = ["/tmp/.mount_krita/usr/bin", "/opt/editor/bin", "/opt/editor-tools", "/usr/bin"]
    monkeypatch.setenv("PATH", os.pathsep.join(places))
    assert uv.path_of_the_system() == ["/opt/editor-tools", "/usr/bin"]


def test_out_of_a_flatpak_all_runs_on_the_system(monkeypatch):
    monkeypatch.setenv("FLATPAK_ID", "org.kde.krita")
    assert uv.outside()[:2] == ["flatpak-spawn", "--host"]


FLATPAK_SPAWN = """#!{python}
import json, os, sys
arguments, folder = sys.argv[1:], {folder!r}
with open(os.path.join(folder, "spawned"), "a") as file:
    file.write(json.dumps(arguments) + "\\n")
told = dict(part[6:].split("=", 1) for part in arguments if part.startswith("--env="))
while arguments[0].startswith("--"):
    del arguments[0]
path = os.path.join(folder, "programs") + ":/usr/bin:/bin"
os.execvpe(arguments[0], arguments, {{**os.environ, "PATH": path, {named}, **told}})
"""


def spawned(bench) -> str:
    """All that other accounts could read while it ran."""
    return (bench.folder / "spawned").read_text()


@pytest.mark.skipif(sys.platform == "win32", reason="there are no flatpaks on Windows")
def test_out_of_a_flatpak_the_index_is_in_no_command(bench, monkeypatch):
    """Its password could be read by other accounts; and the system's own index is not asked instead."""
    bench.with_uv()
    program = bench.programs / "flatpak-spawn"
    named = '"UV_DEFAULT_INDEX": "http://127.0.0.1:9/system", "UV_INDEX_URL": "http://127.0.0.1:9/older"'
    program.write_text(FLATPAK_SPAWN.format(python=sys.executable, folder=str(bench.folder), named=named))
    program.chmod(0o755)
    monkeypatch.setenv("FLATPAK_ID", "org.kde.krita")
    bench.setup.choose(index=bench.index.address.replace("//", "//me:a-secret@"))
    bench.done()
    assert "a-secret" not in spawned(bench)
    assert "--env=UV_CACHE_DIR=" in spawned(bench)
    bench.setup.remove()
    assert bench.ended().message == "The backend was removed."
    bench.setup.choose(index="")
    assert [call[0] for call in bench.done()] == STEPS


def test_an_index_of_the_environment_that_was_cleared_is_not_asked(bench, monkeypatch):
    """Nothing answers there: what uv is told of it would end the setup."""
    bench.with_uv()
    for name in ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/simple")
    (bench.folder / "setup.json").unlink(missing_ok=True)
    bench.setup = bench.panel()
    assert bench.setup.state.index == "http://127.0.0.1:9/simple"
    bench.setup.choose(build="cpu", index="")
    assert [call[0] for call in bench.done()] == STEPS


def test_what_is_not_whole_names_the_button_that_is_there(bench, monkeypatch):
    bench.with_uv()
    found = {"palimpsest": True, "torch": False}
    monkeypatch.setattr(backend_setup.BackendSetup, "_packages", lambda _: found)
    bench.setup.begin()
    told = bench.ended().message
    assert told == "Files are missing of torch: press “Go on”."
    assert bench.setup.state.button_text == "Go on"


def test_the_card_that_is_there_chooses_the_build():
    assert build_for(Machine("linux", nvidia=True, amd=True)) == "cuda"
    assert build_for(Machine("linux", nvidia=False, amd=True)) == "rocm"
    assert build_for(Machine("win32", nvidia=False, amd=True)) == "cpu"
    assert build_for(Machine("darwin", nvidia=False, amd=False)) == "mps"
    assert list(builds_for(Machine("win32", nvidia=False, amd=False))) == ["cpu", "cuda"]
    assert (
        torch_source("cpu", "win32") == torch_source("mps", "darwin") == torch_source("cuda", "linux") == []
    )


@pytest.mark.parametrize(
    ("system", "processor", "libc", "tag"),
    [
        ("linux", "x86_64", "glibc", "manylinux_2_17_x86_64.manylinux2014_x86_64"),
        ("linux", "x86_64", "", "musllinux_1_1_x86_64"),
        ("win32", "AMD64", "", "win_amd64"),
        ("darwin", "arm64", "", "macosx_11_0_arm64"),
    ],
)
def test_there_is_a_uv_for_usual_machines(system, processor, libc, tag):
    assert index.wheel_for(system, processor, libc).tag == tag
    with pytest.raises(setup_errors.SetupError, match="no build of uv for linux mips"):
        index.wheel_for("linux", "mips", "glibc")


def test_a_mirror_that_uv_or_pip_know_is_taken():
    assert mirror({"PIP_INDEX_URL": "b", "UV_DEFAULT_INDEX": "a"}) == "a"
    assert mirror({"PIP_INDEX_URL": "b"}) == "b"
    assert mirror({}) == ""


@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
@pytest.mark.parametrize(
    "environment", [{}, {"PALIMPSEST_HOME": "/p"}, {"XDG_DATA_HOME": "/x", "LOCALAPPDATA": "/l"}]
)
def test_it_lies_where_the_backend_keeps_its_data(platform, environment):
    assert (
        data_folder(environment, platform, Path("/home"))
        == folders(environment, platform, Path("/home")).data
    )


def test_out_of_a_flatpak_the_systems_folder_is_meant():
    inside = {"FLATPAK_ID": "org.kde.krita", "XDG_DATA_HOME": "/sandbox", "HOST_XDG_DATA_HOME": "/host"}
    assert data_folder(inside, "linux", Path("/home")) == Path("/host/palimpsest")


def test_a_step_is_struck_out_before_it_is_done_anew(bench):
    bench.with_uv().done()
    assert {**marks_of(bench.bundle)}.items() <= bench.home.done().items()
    bench.home.strike("runtime")
    assert bench.home.kind(marks_of(bench.bundle)) == "older"


@pytest.mark.skipif(os.environ.get(REAL_INDEX) != "1", reason=f"asks the network: {REAL_INDEX}=1")
def test_the_real_uv_comes_from_the_real_index(tmp_path, monkeypatch):
    """With small wheels of ours in place of PyTorch and of the backend, one of the index as a library."""
    library = "six==1.17.0 --hash=sha256:4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274"
    with setup_bench(tmp_path, monkeypatch) as bench:
        monkeypatch.undo()
        for name in ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL", "FLATPAK_ID"):
            monkeypatch.delenv(name, raising=False)
        tiny_wheel(tmp_path / "torch-0.0.1-py3-none-any.whl", "torch", "0.0.1")
        monkeypatch.setattr(backend_setup, "TORCH", "0.0.1")
        monkeypatch.setattr(uv, "find_uv", lambda: "")
        monkeypatch.setattr(backend_setup, "find_uv", lambda: "")
        monkeypatch.setenv("UV_FIND_LINKS", str(tmp_path))
        monkeypatch.setenv("UV_PYTHON_DOWNLOADS", "never")
        bench.bundle = bench.bring("0.2.0", (library,))
        bench.setup = bench.panel()
        bench.setup.choose(build="cpu", index=index.USUAL)
        bench.setup.begin()
        told = bench.ended().message
        if any(sign in told for sign in (f"{index.USUAL} doesn't serve this", "proxy refuses", "be reached")):
            pytest.skip(f"the package index can't be reached: {told}")
        assert told == "The backend is set up."
        code = "import six, torch, palimpsest; print(six.__version__, torch.NAME, palimpsest.__version__)"
        said = subprocess.check_output([str(bench.home.python), "-I", "-c", code], text=True)
        assert said.split() == ["1.17.0", "torch", "0.2.0"]
        assert not bench.home.cache.exists()


def tiny_wheel(place: Path, name: str, version: str) -> None:
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(place, "w") as file:
        file.writestr(f"{name}.py", f"NAME = {name!r}\n")
        file.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        file.writestr(f"{info}/WHEEL", WHEEL)
        file.writestr(f"{info}/RECORD", f"{name}.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")
