"""What a request may say is the same in a shell as over HTTP, and is judged before anything is loaded."""

from __future__ import annotations

from typing import Any

import pytest

from mistakes import BAD
from tiny_task import picture

OPTIONS = {
    "steps": "--steps",
    "guidance": "--guidance",
    "inner_steps": "--inner-steps",
    "working_size": "--working-size",
    "blend_threshold": "--blend-threshold",
    "source_prompt": "--shows",
    "target_prompt": "--should-show",
    "sha256": "--sha256",
}


def arguments(kind: str, change: dict[str, Any]) -> list[str] | None:
    """The shell's way of saying it; None where it has no way (a name that is no name yet, say)."""
    ((field, value),) = change.items()
    if field in ("inversion", "control"):
        return arguments(kind, value)
    if field == "weights":
        return None if "" in value else [f"--weight={word}={factor}" for word, factor in value.items()]
    if field == "cross":
        return [f"--cross={value[0]}:{value[1]}"]
    if field == "cross_words":
        return [f"--cross-word={word}={low}:{high}" for word, (low, high) in value.items()]
    if field in ("pairs", "name", "images"):
        return None
    return [f"{OPTIONS.get(field, '--' + field)}={value}"]


COMMANDS = {
    "edit": [
        "edit",
        "photo.png",
        "--selection",
        "selection.png",
        "--shows",
        "a cat",
        "--should-show",
        "a dog",
    ],
    "invert": ["invert", "photo.png", "--shows", "a cat"],
    "attention": ["attention", "photo.png", "--shows", "a cat", "--word", "cat"],
    "learn": ["learn", "toy", "0.png", "1.png", "2.png", "--noun", "ball"],
    "draw": ["draw", "a cat"],
    "pull": ["pull", "mine"],
}
IN_A_SHELL = [
    (kind, told, code, message)
    for kind, _, change, code, message in BAD
    if (told := arguments(kind, change)) is not None
]
NAMED = next(message for _, _, _, code, message in BAD if code == "concept_name")
IN_A_SHELL += [
    ("learn My-Toy", [], "concept_name", NAMED.replace("My Toy", "My-Toy")),
    ("learn two", [], "concept_images", "2 pictures were given; a concept is learned from 3 to 20."),
]


@pytest.mark.parametrize(("kind", "told", "code", "message"), IN_A_SHELL)
def test_a_shell_says_the_same(shell, tmp_path, kind, told, code, message):
    for seed in range(3):
        (tmp_path / f"{seed}.png").write_bytes(picture(seed=seed))
    command = list(COMMANDS[kind.split()[0]])
    if kind == "learn My-Toy":
        command[1] = "My-Toy"
    if kind == "learn two":
        command.remove("2.png")
    where = [] if kind == "pull" else ["--output", "out"] if "learn" not in kind else []
    said = shell(*command, *where, "--local", "--json", *told)
    assert (said.code, said.json["error"]["code"], said.json["error"]["message"]) == (2, code, message)
    assert not (tmp_path / "out").exists()
