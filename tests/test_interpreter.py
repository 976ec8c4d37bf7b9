"""Whose code runs: nothing in the working folder is taken for a module, whatever it is called."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.process import find
from palimpsest import interpreter

ROOT = Path(__file__).parent.parent
PHOTO = ROOT / "backend" / "palimpsest" / "demo" / "pictures" / "photo.png"
SHADOWED = (
    "argparse", "diffusers", "json", "multiprocessing", "nowhere", "numpy", "pip", "queue", "runpy",
    "safetensors", "subprocess", "torch", "traceback", "transformers", "uvicorn", "venv",
)  # fmt: skip


class Downloads:
    """A folder full of files that are named as modules; each says when it is run."""

    def __init__(self, folder: Path, home: Path) -> None:
        self.folder = folder
        self.home = home
        self.more: dict[str, str] = {}  # of the environment
        self._mark = folder / "was-run"
        (folder / "PIL").mkdir()
        for file in (*(f"{name}.py" for name in SHADOWED), "PIL/__init__.py"):
            (folder / file).write_text(f"open({str(self._mark)!r}, 'a').write(__name__ + ' ')\n")

    @property
    def run(self) -> str:
        """What of it was run since the last time."""
        said = self._mark.read_text() if self._mark.exists() else ""
        self._mark.unlink(missing_ok=True)
        return said

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name != "PYTHONSAFEPATH"}
        paths = os.pathsep.join(os.path.abspath(place) for place in sys.path if place)
        here = {"PYTHONPATH": paths, "PALIMPSEST_HOME": str(self.home), "PALIMPSEST_DEVICE": "cpu"}
        return {**kept, **here, "HOME": str(self.home), **self.more}

    def start(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=300
        )


@pytest.fixture
def downloads(tmp_path, monkeypatch) -> Downloads:
    (tmp_path / "downloads").mkdir()
    monkeypatch.chdir(tmp_path / "downloads")
    return Downloads(tmp_path / "downloads", tmp_path / "home")


def test_the_trap_works(downloads):
    """A Python that is started carelessly runs what lies there, or the tests below would show nothing."""
    downloads.start([sys.executable, "-c", "import queue"])
    assert downloads.run == "queue "


def test_a_shell_command_runs_only_our_code(downloads):
    edit = ["edit", str(PHOTO), "--local", "--operation", "restyle", "--steps", "2", "--method", "ddim"]
    words = ["--shows", "a ball", "--should-show", "a star", "--output", str(downloads.home / "out")]
    done = downloads.start([sys.executable, "-m", "palimpsest", *edit, *words])
    assert done.returncode == 0, done.stderr
    assert downloads.run == ""


@pytest.mark.parametrize("place", ["", "."])
@pytest.mark.parametrize("first", [True, False])
def test_an_empty_entry_of_pythonpath_is_no_way_in(downloads, place, first):
    """As the installed command is started. What Python imports before our first line isn't ours to choose."""
    command = downloads.home / "palimpsest"
    command.parent.mkdir()
    command.write_text("import sys\nfrom palimpsest.cli import main\nsys.exit(main())\n")
    paths = downloads.environment["PYTHONPATH"]
    downloads.more = {"PYTHONPATH": os.pathsep.join([place, paths] if first else [paths, place])}
    downloads.start([sys.executable, "-c", "import queue" if first else "import nowhere"])
    assert downloads.run == ("queue " if first else "nowhere ")  # the trap works
    edit = ["edit", str(PHOTO), "--local", "--operation", "restyle", "--steps", "2", "--method", "ddim"]
    words = ["--shows", "a ball", "--should-show", "a star", "--output", str(downloads.home / "out")]
    done = downloads.start([sys.executable, str(command), *edit, *words])
    assert done.returncode == 0, done.stderr
    assert downloads.run == ""


def test_a_folder_that_pythonpath_names_itself_is_kept(downloads):
    """Standing in it is no reason to leave it off."""
    command = downloads.home / "palimpsest"
    command.parent.mkdir()
    command.write_text("import palimpsest, nowhere\n")
    downloads.more = {"PYTHONPATH": os.pathsep.join([downloads.environment["PYTHONPATH"], os.getcwd()])}
    assert downloads.start([sys.executable, str(command)]).returncode == 0
    assert downloads.run == "nowhere "


