"""install.py: one clear sentence for every trouble, and never the same work twice."""

from __future__ import annotations

import ast
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from palimpsest.installation import command, environment, torch_build
from palimpsest.installation.environment import Environment, InstallationError, explain
from palimpsest.installation.torch_build import Machine, choose_build, torch_arguments

ROOT = Path(__file__).parent.parent


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What install.py needs of the repository, in a folder of its own."""
    shutil.copytree(ROOT / "backend" / "requirements", tmp_path / "backend" / "requirements")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


class Recorded:
    """Stands for pip: notes what it is asked for, and can fail at a step like a lost network."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls: list[list[str]] = []
        self.fails_at = ""
        monkeypatch.setattr(Environment, "pip", self._pip)
        monkeypatch.setattr(Environment, "works", lambda env: bool(env.done))
        monkeypatch.setattr(Environment, "make", lambda env: env.folder.mkdir() or env.note("python", "3"))
        monkeypatch.setattr(command, "look_at_machine", lambda: Machine("win32", False, False))

    def _pip(self, arguments: list[str]) -> None:
        if self.fails_at and self.fails_at in " ".join(arguments):
            raise InstallationError("no network")
        self.calls.append(arguments)


@pytest.fixture
def pip(monkeypatch: pytest.MonkeyPatch) -> Recorded:
    return Recorded(monkeypatch)


def test_an_old_python_gets_a_sentence(tmp_path: Path) -> None:
    source = (ROOT / "install.py").read_text(encoding="utf-8")
    ast.parse(source, feature_version=(3, 4))
    assert 'f"' not in source
    pretend = f"import sys; sys.version_info = (3, 9, 1); sys.argv = ['install.py', 'demo']\n{source}"
    result = subprocess.run([sys.executable, "-c", pretend], capture_output=True, text=True, cwd=tmp_path)
    assert result.returncode == 1
    assert result.stderr.startswith("Palimpsest needs Python 3.10 or newer, this is Python 3.9.1.")
    assert len(result.stderr.splitlines()) == 1


def test_torch_comes_first_and_nothing_may_replace_it(checkout: Path, pip: Recorded) -> None:
    command.install(Environment(checkout), "auto", with_tests=True)
    assert pip.calls[0] == ["torch==2.13.0"]
    assert all(call[0] == "torch==2.13.0" for call in pip.calls[1:-1])
    assert pip.calls[-1][-2:] == ["-e", str(checkout)]


def test_the_second_time_nothing_is_done(checkout: Path, pip: Recorded) -> None:
    command.install(Environment(checkout), "auto", with_tests=False)
    pip.calls.clear()
    command.install(Environment(checkout), "auto", with_tests=False)
    assert pip.calls == []
    command.install(Environment(checkout), "auto", with_tests=True)
    assert len(pip.calls) == 1


def test_an_interrupted_installation_goes_on_where_it_stopped(checkout: Path, pip: Recorded) -> None:
    pip.fails_at = "runtime.txt"
    with pytest.raises(InstallationError):
        command.install(Environment(checkout), "auto", with_tests=False)
    pip.fails_at, pip.calls = "", []
    command.install(Environment(checkout), "auto", with_tests=False)
    assert [call[0] for call in pip.calls] == ["torch==2.13.0", "--no-deps"]
    assert any("runtime.txt" in word for word in pip.calls[0])


def test_a_changed_lock_is_installed_again(checkout: Path, pip: Recorded) -> None:
    command.install(Environment(checkout), "auto", with_tests=False)
    pip.calls.clear()
    lock = checkout / "backend" / "requirements" / "runtime.txt"
    lock.write_text(lock.read_text() + "# changed\n")
    command.install(Environment(checkout), "auto", with_tests=False)
    assert len(pip.calls) == 1


def test_the_chosen_build_stays_until_another_is_asked_for(checkout: Path, pip: Recorded) -> None:
    command.install(Environment(checkout), "cuda", with_tests=False)
    pip.calls.clear()
    command.install(Environment(checkout), "auto", with_tests=False)
    assert pip.calls == []
    command.install(Environment(checkout), "cpu", with_tests=False)
    assert pip.calls[0] == ["torch==2.13.0"]


