"""Routes for the concept library: list, show, import, export, rename, remove."""

from __future__ import annotations

import secrets
import shutil
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi import Path as InPath
from starlette.concurrency import run_in_threadpool

from palimpsest.api.pictures import BYTES, FAILURES, Services
from palimpsest.api.schemas import Concepts, ConceptView, Error, LeftOut, Rename
from palimpsest.api.services import AppServices
from palimpsest.api.views import view_concept
from palimpsest.errors import (
    ArtifactNotFoundError,
    ConceptExistsError,
    ConceptFileError,
    ConceptInUseError,
    Text,
)
from palimpsest.limits import NAME
from palimpsest.storage.concepts import Part
from palimpsest.storage.owned_images import Upload

router = APIRouter()
InName = Annotated[
    str,
    InPath(
        description="The concept's name, without brackets.",
        examples=["my-toy"],
        json_schema_extra={"pattern": f"^{NAME.pattern}$"},
    ),
]
REFUSALS: dict[int | str, dict[str, Any]] = {**FAILURES, 409: {"model": Error}}


@router.get("/concepts", responses=REFUSALS)
def list_concepts(services: Services) -> Concepts:
    """Every learned or imported word. What can't be read is left out, and named."""
    cards, errors = services.concepts.list_with_errors()
    left_out = [LeftOut(name=name, code=error.code, message=error.message) for name, error in errors.items()]
    return Concepts(concepts=[view_concept(card) for card in cards], left_out=left_out)


@router.get("/concepts/{name}", responses=REFUSALS)
def get_concept(services: Services, name: InName) -> ConceptView:
    return view_concept(services.concepts.card(name))


@router.get(
    "/concepts/{name}/thumbnail",
    response_class=Response,
    responses={**REFUSALS, 200: {"content": {"image/png": {}}}},
)
def get_thumbnail(services: Services, name: InName) -> Response:
    """A small picture of the concept."""
    thumbnail = services.concepts.thumbnail(name)
    if thumbnail is None:
        raise ArtifactNotFoundError(f"Concept <{name}> has no thumbnail.")
    return Response(thumbnail, media_type="image/png")


@router.get("/concepts/{name}/file", response_class=Response, responses={**REFUSALS, 200: {"content": BYTES}})
def export_concept(services: Services, name: InName, part: Part = "whole") -> Response:
    """The concept as a file without a picture, to be imported again. Of one that was learned with detail
    other tools read each part alone: its embedding, and its adapters as a LoRA."""
    content = services.concepts.exported(name, part)
    told = {"Content-Disposition": f'attachment; filename="{name}.safetensors"'}
    return Response(content, media_type="application/octet-stream", headers=told)


@router.put(
    "/concepts/{name}",
    status_code=201,
    responses=REFUSALS,
    openapi_extra={"requestBody": {"required": True, "content": BYTES}},
)
async def import_concept(
    services: Services,
    request: Request,
    name: InName,
    family: Annotated[str | None, Query(max_length=16, description="Where the file doesn't say it.")] = None,
    replace: bool = False,
) -> ConceptView:
    """Take in an embedding file of any of the public forms. Pickled files are refused."""
    owner = request.scope["owner"]
    await run_in_threadpool(require_changeable, services, name, owner, replace)  # before it is sent
    folder = services.scratch / secrets.token_hex(8)
    upload = await run_in_threadpool(Upload, folder)
    source = folder / "upload.safetensors"  # errors name it
    try:
        async for chunk in request.stream():
            await run_in_threadpool(upload.write, chunk)
        await run_in_threadpool(upload.close)
        upload.path.rename(source)
        return await run_in_threadpool(take_in, services, source, name, family, replace, owner)
    finally:
        await run_in_threadpool(upload.discard)
        await run_in_threadpool(shutil.rmtree, folder, ignore_errors=True)


@router.patch("/concepts/{name}", responses=REFUSALS)
def rename_concept(services: Services, request: Request, name: InName, change: Rename) -> ConceptView:
    """Give one's own concept another name; its rows and their hash stay as they are."""
    owner = request.scope["owner"]
    with services.concept_lock:
        services.concepts.card(name)
        require_unused(services, name)
        require_unlearned(services, change.name, owner)
        return view_concept(services.concepts.rename(name, change.name, owner))


@router.delete("/concepts/{name}", status_code=204, responses=REFUSALS)
def remove_concept(services: Services, request: Request, name: InName) -> None:
    """Remove one's own concept, if no waiting or running job uses it. A damaged one can be removed, too."""
    with services.concept_lock:
        if services.concepts.has(name):
            require_unused(services, name)
        services.concepts.remove(name, request.scope["owner"])


def take_in(
    services: AppServices, source: Path, name: str, family: str | None, replace: bool, owner: str
) -> ConceptView:
    with services.concept_lock:
        require_changeable(services, name, owner, replace)
        try:
            return view_concept(services.concepts.import_file(source, name, family, replace, owner))
        except ConceptFileError as error:
            if error.details.get("pickled"):  # what converts it needs the original, not the upload
                where = "Where the file is, palimpsest concepts import FILE says how to convert it."
                raise ConceptFileError(error.message, where, **error.details) from None
            raise


def require_changeable(services: AppServices, name: str, owner: str, replace: bool) -> None:
    """Raises ConceptExistsError, ConceptInUseError, ConceptOwnedError unless ``name`` may be given anew."""
    require_unlearned(services, name, owner)
    if not services.concepts.has(name):
        return
    if not replace:
        raise ConceptExistsError(Text("concept-there", name=name), Text("other-name-or-replace"))
    require_unused(services, name)
    services.concepts.require_own(name, owner)


def require_unused(services: AppServices, name: str) -> None:
    """Raises ConceptInUseError when a job that hasn't ended names the concept or begins with it."""
    placeholder = f"<{name}>"
    for job in services.database.open_jobs():
        request = job.submission.request
        if placeholder in str(request) or request.get("start") == name:
            raise ConceptInUseError(Text("concept-used", name=name), Text("wait-or-cancel"))


def require_unlearned(services: AppServices, name: str, owner: str) -> None:
    """Raises ConceptInUseError while somebody else's job learns a concept of this name."""
    for job in services.database.open_jobs():
        if job.kind == "learn" and job.owner != owner and job.submission.request["name"] == name:
            raise ConceptInUseError(Text("concept-being-learned", name=name), Text("other-name-or-wait"))