def test_a_server_and_its_worker_run_only_our_code(downloads):
    child = subprocess.Popen(
        [sys.executable, "-m", "palimpsest", "serve"],
        cwd=downloads.folder,
        env=downloads.environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    try:
        assert child.stdout.readline().startswith("Palimpsest is at")
        client = find(downloads.home)
        client.submit("a", "describe", {"image": client.upload(PHOTO.read_bytes())})
        after = 0
        while (told := client.events("a", after, wait=20))["job"]["state"] != "finished":
            assert told["job"]["state"] in ("queued", "running"), told
            after = told["job"]["sequence"]
    finally:
        child.kill()
        child.wait()
        child.stdout.close()
    assert downloads.run == ""


def test_install_py_runs_only_our_code(downloads):
    done = downloads.start([sys.executable, str(ROOT / "install.py"), "doctor"])
    assert "Traceback" not in done.stderr
    assert downloads.run == ""


@pytest.mark.parametrize("version", [(3, 10), (3, 11)])
def test_a_module_is_started_safely_by_every_python(downloads, version):
    if version > sys.version_info[:2]:
        pytest.skip("this Python doesn't know -P")
    done = downloads.start(interpreter.module_command("palimpsest", "--version", version=version))
    assert done.stdout.startswith("palimpsest ")
    assert done.returncode == 0
    assert downloads.run == ""


def test_children_find_modules_where_we_do_and_get_nothing_relative(monkeypatch):
    monkeypatch.setattr(sys, "path", ["", "/a", "b"])
    assert interpreter.surroundings(MORE="x")["PYTHONPATH"] == os.pathsep.join(["/a", os.path.abspath("b")])
    assert interpreter.surroundings(MORE="x")["MORE"] == "x"


def sources() -> list[Path]:
    return [ROOT / "install.py", *sorted((ROOT / "backend").rglob("*.py"))]


def careless_starts(tree: ast.Module) -> Iterator[int]:
    """The lines where a Python is started, or seems to be, by other means than ``interpreter``'s."""
    safe = {id(part) for node in ast.walk(tree) if is_isolated(node) for part in ast.walk(node)}
    for node in ast.walk(tree):
        if id(node) in safe:
            continue
        if isinstance(node, ast.Attribute) and ast.unparse(node) == "sys.executable":
            yield node.lineno
        if isinstance(node, ast.List) and is_careless(node):
            yield node.lineno
        if isinstance(node, ast.Call) and ast.unparse(node.func) in FORBIDDEN:
            yield node.lineno


FORBIDDEN = ("os.system", "os.popen", "os.execv", "os.execve", "os.execvp", "os.spawnv", "os.posix_spawn")


def is_isolated(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == "isolated"


def is_careless(command: ast.List) -> bool:
    """``-m`` or ``-c`` in a command, with neither a switch nor code that cleans the path."""
    words = {part.value for part in command.elts if isinstance(part, ast.Constant)}
    careful = bool({"-I", "-P"} & words) or "CLEAN_PATH" in ast.unparse(command)
    return bool({"-m", "-c"} & words) and not careful


def test_every_start_of_a_python_is_safe():
    own = ROOT / "backend" / "palimpsest" / "interpreter.py"
    wrong = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in sources()
        if path != own
        for line in careless_starts(ast.parse(path.read_text(encoding="utf-8")))
    ]
    # What install.py passes on to Environment.call, which isolates it.
    passed_on = [place for place in wrong if place.startswith("backend/palimpsest/installation/command.py")]
    assert sorted(set(wrong) - set(passed_on)) == []
    calls = (ROOT / "backend/palimpsest/installation/environment.py").read_text(encoding="utf-8")
    assert "command = isolated(self.python, *arguments)" in calls


def test_processes_of_multiprocessing_are_made_in_a_safe_folder():
    for path in sources():
        text = path.read_text(encoding="utf-8")
        if "multiprocessing" in text and path.name != "interpreter.py":
            assert "interpreter.in_safe_folder()" in text, path


def test_the_walk_sees_what_it_should():
    careless = "run([sys.executable, 'x'])\nrun(['python3', '-c', 'import os'])\nos.system('python x')\n"
    assert sorted(set(careless_starts(ast.parse(careless)))) == [1, 2, 3]
    careful = "run(isolated(Path(sys.executable), '-m', 'venv'))\nrun([p, '-I', '-m', 'x'])\n"
    assert list(careless_starts(ast.parse(careful))) == []


def test_the_safe_folder_is_left_again(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with interpreter.in_safe_folder():
        assert Path.cwd() == Path(sys.prefix).resolve()
    assert Path.cwd() == tmp_path
