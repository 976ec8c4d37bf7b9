"""What is filled in for each document, kept while it is open and, by its file, for the next time."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Dict

from ..editor.editor import DocumentFacts, Editor
from ..fields.controls import Form
from ..fields.operations import OPERATIONS
from ..fields.settings import Settings, for_next_picture, own_of, settings_from_json
from ..json_file import alone_with, read_json, write_json

NOTES = "sentences.json"
MOST = 100  # documents that are remembered


class SavedForms:
    """``form`` and ``keep``; written to the disk by ``save``, whose failure loses nothing that is open."""

    def __init__(self, folder: Path, first: Settings, editor: Editor) -> None:
        self._place, self._editor = folder / NOTES, editor
        self._open: Dict[str, Form] = {}
        self._files: Dict[str, Any] = read_notes(self._place)
        self._unsaved: Dict[str, Any] = {}  # what was kept for files since
        self._last = Form(settings=first)

    def form(self, facts: DocumentFacts) -> Form:
        """What was filled in for it; a new document starts with the operation and the
        lasting settings used last."""
        if facts.key in self._open:
            return self._open[facts.key]
        told = self._files.get(facts.file) if facts.file else None
        told = told or read_note(self._editor.note(facts.key))
        if told:
            return form_from_json(told)
        return Form(operation=self._last.operation, settings=for_next_picture(self._last.settings))

    def keep(self, facts: DocumentFacts, form: Form) -> None:
        self._open[facts.key] = self._last = form
        if form.source_prompt:
            self._editor.keep_note(facts.key, json.dumps(form_to_json(form)))
        if facts.file and form.source_prompt:
            self._files[facts.file] = self._unsaved[facts.file] = form_to_json(form)

    def begin_with(self, **settings: Any) -> None:
        """What a new document starts with from now on."""
        self._last = replace(self._last, settings=replace(self._last.settings, **settings))

    def forget(self) -> None:
        """All files; what is open stays. Raises OSError."""
        self._files, self._unsaved = {}, {}
        with suppress(FileNotFoundError):
            self._place.unlink()

    def save(self) -> None:
        """Beside what the other editor has saved meanwhile."""
        if not self._unsaved:
            return
        try:
            with alone_with(self._place):
                found = read_notes(self._place)
                for file in self._unsaved:
                    found.pop(file, None)  # it is the latest again
                self._files = dict([*found.items(), *self._unsaved.items()][-MOST:])
                write_json(self._place, self._files)
            self._unsaved = {}
        except OSError:
            pass  # a full or read-only disk must not end an edit


def read_note(text: str) -> Dict[str, Any]:
    """Of a document that was filled in by a panel that is closed."""
    try:
        told = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def read_notes(place: Path) -> Dict[str, Any]:
    told = read_json(place)
    return told if isinstance(told, dict) else {}


def form_to_json(form: Form) -> Dict[str, Any]:
    """Its names are those of the files in people's homes, and of the notes in open documents."""
    return {
        "operation": form.operation,
        "first": form.source_prompt,
        "seconds": dict(form.operands),
        "sentences": dict(form.own_targets),
        "weights": dict(form.weights),
        "settings": asdict(form.settings),
        "apart": {operation: dict(own) for operation, own in form.other_settings.items()},
    }


def form_from_json(told: Mapping[str, Any]) -> Form:
    """What can be read of it: a file of another version is no reason to fail."""
    try:
        form = Form(
            operation=str(told["operation"]),
            source_prompt=str(told["first"]),
            operands={operation: text for operation, text in told["seconds"].items() if text},
            own_targets=dict(told["sentences"]),
            weights=dict(told["weights"]),
            settings=settings_from_json(told["settings"]),
            other_settings={
                operation: own_of(settings_from_json(own)) for operation, own in told.get("apart", {}).items()
            },
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        return Form()
    return form if form.operation in OPERATIONS else Form()
