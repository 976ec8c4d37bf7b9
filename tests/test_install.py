"""install.py: one clear sentence for every trouble, and never the same work twice."""

from __future__ import annotations

import ast
import errno
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from palimpsest.installation import command, environment, torch_build
from palimpsest.installation.environment import Environment, InstallationError, explain
from palimpsest.installation.lock import alone
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
        self.lacking: list[str] = []
        self.removed: list[str] = []
        self.fails_at = ""
        monkeypatch.setattr(Environment, "pip", self._pip)
        monkeypatch.setattr(Environment, "remove", lambda env, name: self.removed.append(name))
        monkeypatch.setattr(Environment, "lacking", lambda env, wanted: self._lacking(wanted))
        monkeypatch.setattr(Environment, "works", lambda env: bool(env.done))
        monkeypatch.setattr(Environment, "make", lambda env: env.folder.mkdir() or env.note("python", "3"))
        monkeypatch.setattr(command, "look_at_machine", lambda: Machine("win32", False, False))

    def _pip(self, arguments: list[str]) -> None:
        if self.fails_at and self.fails_at in " ".join(arguments):
            raise InstallationError("no network")
        self.calls.append(arguments)

    def _lacking(self, requirements: list[str]) -> list[str]:
        return [name for name in self.lacking if any(text.startswith(name) for text in requirements)]


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


MISTAKES = [
    (("dmeo",), "install.py has no command 'dmeo'. Did you mean demo?"),
    (("install",), "install.py has no command 'install'. Did you mean setup?"),
    (("remove",), "install.py has no command 'remove'. Did you mean uninstall?"),
    (("update",), "install.py has no command 'update'. Did you mean plugins?"),
    (("xyz",), "install.py has no command 'xyz'. See: install.py --help"),
    (("--torch", "cpu", "setup"), "install.py has no option --torch. See: install.py --help"),
    (("setup", "--trch", "cpu"), "install.py setup has no option --trch. Did you mean --torch?"),
    (("setup", "--torch", "cuad"), "--torch can't be 'cuad'. Did you mean cuda?"),
    (("setup", "--torch"), "--torch needs a value: "),
    (("plugins", "--gimp_dir", "x"), "install.py plugins has no option --gimp_dir. Did you mean --gimp-dir?"),
    (("setup", "now"), "install.py setup has no place for 'now'."),
    (("uninstall", "kritta"), "editor can't be 'kritta'. Did you mean krita?"),
]


