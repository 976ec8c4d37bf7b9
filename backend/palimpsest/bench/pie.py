"""``palimpsest bench pie``: PIE-Bench's protocol (Ju et al. 2024), for whoever has its data and a real model.

Each edit is done as a user would do it, with the operation's own defaults. Edited pictures are kept as soon
as they are made, so an interrupted run goes on where it was.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from palimpsest.bench.pictures import Picture
from palimpsest.bench.pie_clip import Clip
from palimpsest.bench.pie_data import Entry, chosen
from palimpsest.bench.pie_measures import background, mask_of, with_border
from palimpsest.bench.pie_report import About, Outcome, markdown, summary
from palimpsest.bench.quality_store import Store, edit
from palimpsest.bench.scratch_runner import scratch_runner
from palimpsest.contract import EditRequest, InversionMethod, InversionSettings
from palimpsest.errors import PalimpsestError
from palimpsest.storage.atomic import write_atomically
from palimpsest.storage.pictures import read_picture
from palimpsest.storage.png import encode
from palimpsest.tasks.runner import TaskRunner

REFUSED = 2  # exit code of an error that the request is the reason for


@dataclass(frozen=True)
class Pie:
    """How every edit is done."""

    runner: TaskRunner
    model: str
    method: InversionMethod
    masks: bool  # whether the data set's masks are selected
    store: Store
    clip: Clip | None = None

    def outcomes(self, entries: Sequence[Entry]) -> Iterator[Outcome]:
        for number, entry in enumerate(entries, 1):
            print(f"{entry.key}, {number} of {len(entries)}", file=sys.stderr, flush=True)
            yield self.outcome(entry)

    def outcome(self, entry: Entry) -> Outcome:
        """What the product says against the edit is part of it; other PalimpsestErrors are raised."""
        begun = Outcome(entry.key, entry.type, entry.operation(self.masks), entry.shows, entry.should_show)
        try:
            return self._measured(entry, begun)
        except PalimpsestError as error:
            if error.exit_code != REFUSED:
                raise
            return replace(begun, refused=str(error))

    def _measured(self, entry: Entry, begun: Outcome) -> Outcome:
        photo = read_picture(entry.photo).pixels
        mask = mask_of(entry, *photo.shape[:2])
        request = self.request(entry, mask)
        content, made = edit(self.runner, request, f"pictures/{entry.key}.png", {}, self.store)
        edited: Picture = read_picture(content).pixels
        to_change = with_border(mask)
        return replace(
            begun,
            operation=request.operation,
            background=background(photo, edited, mask),
            clip=None if self.clip is None else self.clip.similarity(edited, entry.should_show, to_change),
            edit=made,
        )

    def request(self, entry: Entry, mask: NDArray[np.bool_]) -> EditRequest:
        """A mask of nothing or of everything is no selection."""
        selected = self.masks and bool(mask.any()) and not mask.all()
        selection = encode(np.where(mask, np.uint8(255), np.uint8(0))) if selected else None
        return EditRequest(
            image=self.runner.images.put(entry.photo.read_bytes()),
            operation=entry.operation(selected),
            source_prompt=entry.shows,
            target_prompt=entry.should_show,
            selection=None if selection is None else self.runner.images.put(selection),
            model=self.model,
            inversion=InversionSettings(method=self.method),
        )


def run(options: argparse.Namespace, entries: Sequence[Entry]) -> int:
    """``entries``: all of the data set."""
    with scratch_runner(options.device) as runner:
        loaded = runner.models.get(options.model)
        clip = None if options.clip is None else Clip(options.clip, runner.device)
        pie = Pie(runner, options.model, options.method, options.masks, Store(options.output), clip)
        about = About(
            options.model, loaded.weights_hash, options.method, options.masks, loaded.steps, loaded.guidance,
            str(runner.device), None if options.clip is None else str(options.clip),
        )  # fmt: skip
        report = summary(about, list(pie.outcomes(chosen(entries, options.type, options.cases))))
    files = {"report.json": json.dumps(report, indent=2) + "\n", "report.md": markdown(report)}
    for name, text in files.items():
        write_atomically(options.output / name, text.encode())
    places = {name: str(options.output / name) for name in files}
    print(json.dumps({"files": places}) if options.json else "\n".join(places.values()))
    return 0
