"""The API's shapes are the contract's: the same fields, the same defaults."""

from __future__ import annotations

import dataclasses
import typing

import pytest

from palimpsest import contract
from palimpsest.api import schemas
from palimpsest.api.routes import as_submission
from palimpsest.jobs.state import PRIORITIES

PAIRS = [(shape, cls) for cls, shape in schemas.SHAPES.items()]


@pytest.mark.parametrize(("shape", "cls"), PAIRS, ids=lambda cls: cls.__name__)
def test_fields_and_defaults_are_the_contracts(shape, cls):
    assert list(shape.model_fields) == [field.name for field in dataclasses.fields(cls)]
    required = [name for name, field in shape.model_fields.items() if field.is_required()]
    sample = {name: SAMPLES[name] for name in required}
    told = shape(**sample).model_dump()
    assert contract.from_json(cls, told) == contract.from_json(cls, sample)


IMAGES = ["1" * 64, "2" * 64, "3" * 64]
SAMPLES = {
    "image": "0" * 64,
    "operation": "replace",
    "source_prompt": "a cat",
    "name": "toy",
    "images": IMAGES,
    "noun": "toy",
    "word": "cat",
    "model": "built-in",
    "prompt": "a cat",
}


def test_every_kind_of_job_can_be_submitted():
    shapes = typing.get_args(typing.get_args(schemas.AnyJob)[0])
    kinds = [typing.get_args(shape.model_fields["kind"].annotation)[0] for shape in shapes]
    assert kinds == list(contract.KINDS)
    assert PRIORITIES == ("interactive", "batch")


def test_every_picture_a_request_names_is_kept_for_it():
    request = {"name": "toy", "noun": "toy", "images": IMAGES, "masks": ["4" * 64, None, None]}
    job = schemas.JOBS["learn"](id="a", kind="learn", request=request)
    assert as_submission(job, "anna").images == (*IMAGES, "4" * 64)
    edit = {"image": "1" * 64, "operation": "remove", "source_prompt": "", "selection": "2" * 64}
    job = schemas.JOBS["edit"](id="a", kind="edit", request=edit)
    assert as_submission(job, "anna").images == ("1" * 64, "2" * 64)
