"""Files are read within bounds; what is no regular file is refused without waiting for it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from palimpsest.storage.files import open_regular, read_regular


def test_a_file_is_read_whole_or_one_byte_too_far(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"12345")
    assert [read_regular(tmp_path / "file", most) for most in (3, 4, 5, 9)] == [b"1234", *[b"12345"] * 3]
    with pytest.raises(FileNotFoundError):
        read_regular(tmp_path / "missing", 9)
    with pytest.raises((IsADirectoryError, PermissionError)):  # on Windows the second
        read_regular(tmp_path, 9)


@pytest.mark.skipif(os.name != "posix", reason="pipes and devices with names")
def test_pipes_and_devices_are_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("/dev/zero")
    for path, kind in (("pipe", "a pipe"), ("/dev/null", "a device"), ("link", "a device")):
        with pytest.raises(OSError, match=f"it is {kind}, not a file"):
            open_regular(tmp_path / path)
