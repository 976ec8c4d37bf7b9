"""Documents are named by keys, however often an editor hands them out."""

from __future__ import annotations

import pytest

from palimpsest_client.editor.keys import Keys
from palimpsest_client.editor.slices import WorkError
from palimpsest_client.text.wording import say


def test_a_document_keeps_its_key_and_no_other_ever_gets_it():
    open_ones, seen = [(1,), (2,)], []
    keys = Keys(lambda one: one in open_ones, lambda: seen.append(1))
    first, second = keys.key_of((1,)), keys.key_of((2,))
    assert len({first, second}) == 2
    assert keys.key_of((int("1"),)) == first, "another object that compares equal"
    assert keys.find(first) == (1,)
    assert len(seen) == 2
    open_ones.remove((1,))
    assert keys.find(first) is None
    with pytest.raises(WorkError, match=say("closed")):
        keys.require(first)
    assert keys.require(second) == (2,)
    open_ones.append((3,))
    assert keys.key_of((3,)) not in (first, second)
    assert keys.find("7") is None
