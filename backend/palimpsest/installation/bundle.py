"""What is put into an editor: the plugin's files with the client vendored as ``_client``.

Paths are relative to the editor's folder. One folder is ours alone; a marker in it lists what was made, so
that nothing else is ever overwritten or removed.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import palimpsest_client
from palimpsest import __version__
from palimpsest.installation.editors import GIMP, KRITA
from palimpsest.installation.environment import MARKER, InstallationError

CLIENT = "_client"
SOURCE_ONLY = {".po", ".pot"}  # catalogues as people write them; the compiled ones beside them are read
NEVER = {"__pycache__", CLIENT}  # a checkout that is linked into an editor has its own _client
EPOCH = (1980, 1, 1, 0, 0, 0)  # the same sources make the same zip
SOURCES = {KRITA: "krita_plugin", GIMP: "gimp_plugin"}


@dataclass(frozen=True)
class Bundle:
    """``files``: path in the editor's folder → its source; ``linked``: the same for ``--link``."""

    package: str
    source: Path
    client: Path
    files: Mapping[str, Path]
    linked: Mapping[str, Path]

    @property
    def marker(self) -> str:
        return f"{self.package}/{MARKER}"


def bundle_for(editor: str, root: Path) -> Bundle:
    """The plugin in ``root``, a checkout or a wheel's ``plugins``. Raises InstallationError when it lacks."""
    source = root / SOURCES[editor] / "palimpsest"
    if not source.is_dir() or (editor == KRITA and not source.with_suffix(".desktop").exists()):
        raise InstallationError(f"{source} is not complete. Get the whole of Palimpsest first.")
    package = "pykrita/palimpsest" if editor == KRITA else "plug-ins/palimpsest"
    client = root / "backend" / "palimpsest_client"
    if not client.is_dir():  # in a wheel it is a package of its own
        client = Path(palimpsest_client.__file__).parent
    beside = {_beside(path): path for path in sorted(source.parent.glob("palimpsest.*"))}
    files = {**_tree(source, package), **_tree(client, f"{package}/{CLIENT}"), **beside}
    return Bundle(package, source, client, files, {package: source, **beside})


def contents(bundle: Bundle, more: Mapping[str, bytes] | None = None) -> dict[str, bytes]:
    """Every file that is to be made, the marker included. ``more``: path in the client → what besides."""
    made = {path: source.read_bytes() for path, source in bundle.files.items()}
    for path, data in (more if more is not None else {}).items():
        made[f"{bundle.package}/{CLIENT}/{path}"] = data
    marker = {
        "made_by": "Palimpsest, which removes it again: palimpsest plugins --remove, install.py uninstall",
        "version": __version__,
        "files": {path: hashlib.sha256(data).hexdigest() for path, data in made.items()},
    }
    return {**made, bundle.marker: json.dumps(marker, indent=1).encode()}


def is_program(path: str) -> bool:
    """GIMP silently leaves out a plugin that isn't executable."""
    name = PurePosixPath(path)
    return name.suffix == ".py" and name.parent.name == name.stem


def write_zip(bundle: Bundle, archive: Path, carried: Mapping[str, bytes]) -> None:
    """For Krita's own importer, which looks for folders' entries, or to be unpacked into ``plug-ins``.

    ``carried``: the backend, from which the panel sets it up (``wheel.py``).
    """
    archive.parent.mkdir(parents=True, exist_ok=True)
    inside = contents(bundle, carried)
    made = {PurePosixPath(*PurePosixPath(path).parts[1:]): data for path, data in inside.items()}
    folders = {f"{folder}/" for path in made for folder in path.parents if folder.name}
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for folder in sorted(folders):
            file.writestr(_entry(folder, 0o40755), b"")
        for path, data in sorted(made.items()):
            file.writestr(_entry(str(path), 0o100755 if is_program(str(path)) else 0o100644), data)


def _entry(name: str, mode: int) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, EPOCH)
    entry.external_attr = mode << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry


def _tree(source: Path, target: str) -> dict[str, Path]:
    files = (path for path in sorted(source.rglob("*")) if path.is_file())
    paths = (path for path in files if path.suffix not in SOURCE_ONLY)
    own = ((path, path.relative_to(source)) for path in paths)
    return {f"{target}/{below.as_posix()}": path for path, below in own if not NEVER & set(below.parts)}


def _beside(path: Path) -> str:
    """Krita wants the plugin's description beside its folder, and its actions in a folder of their own."""
    return f"{'actions' if path.suffix == '.action' else 'pykrita'}/{path.name}"
