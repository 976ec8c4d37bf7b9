"""Switching the plugin on and off in Krita's settings, every other byte left as it is.

``kritarc`` holds long values that no parser should write anew. Krita writes it all when it quits, so it may
be changed only while no Krita runs.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

SECTION, SETTING = b"[python]", b"enable_palimpsest"


def enabled(content: bytes) -> bool:
    lines, at, _ = _find(content)
    return at is not None and lines[at].partition(b"=")[2].strip().lower() == b"true"


def enable(content: bytes) -> bytes:
    lines, at, section = _find(content)
    end = b"\r\n" if b"\r\n" in content else b"\n"
    wanted = SETTING + b"=true" + end
    if at is not None:
        lines[at] = wanted
    elif section is not None:
        lines[section : section + 1] = [_ended(lines[section], end), wanted]
    else:
        lines = [*lines[:-1], *(_ended(line, end) for line in lines[-1:]), SECTION + end, wanted]
    return b"".join(lines)


def disable(content: bytes) -> bytes:
    """As if the plugin had never been there: a section that holds nothing else goes too."""
    lines, at, section = _find(content)
    if at is None or section is None:
        return content
    del lines[at]
    following = lines[section + 1 : section + 2]
    if not following or following[0].startswith(b"["):
        del lines[section]
    return b"".join(lines)


def read(settings: Path) -> bytes:
    try:
        return settings.read_bytes()
    except FileNotFoundError:
        return b""


def write(settings: Path, content: bytes) -> None:
    """Whole or not at all; a link stays a link, and a file that holds nothing goes."""
    settings = settings.resolve()
    if not content:
        settings.unlink(missing_ok=True)
        return
    settings.parent.mkdir(parents=True, exist_ok=True)
    partial = settings.with_name(settings.name + ".palimpsest")
    partial.write_bytes(content)
    if settings.exists():
        shutil.copymode(settings, partial)
    os.replace(partial, settings)


def _find(content: bytes) -> tuple[list[bytes], int | None, int | None]:
    """(lines with their ends, index of our setting, index of its section)"""
    lines, section, inside = content.splitlines(keepends=True), None, False
    for index, line in enumerate(lines):
        if line.startswith(b"["):
            inside = line.strip() == SECTION
            section = index if inside else section
        elif inside and line.partition(b"=")[0].strip() == SETTING:
            return lines, index, section
    return lines, None, section


def _ended(line: bytes, end: bytes) -> bytes:
    return line if line.endswith((b"\n", b"\r")) else line + end
