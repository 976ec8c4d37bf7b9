"""Routes for pictures: the bytes as they are, under their sha256. Nothing is decoded here."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi import Path as InPath
from fastapi.responses import FileResponse
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from palimpsest.api.schemas import Error, ImageKept, Images, ImageStored
from palimpsest.api.services import AppServices
from palimpsest.storage.owned_images import Upload

router = APIRouter()
Image = Annotated[
    str, InPath(pattern="^[0-9a-f]{64}$", description="sha256 of the bytes.", examples=["5" * 64])
]
CHUNK = 1 << 20  # bytes gathered before they are hashed and written
BYTES: dict[str, Any] = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
MAGIC = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg"}
FAILURES: dict[int | str, dict[str, Any]] = {
    status: {"model": Error} for status in (400, 401, 403, 404, 405, 408, 413, 422, 426, 429, 500, 503, 507)
}


def services_of(request: Request) -> AppServices:
    return request.app.state.services


Services = Annotated[AppServices, Depends(services_of)]


@router.put(
    "/images/{image}",
    status_code=201,
    responses={**FAILURES, 200: {"model": ImageStored}},
    openapi_extra={"requestBody": {"required": True, "content": BYTES}},
)
async def put_image(services: Services, request: Request, response: Response, image: Image) -> ImageStored:
    """Store a picture. 201: it is new; 200: it was there already."""
    return await receive(services, request, response, image)


@router.post(
    "/images",
    status_code=201,
    responses={**FAILURES, 200: {"model": ImageStored}},
    openapi_extra={"requestBody": {"required": True, "content": BYTES}},
)
async def add_image(services: Services, request: Request, response: Response) -> ImageStored:
    """Store a picture that is sent while it is made, before its sha256 is known: the answer names it."""
    return await receive(services, request, response, None)


@router.get("/images", responses=FAILURES)
def list_images(services: Services, request: Request) -> Images:
    """One's own pictures, uploads and results, the longest unused first, and how much may be kept."""
    found = services.owned_images.pictures(request.scope["owner"])
    return Images(
        images=[ImageKept(image=image, bytes=size, used=used) for image, size, used in found],
        bytes=sum(size for _, size, _ in found),
        most_bytes=services.owned_images.quota,
    )


@router.delete("/images/{image}", status_code=204, responses={**FAILURES, 409: {"model": Error}})
def remove_image(services: Services, request: Request, image: Image) -> None:
    """Give up one's own picture. Where somebody else has the same, it stays theirs."""
    services.owned_images.release(image, request.scope["owner"])


@router.get(
    "/images/{image}",
    response_class=FileResponse,
    responses={**FAILURES, 200: {"content": {"image/png": {}, **BYTES}}},
)
def get_image(services: Services, request: Request, image: Image) -> FileResponse:
    """The bytes as they were stored."""
    return picture_response(services, image, request.scope["owner"])


@router.head("/images/{image}", response_class=Response, responses=FAILURES)
def head_image(services: Services, request: Request, image: Image) -> Response:
    """Whether the picture is there, so that it need not be sent. It then stays for the next hour."""
    owner = request.scope["owner"]
    services.owned_images.hold((image,), owner)
    path = services.owned_images.checked(image, owner)
    return Response(headers={"Content-Length": str(path.stat().st_size)}, media_type=media_type(path))


async def receive(
    services: AppServices, request: Request, response: Response, image: str | None
) -> ImageStored:
    """Write the body to the disk as it comes; hashing and writing happen off the event loop.

    ``image``: the sha256 that the client says it has; None = it doesn't say.
    """
    await run_in_threadpool(require_declared, services, request, image)
    upload = await run_in_threadpool(Upload, services.owned_images.images.folder)
    try:
        gathered: list[bytes] = []
        size = 0
        async for chunk in request.stream():
            gathered.append(chunk)
            size += len(chunk)
            if size >= CHUNK:
                await run_in_threadpool(upload.write, *gathered)
                gathered, size = [], 0
        await run_in_threadpool(upload.write, *gathered)
        owner = request.scope["owner"]
        stored, new = await run_in_threadpool(services.owned_images.accept, upload, image, owner)
    except ClientDisconnect:
        stored, new = image or "0" * 64, False  # nobody reads the answer
    finally:
        await run_in_threadpool(upload.discard)
    response.status_code = 201 if new else 200
    return ImageStored(image=stored, new=new)


def require_declared(services: AppServices, request: Request, image: str | None) -> None:
    """Raises QuotaExceededError for a new picture that is too large for its owner, before it is sent."""
    declared, owner = request.headers.get("content-length", ""), request.scope["owner"]
    if declared.isdecimal() and (image is None or not services.owned_images.has(image, owner)):
        services.owned_images.require_quota(owner, int(declared))


def picture_response(services: AppServices, image: str, owner: str) -> FileResponse:
    """A picture never changes under its name, so it may be kept by the client for ever.

    It is hashed before it is sent: a damaged one is an error and nothing else. Raises ImageHashError.
    """
    path = services.owned_images.checked(image, owner)
    headers = {"ETag": f'"{image}"', "Cache-Control": "private, max-age=31536000, immutable"}
    return FileResponse(path, headers=headers, media_type=media_type(path))


def media_type(path: Path) -> str:
    with path.open("rb") as file:
        start = file.read(8)
    return next(
        (kind for magic, kind in MAGIC.items() if start.startswith(magic)), "application/octet-stream"
    )
