"""The harness itself: both Kritas run, in the versions they should have, and do what they are told."""

from __future__ import annotations

from pathlib import Path

import pytest

from editors.box import Box
from editors.driven import Driven, EditorError
from editors.krita import Krita


def test_krita_answers(krita: Krita):
    version = krita.call("version")
    assert version.startswith("5."), version


def test_an_error_inside_the_editor_is_told_with_its_traceback(krita: Krita):
    with pytest.raises(EditorError, match="KeyError: 'nonsense'"):
        krita.call("nonsense")


def test_an_editor_that_hangs_is_killed_for_the_next_test_to_start_it_anew(tmp_path: Path):
    box = Box()
    log = tmp_path / "log"
    hanging = Driven(box, box.start(["sleep", "600"], log), log)
    with pytest.raises(EditorError, match=r"Waited 0\.1 s for the editor to answer"):
        hanging.call("anything", patience=0.1)
    assert not hanging.alive
    box.close()
