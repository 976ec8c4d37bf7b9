"""The pictures of the server: taken in as streams, each with its owners, kept while they are needed.

A picture that a waiting or running job needs is never removed; nor is one that was written within the
last hour, because a job that uses it may be on its way. After that the oldest go first. A picture that
the list of jobs doesn't know (it was lost, or is older than the picture) is as old as this is known of it.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import threading
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from palimpsest.errors import (
    DiskFullError,
    ImageHashError,
    ImageInUseError,
    ImageNotFoundError,
    QuotaExceededError,
    StorageError,
    Text,
)
from palimpsest.jobs.state import Job
from palimpsest.storage.atomic import NO_ROOM, make_folder, private, put_in_place
from palimpsest.storage.database import Database
from palimpsest.storage.images import ImageStore
from palimpsest.storage.owners import Owners
from palimpsest.storage.room import require_room

GRACE_SECONDS = 3600.0
UNFINISHED = ".arriving-"


@dataclass(frozen=True)
class Retention:
    """How long ended jobs and their pictures are kept."""

    seconds: float
    image_bytes: int


class Upload:
    """A picture on its way: ``write`` its bytes, then give it to ``OwnedImages.accept``. Any thread."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / f"{UNFINISHED}{secrets.token_hex(8)}"
        self.bytes = 0
        self._digest = hashlib.sha256()
        with disk_errors(self.path):
            make_folder(folder)
            self._file: BinaryIO = open(self.path, "xb", opener=private)  # noqa: SIM115

    def write(self, *pieces: bytes) -> None:
        """In pieces as they came: joining them would cost as much again as to receive them."""
        size = sum(map(len, pieces))
        self.bytes += size
        with disk_errors(self.path):
            require_room(self.path.parent, size)
            for piece in pieces:
                self._digest.update(piece)
                self._file.write(piece)
            self._file.flush()  # a full disk is noticed here, not when the file is closed

    def close(self) -> str:
        """Everything is on the disk; returns the sha256."""
        with disk_errors(self.path):
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
        return self._digest.hexdigest()

    def discard(self) -> None:
        """Forget what has arrived, unless it was accepted."""
        with contextlib.suppress(OSError):
            self._file.close()
        with contextlib.suppress(OSError):
            self.path.unlink(missing_ok=True)


