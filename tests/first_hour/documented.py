"""The commands that README and documents show: read from their blocks, as they are written.

``NOT_RUN`` lists those that no test of the suite runs, with the reason. What ``play`` runs on a bare machine
is everything in the blocks of its documents but those that need what such a machine lacks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SHELL = ("", "sh")
PROGRAMS = ("palimpsest", "python3", "source", "git", "uv", "pipx", "mkdir", "ln", "rm", "eval")

PLAYED = "needs a bare machine: tests/first_hour/play runs it there"
DOWNLOADS = "downloads gigabytes from a hub; tests/models pull from a server of their own"
LONG = "takes half a minute; tests/first_hour/play runs it, tests/installation with a tiny model"
EDITORS = "puts plug-ins into this account's own editors; tests/installation run it in homes of their own"
READS = "changes the shell that reads it; tests/cli/test_completion.py runs the script in each shell"

ELSEWHERE = "needs another machine; tests/cli/test_named_server.py asks a server of its own"

#: how a command begins → why the suite doesn't run it as it is written
NOT_RUN = {
    "python3 install.py": PLAYED,
    "source .venv/bin/activate": PLAYED,
    "palimpsest pull ": DOWNLOADS,
    "palimpsest demo": LONG,
    "palimpsest plugins": EDITORS,
    "palimpsest edit --server": ELSEWHERE,
    "eval ": READS,
}


@dataclass(frozen=True)
class Block:
    document: str
    number: int
    commands: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.document} {self.number}: {self.commands[0][:40]}"


def blocks(*documents: str) -> Iterator[Block]:
    """Every block of shell commands, in order."""
    for document in documents:
        text = (ROOT / document).read_text(encoding="utf-8")
        found = [commands_of(body) for language, body in BLOCK.findall(text) if language in SHELL]
        shell = [commands for commands in found if commands and commands[0].split()[0] in PROGRAMS]
        yield from (Block(document, number, commands) for number, commands in enumerate(shell, 1))


def commands_of(body: str) -> tuple[str, ...]:
    """One per line; a line that ends with a backslash goes on, and a comment is none."""
    lines = re.sub(r"\\\n\s*", "", body).splitlines()
    stripped = (re.sub(r"\s+#.*$", "", line).strip() for line in lines)
    return tuple(line for line in stripped if line and not line.startswith("#"))


def reason(command: str) -> str | None:
    """Why the suite doesn't run it; None where it does."""
    return next((why for start, why in NOT_RUN.items() if command.startswith(start)), None)
