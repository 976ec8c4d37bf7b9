"""The FastAPI application around the services."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import Depends, FastAPI, Request
from fastapi.security import HTTPBearer
from starlette.concurrency import run_in_threadpool

from palimpsest.api import concepts, dashboard, pictures, routes
from palimpsest.api.errors import install_error_handlers
from palimpsest.api.security import AccessControl
from palimpsest.api.services import AppServices
from palimpsest.errors import RequestError

BOUNDS = {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"}
# For the description only: access control has let the request in already.
described_token = HTTPBearer(auto_error=False, description="The token of the server's token file.")


def refuse_unknown_query(request: Request) -> None:
    """As in a body: what isn't known, or said twice, is refused, never passed over. Raises RequestError."""
    known = {parameter.alias for parameter in request.scope["route"].dependant.query_params}
    for name in request.query_params:
        if name not in known:
            told = ", ".join(sorted(known)) if known else "none"
            raise RequestError(f"Unknown query parameter {name!a}.", f"Known here: {told}.")
        if len(request.query_params.getlist(name)) > 1:
            raise RequestError(f"The query parameter {name!a} is given more than once.")


class DescribedApi(FastAPI):
    """Its description has whole bounds where numbers are whole."""

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            self.openapi_schema = with_whole_bounds(super().openapi())
        return super().openapi()  # what is kept there


def with_whole_bounds(told: Any) -> Any:
    """The same description; FastAPI makes floats of all bounds, and in JSON that of a seed was rounded up."""
    if isinstance(told, list):
        return [with_whole_bounds(part) for part in told]
    if not isinstance(told, dict):
        return told
    bounds = BOUNDS & told.keys() if told.get("type") == "integer" else ()
    return {name: int(part) if name in bounds else with_whole_bounds(part) for name, part in told.items()}


def create_app(services: AppServices) -> FastAPI:
    """Starts the engine when the server starts, and stops it when the server stops."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await run_in_threadpool(services.engine.start)
        yield
        services.closing.set()
        await run_in_threadpool(services.engine.stop)

    app = DescribedApi(
        title="Palimpsest",
        version=services.versions["palimpsest"],
        description="Edit a photo by words and by your own concepts, and change nothing else.",
        openapi_url="/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.services = services
    known_only = Depends(refuse_unknown_query)
    app.include_router(routes.public, prefix="/v1", dependencies=[known_only])
    for part in (routes.router, pictures.router, concepts.router):
        app.include_router(part, prefix="/v1", dependencies=[known_only, Depends(described_token)])
    app.include_router(dashboard.router, dependencies=[known_only])
    install_error_handlers(app)
    app.add_middleware(AccessControl, services=services)
    return app
