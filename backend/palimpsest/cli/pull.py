"""``palimpsest pull``: download a model, whole and checked, or not at all."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from palimpsest.cli import arguments
from palimpsest.contract import BUILT_IN, PullRequest
from palimpsest.errors import RequestError

if TYPE_CHECKING:
    from palimpsest.jobs.events import Event
    from palimpsest.settings import Settings
    from palimpsest_client.http.client import Client

GIB = 1 << 30
EXAMPLES = """examples:
  palimpsest pull sd15
  palimpsest pull my-model --url https://…/my-model.safetensors --sha256 …
"""


def add_parser(commands: Any) -> None:
    parser = commands.add_parser(
        "pull",
        help="download a model",
        description="Download a model of the catalogue (palimpsest models list), or one checkpoint by its "
        "address. A broken download goes on where it was; what arrives is checked before it is used.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("model", metavar="NAME", help="its name in the catalogue, or how to call it here")
    parser.add_argument("--url", metavar="URL", help="address of a .safetensors checkpoint")
    parser.add_argument("--sha256", metavar="HEX", help="of that file; needed where the address is not https")
    arguments.add_local(parser)
    arguments.add_reporting(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    from palimpsest.cli import running
    from palimpsest.cli.remote import named_server
    from palimpsest.settings import read_settings

    if options.model == BUILT_IN:
        raise RequestError(
            "The built-in model comes with Palimpsest: there is nothing to pull.",
            "For photos: palimpsest pull sd15.",
        )
    settings = read_settings()
    server = named_server(options, settings)
    request = PullRequest(options.model, options.url, options.sha256)
    if request.url is None and not options.quiet:
        print(licence(request.model), file=sys.stderr)
    shown = running.Display(sys.stderr, options.quiet)
    result = running.finish(pulling(request, settings, options.local, server), shown).result
    report = {"files": {"model": result["path"]}, "result": result}
    print(json.dumps(report) if options.json else result["path"])
    return 0


def licence(name: str) -> str:
    """What a person should know before. Raises ModelNotFoundError."""
    from palimpsest.models.offers import offer

    known = offer(name)
    said = f"{known.title}, about {known.size / GIB:.1f} GiB, {known.licence}: {known.licence_url}"
    return f"{said}\n{known.note}" if known.note else said


def pulling(request: PullRequest, settings: Settings, local: bool, server: Client | None) -> Iterator[Event]:
    """By the server that is named, else the running one, which knows then that the model is on its way, or in
    this process."""
    from palimpsest.cli.backend import Served, running_server
    from palimpsest.models.download import Limits
    from palimpsest.tasks.pull import pull

    client = server if server is not None or local else running_server(settings, any_version=True)
    if client is not None:
        return Served(client, settings.max_image_bytes).do(request)
    limits = Limits(settings.max_download_bytes, settings.download_networks)
    return pull(request, settings.folders.models, settings.model_folders, limits)
