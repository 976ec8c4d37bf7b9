"""Which models and concepts there are where a command's work is done: on this machine or on a named server.

What can be refused early is judged by these, so that a server's own words are asked of that server.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

from palimpsest.contract import BUILT_IN
from palimpsest.errors import ModelNotFoundError, Text
from palimpsest.settings import Settings

if TYPE_CHECKING:
    from palimpsest.models.spec import Spec
    from palimpsest_client.http.client import Client


class Inventory(Protocol):
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

    def require_lora(self, name: str, model: str) -> None:
        """Raises the LoraErrors that the header of its file gives reason for."""
        ...

    def other_models(self) -> list[str]:
        """Installed ones beside the built-in one."""
        ...


def inventory_of(options: argparse.Namespace, settings: Settings) -> Inventory:
    """Raises what is wrong with a server that is named."""
    from palimpsest.cli.remote import named_server

    client = named_server(options, settings)
    return ThisMachine(settings) if client is None else OfServer(client)


def require_model(name: str, settings: Settings) -> Spec:
    """Raises the ModelErrors that its configuration alone gives reason for."""
    from palimpsest.models.catalog import find
    from palimpsest.models.families import read_spec

    place = find(name, settings.folders.models, others=settings.model_folders)
    if not os.path.exists(place):
        raise ModelNotFoundError(f"There is no model {place}.", "Check the path.")
    return read_spec(place)


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
        return require_model(model, self.settings).words

    def require_lora(self, name: str, model: str) -> None:
        from palimpsest.models.catalog import find
        from palimpsest.models.families import read_modules
        from palimpsest.models.loras.layout import layout_of
        from palimpsest.models.loras.library import LoraLibrary, read_lora_header

        folders, others = self.settings.folders, self.settings.model_folders
        file = LoraLibrary(folders.models, others).find(name)
        layout_of(
            read_lora_header(file), read_modules(find(model, folders.models, others=others)), name, model
        )

    def other_models(self) -> list[str]:
        from palimpsest.models.catalog import installed

        found = installed(self.settings.folders.models, self.settings.model_folders)
        return [name for name in found if name != BUILT_IN]

    @cached_property
    def _library(self) -> Any:
        from palimpsest.models.families import published_widths
        from palimpsest.storage.concepts import ConceptLibrary

        return ConceptLibrary(self.settings.folders.concepts, published_widths())


@dataclass(frozen=True)
class OfServer:
    server: Client

    def card(self, name: str) -> object:
        from palimpsest.cli.client_errors import as_palimpsest_errors

        with as_palimpsest_errors():
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

    def require_lora(self, name: str, model: str) -> None:
        """The server looks itself, before it loads a model."""

    def other_models(self) -> list[str]:
        return [name for name, details in self._models.items() if name != BUILT_IN and "error" not in details]

    @cached_property
    def _concepts(self) -> tuple[str, ...]:
        from palimpsest.cli.client_errors import as_palimpsest_errors

        with as_palimpsest_errors():
            return tuple(card["name"] for card in self.server.concepts())

    @cached_property
    def _models(self) -> dict[str, dict[str, Any]]:
        from palimpsest.cli.client_errors import as_palimpsest_errors

        with as_palimpsest_errors():
            return {one["name"]: one["details"] for one in self.server.models() if one["installed"]}
