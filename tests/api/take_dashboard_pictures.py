"""Pictures of the dashboard over a real server and the built-in model, for the documents and to look at.

    PYTHONPATH=backend:tests python tests/api/take_dashboard_pictures.py [FOLDER]

Needs Chromium, and takes a few minutes. Without FOLDER only those that the documents show are taken.
"""

from __future__ import annotations

import io
import sys
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image

from api.browser import Browser, browsing
from api.embeddings import embedding
from api.process import environment, find, starting
from jobs.shop import eventually
from palimpsest import contract
from palimpsest.demo.script import PHOTO, PICTURES, SELECTION, STOPS, request
from palimpsest_client.http.client import Client
from palimpsest_client.panel.origins import Origin

SHOWN = ("jobs", "compared")  # in the documents
FOLDER = Path(__file__).parents[2] / "docs" / "pictures"
WIDE, PHONE = (1000, 760), (390, 844)
EDITS = ("restyle", "remove")  # of the demo
COLORS = 256
PATIENCE = 600.0


def work(client: Client) -> None:
    """Edits that finish, fail, are cancelled and go on; a concept."""
    hashes = {name: client.upload((PICTURES / name).read_bytes()) for name in (PHOTO, SELECTION)}
    origin = Origin(name="lawn.kra").note()
    edits = [contract.to_json(request(stop, hashes, "built-in")) for stop in STOPS if stop.name in EDITS]
    client.import_concept("my-toy", embedding())
    for number, edit in enumerate(edits):
        client.submit(f"krita-{number}", "edit", edit, origin=origin)
        list(client.follow(f"krita-{number}"))
    for number, name in enumerate(("lawn.kra", "garden.png")):
        wrong = {**edits[0], "target_prompt": "a photo of a <my-cat> on grass"}
        client.submit(f"gimp-{number}", "edit", wrong, origin=Origin(name=name).note())
        list(client.follow(f"gimp-{number}"))
    long = {**edits[0], "inversion": {**edits[0]["inversion"], "steps": 1000}}
    client.submit("krita-long", "edit", long, origin=origin)
    eventually(lambda: client.job("krita-long")["progress"], PATIENCE)


class Photographer:
    """``wanted``: names of pictures; None = all."""

    def __init__(self, page: Browser, folder: Path, wanted: tuple[str, ...] | None) -> None:
        self.page, self.folder, self.wanted = page, folder, wanted

    def keep(self, name: str) -> None:
        if self.wanted is not None and name not in self.wanted:
            return
        self.page.evaluate("Promise.all([...document.images].map((one) => one.decode().catch(() => null)))")
        picture = Image.open(io.BytesIO(self.page.screenshot())).convert("RGB")
        small = picture.quantize(COLORS, dither=Image.Dither.NONE)
        small.save(self.folder / f"dashboard-{name}.png", optimize=True)
        print(name, flush=True)

    def until(self, holds: str) -> None:
        eventually(lambda: self.page.evaluate(holds), PATIENCE)

    def take(self) -> None:
        page = self.page
        self.until("document.querySelectorAll('#jobs img.picture').length > 1")
        looks = (("jobs", WIDE, False), ("jobs-dark", WIDE, True), ("jobs-phone", PHONE, True))
        for name, size, dark in looks:
            page.emulate(*size, dark=dark)
            self.keep(name)
        page.evaluate("document.getElementById('concepts-title').scrollIntoView()")
        self.keep("library-phone")
        page.emulate(*WIDE)
        page.evaluate("document.getElementById('concepts-title').scrollIntoView()")
        self.keep("library")
        page.evaluate("document.querySelector('#concepts button:last-child').click()")
        self.keep("question")
        page.evaluate("document.getElementById('question').close()")
        page.evaluate("document.querySelector('#jobs li[data-key=krita-0] button').click()")
        self.until("document.querySelector('#viewer .compare') !== null")
        self.keep("compared")
        page.emulate(*WIDE, dark=True)
        self.keep("compared-dark")
        page.emulate(*PHONE)
        self.keep("compared-phone")


def main(arguments: list[str]) -> None:
    folder = Path(arguments[0]) if arguments else FOLDER
    wanted: Any = None if arguments else SHOWN
    with tempfile.TemporaryDirectory() as name:
        home = Path(name) / "home"
        with starting(home, env={**environment(home), "PALIMPSEST_OFFLINE": "1"}):
            client = find(home)
            work(client)
            with browsing(Path(name) / "browser") as page:
                page.emulate(*WIDE)
                page.do("Page.navigate", url=client.transport.address + "/")
                asked = "document.getElementById('door')?.checkVisibility()"
                eventually(lambda: page.evaluate(asked), PATIENCE)
                token = (home / "config" / "token").read_text().strip()
                page.evaluate(f"document.getElementById('token').value = '{token}'")
                page.evaluate("document.querySelector('#door button').click()")
                Photographer(page, folder, wanted).take()
            client.cancel("krita-long")


if __name__ == "__main__":
    main(sys.argv[1:])
