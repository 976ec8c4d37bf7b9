"""What runs inside the editors runs on Python 3.8, which some builds of Krita bring along.

Annotations are never evaluated there (``from __future__ import annotations``), so they may be of any age.
"""

from __future__ import annotations

import ast
import builtins
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import vermin

ROOT = Path(__file__).parent.parent
FOLDERS = ("backend/palimpsest_client", "krita_plugin/palimpsest", "gimp_plugin/palimpsest")
FILES = [file for folder in FOLDERS for file in sorted((ROOT / folder).rglob("*.py"))]
SINCE_3_9 = {"removeprefix", "removesuffix", "is_relative_to", "with_stem", "hardlink_to", "bit_count"}
NEWER = re.compile(r"\b3\.(9|\d\d)$")
CONFIG = vermin.Config()
CONFIG.set_eval_annotations(True)  # all that are left when WithoutAnnotations is done
CONFIG.set_verbose(2)


class WithoutAnnotations(ast.NodeTransformer):
    """What is left is what Python evaluates."""

    def visit_arg(self, node: ast.arg) -> ast.arg:
        return ast.arg(node.arg)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        node.annotation = ast.Constant("annotation")
        return self.generic_visit(node)


def evaluates(tree: ast.Module) -> ast.Module:
    return WithoutAnnotations().visit(tree)


def is_union(node: ast.BinOp) -> bool:
    """``int | None`` or ``Some | Other``, but not flags: ``Flags.ONE | Flags.OTHER``."""
    return isinstance(node.op, ast.BitOr) and any(is_type(side) for side in (node.left, node.right))


def is_type(node: ast.expr) -> bool:
    if isinstance(node, ast.Name):
        named_as_one = node.id[:1].isupper() and not node.id.isupper()
        return named_as_one or isinstance(getattr(builtins, node.id, None), type)
    return isinstance(node, ast.Constant) and node.value is None


def too_new(source: str) -> list[str]:
    """What in it needs a newer Python than 3.8."""
    tree = ast.parse(source, feature_version=(3, 8))
    methods = [n.attr for n in ast.walk(tree) if isinstance(n, ast.Attribute) and n.attr in SINCE_3_9]
    evaluated = vermin.visit(ast.unparse(evaluates(tree)), config=CONFIG)
    assert isinstance(evaluated, vermin.SourceVisitor)
    unions = [ast.unparse(n) for n in ast.walk(evaluates(tree)) if isinstance(n, ast.BinOp) and is_union(n)]
    return [*methods, *unions, *(line for line in evaluated.output_text().splitlines() if NEWER.search(line))]


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.parent.name}/{file.name}")
def test_it_needs_no_newer_python(file: Path) -> None:
    source = file.read_text(encoding="utf-8")
    assert too_new(source) == []
    nodes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.arg | ast.AnnAssign)]
    assert not any(node.annotation for node in nodes) or "from __future__ import annotations" in source


@pytest.mark.parametrize(
    "source",
    [
        "Handler = dict[str, int]",
        "from collections.abc import Callable\nHandler = Callable[[int], None]",
        "Either = int | None",
        "def f(name): return name.removeprefix('a')",
        "import functools\n@functools.cache\ndef f(): pass",
        "from dataclasses import dataclass\n@dataclass(slots=True)\nclass A: pass",
        "for pair in zip([1], [2], strict=True): pass",
        "both = {} | {}",
        "import tomllib",
    ],
)
def test_newer_things_are_seen(source: str) -> None:
    assert too_new(source) != []


def test_newer_syntax_is_seen() -> None:
    with pytest.raises(SyntaxError):
        too_new("match 1:\n    case 1: pass")


def test_annotations_may_be_new() -> None:
    source = "def f(x: int | None, *y: list[int]) -> dict[str, int]:\n    z: tuple[int, ...] = ()"
    assert too_new(source) == []


def test_a_real_python_3_8_reads_it_all() -> None:
    """All of the client is imported; of the plugins, which need their editors, every file is compiled."""
    python = python_3_8()
    if python is None:
        pytest.skip("no Python 3.8 here")
    backend = ROOT / "backend"
    modules = [file.relative_to(backend).with_suffix("") for file in (ROOT / FOLDERS[0]).rglob("*.py")]
    work = [f"import {'.'.join(module.parts)}" for module in modules if module.name != "__init__"]
    work += [f"compile(open({str(file)!r}, 'rb').read(), {file.name!r}, 'exec')" for file in FILES]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "backend"), "PYTHONDONTWRITEBYTECODE": "1"}
    result = subprocess.run([python, "-c", "\n".join(work)], env=environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr


def python_3_8() -> str | None:
    installed = sorted(str(path) for path in Path.home().glob(".pyenv/versions/3.8.*/bin/python3.8"))
    for python in [shutil.which("python3.8"), *installed]:
        if python and subprocess.run([python, "-c", ""], capture_output=True).returncode == 0:
            return python
    return None