class OwnedImages:
    """``quota``: bytes of one owner's pictures; beyond them nothing more is taken from this owner."""

    def __init__(self, images: ImageStore, database: Database, quota: int = 20 << 30) -> None:
        self.images = images
        self.quota = quota
        self.owners = Owners(images.folder)
        self._database = database
        self._lock = threading.RLock()  # between looking whether a picture is needed and removing it

    def accept(self, upload: Upload, image: str | None, owner: str) -> tuple[str, bool]:
        """Keep a complete picture under its hash; which that is, and whether it is new.

        ``image``: what it must be. Raises ImageHashError.
        """
        found = upload.close()
        target = self.images.path(found if image is None else image)
        if image not in (None, found):
            raise ImageHashError(
                f"The bytes that arrived have the sha256 {found}, not {image}.",
                "They were damaged on their way, or hashed wrongly: send them again.",
            )
        with self._lock, disk_errors(target):
            if not self.has(found, owner):
                self.require_quota(owner, upload.bytes)
            new = not target.is_file()
            make_folder(target.parent)
            put_in_place(upload.path, target)
            self._database.own_image(found, owner)
        return found, new

    def find(self, image: str, owner: str) -> Path:
        """Where the picture is. Raises ImageNotFoundError, also for one of somebody else."""
        path = self.images.path(image)
        if not self._owns(image, owner) or not path.is_file():
            raise ImageNotFoundError(Text("picture-not-there", image=image), Text("send-first"))
        return path

    def has(self, image: str, owner: str) -> bool:
        return self._owns(image, owner) and self.images.has(image)

    def checked(self, image: str, owner: str) -> Path:
        """The same, hashed from its first to its last byte. Raises ImageHashError for a damaged one."""
        self.find(image, owner)
        try:
            return self.images.check(image)
        except ImageHashError:
            self._forget_missing(image)
            raise

    def pictures(self, owner: str) -> list[tuple[str, int, float]]:
        """The owner's pictures with size in bytes and last use, the longest unused first."""
        found = []
        for image, used in self._database.images_of(owner):
            with contextlib.suppress(OSError):
                found.append((image, self.images.path(image).stat().st_size, used))
        return found

    def require_quota(self, owner: str, more: int = 0) -> None:
        """See that ``more`` bytes fit: the owner's longest unused go. Raises QuotaExceededError."""
        found = self.pictures(owner)
        kept = sum(size for _, size, _ in found)
        for image, size, _ in found:
            if kept + more <= self.quota:
                return
            kept -= size if self._let_go(image, owner) else 0
        if kept + more > self.quota:
            sizes = {"has": kept, "more": more, "most": self.quota}
            raise QuotaExceededError(
                Text("quota-full", **{name: round(n / 1e6) for name, n in sizes.items()}),
                Text("remove-some"),
            )

    def release(self, image: str, owner: str) -> None:
        """End the owner's claim to a picture, which goes with the last one.

        Raises ImageNotFoundError, ImageInUseError where a job that hasn't ended needs it.
        """
        with self._lock:
            self.find(image, owner)
            if image in self._database.needed_images(owner):
                raise ImageInUseError(
                    "A job that has not ended needs this picture.", "Wait until it has ended, or cancel it."
                )
            self._disown(image, owner)

    def forget_job(self, job: Job) -> None:
        """Forget an ended job, and its pictures where no other job of its owner names them."""
        with self._lock:
            for image in self._database.remove_job(job.number):
                if self._owns(image, job.owner):
                    self._disown(image, job.owner)

    def _let_go(self, image: str, owner: str) -> bool:
        """As ``release``, for what is neither needed nor fresh."""
        with self._lock:
            if image in self._database.needed_images(owner) or self._is_fresh(image, time.time()):
                return False
            self._disown(image, owner)
            return True

    def _disown(self, image: str, owner: str) -> None:
        if self._database.disown_image(image, owner) and not self.owners.of(image):
            self.images.discard(image)

    def _owns(self, image: str, owner: str) -> bool:
        return self._database.owns_image(image, owner) or owner in self.owners.of(image)

    def hold(self, images: tuple[str, ...], owner: str) -> None:
        """Mark pictures as used just now, so that they stay until the job is accepted."""
        with self._lock:
            for image in images:
                self.find(image, owner)
                self._database.own_image(image, owner)

    def sweep(self, keep: Retention, ended: Callable[[], bool] = lambda: False) -> int:
        """Remove old jobs, then pictures that are too old or too many; returns how many pictures.

        ``ended``: asked between two pictures whether to leave the rest for the next time.
        """
        self._database.watch_clock()
        now = time.time()
        self._database.remove_jobs(now - keep.seconds)
        found = dict(self._statuses())
        uses = self._uses(found)
        total = sum(status.st_size for status in found.values())
        removed = 0
        for image in sorted(found, key=lambda image: (uses[image], found[image].st_mtime)):
            if ended():
                return removed
            if (total > keep.image_bytes or now - uses[image] > keep.seconds) and self._remove(image, now):
                total -= found[image].st_size
                removed += 1
        self._remove_unfinished(now)
        for image in self.owners:
            if ended():
                break
            self._forget_missing(image)
        return removed

    def _forget_missing(self, image: str) -> None:
        """Whose a picture was that is gone, because it was found damaged. Owners are noted after pictures."""
        with self._lock:
            if not self.images.has(image):
                self._database.forget_images([image])
                with disk_errors(self.images.folder):
                    self.owners.forget(image)

    def _remove(self, image: str, now: float) -> bool:
        """Remove one picture if nothing needs it."""
        with self._lock:
            if image in self._database.needed_images() or self._is_fresh(image, now):
                return False
            self._database.forget_images([image])
            self.images.discard(image)
            with disk_errors(self.images.folder):
                self.owners.forget(image)
            return True

    def _is_fresh(self, image: str, now: float) -> bool:
        used = self._database.last_use(image)
        with contextlib.suppress(OSError):
            written = self.images.path(image).stat().st_mtime
            if written <= now + GRACE_SECONDS:  # else the clock has jumped since
                used = max(used, written)
        return now - used < GRACE_SECONDS

    def _uses(self, images: Collection[str]) -> dict[str, float]:
        """When each was last used. What the database doesn't know yet is as fresh as today."""
        known = self._database.image_uses()
        unknown = [image for image in images if image not in known]
        if unknown:
            self._database.see_images({image: self.owners.of(image) for image in unknown})
            known = self._database.image_uses()
        return {image: known[image] for image in images}

    def _statuses(self) -> Iterator[tuple[str, os.stat_result]]:
        for image in self.images:
            with contextlib.suppress(OSError):
                yield image, self.images.path(image).stat()

    def _remove_unfinished(self, now: float) -> None:
        """What a killed server left of uploads."""
        for path in self.images.folder.glob(f"{UNFINISHED}*"):
            with contextlib.suppress(OSError):
                if now - path.stat().st_mtime > GRACE_SECONDS:
                    path.unlink()


@contextlib.contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in NO_ROOM:
            raise DiskFullError(
                Text("no-room-for-picture", place=str(path.parent)), Text("free-some-space")
            ) from error
        raise StorageError(
            Text("picture-not-written", place=str(path.parent), reason=error.strerror)
        ) from error
