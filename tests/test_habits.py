"""What CONTRIBUTING.md asks of a commit: one format, and no large files in the history."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MOST, MOST_OF_A_PICTURE = 200_000, 1_200_000  # bytes
PICTURES = "docs/pictures/"
STYLE = "0.17"  # ruff changes its format with such versions
#: older than the rule: path → sha256, as sha256sum -c reads it
LISTED = (ROOT / "tests" / "large_files.txt").read_text(encoding="utf-8").split()
LARGE = dict(zip(LISTED[1::2], LISTED[::2], strict=True))


def tracked() -> list[Path]:
    """What a clone holds, and what is about to be committed."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("this is no clone, or there is no git")
    words = ["-c", f"safe.directory={ROOT}", "ls-files", "-z"]
    told = subprocess.run(["git", "-C", str(ROOT), *words], capture_output=True, check=True).stdout
    paths = (ROOT / name for name in told.decode().split("\0") if name)
    return [path for path in paths if path.is_file()]


def too_large(name: str, data: bytes) -> bool:
    if hashlib.sha256(data).hexdigest() == LARGE.get(name):
        return False
    return len(data) > (MOST_OF_A_PICTURE if name.startswith(PICTURES) else MOST)


def test_nothing_large_comes_into_the_history() -> None:
    large = [path for path in tracked() if path.stat().st_size > MOST]
    named = [(path.relative_to(ROOT).as_posix(), path.read_bytes()) for path in large]
    assert [name for name, data in named if too_large(name, data)] == [], "CONTRIBUTING.md says where to"
    assert set(LARGE) <= {name for name, _ in named}


def test_retrained_weights_are_refused() -> None:
    """And so is a file that isn't listed, however it is called."""
    for name in LARGE:
        data = (ROOT / name).read_bytes()
        assert not too_large(name, data)
        assert too_large(name, data[:-1] + bytes([data[-1] ^ 1]))
    assert too_large("backend/palimpsest/new.safetensors", bytes(MOST + 1))
    assert not too_large("backend/palimpsest/new.txt", bytes(MOST))
    assert too_large(f"{PICTURES}film.webp", bytes(MOST_OF_A_PICTURE + 1))


def test_every_file_is_formatted() -> None:
    told = subprocess.run(
        [sys.executable, "-m", "ruff", "--version"], capture_output=True, text=True, check=True
    )
    if not told.stdout.startswith(f"ruff {STYLE}."):
        pytest.skip(f"the files are formatted by ruff {STYLE}, here is {told.stdout.strip()}")
    command = [sys.executable, "-m", "ruff", "format", "--check", "--quiet", str(ROOT)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stdout}{done.stderr}\nRun: .venv/bin/python -m ruff format ."


@pytest.mark.parametrize(("subject", "code"), [("a" * 72, 0), ("ä" * 72, 0), ("a" * 73, 1)])
def test_a_long_subject_is_refused(tmp_path: Path, subject: str, code: int) -> None:
    message = tmp_path / "message"
    message.write_text(f"{subject}\n\n{'body ' * 40}\n", encoding="utf-8")
    locale = {"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"}
    done = subprocess.run(["bash", str(ROOT / ".ci" / "subject"), str(message)], env=locale, check=False)
    assert done.returncode == code