def test_too_little_room_is_said_before_anything_is_made(
    checkout: Path, pip: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil._ntuple_diskusage(100, 99, 1 << 20)  # pyright: ignore
    monkeypatch.setattr(environment.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(InstallationError, match=r"Too little disk space.*needs 3 GiB"):
        command.install(Environment(checkout), "auto", with_tests=False)
    assert not (checkout / ".venv").exists()


def test_an_environment_of_somebody_else_is_left_alone(checkout: Path) -> None:
    foreign = checkout / ".venv" / "pyvenv.cfg"
    foreign.parent.mkdir()
    foreign.write_text("home = elsewhere")
    with pytest.raises(InstallationError, match="was not made by install"):
        Environment(checkout).make()
    assert foreign.read_text() == "home = elsewhere"


def test_a_half_made_environment_of_ours_is_made_again(checkout: Path) -> None:
    ours = checkout / ".venv"
    ours.mkdir()
    (ours / environment.MARKER).write_text("")
    (ours / "leftover").write_text("")
    made = Environment(checkout)
    made.make()
    assert not (ours / "leftover").exists()
    assert made.works()
    assert json.loads(made.stamp.read_text())["python"] == sys.version.split()[0]


@pytest.mark.parametrize(
    ("complaint", "sentence"),
    [
        ("OSError: [Errno 28] No space left on device", "The disk is full"),
        ("Failed to establish a new connection: NewConnectionError(...)", "registry can't be reached"),
        ("ERROR: No matching distribution found for torch==2.13.0", "no build for this machine's Python"),
        ("The virtual environment was not created because ensurepip is not available", "apt install"),
        ("WARNING: x\nERROR: something else\n", "pip failed: ERROR: something else"),
    ],
)
def test_every_trouble_is_one_line(complaint: str, sentence: str) -> None:
    assert sentence in explain(complaint)
    assert "\n" not in explain(complaint)


def test_the_build_suits_the_machine() -> None:
    linux = Machine("linux", nvidia=False, amd=False)
    assert choose_build("auto", linux) == "cpu"
    assert choose_build("auto", Machine("linux", nvidia=True, amd=True)) == "cuda"
    assert choose_build("auto", Machine("linux", nvidia=False, amd=True)) == "rocm"
    assert choose_build("auto", Machine("win32", nvidia=False, amd=True)) == "cpu"
    assert choose_build("auto", Machine("darwin", nvidia=False, amd=False)) == "mps"
    with pytest.raises(InstallationError, match="no cuda build for darwin"):
        choose_build("cuda", Machine("darwin", nvidia=False, amd=False))


def test_pip_takes_its_own_cpu_build_where_it_has_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """On Linux the registry's build is CUDA; PyTorch's CPU index is named only where that would be taken."""
    linux, here = Machine("linux", nvidia=False, amd=False), Environment(Path("unused"))
    monkeypatch.setattr(torch_build, "_offers_cpu_build", lambda _: True)
    assert torch_arguments(here, "cpu", linux) == ["torch==2.13.0"]
    monkeypatch.setattr(torch_build, "_offers_cpu_build", lambda _: False)
    assert torch_arguments(here, "cpu", linux)[1:] == ["--extra-index-url", torch_build.WHEELS + "cpu"]
    assert torch_arguments(here, "cuda", linux) == ["torch==2.13.0"]
    assert torch_arguments(here, "rocm", linux)[1] == "--index-url"


def test_every_dependency_is_pinned_within_its_range() -> None:
    """The lock names an exact version of everything that pyproject.toml asks for, but torch."""
    names = {"runtime.txt": "dependencies = [", "test.txt": "test = ["}
    for file, begin in names.items():
        project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
        wanted = ast.literal_eval("[" + project.split(begin)[1].split("]\n")[0].rstrip("]") + "]")
        lock = (ROOT / "backend" / "requirements" / file).read_text(encoding="utf-8")
        pins = [line.split(";")[0] for line in lock.splitlines() if not line.startswith("#")]
        assert all("==" in pin for pin in pins)
        pinned = {pin.split("==")[0].strip().lower() for pin in pins}
        assert {name.split(">=")[0].lower() for name in wanted} - {"torch"} <= pinned
