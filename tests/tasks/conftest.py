"""The fixtures of ``workplaces``, which other folders use too."""

from workplaces import place

__all__ = ["place"]
