"""Room on the disk: whoever writes something large leaves a reserve for what is small and must not fail.

The list of jobs, the state file and the records of owners are written from the reserve, so that a server
on a full disk can still say so, end its jobs, and start again.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from palimpsest.errors import DiskFullError

MOST_RESERVE = 256 << 20  # bytes
PART = 20  # of a small disk, one in so many bytes


def reserve_of(total: int) -> int:
    """Bytes that stay free on a disk of ``total`` bytes."""
    return min(MOST_RESERVE, total // PART)


def require_room(folder: Path, wanted: int, then: str = "Nothing was changed.") -> None:
    """Raises DiskFullError unless ``wanted`` bytes fit beside the reserve. ``folder`` must exist.

    ``then``: what the caller has done, or does, in that case.
    """
    disk = shutil.disk_usage(folder)
    needed = wanted + reserve_of(disk.total)
    if disk.free < needed:
        raise DiskFullError(
            f"{folder} has {disk.free / 1e6:.0f} MB free; {needed / 1e6:.0f} MB are needed.",
            f"{then} Free some space, or set PALIMPSEST_HOME to another disk.",
        )
