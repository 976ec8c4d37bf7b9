"""The memory plan: which of a model's networks stay on the device, for cards that can't hold all of them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True)
class Plan:
    """What doesn't stay lies in main memory and is on the device layer by layer, while it computes.

    The autoencoder then works in stripes, and what a gradient needs of the network's values is computed again
    instead of kept. What comes out is the same but for rounding.
    """

    name: str
    text: bool = True  # whether the text encoders stay
    vae: bool = True
    network: bool = True

    @property
    def saving(self) -> bool:
        return not self.vae


HIGH = Plan("high")
MEDIUM = Plan("medium", text=False, vae=False)
LOW = Plan("low", text=False, vae=False, network=False)
PLANS = (HIGH, MEDIUM, LOW)


def smaller(plan: Plan) -> Plan | None:
    """The next plan that needs less memory."""
    return dict(pairwise(PLANS)).get(plan)


def plan_named(name: str) -> Plan:
    """One of ``PLANS``."""
    return next(plan for plan in PLANS if plan.name == name)
