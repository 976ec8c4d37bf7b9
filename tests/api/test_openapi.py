"""Every answer is as the OpenAPI document says, whatever is asked; and none is a 5xx."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from fastapi.routing import APIRoute
from hypothesis import HealthCheck, Phase, assume, given, settings

from api.embeddings import embedding
from api.live import TOKENS, live
from palimpsest.api import concepts, pictures, routes
from palimpsest.contract import SEED

schemathesis = pytest.importorskip("schemathesis")
checks = pytest.importorskip("schemathesis.checks")
openapi = pytest.importorskip("schemathesis.specs.openapi.checks")

CHECKS = [
    checks.not_a_server_error,
    openapi.status_code_conformance,
    openapi.content_type_conformance,
    openapi.response_headers_conformance,
    openapi.response_schema_conformance,
    openapi.allow_header_conformance,
    openapi.positive_data_acceptance,
    openapi.negative_data_rejection,
    openapi.missing_required_header,
    openapi.unsupported_method,
    openapi.ignored_auth,
]
ANY: list[Any] = list(HealthCheck)  # its members' type isn't told
HEADERS = {"Authorization": f"Bearer {TOKENS['anna']}"}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with live(tmp_path_factory.mktemp("server")) as server:
        server.submit("some", order={"steps": 1})
        yield server


@pytest.fixture(scope="module")
def described(server):
    return schemathesis.openapi.from_url(server.address + "/v1/openapi.json", headers=HEADERS)


POSITIVE, NEGATIVE = schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE
ROUTES = [
    (method, f"/v1{route.path}", mode)
    for router in (routes.public, routes.router, pictures.router, concepts.router)
    for route in router.routes
    if isinstance(route, APIRoute)
    for method in sorted(route.methods or ())
    for mode in (POSITIVE, NEGATIVE)
    if mode is POSITIVE or route.body_field is not None or route.dependant.query_params  # can be wrong
]


@pytest.mark.parametrize(("method", "path", "mode"), ROUTES, ids=lambda part: getattr(part, "value", part))
def test_every_answer_is_as_described(described, method, path, mode):
    """Whatever fits the description is accepted, or not found; whatever doesn't fit is refused."""
    operation = described[path][method]
    examples = 3 if (method, path) == ("PUT", "/v1/concepts/{name}") else 8  # each of those is a process

    @given(operation.as_strategy(generation_mode=mode))
    @settings(max_examples=examples, deadline=None, phases=[Phase.generate], suppress_health_check=ANY)
    def ask(case) -> None:
        assume(mode is POSITIVE or not any(value in ([], {}) for value in (case.query or {}).values()))
        make_whole(case)  # and an empty list is no parameter at all once it is written down
        case.call_and_validate(headers=HEADERS, checks=CHECKS, timeout=300)

    ask()


def make_whole(case) -> None:
    """What no description can say: that bytes have the sha256 they are sent under, or are an embedding."""
    if case.method == "PUT" and "/images/" in case.path:
        case.body = b"some bytes"
        case.path_parameters["image"] = hashlib.sha256(case.body).hexdigest()
    elif case.method == "PUT":
        case.body = embedding()


def test_every_route_says_how_it_can_fail(server):
    told = server.ask("GET", "/v1/openapi.json").json()
    for path, item in told["paths"].items():
        for method, operation in item.items():
            assert {"401", "403", "429"} <= set(operation["responses"]), (method, path)
            if path != "/v1/health":
                assert operation.get("security") == [{"HTTPBearer": []}], (method, path)
    assert told["components"]["schemas"]["EditRequest"]["additionalProperties"] is False


def test_limits_on_numbers_are_described(server):
    shapes = server.ask("GET", "/v1/openapi.json").json()["components"]["schemas"]
    limited = {"InversionSettings": "inner_steps", "EditRequest": "seed", "LearnRequest": "vectors"}
    for shape, field in limited.items():
        told = shapes[shape]["properties"][field]
        assert told["type"] == "integer"
        assert "minimum" in told, field
        assert "maximum" in told or "exclusiveMaximum" in told, field


def test_the_largest_seed_is_described_exactly(server):
    """2⁶³ - 1 is no float: the description allowed numbers that were refused."""
    shapes = server.ask("GET", "/v1/openapi.json").json()["components"]["schemas"]
    for shape in ("EditRequest", "LearnRequest", "DrawRequest"):
        told = shapes[shape]["properties"]["seed"]
        assert (told["minimum"], told["exclusiveMaximum"]) == (0, SEED.most + 1), shape
        assert {type(told["minimum"]), type(told["exclusiveMaximum"])} == {int}, "as they are written"
