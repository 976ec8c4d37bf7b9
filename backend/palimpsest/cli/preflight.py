"""What is cheap to see is seen before anything slow begins: torch isn't imported here."""

from __future__ import annotations

from palimpsest.cli.inventory import Inventory
from palimpsest.cli.pictures import Pictures
from palimpsest.contract import DescribeRequest, DrawRequest, EditRequest, InvertRequest, Request


def require_possible(request: Request, inventory: Inventory, pictures: Pictures | None = None) -> None:
    """Raises what the tasks would raise for the request itself, the words it names and its selection."""
    from palimpsest.tasks.validation import require_concepts, require_valid

    require_valid(request)
    require_concepts(request, inventory)
    if isinstance(request, (EditRequest, DrawRequest)):
        for one in request.loras:
            inventory.require_lora(one.name, request.model)
    if pictures is not None and isinstance(request, (EditRequest, InvertRequest, DescribeRequest)):
        _require_selection(request, pictures)


def _require_selection(request: EditRequest | InvertRequest | DescribeRequest, pictures: Pictures) -> None:
    if request.selection in pictures.named:
        size = pictures.size(pictures.named[request.image])
        pictures.selection(pictures.named[request.selection], size)
    if isinstance(request, EditRequest) and request.reflection in pictures.named:
        size = pictures.size(pictures.named[request.image])
        pictures.selection(pictures.named[request.reflection], size)
