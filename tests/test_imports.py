"""Who may import whom, read from the source (lazy imports and imports for types count too)."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Container, Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

BACKEND = Path(__file__).parent.parent / "backend"
ARCHITECTURE = BACKEND.parent / "docs" / "architecture.md"
PLUGINS = [BACKEND.parent / "krita_plugin", BACKEND.parent / "gimp_plugin" / "palimpsest"]
STANDARD = frozenset(sys.stdlib_module_names)

#: package → what it may import beside itself and the standard library
RULES: dict[str, tuple[str, ...]] = {
    "palimpsest.contract": (
        "palimpsest.errors",
        "palimpsest.limits",
        "palimpsest_client",
    ),
    "palimpsest.limits": ("palimpsest.errors",),
    "palimpsest.errors": ("palimpsest_client.text.refusals",),
    "palimpsest.settings": ("palimpsest.errors", "palimpsest.storage.paths"),
    "palimpsest.core": (
        "palimpsest.errors",
        "palimpsest_client.text.differences",
        "palimpsest_client.editor.geometry",
        "palimpsest_client.methods",
        "palimpsest_client.fields.operations",
        "palimpsest_client.editor.regions",
        "torch",
        "numpy",
    ),
    "palimpsest.interpreter": (),
    "palimpsest.jobs": ("palimpsest.errors", "palimpsest.interpreter"),
    "palimpsest.storage": (
        "palimpsest.errors",
        "palimpsest.interpreter",
        "palimpsest.limits",
        "palimpsest.jobs.events",
        "palimpsest.jobs.state",
        "palimpsest.jobs.log",
        "palimpsest.core.adapters",
        "palimpsest.core.colours",
        "palimpsest.core.concept",
        "torch",
        "numpy",
        "PIL",
        "safetensors",
    ),
    "palimpsest.models": (
        "palimpsest.errors",
        "palimpsest.interpreter",
        "palimpsest.settings",
        "palimpsest.contract",
        "palimpsest.core.finite",
        "palimpsest.limits",
        "palimpsest.core.learning.settings",
        "palimpsest.core.lora",
        "palimpsest.core.model",
        "palimpsest.core.networks",
        "palimpsest.core.process",
        "palimpsest.storage.atomic",
        "palimpsest.storage.files",
        "palimpsest.storage.room",
        "palimpsest.storage.header",
        "palimpsest.builtin",  # the folder in which the built-in model lies
        "palimpsest_client.fields.operations",
        "torch",
        "diffusers",
        "transformers",
        "safetensors",
        "requests",
        "urllib3",
        "huggingface_hub",
    ),
    "palimpsest.tasks": (
        "palimpsest",
        "palimpsest.errors",
        "palimpsest.contract",
        "palimpsest.core",
        "palimpsest.models",
        "palimpsest.storage",
        "palimpsest.jobs.events",
        "palimpsest.builtin.describe",
        "palimpsest.builtin.judge",
        "palimpsest_client.methods",
        "palimpsest_client.fields.operations",
        "palimpsest_client.text.habits",
        "torch",
        "numpy",
        "safetensors",
    ),
    "palimpsest.api": (
        "palimpsest",
        "palimpsest.errors",
        "palimpsest.contract",
        "palimpsest.limits",
        "palimpsest.jobs",
        "palimpsest.storage",
        "palimpsest_client.fields.settings",
        "fastapi",
        "starlette",
        "pydantic",
        "anyio",
        "uvicorn.protocols.http.h11_impl",
        "h11",
    ),
    "palimpsest.parser": ("palimpsest.errors",),
    "palimpsest.installation": (
        "palimpsest",
        "palimpsest.errors",
        "palimpsest.parser",
        "palimpsest.interpreter",
        "palimpsest.storage.paths",
        "palimpsest_client",
    ),
    "palimpsest.scenes": ("palimpsest.errors", "numpy"),
    "palimpsest.builtin": (
        "palimpsest.errors",
        "palimpsest.contract",
        "palimpsest.scenes",
        "torch",
        "numpy",
        "safetensors",
    ),
    "palimpsest.training": (
        "palimpsest.errors",
        "palimpsest.interpreter",
        "palimpsest.installation.origin",
        "palimpsest.builtin",
        "palimpsest.scenes",
        "torch",
        "numpy",
        "PIL",
        "safetensors",
        "diffusers",
        "transformers",
        "tokenizers",
    ),
    "palimpsest.demo": (
        "palimpsest.errors",
        "palimpsest.contract",
        "palimpsest.jobs.events",
        "palimpsest.scenes",
        "palimpsest.storage",
        "palimpsest.tasks.runner",
        "palimpsest_client.methods",
        "numpy",
        "PIL",
    ),
    "palimpsest.bench": (
        "palimpsest",
        "palimpsest.errors",
        "palimpsest.interpreter",
        "palimpsest.settings",
        "palimpsest.contract",
        "palimpsest.core",
        "palimpsest.models",
        "palimpsest.builtin",
        "palimpsest.scenes",
        "palimpsest.demo.make_pictures",
        "palimpsest.storage",
        "palimpsest.tasks",
        "palimpsest.jobs.events",
        "palimpsest.installation.origin",
        "palimpsest_client",
        "torch",
        "numpy",
        "PIL",
        "diffusers",
        "transformers",
    ),
    "palimpsest_client": (),
}

#: room of palimpsest_client → those that it may import beside itself
ROOMS: dict[str, tuple[str, ...]] = {
    "lock": (),
    "folders": (),
    "limits": (),
    "methods": (),
    "json_file": ("lock",),
    "text": ("folders", "limits", "methods", "json_file"),
    "editor": ("text",),
    "fields": ("limits", "methods", "json_file", "text", "editor"),
    "http": ("folders", "json_file", "text", "editor"),
    "setup": ("lock", "folders", "json_file", "text", "http"),
    "panel": ("folders", "methods", "json_file", "text", "editor", "fields", "http", "setup"),
    "learning": ("limits", "text", "editor", "http", "panel"),
    "views": ("text", "editor", "fields", "http", "setup", "panel", "learning"),
    "gimp": ("folders", "limits", "text", "editor", "fields", "http", "panel", "learning", "views"),
    "krita": ("text", "editor"),
}


def imported(path: Path) -> Iterator[tuple[str, int]]:
    """Every module that a file imports, with its line."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0 or "palimpsest_client" in path.parts, f"{path}: relative import"
            yield from ((name, node.lineno) for name in _modules(_source(node, path), node.names))


