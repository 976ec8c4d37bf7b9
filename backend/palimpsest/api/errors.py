"""Every error as ``{code, message, hint, details, texts}``, with its status, and nothing else."""

from __future__ import annotations

import logging
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from palimpsest.errors import (
    BodyStalledError,
    BodyTooLargeError,
    MethodNotAllowedError,
    PalimpsestError,
    RateLimitedError,
    RequestError,
    RouteNotFoundError,
    TokenError,
)
from palimpsest.jobs.worker import explain

logger = logging.getLogger(__name__)


def error_response(error: PalimpsestError, headers: dict[str, str] | None = None) -> JSONResponse:
    told = dict(headers) if headers is not None else {}
    if isinstance(error, TokenError):
        told["WWW-Authenticate"] = "Bearer"
    if isinstance(error, (BodyTooLargeError, BodyStalledError)):
        told["Connection"] = "close"  # what is left of the body is of no use
    if isinstance(error, RateLimitedError):
        told["Retry-After"] = "1"
    return JSONResponse(error.to_json(), error.status, told)


def install_error_handlers(app: FastAPI) -> None:
    @app.exception_handler(PalimpsestError)
    async def known(request: Request, error: PalimpsestError) -> JSONResponse:
        if error.status >= 500:
            logger.error("%s %s: %s", request.method, request.url.path, error.code)
        return error_response(error)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        return error_response(explain_validation(error))

    @app.exception_handler(HTTPException)
    async def refused(request: Request, error: HTTPException) -> JSONResponse:
        return error_response(explain_refusal(request, error), dict(error.headers or {}))

    @app.exception_handler(ClientDisconnect)
    async def gone(request: Request, error: ClientDisconnect) -> JSONResponse:
        return error_response(BodyStalledError("The client went away."))  # nobody reads it

    @app.exception_handler(Exception)
    async def unforeseen(request: Request, error: Exception) -> JSONResponse:
        logger.error("%s %s: %s", request.method, request.url.path, type(error).__name__)
        return JSONResponse(explain(error), 500)


def explain_validation(error: RequestValidationError) -> RequestError:
    """Names the first field that is wrong, and lists them all."""
    fields = [describe_field(item) for item in error.errors()]
    return RequestError(
        f"{fields[0]['field']}: {fields[0]['problem']}.", "See the API's description.", fields=fields
    )


def describe_field(item: dict[str, Any]) -> dict[str, str]:
    """Where, and what is wrong; the value itself is not repeated (it may be a prompt)."""
    place = ".".join(ascii(part).strip("'") for part in item["loc"] if part != "body")
    return {"field": place if place else "body", "problem": str(item["msg"]).rstrip(".")}


def explain_refusal(request: Request, error: HTTPException) -> PalimpsestError:
    if isinstance(error.__cause__, PalimpsestError):  # raised while the body was being read
        return error.__cause__
    if error.status_code == 404:
        return RouteNotFoundError(f"There is nothing at {request.url.path}.")
    if error.status_code == 405:
        return MethodNotAllowedError(f"{request.url.path} does not take {request.method}.")
    return RequestError(str(error.detail))
