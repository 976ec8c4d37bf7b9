"""Every answer is as the OpenAPI document says, whatever is asked; and none is a 5xx."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from api.live import TOKENS, live
from palimpsest.api import pictures, routes, words

schemathesis = pytest.importorskip("schemathesis")
checks = pytest.importorskip("schemathesis.checks")
openapi = pytest.importorskip("schemathesis.specs.openapi.checks")

AS_DOCUMENTED = [
    checks.not_a_server_error,
    openapi.status_code_conformance,
    openapi.content_type_conformance,
    openapi.response_schema_conformance,
]
HEADERS = {"Authorization": f"Bearer {TOKENS['anna']}"}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with live(tmp_path_factory.mktemp("server")) as server:
        server.submit("some", order={"steps": 1})
        yield server


@pytest.fixture(scope="module")
def described(server):
    return schemathesis.openapi.from_url(server.address + "/v1/openapi.json", headers=HEADERS)


ROUTES = [
    (method, f"/v1{route.path}")
    for router in (routes.router, pictures.router, words.router)
    for route in router.routes
    for method in sorted(route.methods)
    if (method, route.path) != ("PUT", "/concepts/{name}")  # a process per request: see test_words
]


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_every_answer_is_as_described(described, method, path):
    @given(described[path][method].as_strategy())
    @settings(max_examples=5, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    def ask(case) -> None:
        case.call_and_validate(headers=HEADERS, checks=AS_DOCUMENTED)

    ask()


def test_every_route_says_how_it_can_fail(server):
    told = server.ask("GET", "/v1/openapi.json").json()
    for path, item in told["paths"].items():
        for method, operation in item.items():
            assert {"401", "403", "429"} <= set(operation["responses"]), (method, path)
            if path != "/v1/health":
                assert operation.get("security") == [{"HTTPBearer": []}], (method, path)
    assert told["components"]["schemas"]["EditRequest"]["additionalProperties"] is False
