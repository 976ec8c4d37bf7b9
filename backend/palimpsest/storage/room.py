"""Room on the disk: whoever writes something large leaves a reserve for what is small and must not fail.

The list of jobs, the state file and the records of owners are written from the reserve, so that a server
on a full disk can still say so, end its jobs, and start again.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from palimpsest.errors import DiskFullError, Text

MOST_RESERVE = 256 << 20  # bytes
PART = 20  # of a small disk, one in so many bytes

NOTHING_CHANGED = Text("nothing-was-changed")


def reserve_of(total: int) -> int:
    """Bytes that stay free on a disk of ``total`` bytes."""
    return min(MOST_RESERVE, total // PART)


def require_room(folder: Path, wanted: int, then: Text = NOTHING_CHANGED) -> None:
    """Raises DiskFullError unless ``wanted`` bytes fit beside the reserve. ``folder`` must exist.

    ``then``: what the caller has done, or does, in that case.
    """
    disk = shutil.disk_usage(folder)
    needed = wanted + reserve_of(disk.total)
    if disk.free < needed:
        raise DiskFullError(
            Text("disk-free", place=str(folder), has=round(disk.free / 1e6), needed=round(needed / 1e6)),
            Text("two-sentences", one=then, two=Text("free-or-other-disk")),
        )
