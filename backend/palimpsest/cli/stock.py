"""Which models and concepts there are where a command's work is done: on this machine or on a named server.

What can be refused early is judged by these, so that a server's own words are asked of that server.
"""

from __future__ import annotations

import argparse
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

from palimpsest.contract import BUILT_IN
from palimpsest.errors import ModelNotFoundError, Text
from palimpsest.settings import Settings

if TYPE_CHECKING:
    from palimpsest_client.http.client import Client


class Stock(Protocol):
    """Every method raises PalimpsestErrors."""

    @property
    def server(self) -> Client | None:
        """Whose it is; None: this machine's."""
        ...

    def card(self, name: str) -> object:
        """Raises ConceptNotFoundError."""
        ...

    def has(self, name: str) -> bool: ...

    def concepts(self) -> Collection[str]: ...

    def words(self, model: str) -> tuple[str, ...]:
        """All that the model knows, empty where they are too many to tell. Raises ModelErrors."""
        ...

    def other_models(self) -> list[str]:
        """Installed ones beside the built-in one."""
        ...


def stock_of(options: argparse.Namespace, settings: Settings) -> Stock:
    """Raises what is wrong with a server that is named."""
    from palimpsest.cli.remote import named_server

    client = named_server(options, settings)
    return ThisMachine(settings) if client is None else OfServer(client)


@dataclass(frozen=True)
class ThisMachine:
    """Also where a server of this user runs here: it has the same."""

    settings: Settings
    server: Client | None = None

    def card(self, name: str) -> object:
        return self._library.card(name)

    def has(self, name: str) -> bool:
        return self._library.has(name)

    def concepts(self) -> Collection[str]:
        return self._library.names()

    def words(self, model: str) -> tuple[str, ...]:
        from palimpsest.cli.backend import require_model

        return require_model(model, self.settings).words

    def other_models(self) -> list[str]:
        from palimpsest.models.catalog import installed

        found = installed(self.settings.folders.models, self.settings.model_folders)
        return [name for name in found if name != BUILT_IN]

    @cached_property
    def _library(self) -> Any:
        from palimpsest.storage.concepts import ConceptLibrary

        return ConceptLibrary(self.settings.folders.concepts)


@dataclass(frozen=True)
class OfServer:
    server: Client

    def card(self, name: str) -> object:
        from palimpsest.cli.backend import as_our_errors

        with as_our_errors():
            return self.server.concept(name)

    def has(self, name: str) -> bool:
        from palimpsest.limits import require_name

        return require_name(name) in self.concepts()

    def concepts(self) -> Collection[str]:
        return self._concepts

    def words(self, model: str) -> tuple[str, ...]:
        from palimpsest.errors import from_json

        details = self._models.get(model)
        if details is None:
            there = Text("models-there", names=", ".join(self._models), place=self.server.transport.address)
            raise ModelNotFoundError(Text("model-not-there", model=model), there)
        if "error" in details:
            raise from_json(details["error"])
        return tuple(details.get("words", ()))

    def other_models(self) -> list[str]:
        return [name for name, details in self._models.items() if name != BUILT_IN and "error" not in details]

    @cached_property
    def _concepts(self) -> tuple[str, ...]:
        from palimpsest.cli.backend import as_our_errors

        with as_our_errors():
            return tuple(card["name"] for card in self.server.concepts())

    @cached_property
    def _models(self) -> dict[str, dict[str, Any]]:
        from palimpsest.cli.backend import as_our_errors

        with as_our_errors():
            return {one["name"]: one["details"] for one in self.server.models() if one["installed"]}