def _source(node: ast.ImportFrom, path: Path) -> str:
    """The whole name of what stands behind ``from``."""
    above = path.relative_to(BACKEND).parts[: -node.level] if node.level else ()
    return ".".join([*above, *([node.module] if node.module else [])])


def _modules(module: str, names: list[ast.alias]) -> list[str]:
    """``from palimpsest import contract`` imports palimpsest.contract."""
    if module.split(".")[0] not in ("palimpsest", "palimpsest_client"):
        return [module]
    return [f"{module}.{a.name}" if _is_module(f"{module}.{a.name}") else module for a in names]


def _is_module(dotted: str) -> bool:
    place = BACKEND.joinpath(*dotted.split("."))
    return place.is_dir() or place.with_suffix(".py").is_file()


def allowed(module: str, package: str) -> bool:
    if module.split(".")[0] in STANDARD or within(module, package):
        return True
    return any(module == rule if rule == "palimpsest" else within(module, rule) for rule in RULES[package])


def within(module: str, package: str) -> bool:
    return module == package or module.startswith(package + ".")


def files(package: str) -> list[Path]:
    place = BACKEND.joinpath(*package.split("."))
    return sorted(place.rglob("*.py")) if place.is_dir() else [place.with_suffix(".py")]


@pytest.mark.parametrize("package", RULES)
def test_a_package_imports_only_what_it_may(package: str) -> None:
    wrong = [
        f"{path.relative_to(BACKEND)}:{line} imports {module}"
        for path in files(package)
        for module, line in imported(path)
        if not allowed(module, package)
    ]
    assert wrong == []


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_what_it_may(room: str) -> None:
    """And nothing is listed that it doesn't import."""
    found = {
        module.split(".")[1]
        for path in files(f"palimpsest_client.{room}")
        for module, _ in imported(path)
        if within(module, "palimpsest_client")
    }
    assert found - {room} == set(ROOMS[room])


def test_every_room_has_its_rule() -> None:
    there = {
        path.stem for path in (BACKEND / "palimpsest_client").glob("[!_]*") if path.suffix in ("", ".py")
    }
    assert there - {"icons", "languages"} == set(ROOMS)


def test_no_rooms_import_each_other_in_a_circle() -> None:
    assert circle_in({room: set(others) for room, others in ROOMS.items()}) == []


def test_every_package_has_its_rule() -> None:
    """But the doors, which put things together."""
    doors = {"cli", "app", "__main__"}
    data = {"dashboard"}
    there = {path.stem for path in (BACKEND / "palimpsest").glob("[!_]*") if path.suffix in ("", ".py")}
    assert there - {package.removeprefix("palimpsest.") for package in RULES} - doors - data == set()


def test_what_is_installed_does_without_the_training() -> None:
    """The wheel leaves it out: it is run from a checkout."""
    wrong = [
        f"{path.relative_to(BACKEND)}:{line} imports {module}"
        for path in (BACKEND / "palimpsest").rglob("*.py")
        if "training" not in path.parts
        for module, line in imported(path)
        if within(module, "palimpsest.training")
    ]
    assert wrong == []


def test_the_architecture_says_the_same() -> None:
    said = ARCHITECTURE.read_text(encoding="utf-8")
    for rules in (RULES, ROOMS):
        assert table(rules) in said, f"docs/architecture.md should have:\n{table(rules)}"


