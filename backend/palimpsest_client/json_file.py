"""Small files of JSON in the configuration folder, read with patience and written whole or not at all."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any


def read_json(place: Path) -> Any:
    """None if it isn't there or can't be read: what is kept there is never needed to go on."""
    try:
        return json.loads(place.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None


def write_json(place: Path, told: Any, private: bool = False) -> None:
    """``private``: readable by this user alone. Raises OSError."""
    place.parent.mkdir(parents=True, exist_ok=True)
    part = place.with_suffix(".part")
    if private:
        part.touch(mode=0o600)
    part.write_text(json.dumps(told, ensure_ascii=False, indent=1), encoding="utf-8")
    os.replace(str(part), str(place))
