"""Edits whose true result can be drawn: each takes a scene and gives the scene after the edit.

All that an edit does not touch keeps its own jitter, and with it every pixel outside the masks of the edited
thing in the two scenes.
"""

from __future__ import annotations

from dataclasses import replace

from palimpsest.errors import RequestError
from palimpsest.scenes.things import Animal, Person, Placed, Scene, Solid, Thing

_ROOM = 4


def with_thing(scene: Scene, i: int, thing: Thing) -> Scene:
    """Thing `i` replaced by another in the same place, at the same size and with the same jitter."""
    return _with_placed(scene, i, replace(_placed(scene, i), thing=thing))


def recolour(scene: Scene, i: int, colour: str) -> Scene:
    """A solid or an animal in another colour."""
    thing = _placed(scene, i).thing
    if not isinstance(thing, Solid | Animal):
        raise _unfit("recolour", i, thing, "Use reclothe for people.")
    return with_thing(scene, i, replace(thing, colour=colour))


def reshape(scene: Scene, i: int, shape: str) -> Scene:
    """A solid in another shape, same colour and texture."""
    thing = _placed(scene, i).thing
    if not isinstance(thing, Solid):
        raise _unfit("reshape", i, thing, "Use with_thing to put another thing in its place.")
    return with_thing(scene, i, replace(thing, shape=shape))


def retexture(scene: Scene, i: int, texture: str) -> Scene:
    """A solid or an animal in another texture; a tiger keeps its stripes."""
    thing = _placed(scene, i).thing
    if not isinstance(thing, Solid | Animal):
        raise _unfit("retexture", i, thing, "Only solids and animals have textures.")
    return with_thing(scene, i, replace(thing, texture=texture))


def reclothe(scene: Scene, i: int, shirt: str | None = None, trousers: str | None = None) -> Scene:
    """A person in another shirt, other trousers, or both."""
    person = _placed(scene, i).thing
    if not isinstance(person, Person):
        raise _unfit("reclothe", i, person, "Only people wear clothes; use recolour.")
    return with_thing(
        scene,
        i,
        replace(
            person,
            shirt=person.shirt if shirt is None else shirt,
            trousers=person.trousers if trousers is None else trousers,
        ),
    )


def remove(scene: Scene, i: int) -> Scene:
    """The scene without thing `i`; those after it move up by one index."""
    _placed(scene, i)
    return replace(scene, placed=scene.placed[:i] + scene.placed[i + 1 :])


def insert(scene: Scene, placed: Placed) -> Scene:
    """The scene with one more thing, which gets the last index."""
    if len(scene.placed) >= _ROOM:
        raise RequestError(f"The scene already holds {len(scene.placed)} things.", "Remove one first.")
    return replace(scene, placed=(*scene.placed, placed))


def restyle(scene: Scene, style: str) -> Scene:
    """The same scene in another style."""
    return replace(scene, style=style)


def _placed(scene: Scene, i: int) -> Placed:
    if not 0 <= i < len(scene.placed):
        raise RequestError(f"The scene has no thing {i}.", f"It holds {len(scene.placed)}, counted from 0.")
    return scene.placed[i]


def _with_placed(scene: Scene, i: int, placed: Placed) -> Scene:
    return replace(scene, placed=(*scene.placed[:i], placed, *scene.placed[i + 1 :]))


def _unfit(edit: str, i: int, thing: Thing, advice: str) -> RequestError:
    return RequestError(f"Cannot {edit} thing {i}, which is {thing}.", advice)