def table(rules: dict[str, tuple[str, ...]]) -> str:
    """The rules as the rows of a document's table."""

    def called(names: tuple[str, ...]) -> str:
        return ", ".join(f"`{name.removeprefix('palimpsest.')}`" for name in names)

    return "".join(
        f"| {called((package,))} | {called(others) or '–'} |\n" for package, others in rules.items()
    )


def test_the_rules_see_what_they_should(tmp_path: Path) -> None:
    """The walk finds imports inside functions and under TYPE_CHECKING, and the rules refuse them."""
    path = tmp_path / "x.py"
    path.write_text("def f():\n    from palimpsest.storage import images\n    import fastapi\n")
    assert [module for module, _ in imported(path)] == ["palimpsest.storage.images", "fastapi"]
    assert not allowed("palimpsest.storage.images", "palimpsest.core")
    assert not allowed("fastapi", "palimpsest.jobs")
    assert not allowed("palimpsest.tasks.edit", "palimpsest.api")
    assert not allowed("palimpsest.core", "palimpsest.api")
    assert allowed("palimpsest.core.model", "palimpsest.models")
    assert not allowed("palimpsest.core.editing.sampling", "palimpsest.models")


def test_only_the_networks_folder_knows_which_network_it_is() -> None:
    """So that another kind of network is one more file there."""
    core = BACKEND / "palimpsest" / "core"
    others = [path for path in core.rglob("*.py") if path.parent != core / "networks"]
    assert len(others) > 40
    wrong = [
        f"{path.relative_to(core)}:{line}"
        for path in others
        for line, text in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if "unet" in text.lower()
    ]
    assert wrong == []


def test_nobody_but_the_doors_knows_everybody() -> None:
    """Command line and application put things together; nothing below imports them."""
    doors = ("palimpsest.cli", "palimpsest.app", "palimpsest.api")
    own = {"cli", "app.py", "api", "__main__.py"}
    wrong = [
        f"{path.relative_to(BACKEND)}:{line} imports {module}"
        for path in (BACKEND / "palimpsest").rglob("*.py")
        if path.relative_to(BACKEND / "palimpsest").parts[0] not in own
        for module, line in imported(path)
        if any(within(module, door) for door in doors)
    ]
    assert wrong == []


def own_imports(root: Path) -> dict[str, set[str]]:
    """Module below ``root`` → the others there that it imports, wherever in it and for whatever reason."""
    paths = {_dotted(path.relative_to(root)): path for path in root.rglob("*.py")}
    found: dict[str, set[str]] = {}
    for module, path in paths.items():
        package = module if path.name == "__init__.py" else module.rpartition(".")[0]
        names = set[str]()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
                source = ".".join([*above, *([node.module] if node.module else [])])
                names |= {_deepest(source, alias.name, paths) for alias in node.names}
        found[module] = {name for name in names if name in paths and name != module}
    return found


def _dotted(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _deepest(source: str, name: str, modules: Container[str]) -> str:
    """``from palimpsest import contract`` imports palimpsest.contract."""
    return f"{source}.{name}" if f"{source}.{name}" in modules else source


def circle_in(imports: dict[str, set[str]]) -> list[str]:
    """Modules each of which imports the one before it, the first at both ends; empty: there is no circle."""
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        return error.args[1]
    return []


@pytest.mark.parametrize("root", [BACKEND, *PLUGINS], ids=lambda root: root.parent.name)
def test_no_modules_import_each_other_in_a_circle(root: Path) -> None:
    """Imports inside functions and those for types count: whoever reads one would have to read all."""
    assert circle_in(own_imports(root)) == []


def test_circles_are_seen(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "one/__init__.py").write_text("")
    (tmp_path / "one/a.py").write_text("def f():\n    from one import b\n")
    (tmp_path / "one/b.py").write_text("if TYPE_CHECKING:\n    from .c import d\n")
    (tmp_path / "one/c.py").write_text("import one.a\n")
    imports = own_imports(tmp_path)
    assert imports == {"one": set(), "one.a": {"one.b"}, "one.b": {"one.c"}, "one.c": {"one.a"}}
    assert sorted(set(circle_in(imports))) == ["one.a", "one.b", "one.c"]
    assert circle_in({**imports, "one.c": set()}) == []


#: an import of a test, also in a program that a test writes
SHARED = re.compile(r"\b(?:from|import) (?:[\w.]+\.)?(?:test_\w+|conftest)\b")


def test_no_test_imports_another() -> None:
    """What tests share lies in modules of its own; fixtures stand in a conftest.py, which nobody imports."""
    tests = Path(__file__).parent
    wrong = [
        f"{path.relative_to(tests)}:{number} {line.strip()}"
        for path in sorted(tests.rglob("*.py"))
        if path != Path(__file__)  # which has examples below
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if SHARED.search(line)
    ]
    assert wrong == []
    assert SHARED.search("from tasks.test_edit import run")
    assert SHARED.search('"import sys; from test_edit import run"')
