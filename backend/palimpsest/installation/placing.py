"""Putting a plugin into an editor's folder, as copies or as links, and taking exactly it out again.

What is there without our marker is somebody else's and is left alone. A copy is made under another name
first: whoever breaks off, or has no room, keeps the plugin that was there.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from palimpsest.installation.bundle import CLIENT, SOURCES, Bundle, contents, is_program
from palimpsest.installation.environment import MARKER, InstallationError

CACHE = "__pycache__"
NOT_OURS = "{} was not made by Palimpsest. Move it away and run the same command again."


def put_copy(bundle: Bundle, folder: Path) -> None:
    """Raises InstallationError when something is in the way, OSError when the disk refuses."""
    made, package = contents(bundle), folder / bundle.package
    _refuse_foreign(bundle, folder, list(made))
    before = listed_files(package) or {}
    beside = {path: data for path, data in made.items() if not _within(path, bundle.package)}
    new = package.with_name(f"{MARKER}.new")
    shutil.rmtree(new, ignore_errors=True)
    try:
        for path, data in made.items():
            if path not in beside:
                _write(new / Path(path).relative_to(bundle.package), data, is_program(path))
        _exchange(bundle, folder, new)
    finally:
        shutil.rmtree(new, ignore_errors=True)
    for path in before:
        if path not in made and not _within(path, bundle.package):
            (folder / path).unlink(missing_ok=True)
    for path, data in beside.items():
        _write(folder / path, data)


def put_links(bundle: Bundle, folder: Path) -> None:
    """The editor reads the checkout itself: what is changed there counts at its next start."""
    _refuse_foreign(bundle, folder, list(bundle.linked))
    take_out(bundle, folder)
    try:
        wanted = {folder / path: target for path, target in bundle.linked.items()}
        for link, target in {**wanted, bundle.source / CLIENT: bundle.client}.items():
            link.parent.mkdir(parents=True, exist_ok=True)
            link.unlink(missing_ok=True)
            link.symlink_to(target, target_is_directory=target.is_dir())
    except OSError as error:
        take_out(bundle, folder)
        said = f"Links can't be made in {folder}: {error.strerror}. Leave --link out."
        raise InstallationError(said) from error


def take_out(bundle: Bundle, folder: Path) -> bool:
    """Removes what ``put_copy`` or ``put_links`` made; False when nothing of ours is there."""
    package = folder / bundle.package
    if _is_our_link(package):
        links = (folder / path for path in bundle.linked)
        for link in [*(link for link in links if _is_our_link(link)), bundle.source / CLIENT]:
            if link.is_symlink():
                link.unlink()
        return True
    listed = listed_files(package)
    if listed is None:
        return False
    for path in [*listed, bundle.marker]:
        (folder / path).unlink(missing_ok=True)
    _remove_empty(package)
    return True


def is_there(bundle: Bundle, folder: Path) -> bool:
    package = folder / bundle.package
    return _is_our_link(package) or listed_files(package) is not None


def listed_files(package: Path) -> Mapping[str, str] | None:
    """What the marker lists: path in the editor's folder → hash of its bytes. None without a marker."""
    marker = read_marker(package)
    return None if marker is None else marker["files"]


def read_marker(package: Path) -> Mapping[str, Any] | None:
    try:
        told = json.loads((package / MARKER).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return told if isinstance(told, dict) and isinstance(told.get("files"), dict) else None


def changed_files(package: Path, folder: Path) -> list[str]:
    """Which of the listed files are missing or not as they were made."""
    listed = listed_files(package) or {}
    return [path for path, made in listed.items() if _hash(folder / path) != made]


def _exchange(bundle: Bundle, folder: Path, new: Path) -> None:
    """The new plugin in the place of the old one, which comes back if that fails."""
    package, old = folder / bundle.package, new.with_name(f"{MARKER}.old")
    shutil.rmtree(old, ignore_errors=True)
    if _is_our_link(package):
        take_out(bundle, folder)
    elif package.exists():
        package.rename(old)
    try:
        new.rename(package)
    except OSError:
        if old.exists():
            old.rename(package)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _refuse_foreign(bundle: Bundle, folder: Path, making: list[str]) -> None:
    package = folder / bundle.package
    linked, listed = _is_our_link(package), listed_files(package)
    if not linked and listed is None and (package.is_symlink() or package.exists()):
        raise InstallationError(NOT_OURS.format(package))
    ours = {folder / path for path in listed or ()} | {package / MARKER}
    inside = [] if linked else [p for p in package.rglob("*") if p.is_file() and CACHE not in p.parts]
    beside = [folder / path for path in making if not _within(path, bundle.package)]
    for path in [*inside, *(path for path in beside if path.exists() or path.is_symlink())]:
        if path not in ours and not _is_our_link(path):
            raise InstallationError(NOT_OURS.format(path))


def _is_our_link(path: Path) -> bool:
    """Into this checkout or another one, also one that has moved away."""
    return path.is_symlink() and path.resolve().parent.name in SOURCES.values()


def _within(path: str, package: str) -> bool:
    return path == package or path.startswith(package + "/")


def _write(path: Path, data: bytes, executable: bool = False) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(data)
    partial.chmod(0o755 if executable else 0o644)
    os.replace(partial, path)


def _remove_empty(package: Path) -> None:
    """The folders in it that hold nothing (what Python compiled counts as nothing), and itself."""
    for cache in list(package.rglob(CACHE)):
        shutil.rmtree(cache, ignore_errors=True)
    folders = [path for path in package.rglob("*") if path.is_dir()]
    for folder in [*sorted(folders, reverse=True), package]:
        with suppress(OSError):  # something of the user's is in it
            folder.rmdir()


def _hash(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""
