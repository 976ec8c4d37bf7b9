"""Buttons of what can be done about a reason, and what only a window can do of it."""

from __future__ import annotations

from collections.abc import Sequence

from ._client.panel import Panel
from ._client.status import MODELS, Offer
from ._client.wording import say
from .dialogs import windows
from .layout import Flow, button, link


class Offers(Flow):
    """Hidden while nothing is offered."""

    def __init__(self, panel: Panel) -> None:
        super().__init__(say("settings"))
        self._panel = panel
        self._shown: Sequence[Offer] = ()
        self.hide()

    def show_offers(self, offers: Sequence[Offer]) -> None:
        if offers != self._shown:
            self._shown = offers
            self.refill([self._button(offer) for offer in offers])
            self.setVisible(bool(offers))

    def _button(self, offer: Offer):
        made = link(offer.text) if offer.key == MODELS else button(offer.text)
        made.clicked.connect(lambda: windows().take(offer.key))
        return made
