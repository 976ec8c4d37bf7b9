"""What a panel does on a computer that has the plug-in's zip and uv: set up, start, draw, remove.

    python3 plugin_alone.py FOLDER INDEX

For any Python from 3.8, which stands for the editor's own. FOLDER: where the zip was unpacked. INDEX: of
packages. Ends with 1 and a sentence where something isn't as it should be.
"""

import sys
import time
from pathlib import Path

PATIENCE = 300.0  # seconds for the backend to answer


def main(folder: str, index: str) -> None:
    (client_folder,) = Path(folder).glob("**/_client")
    sys.path.insert(0, str(client_folder.parent))
    from _client.folders import config_folder, data_folder  # pyright: ignore
    from _client.http.client import find_client  # pyright: ignore
    from _client.http.connection import launch  # pyright: ignore
    from _client.setup.state import Setup  # pyright: ignore

    config_folder().mkdir(parents=True)
    setup = Setup(config_folder(), lambda: None, lambda: None)
    require(setup.state.kind == "absent", setup.state)
    setup.choose(build="cpu", index=index)
    print(setup.state.costs)
    setup.begin()
    ended(setup)
    require(setup.state.kind == "whole", setup.state)
    launch(config_folder())
    client = answering(find_client)
    client.submit("first", "draw", {"prompt": "a photo of a red ball on grass", "steps": 4})
    last = [event["event"] for event in client.follow("first")][-1]
    require(last == "finished", last)
    print(f"drawn: {len(client.artifact('first', 'picture'))} bytes")
    setup.remove()
    ended(setup)
    require(setup.state.kind == "absent", setup.state)
    require(not (data_folder() / "backend" / "environment").exists(), "the environment is left")


def ended(setup) -> None:
    """Prints each step once."""
    said = ""
    while setup.state.running:
        setup.look()
        if setup.state.text not in ("", said):
            said = setup.state.text
            print(said, flush=True)
        time.sleep(0.2)
    print(setup.state.message, flush=True)


def answering(find_client):
    """The client of the backend once it answers."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            client = find_client()
            client.health()
            return client
        except Exception as error:
            if time.monotonic() > deadline:
                sys.exit(f"The backend doesn't answer: {error}")
            time.sleep(0.5)


def require(holds: bool, otherwise: object) -> None:
    if not holds:
        sys.exit(f"Not as it should be: {otherwise}")


if __name__ == "__main__":
    main(*sys.argv[1:])
