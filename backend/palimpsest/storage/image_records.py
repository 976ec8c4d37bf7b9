"""Whose a picture is, when it was last used, and which job names it: in the SQLite file of jobs."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from palimpsest.jobs.state import ENDED
from palimpsest.storage.clock import Clock
from palimpsest.storage.owners import Owners
from palimpsest.storage.transactions import Transactions

NOBODY = ""  # the owner of pictures of which nothing is known; no token has this name


class ImageRecords(Transactions):
    """``owners``: where it is also written whose a picture is, before this is known here."""

    def __init__(self, path: Path, owners: Owners | None = None, clock: Clock | None = None) -> None:
        super().__init__(path, clock)
        self._owners = owners

    def own_image(self, image: str, owner: str) -> None:
        with self._writing():
            self._own(image, owner, self._clock.now())

    def see_images(self, owners: Mapping[str, Collection[str]]) -> None:
        """Begin to count the age of these pictures; those of nobody, too, belong to somebody perhaps."""
        with self._writing():
            now = self._clock.now()
            for image, names in owners.items():
                for owner in names if names else (NOBODY,):
                    self._use(image, owner, now)

    def owns_image(self, image: str, owner: str) -> bool:
        query = "SELECT 1 FROM image_owners WHERE image = ? AND owner = ?"
        return bool(self._read(query, (image, owner)))

    def needed_images(self, owner: str | None = None) -> set[str]:
        """The pictures of every job that hasn't ended, or of every one of this owner's."""
        marks = ", ".join("?" * len(ENDED))
        query = f"SELECT image FROM job_images JOIN jobs ON job = number WHERE state NOT IN ({marks})"
        if owner is None:
            return {row[0] for row in self._read(query, tuple(ENDED))}
        return {row[0] for row in self._read(f"{query} AND owner = ?", (*ENDED, owner))}

    def image_uses(self) -> dict[str, float]:
        """When each picture was last used, by anybody."""
        return dict(self._read("SELECT image, MAX(used) FROM image_owners GROUP BY image", ()))

    def last_use(self, image: str) -> float:
        """0 for a picture that nobody owns."""
        rows = self._read("SELECT MAX(used) FROM image_owners WHERE image = ?", (image,))
        return 0.0 if rows[0][0] is None else rows[0][0]

    def images_of(self, owner: str) -> list[tuple[str, float]]:
        """The owner's pictures and when each was last used, the longest unused first."""
        query = "SELECT image, used FROM image_owners WHERE owner = ? ORDER BY used, image"
        return [(row[0], row[1]) for row in self._read(query, (owner,))]

    def disown_image(self, image: str, owner: str) -> bool:
        """End one owner's claim, here and beside the picture; whether it was the last."""
        with self._writing() as db:
            if self._owners is not None:
                self._owners.remove(image, owner)
            db.execute("DELETE FROM image_owners WHERE image = ? AND owner IN (?, ?)", (image, owner, NOBODY))
        return not self._read("SELECT 1 FROM image_owners WHERE image = ?", (image,))

    def forget_images(self, images: Sequence[str]) -> None:
        with self._writing() as db:
            db.executemany("DELETE FROM image_owners WHERE image = ?", [(image,) for image in images])

    def _link(self, number: int, owner: str, images: Sequence[str], now: float, lasting: bool = True) -> None:
        for image in images:
            self._connection.execute("INSERT OR IGNORE INTO job_images VALUES (?, ?)", (number, image))
            self._own(image, owner, now, lasting)

    def _own(self, image: str, owner: str, now: float, lasting: bool = True) -> None:
        """``lasting``: also beside the picture; previews are worth nothing without their job."""
        if lasting and self._owners is not None:
            self._owners.add(image, owner)
        self._use(image, owner, now)

    def _use(self, image: str, owner: str, now: float) -> None:
        query = "INSERT INTO image_owners VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET used = excluded.used"
        self._connection.execute(query, (image, owner, now))
