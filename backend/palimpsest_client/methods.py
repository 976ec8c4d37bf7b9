"""How a photo can be made reproducible: what is to be known of each method without its mathematics.

Contract, shell, panels, API and benchmark read this table; what a method does is in the file of its name
in ``palimpsest/core/inversion``. How one is added: CONTRIBUTING.md. Those that no user is offered are for
``palimpsest bench quality``, which measures all by the same cases.
"""

from __future__ import annotations

from typing import Dict, NamedTuple, Set, Tuple


class Method(NamedTuple):
    """``depends``: settings of an inversion, beside the steps, without which its result isn't known."""

    name: str  # in requests and in the shell
    label: str  # in English: the panels' text "method-name", and the name in reports
    source_moves: bool  # in an edit the photo's branch samples; False: it is put on the stored path
    depends: Tuple[str, ...] = ()
    from_caption: bool = False  # in an edit guidance leads away from the photo's caption
    offered: bool = True  # to users; False: for the benchmark alone


METHODS: Dict[str, Method] = {
    method.name: method
    for method in (
        Method("direct", "direct (fast)", source_moves=False),
        Method(
            "null-text", "null-text (as published)", source_moves=False, depends=("guidance", "inner_steps")
        ),
        Method("null-text-fast", "null-text (fast)", source_moves=False, depends=("guidance", "inner_steps")),
        Method("ddim", "DDIM (plain)", source_moves=True),
        Method("straight", "straight: one remembered noise", source_moves=False, offered=False),
        Method("fixed-point", "fixed point (ReNoise)", source_moves=False, offered=False),
        Method("negative-prompt", "negative prompt", source_moves=True, from_caption=True, offered=False),
        Method("proximal", "proximal negative prompt", source_moves=True, from_caption=True, offered=False),
        Method(
            "edit-friendly",
            "edit-friendly DDPM",
            source_moves=False,
            depends=("guidance",),
            offered=False,
        ),
        Method(
            "virtual", "virtual inversion (InfEdit)", source_moves=False, from_caption=True, offered=False
        ),
    )
}
OFFERED: Tuple[str, ...] = tuple(name for name, method in METHODS.items() if method.offered)
RECOMMENDED = "direct"


def unneeded(name: str) -> Set[str]:
    """Settings that results of other methods depend on, and this one's don't."""
    of_any = {setting for method in METHODS.values() for setting in method.depends}
    return of_any - set(METHODS[name].depends)


def depending_on(setting: str) -> Tuple[str, ...]:
    """The names of those that need it."""
    return tuple(method.name for method in METHODS.values() if setting in method.depends)
