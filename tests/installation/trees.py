"""Folders full of files, made and read."""

from __future__ import annotations

from pathlib import Path


def fill(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        if name.endswith("/"):
            path.mkdir(parents=True, exist_ok=True)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            path.chmod(0o755 if "/bin/" in name else 0o644)


def everything(folder: Path) -> dict[str, bytes]:
    """Every file below, and every link with where it leads."""
    paths = sorted(folder.rglob("*"))
    links = {str(p.relative_to(folder)): str(p.readlink()).encode() for p in paths if p.is_symlink()}
    return {**links, **{str(p.relative_to(folder)): p.read_bytes() for p in paths if p.is_file()}}
