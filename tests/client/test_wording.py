"""Every text is there, is used, and can be translated."""

from __future__ import annotations

import ast
import re
import string
from pathlib import Path

import pytest

from palimpsest.models.offers import OFFERS
from palimpsest_client.fields.operations import OPERATIONS
from palimpsest_client.fields.settings import CONTROLS, SENTENCE, WEIGHT
from palimpsest_client.gimp.procedures import PROCEDURES
from palimpsest_client.panel.preferences import FIELDS, LIVE
from palimpsest_client.setup.home import BUILD, ENVIRONMENT, PACKAGE, RUNTIME
from palimpsest_client.setup.installer import UV
from palimpsest_client.setup.machine import ROOM
from palimpsest_client.setup.state import BUTTON_TEXTS
from palimpsest_client.text.wording import ENGLISH, SINGULAR, duration, phase, say
from palimpsest_client.views.windows import action_name

FUNCTIONS = (ast.FunctionDef, ast.Lambda)
ROOT = Path(__file__).parent.parent.parent
FILES = [
    path
    for folder in ("backend/palimpsest_client", "krita_plugin/palimpsest", "gimp_plugin/palimpsest")
    for path in sorted((ROOT / folder).rglob("*.py"))
]
SETUP_STEPS = ENVIRONMENT, RUNTIME, BUILD, PACKAGE
MADE = [f"{stem}-{name}" for stem in ("second", "example", "tip", "select", "layer") for name in OPERATIONS]
TABLE = (*CONTROLS.values(), SENTENCE, WEIGHT, *FIELDS)
MADE += [f"setup-{name}" for name in (*BUTTON_TEXTS, *ROOM, UV, *SETUP_STEPS, "checking", "removing")]
MADE += [f"{stem}{c.key}" for stem in ("", "tip-", "technical-") for c in TABLE]
MADE += [f"{action_name(operation)}-action" for operation in OPERATIONS.values()]
MADE += [f"{c.key}-{name}" for c in (*CONTROLS.values(), LIVE) for name in c.choices] + [*OPERATIONS]
MADE += [f"{stem}-{procedure.name}" for stem in ("menu", "does") for procedure in PROCEDURES]
MADE += [f"model-note-{offer.name}" for offer in OFFERS if offer.note]
MADE += [f"returns-{procedure.returns[1]}" for procedure in PROCEDURES if procedure.returns]


def said(path: Path) -> set[str]:
    """Every string of a file: keys are given to ``say`` directly or passed on to it."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    constants = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return {value for value in constants if isinstance(value, str)}


def asked(path: Path) -> set[str]:
    """What is given to ``say`` or ``because`` as it stands."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    return {
        call.args[0].value
        for call in calls
        if isinstance(call.func, ast.Name) and call.func.id in ("say", "because") and call.args
        if isinstance(call.args[0], ast.Constant) and isinstance(call.args[0].value, str)
    }


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.parent.name}/{path.name}")
def test_what_is_said_exists(path):
    assert asked(path) - set(ENGLISH) == set()


def test_no_text_is_left_over():
    used = set().union(*(said(path) for path in FILES if path.name != "wording.py"))
    own = {"seconds", "minutes", "hours", "language-name", "decimal-mark", "fault"}
    own |= {key for key in ENGLISH if key.startswith("phase-")}
    assert sorted(set(ENGLISH) - used - own - set(MADE)) == []


def test_texts_are_in_the_houses_words():
    for key, text in ENGLISH.items():
        text = re.sub(r"\{[^}]*\}", "", text)
        assert "!" not in text, key
        assert not re.search(r"\b(AI|magic|sorry|prompt)\b", text), key


def test_a_number_decides_the_form():
    assert say("outside", n=1) == "1 pixel changed outside the selection."
    assert say("outside", n=0) == "0 pixels changed outside the selection."
    assert all("{n}" in ENGLISH[key] for key in SINGULAR)


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.parent.name}/{path.name}")
def test_nothing_is_said_before_the_language_is_known(path):
    """What is said while a module is imported would stay English."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    inside = {id(node) for made in ast.walk(tree) if isinstance(made, FUNCTIONS) for node in ast.walk(made)}
    early = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and id(node) not in inside]
    assert [n.lineno for n in early if isinstance(n.func, ast.Name) and n.func.id == "say"] == []


def test_durations_and_phases():
    assert [duration(seconds) for seconds in (0.4, 59, 90, 5400)] == ["0 s", "59 s", "2 min", "2 h"]
    assert (phase("inverting"), phase("pondering")) == ("Inverting the photo", "Pondering")
