"""One set of limits: the same mistake gets the same code and sentence from a shell, the API and JSON."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import TypeAdapter

from mistakes import BAD, EDIT
from palimpsest import contract, limits
from palimpsest.api import schemas
from palimpsest.errors import PalimpsestError

IDS = [f"{kind}-{next(iter(change))}-{i}" for i, (kind, _, change, _, _) in enumerate(BAD)]


@pytest.mark.parametrize(("kind", "good", "change", "code", "message"), BAD, ids=IDS)
def test_from_json_and_the_api_say_the_same(kind, good, change, code, message):
    cls = contract.KINDS[kind]
    contract.from_json(cls, good)
    for make in (lambda told: contract.from_json(cls, told), shape_of(kind)):
        with pytest.raises(PalimpsestError) as refused:
            make({**good, **change})
        assert (refused.value.code, refused.value.message) == (code, message)


def shape_of(kind: str) -> Any:
    job = TypeAdapter(schemas.AnyJob)
    return lambda told: job.validate_python({"id": "a", "kind": kind, "request": told})


def test_wrong_types_are_named_and_prompts_are_not_repeated():
    for change, message in [
        ({"seed": "1"}, "seed is '1', which is not a whole number."),
        ({"seed": 1.5}, "seed is 1.5, which is not a whole number."),
        ({"maps": 1}, "maps is 1, which is not true or false."),
        ({"inversion": []}, "inversion is a list, which is not an object."),
        (
            {"inversion": {"steps": "x" * 99}},
            "inversion.steps is a text of 99 characters, which is not a whole number.",
        ),
        ({"context": 10**400}, f"context is 1{'0' * 59}…, which is beyond all limits."),
        ({"surprise": 1}, "Unknown field 'surprise' in the request."),
        (
            {"image": "a secret " * 9},
            "image is a text of 81 characters, which is not the sha256 of a picture.",
        ),
    ]:
        with pytest.raises(PalimpsestError) as refused:
            contract.from_json(contract.EditRequest, {**EDIT, **change})
        assert refused.value.message == message
    assert contract.from_json(contract.EditRequest, {**EDIT, "seed": 30.0}).seed == 30


@pytest.mark.parametrize(
    "url",
    [
        "https://me:secret@example.org/x",
        "http://secret@example.org",
        "HTTP://:secret@[::1]:8/x",
        "ftp://me:secret@example.org/x",
        "secret",
    ],
)
def test_an_address_with_a_password_is_refused_without_repeating_it(url):
    with pytest.raises(PalimpsestError) as refused:
        contract.PullRequest("mine", url, "0" * 64)
    assert "secret" not in str(refused.value.to_json())


@pytest.mark.parametrize("url", ["https://example.org/a@b?c=d@e", "HTTPS://example.org", "Http://10.0.0.1#@"])
def test_other_addresses_are_taken(url):
    assert contract.PullRequest("mine", url).url == url


def limited(cls: type) -> Iterator[tuple[str, list[limits.Range | limits.Length]]]:
    """Every limited number and text of a request: its field and its limits."""
    for name, kind in limits.field_types(cls).items():
        for part in (kind, *typing.get_args(kind)):
            if typing.get_origin(part) is typing.Annotated:
                found = [m for m in part.__metadata__ if isinstance(m, (limits.Range, limits.Length))]
                yield name, found


PARTS = [*contract.KINDS.values(), contract.InversionSettings, contract.Control]


@pytest.mark.parametrize("cls", PARTS, ids=lambda cls: cls.__name__)
def test_the_apis_description_states_the_contracts_limits(cls):
    shape = schemas.SHAPES[cls]
    described = shape.model_json_schema()["properties"]
    count = 0
    for name, found in limited(cls):
        options = described[name].get("anyOf", [described[name]])
        for limit in found:
            keys = [("minimum", "maximum"), ("minLength", "maxLength"), ("minItems", "maxItems")]
            keys.append(("minProperties", "maxProperties"))
            stated = [(o.get(a, 0), o.get(b)) for o in options for a, b in keys if b in o]
            whole = [o for o in options if o.get("type") == "integer" and "exclusiveMaximum" in o]
            stated += [(o["minimum"], o["exclusiveMaximum"] - 1) for o in whole]
            assert (limit.least, limit.most) in stated, (name, limit)
            count += 1
    assert count > 0


def test_every_request_is_judged_when_it_is_made():
    assert all(issubclass(cls, contract.Judged) and dataclasses.is_dataclass(cls) for cls in PARTS)
