"""The FastAPI application around a House."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import Depends, FastAPI
from fastapi.security import HTTPBearer
from starlette.concurrency import run_in_threadpool

from palimpsest.api import pictures, routes, words
from palimpsest.api.errors import install_error_handlers
from palimpsest.api.house import House
from palimpsest.api.security import Door

# For the description only: the door has let the request in already.
described_token = HTTPBearer(auto_error=False, description="The token of the server's token file.")


def create_app(house: House) -> FastAPI:
    """Starts the engine when the server starts, and stops it when the server stops."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await run_in_threadpool(house.engine.start)
        yield
        house.closing.set()
        await run_in_threadpool(house.engine.stop)

    app = FastAPI(
        title="Palimpsest",
        version=house.versions["palimpsest"],
        description="Edit a photo by words and by your own concepts, and change nothing else.",
        openapi_url="/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.house = house
    for part in (routes.router, pictures.router, words.router):
        app.include_router(part, prefix="/v1", dependencies=[Depends(described_token)])
    install_error_handlers(app)
    app.add_middleware(Door, house=house)
    return app
