"""A plug-in that came with a backend, on a computer that has none: uv and the package index are stand-ins."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from client.package_index import Index, package_index, stand_in
from jobs.shop import eventually
from palimpsest_client.setup import index as index_module
from palimpsest_client.setup import installer as backend_setup
from palimpsest_client.setup.bundled import FOLDER, LOCK, Bundle, find_bundle
from palimpsest_client.setup.home import Home
from palimpsest_client.setup.state import Setup

WHEEL = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


class Bench:
    """``came``: how often the backend was ready. ``calls``: what uv was asked for."""

    def __init__(self, folder: Path, index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.index = folder, index
        self.home = Home(folder / "data" / "backend")
        self.orders = folder / "orders.json"
        self.came: list[str] = []
        self.order()
        monkeypatch.setenv("FAKE_UV", str(self.orders))
        self.programs = folder / "programs"
        self.programs.mkdir()
        monkeypatch.setenv("PATH", str(self.programs))
        for name in ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL", "APPDIR", "FLATPAK_ID"):
            monkeypatch.delenv(name, raising=False)
        for name in ("no_proxy", "NO_PROXY"):  # the index is here, whatever this machine's proxies are
            monkeypatch.setenv(name, "127.0.0.1,localhost")
        self.free = 1 << 40  # bytes on the disk: a mirror takes more than a machine for tests may have
        usage = lambda _: SimpleNamespace(free=self.free)  # noqa: E731
        monkeypatch.setattr(backend_setup.shutil, "disk_usage", usage)
        monkeypatch.setattr(index_module, "this_wheel", lambda: index.known)
        self.bundle = self.bring("0.1.0")
        self.setup = self.panel()

    def bring(self, version: str, libraries: tuple[str, ...] = ("numpy==2.0", "pillow==13.0")) -> Bundle:
        """What the plug-in brings along."""
        place = self.folder / f"plugin-{version}" / FOLDER
        place.mkdir(parents=True)
        lines = [library if "--hash" in library else f"{library} --hash=sha256:00" for library in libraries]
        (place / LOCK).write_text("# a lock\n" + "\n".join(lines) + "\n")
        info = f"palimpsest-{version}.dist-info"
        with zipfile.ZipFile(place / f"palimpsest-{version}-py3-none-any.whl", "w") as file:
            file.writestr("palimpsest/__init__.py", f'__version__ = "{version}"\n')
            file.writestr(
                f"{info}/METADATA", f"Metadata-Version: 2.1\nName: palimpsest\nVersion: {version}\n"
            )
            file.writestr(f"{info}/WHEEL", WHEEL)
            listed = [
                "palimpsest/__init__.py",
                *(f"{info}/{name}" for name in ("METADATA", "WHEEL", "RECORD")),
            ]
            file.writestr(f"{info}/RECORD", "".join(f"{name},,\n" for name in listed))
        found = find_bundle(place.parent)
        assert found is not None
        return found

    def panel(self, bundle: Bundle | None = None) -> Setup:
        """Of an editor that was just started."""
        bundle = self.bundle if bundle is None else bundle
        return Setup(self.folder, lambda: None, lambda: self.came.append("ready"), self.home, bundle)

    def with_uv(self) -> Bench:
        program = self.programs / "uv"
        program.write_bytes(stand_in())
        program.chmod(0o755)
        return self

    def order(self, **told: object) -> None:
        self.orders.write_text(json.dumps(told))

    def calls(self) -> list[list[str]]:
        file = self.folder / "calls"
        lines = file.read_text().splitlines() if file.exists() else []
        file.unlink(missing_ok=True)
        return [json.loads(line) for line in lines]

    def until(self, holds):
        def looked():
            self.setup.look()
            return holds(self.setup.state)

        return eventually(looked)

    def ended(self):
        self.until(lambda state: not state.running)
        return self.setup.state

    def done(self) -> list[list[str]]:
        """Set up from here. What uv was asked for."""
        self.calls()
        self.setup.begin()
        assert self.ended().message == "The backend is set up."
        return self.calls()


@contextmanager
def setup_bench(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    with package_index() as served:
        bench = Bench(folder, served, monkeypatch)
        bench.setup.choose(build="cpu", index=served.address)
        yield bench
        bench.setup.stop()