@pytest.mark.parametrize(("words", "says"), MISTAKES, ids=lambda value: " ".join(value))
def test_a_mistake_is_one_sentence(
    words: tuple[str, ...], says: str, checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.run(str(checkout), words) == 2
    out, err = capsys.readouterr()
    assert err.startswith(f"Error: {says}"), err
    assert (out, err.count("\n")) == ("", 1)


def test_what_a_command_passes_on_is_read_by_that_program(
    checkout: Path, pip: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    called: list[list[str]] = []
    monkeypatch.setattr(Environment, "call", lambda env, arguments: called.append(arguments) or 0)
    assert command.run(str(checkout), ["demo", "--torch", "cpu", "--quiet", "--output", "here"]) == 0
    assert called == [["-m", "palimpsest", "demo", "--quiet", "--output", "here"]]
    assert command.run(str(checkout), ["test", "-k", "inversion"]) == 0
    assert called[-1] == ["-m", "pytest", "-q", "-k", "inversion"]


def test_a_wheel_in_a_clones_environment_is_named_and_gives_way(
    checkout: Path, pip: Recorded, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """pip puts a copy there, which comes before the clone's own code."""
    made = Environment(checkout)
    command.install(made, "auto", with_tests=False)
    library = made.folder / "lib" / "python3.11" / "site-packages" / "palimpsest" / "__init__.py"
    library.parent.mkdir(parents=True)
    library.touch()
    monkeypatch.setattr(command, "editor_findings", lambda: [])
    assert command.run(str(checkout), ["doctor"]) == 1
    told = " ".join(capsys.readouterr().out.split())
    assert f"{made.folder} has Palimpsest from a wheel, not this folder's own" in told
    assert "Run: python3 install.py setup" in told
    pip.calls.clear()
    monkeypatch.setattr(Environment, "remove", lambda env, name: library.unlink())
    command.install(Environment(checkout), "auto", with_tests=False)
    assert pip.calls == [["--no-deps", "--no-build-isolation", "-e", str(checkout)]]
    assert "this folder's own takes its place" in capsys.readouterr().err
    command.install(Environment(checkout), "auto", with_tests=False)
    assert len(pip.calls) == 1


def test_libraries_come_by_their_hashes_and_torch_finds_its_own_there(checkout: Path, pip: Recorded) -> None:
    """Torch, in whatever build, is the one thing without a hash; what it needs is installed before it."""
    command.install(Environment(checkout), "auto", with_tests=True)
    lists = [str(checkout / "backend" / "requirements" / name) for name in ("runtime.txt", "test.txt")]
    by_hash = ["--no-deps", "--require-hashes", "-r"]
    package = ["--no-deps", "--no-build-isolation", "-e", str(checkout)]
    assert pip.calls == [[*by_hash, lists[0]], ["torch==2.13.0"], [*by_hash, lists[1]], package]


def test_the_second_time_nothing_is_done(checkout: Path, pip: Recorded) -> None:
    command.install(Environment(checkout), "auto", with_tests=False)
    pip.calls.clear()
    command.install(Environment(checkout), "auto", with_tests=False)
    assert pip.calls == []
    command.install(Environment(checkout), "auto", with_tests=True)
    assert len(pip.calls) == 1


def test_an_interrupted_installation_goes_on_where_it_stopped(checkout: Path, pip: Recorded) -> None:
    pip.fails_at = "torch"
    with pytest.raises(InstallationError):
        command.install(Environment(checkout), "auto", with_tests=False)
    pip.fails_at, pip.calls = "", []
    command.install(Environment(checkout), "auto", with_tests=False)
    assert [call[-1] for call in pip.calls] == ["torch==2.13.0", str(checkout)]


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
    pip.removed.clear()
    command.install(Environment(checkout), "cpu", with_tests=False)
    assert (pip.calls, pip.removed) == ([["torch==2.13.0"]], ["torch"])  # else pip thinks that it is there


@pytest.mark.parametrize(("name", "last"), [("numpy", "runtime.txt"), ("torch", "torch==2.13.0")])
def test_what_was_lost_since_is_installed_again(
    checkout: Path, pip: Recorded, capsys: pytest.CaptureFixture[str], name: str, last: str
) -> None:
    command.install(Environment(checkout), "auto", with_tests=False)
    pip.calls.clear()
    pip.lacking = [name]
    command.install(Environment(checkout), "auto", with_tests=False)
    assert f"Files are missing of {name}." in capsys.readouterr().err
    assert [call[0] for call in pip.calls] == ["--ignore-installed"]
    assert pip.calls[0][-1].endswith(last)


def test_a_moved_folder_gets_its_own_paths(checkout: Path, pip: Recorded, tmp_path: Path) -> None:
    command.install(Environment(checkout), "auto", with_tests=False)
    pip.calls.clear()
    moved = tmp_path.parent / (tmp_path.name + "-moved")
    checkout.rename(moved)
    command.install(Environment(moved), "auto", with_tests=False)
    assert [call[-1] for call in pip.calls] == [str(moved)]


@pytest.mark.parametrize("content", ["[]", "nonsense", "", '{"torch": 3}'])
def test_a_stamp_that_is_none_counts_for_nothing(checkout: Path, content: str) -> None:
    here = Environment(checkout)
    here.folder.mkdir()
    here.stamp.write_text(content)
    here.read()
    assert here.done.get("runtime") is None


def test_missing_files_are_found_in_a_real_environment(tmp_path: Path) -> None:
    """Of what applies to this Python only; compiled files may come and go."""
    made = Environment(tmp_path)
    made.make()
    pins = command.contents(ROOT, "runtime")
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+( ; \S.*)?", pin) for pin in pins), pins
    lacking = made.lacking(pins)  # in an environment with nothing in it: all that apply to this Python
    assert {"numpy", "fastapi", "setuptools"} - {*lacking, "setuptools"} == set()
    assert len(lacking) == len(set(lacking)) > 30
    assert made.lacking(["pip", "nothing; python_version < '3'"]) == []
    assert made.lacking(["pip", "nothing==1.0"]) == ["nothing"]
    for compiled in made.folder.rglob("*.pyc"):
        compiled.unlink()
    assert made.lacking(["pip"]) == []
    (lost,) = made.folder.glob("**/site-packages/pip/_internal/commands/check.py")
    lost.unlink()
    assert made.lacking(["pip"]) == ["pip"]


def test_two_setups_wait_for_each_other(checkout: Path) -> None:
    """The second says so, and goes on when the first has ended; a killed one holds nothing."""
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT / 'backend')!r})\n"
        "from pathlib import Path; from palimpsest.installation.lock import alone\n"
        f"with alone(Path({str(checkout)!r})): print('mine', flush=True); sys.stdin.readline()\n"
    )
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", code], **pipes) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "mine\n"
        with subprocess.Popen([sys.executable, "-c", code], **pipes) as second:
            assert second.stdout is not None
            assert second.stderr is not None
            assert "Another setup is running in this folder" in second.stderr.readline()
            assert first.poll() is None
            first.kill()
            assert second.stdout.readline() == "mine\n"
            assert second.communicate("\n")[0] == ""
    with alone(checkout):
        pass


