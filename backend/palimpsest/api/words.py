"""Routes for the concept library: list, show, import, export, rename, remove."""

from __future__ import annotations

import secrets
import shutil
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi import Path as InPath
from starlette.concurrency import run_in_threadpool

from palimpsest.api.house import House
from palimpsest.api.pictures import BYTES, FAILURES, TheHouse
from palimpsest.api.schemas import Concepts, ConceptView, Error, Rename
from palimpsest.api.views import view_concept
from palimpsest.errors import ArtifactNotFoundError, ConceptExistsError, ConceptInUseError
from palimpsest.limits import NAME
from palimpsest.storage.album import Arrival
from palimpsest.storage.apart import export_apart, import_apart, rename_apart

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
def list_concepts(house: TheHouse) -> Concepts:
    """Every learned or imported word."""
    return Concepts(concepts=[view_concept(house, card) for card in house.concepts.list()])


@router.get("/concepts/{name}", responses=REFUSALS)
def get_concept(house: TheHouse, name: InName) -> ConceptView:
    return view_concept(house, house.concepts.card(name))


@router.get(
    "/concepts/{name}/thumbnail",
    response_class=Response,
    responses={**REFUSALS, 200: {"content": {"image/png": {}}}},
)
def get_thumbnail(house: TheHouse, name: InName) -> Response:
    """A small picture of the concept."""
    thumbnail = house.concepts.thumbnail(name)
    if thumbnail is None:
        raise ArtifactNotFoundError(f"Concept <{name}> has no thumbnail.")
    return Response(thumbnail, media_type="image/png")


@router.get("/concepts/{name}/file", response_class=Response, responses={**REFUSALS, 200: {"content": BYTES}})
def export_concept(house: TheHouse, name: InName) -> Response:
    """The embedding file that other tools read; it holds no picture."""
    house.concepts.card(name)
    target = scratch_file(house)
    try:
        export_apart(house.concepts.folder, name, target)
        content = target.read_bytes()
    finally:
        target.unlink(missing_ok=True)
    told = {"Content-Disposition": f'attachment; filename="{name}.safetensors"'}
    return Response(content, media_type="application/octet-stream", headers=told)


@router.put(
    "/concepts/{name}",
    status_code=201,
    responses=REFUSALS,
    openapi_extra={"requestBody": {"required": True, "content": BYTES}},
)
async def import_concept(
    house: TheHouse,
    request: Request,
    name: InName,
    family: Annotated[str | None, Query(max_length=16, description="Where the file doesn't say it.")] = None,
    replace: bool = False,
) -> ConceptView:
    """Take in an embedding file of any of the public forms. Pickled files are refused."""
    if not replace and await run_in_threadpool(has_concept, house, name):
        raise ConceptExistsError(
            f"There is a concept <{name}> already.", "Choose another name, or say replace."
        )
    folder = house.scratch / secrets.token_hex(8)
    arrival = await run_in_threadpool(Arrival, folder)
    source = folder / "upload.safetensors"  # errors name it
    try:
        async for chunk in request.stream():
            await run_in_threadpool(arrival.write, chunk)
        await run_in_threadpool(arrival.close)
        arrival.path.rename(source)
        await run_in_threadpool(import_apart, house.concepts.folder, source, name, family, replace)
    finally:
        await run_in_threadpool(arrival.discard)
        await run_in_threadpool(shutil.rmtree, folder, ignore_errors=True)
    return await run_in_threadpool(lambda: view_concept(house, house.concepts.card(name)))


@router.patch("/concepts/{name}", responses=REFUSALS)
def rename_concept(house: TheHouse, name: InName, change: Rename) -> ConceptView:
    """Give a concept another name; its rows and their hash stay as they are."""
    house.concepts.card(name)
    require_unused(house, name)
    rename_apart(house.concepts.folder, name, change.name)
    return view_concept(house, house.concepts.card(change.name))


@router.delete("/concepts/{name}", status_code=204, responses=REFUSALS)
def remove_concept(house: TheHouse, name: InName) -> None:
    """Remove a concept that no waiting or running job uses."""
    house.concepts.card(name)
    require_unused(house, name)
    house.concepts.remove(name)


def has_concept(house: House, name: str) -> bool:
    return any(card.name == name for card in house.concepts.list())


def require_unused(house: House, name: str) -> None:
    """Raises ConceptInUseError when a job that hasn't ended names the concept in a prompt."""
    placeholder = f"<{name}>"
    for job in house.database.open_jobs():
        if placeholder in str(job.submission.request):
            raise ConceptInUseError(
                f"A job that has not ended uses {placeholder}.", "Wait until it has ended, or cancel it."
            )


def scratch_file(house: House) -> Path:
    house.scratch.mkdir(parents=True, exist_ok=True)
    return house.scratch / f"{secrets.token_hex(8)}.safetensors"
