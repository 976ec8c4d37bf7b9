"""A safetensors header is read only where it is short, shallow and can be told again as JSON."""

from __future__ import annotations

import io
import json
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palimpsest.storage.header import DEEPEST, HeaderError, parse, read_header


def file(header: bytes, data: bytes = b"") -> io.BytesIO:
    return io.BytesIO(struct.pack("<Q", len(header)) + header + data)


def test_a_header_is_read_and_the_tensors_begin_behind_it():
    header = {"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}, "__metadata__": {"é": "[[[[[["}}
    raw = json.dumps(header, ensure_ascii=False).encode()
    assert read_header(file(raw, b"1234")) == (header, 8 + len(raw))


BAD = {
    "nothing": b"",
    "deep list": b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "one level too deep": b'{"a":' * (DEEPEST + 1) + b"1" + b"}" * (DEEPEST + 1),
    "deep behind a string with brackets": b'{"]]]]]]": ' + b"[" * 900 + b"]" * 900 + b"}",
    "escaped quotes": b'{"a\\"": ' + b'[{"\\"":' * 500,
    "half a character": b'{"\\ud800": 1}',
    "half a character as a value": b'{"a": ["\\udfff"]}',
    "not UTF-8": b'{"\xff": 1}',
    "UTF-16": '{"a": 1}'.encode("utf-16-le"),
    "NaN": b'{"a": NaN}',
    "Infinity": b'{"a": -Infinity}',
    "1e999": b'{"a": 1e999}',
    "a long number": b'{"a": ' + b"9" * 5000 + b"}",
    "a key twice": b'{"a": 1, "a": 2}',
    "a list": b"[1]",
    "cut": b'{"a": ',
    "unterminated": b'{"' + b'\\"' * 100_000,
}


@pytest.mark.parametrize("what", BAD)
def test_what_could_break_a_list_is_refused(what):
    with pytest.raises(HeaderError):
        read_header(file(BAD[what]))


LIES = [b"", b"1234567", struct.pack("<Q", 1 << 62) + b"{}", b"\xff" * 8 + b"{}"]


@pytest.mark.parametrize("content", LIES)
def test_a_length_that_is_a_lie_costs_nothing(content):
    with pytest.raises(HeaderError):
        read_header(io.BytesIO(content))


def test_a_file_that_was_cut_short_is_not_read():
    with pytest.raises(HeaderError, match="cut short"):
        read_header(io.BytesIO(struct.pack("<Q", 100) + b'{"a": 1}'))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(st.characters(codec=None), max_size=5),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(max_size=3), below, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(st.text(max_size=3), JSON, max_size=3), st.booleans())
def test_what_is_accepted_can_be_told_again(value, ascii_only):
    text = json.dumps(value, ensure_ascii=ascii_only)
    try:
        found = parse(text)
    except HeaderError:
        return
    assert found == value
    json.dumps(found, ensure_ascii=False, allow_nan=False).encode("utf-8")
