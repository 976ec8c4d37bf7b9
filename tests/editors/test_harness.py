"""The harness itself: both Kritas run, in the versions they should have, and do what they are told."""

from __future__ import annotations

import pytest

from editors.driven import EditorError
from editors.krita import Krita


def test_krita_answers(krita: Krita):
    version = krita.call("version")
    assert version.startswith("5."), version


def test_an_error_inside_the_editor_is_told_with_its_traceback(krita: Krita):
    with pytest.raises(EditorError, match="KeyError: 'nonsense'"):
        krita.call("nonsense")
