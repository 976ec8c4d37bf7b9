"""``GET /``: a page that shows the server. It holds no secret, so it needs no token; what it shows does."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import FileResponse

import palimpsest
from palimpsest.errors import RouteNotFoundError

router = APIRouter(include_in_schema=False)
FOLDER = Path(palimpsest.__file__).parent / "dashboard"
SCRIPTS = ("dashboard", "elements", "jobs", "library", "server", "viewer", "words")
TYPES = {"dashboard.css": "text/css", **{f"{name}.js": "text/javascript" for name in SCRIPTS}}
POLICY = (  # only what this server itself sends, and never inside another page
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}


@router.get("/")
def page() -> FileResponse:
    return FileResponse(FOLDER / "index.html", headers=HEADERS, media_type="text/html")


@router.get("/dashboard/{name}")
def part(name: str) -> FileResponse:
    if name not in TYPES:
        raise RouteNotFoundError(f"There is nothing at /dashboard/{name}.")
    return FileResponse(FOLDER / name, headers=HEADERS, media_type=TYPES[name])
