"""Requests that cannot be, with the one code and sentence that each of them is refused with."""

from __future__ import annotations

import math
from typing import Any

IMAGE = "1" * 64
EDIT = {"image": IMAGE, "operation": "replace", "source_prompt": "a cat", "target_prompt": "a dog"}
LEARN = {"name": "toy", "images": ["1" * 64, "2" * 64, "3" * 64], "noun": "toy"}
DRAW = {"prompt": "a cat"}
SHOWS = {"image": IMAGE, "source_prompt": "a cat"}

# kind, request, what is wrong with it, its code, its sentence
BAD: list[tuple[str, dict[str, Any], dict[str, Any], str, str]] = [
    (
        "edit",
        EDIT,
        {"weights": {"red": math.nan}},
        "request_invalid",
        "weights.red is nan; it can be -20 to 20.",
    ),
    (
        "edit",
        EDIT,
        {"weights": {"red": math.inf}},
        "request_invalid",
        "weights.red is inf; it can be -20 to 20.",
    ),
    (
        "edit",
        EDIT,
        {"weights": {"red": 1e30}},
        "request_invalid",
        "weights.red is 1e+30; it can be -20 to 20.",
    ),
    ("edit", EDIT, {"weights": {"": 1.0}}, "request_invalid", "a name in weights is empty."),
    (
        "edit",
        EDIT,
        {"weights": {str(i): 1.0 for i in range(76)}},
        "request_invalid",
        "weights has 76 items; it can have 0 to 75.",
    ),
    ("draw", DRAW, {"steps": 0}, "request_invalid", "steps is 0; it can be 1 to 1000."),
    ("draw", DRAW, {"guidance": 100.5}, "request_invalid", "guidance is 100.5; it can be 0 to 100."),
    ("edit", EDIT, {"seed": -1}, "request_invalid", "seed is -1; it can be 0 to 9223372036854775807."),
    (
        "edit",
        EDIT,
        {"seed": 2**64},
        "request_invalid",
        "seed is 18446744073709551616; it can be 0 to 9223372036854775807.",
    ),
    ("edit", EDIT, {"feather": -3}, "request_invalid", "feather is -3; it can be 0 to 4096."),
    ("edit", EDIT, {"grow": -1}, "request_invalid", "grow is -1; it can be 0 to 512."),
    ("edit", EDIT, {"grow": 513}, "request_invalid", "grow is 513; it can be 0 to 512."),
    ("edit", EDIT, {"context": math.nan}, "request_invalid", "context is nan; it can be 0 to 8."),
    ("edit", EDIT, {"variations": 0}, "request_invalid", "variations is 0; it can be 1 to 16."),
    ("edit", EDIT, {"inversion": {"steps": 0}}, "request_invalid", "steps is 0; it can be 1 to 1000."),
    (
        "edit",
        EDIT,
        {"inversion": {"guidance": -1.0}},
        "request_invalid",
        "guidance is -1.0; it can be 0 to 100.",
    ),
    (
        "edit",
        EDIT,
        {"inversion": {"inner_steps": 0}},
        "request_invalid",
        "inner_steps is 0; it can be 1 to 1000.",
    ),
    (
        "edit",
        EDIT,
        {"inversion": {"working_size": 5000}},
        "request_invalid",
        "working_size is 5000; it can be 64 to 4096.",
    ),
    (
        "edit",
        EDIT,
        {"control": {"blend_threshold": 1.5}},
        "request_invalid",
        "blend_threshold is 1.5; it can be 0 to 1.",
    ),
    (
        "edit",
        EDIT,
        {"control": {"cross": [0.0, 1.5]}},
        "request_invalid",
        "cross[1] is 1.5; it can be 0 to 1.",
    ),
    (
        "edit",
        EDIT,
        {"control": {"cross_words": {"cat": [0.0, math.nan]}}},
        "request_invalid",
        "cross_words.cat[1] is nan; it can be 0 to 1.",
    ),
    ("edit", EDIT, {"pairs": [["cat", ""]]}, "request_invalid", "pairs[0][1] is empty."),
    (
        "edit",
        EDIT,
        {"source_prompt": "x" * 2001},
        "request_invalid",
        "source_prompt has 2001 characters; it can have 0 to 2000.",
    ),
    (
        "edit",
        EDIT,
        {"target_prompt": "a dog \udcff"},
        "request_invalid",
        "target_prompt is no text: character 7 is broken.",
    ),
    ("edit", EDIT, {"model": ""}, "request_invalid", "model is empty."),
    ("invert", SHOWS, {"context": -1.0}, "request_invalid", "context is -1.0; it can be 0 to 8."),
    ("attention", {**SHOWS, "word": "cat"}, {"word": ""}, "request_invalid", "word is empty."),
    (
        "learn",
        LEARN,
        {"name": "My Toy"},
        "concept_name",
        "'My Toy' can't be a concept's name: use 1 to 64 small letters a-z, digits, - and _.",
    ),
    ("learn", LEARN, {"vectors": 0}, "request_invalid", "vectors is 0; it can be 1 to 16."),
    ("learn", LEARN, {"steps": 0}, "request_invalid", "steps is 0; it can be 1 to 100000."),
    ("learn", LEARN, {"seed": -1}, "request_invalid", "seed is -1; it can be 0 to 9223372036854775807."),
    ("learn", LEARN, {"noun": ""}, "request_invalid", "noun is empty."),
    (
        "learn",
        LEARN,
        {"images": [IMAGE, "2" * 64]},
        "concept_images",
        "2 pictures were given; a concept is learned from 3 to 20.",
    ),
    (
        "pull",
        {"model": "mine"},
        {"url": "ftp://example.org/x"},
        "request_invalid",
        "url is not an address that begins with https:// or http://.",
    ),
    (
        "pull",
        {"model": "mine"},
        {"url": "HTTPS://me:secret@example.org/x"},
        "request_invalid",
        "url has a user's name or a password in it, which would be kept with the job.",
    ),
    (
        "pull",
        {"model": "mine"},
        {"sha256": "abc"},
        "request_invalid",
        "sha256 is 'abc', which is not a sha256: 64 digits 0-9 and letters a-f.",
    ),
]