@pytest.mark.skipif(os.name == "nt", reason="locks are another matter there")
@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOTSUP])
def test_where_nothing_can_be_locked_no_setup_is_waited_for(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("fcntl.flock", refuse)
    with pytest.raises(InstallationError, match="can't be locked") as told, alone(checkout):
        pass
    assert os.strerror(number) in str(told.value)


def test_too_little_room_is_said_before_anything_is_made(
    checkout: Path, pip: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil._ntuple_diskusage(100, 99, 1 << 20)  # pyright: ignore
    monkeypatch.setattr(environment.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(InstallationError, match=r"Too little disk space.*needs 3 GiB"):
        command.install(Environment(checkout), "auto", with_tests=False)
    assert not (checkout / ".venv").exists()


def test_how_much_is_fetched_and_where_is_said_before_it_begins(
    checkout: Path, pip: Recorded, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "look_at_machine", lambda: Machine("linux", False, False))
    pip.fails_at = "requirements"
    with pytest.raises(InstallationError):
        command.install(Environment(checkout), "auto", with_tests=False)
    said = capsys.readouterr().err.splitlines()[0]
    assert f"Downloading about 263 MB into {checkout / '.venv'}, about 1.3 GB on the disk" in said
    assert "PyTorch 2.13.0 for cpu: 192 MB" in said
    pip.fails_at = ""
    command.install(Environment(checkout), "cuda", with_tests=False)
    said = capsys.readouterr().err.splitlines()[0]
    assert "Downloading about 2.8 GB" in said
    assert "about 5.1 GB on the disk" in said
    command.install(Environment(checkout), "rocm", with_tests=False)
    assert "PyTorch 2.13.0 for rocm: several GB, not measured" in capsys.readouterr().err
    command.install(Environment(checkout), "rocm", with_tests=False)
    assert capsys.readouterr().err == ""


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
        ("/usr/bin/python3: No module named pip", "apt install python3-venv"),
        (
            "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE FILE. If\n"
            "    numpy==2.4.6 from file:///x.whl:\n        Expected sha256 a\n",
            "numpy==2.4.6 has another hash",
        ),
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
        pins = [line.split(";")[0] for line in lock.splitlines() if line[:1] not in ("#", " ")]
        assert all("==" in pin for pin in pins)
        pinned = {pin.split("==")[0].strip().lower() for pin in pins}
        names_wanted = {re.split(r"\[|>=", name)[0].replace("_", "-").lower() for name in wanted}
        assert names_wanted - {"torch"} <= pinned


@pytest.mark.parametrize("name", ["runtime", "test"])
def test_every_pin_has_the_hashes_of_its_files(name: str) -> None:
    """The locks are made from the pins, with at least one sha256 for each; torch has its own step."""
    folder = ROOT / "backend" / "requirements"
    pins = (folder / f"{name}.in").read_text(encoding="utf-8").splitlines()
    wanted = {_pin(line) for line in pins if line and not line.startswith("#")}
    entries = re.split(r"\n(?=\w)", (folder / f"{name}.txt").read_text(encoding="utf-8"))[1:]
    assert {_pin(entry.split(" \\")[0]) for entry in entries} == wanted
    for entry in entries:
        hashes = re.findall(r"--hash=sha256:(\S+)", entry)
        assert hashes, entry
        assert all(re.fullmatch(r"[0-9a-f]{64}", found) for found in hashes)
    assert not any(pin.startswith("torch==") for pin in wanted)


def _pin(line: str) -> str:
    """name==version, as names are compared, and whether it has a marker."""
    pin, _, marker = line.partition(";")
    name, _, version = pin.strip().partition("==")
    return f"{re.sub(r'[-_.]+', '-', name).lower()}=={version}{' ;' if marker else ''}"
