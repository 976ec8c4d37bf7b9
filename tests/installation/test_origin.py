"""Where this Palimpsest came from."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from palimpsest.installation import origin


def test_the_commit_of_a_checkout_is_told() -> None:
    root = origin.checkout()
    if root is None or not (root / ".git").exists() or shutil.which("git") is None:
        pytest.skip("the tests don't run from a clone")
    git = ["git", "-C", str(root), "rev-parse", "HEAD"]
    expected = subprocess.run(git, capture_output=True, text=True, check=False).stdout.strip()
    assert origin.commit() == (expected or "unknown")


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_another_repositorys_commit_is_not_taken_for_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wheel is often installed somewhere inside a repository: of a project, or of somebody's home."""
    identity = ("-c", "user.name=A", "-c", "user.email=a@example.org")
    for words in (("init", "-q"), (*identity, "commit", "-q", "--allow-empty", "-m", "one")):
        subprocess.run(["git", "-C", str(tmp_path), *words], check=True)
    package = tmp_path / "lib" / "site-packages" / "palimpsest"
    package.mkdir(parents=True)
    monkeypatch.setattr(origin, "PACKAGE", package)
    assert origin.commit() == "unknown"
