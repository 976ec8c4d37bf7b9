"""Concept files that strangers send are read in a process of their own.

It may load torch, and whatever a broken file does to it, the server goes on.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from palimpsest import interpreter
from palimpsest.errors import ConceptFileError, PalimpsestError, from_json
from palimpsest.storage.concepts import ConceptLibrary

SECONDS = 120.0


def import_apart(
    library: Path, source: Path, name: str, family: str | None = None, replace: bool = False
) -> None:
    """``ConceptLibrary.import_file`` elsewhere. Raises what it raises."""
    order = {"source": str(source.absolute()), "name": name, "family": family, "replace": replace}
    _run(library, {"do": "import", **order})


def rename_apart(library: Path, name: str, new_name: str) -> None:
    _run(library, {"do": "rename", "name": name, "new_name": new_name})


def export_apart(library: Path, name: str, target: Path) -> None:
    _run(library, {"do": "export", "name": name, "target": str(target.absolute())})


def _run(library: Path, order: dict[str, Any]) -> None:
    try:
        done = subprocess.run(
            interpreter.module_command("palimpsest.storage.apart", str(library.absolute())),
            cwd=interpreter.SAFE_FOLDER,
            env=interpreter.surroundings(),
            input=json.dumps(order),
            capture_output=True,
            text=True,
            timeout=SECONDS,
        )
        answer = json.loads(done.stdout.splitlines()[-1])
    except (subprocess.TimeoutExpired, ValueError, IndexError):
        raise ConceptFileError("The concept's file can't be read.", "It may be damaged.") from None
    if answer is not None:
        raise from_json(answer)


def _obey(library: ConceptLibrary, order: dict[str, Any]) -> None:
    if order["do"] == "rename":
        library.rename(order["name"], order["new_name"])
    elif order["do"] == "export":
        library.export_file(order["name"], Path(order["target"]))
    else:
        _import(library, Path(order["source"]), order["name"], order["family"], order["replace"])


def _import(library: ConceptLibrary, source: Path, name: str, family: str | None, replace: bool) -> None:
    """An upload is gone afterwards: a command that converts it must be asked for where its original is."""
    try:
        library.import_file(source, name, family, replace)
    except ConceptFileError as error:
        if error.details.get("pickled"):
            where = "Where the file is, palimpsest concepts import FILE says how to convert it."
            raise ConceptFileError(error.message, where, **error.details) from None
        raise


def main() -> None:
    try:
        _obey(ConceptLibrary(Path(sys.argv[1])), json.loads(sys.stdin.read()))
        print("null")
    except PalimpsestError as error:
        print(json.dumps(error.to_json()))


if __name__ == "__main__":
    main()
