"""GIMP's procedures from their values to the backend, in a scripted editor."""

from __future__ import annotations

from pathlib import Path

import pytest

from client.scripted import Backend, ScriptedEditor, picture
from jobs.shop import eventually
from palimpsest_client.editor.geometry import Bounds
from palimpsest_client.editor.picture_file import PictureFile
from palimpsest_client.gimp import procedure_run


class Bar(procedure_run.Bar):
    def show(self, text: str, fraction: float | None) -> None:
        pass


@pytest.fixture
def backend(monkeypatch) -> Backend:
    made = Backend()
    monkeypatch.setattr(procedure_run, "find_backend", lambda: procedure_run.Backend(made.connect, (), ()))
    return made


def turning(backend: Backend, turn) -> None:
    """As GIMP's timer; the backend has learned as soon as it is asked to."""
    finished: list[int] = []

    def ended() -> bool:
        if backend.submitted and not finished:
            finished.append(1)
            backend.finish({}, name="my-toy", start=None, best_step=9, steps=10)
        return not turn()

    eventually(ended)


def test_a_part_of_the_picture_to_learn_from_is_sent_once(backend: Backend, tmp_path: Path):
    """With the others, when it is whole: not while it is read, and then again."""
    editor = ScriptedEditor()
    assert editor.facts is not None
    editor.change(selection=Bounds(20, 10, 8, 8))
    files = [tmp_path / "one.png", tmp_path / "two.png"]
    for number, file in enumerate(files):
        file.write_bytes(picture(8, 8, number))
    values = {"name": "my-toy", "noun": "toy", "kind": "subject", "seed": 0, "model": "", "replace": False}
    values.update(files=tuple(map(str, files)), layers=False, selection=True, steps=0)
    run = procedure_run.ProcedureRun(editor, Bar(), lambda turn: turning(backend, turn))
    try:
        assert run.learn({**values, "accept-outliers": False}) == "<my-toy>"
    finally:
        run.close()
    assert len(backend.submitted[0]["request"]["images"]) == 3
    assert [type(file) for file in editor.files] == [PictureFile]
