"""What can be done to a picture, by the names that requests use."""

from __future__ import annotations

REPLACE, INSERT, RESTYLE, REMOVE, REWEIGHT = "replace", "insert", "restyle", "remove", "reweight"
OPERATIONS = (REPLACE, INSERT, RESTYLE, REMOVE, REWEIGHT)
NEEDS_SELECTION = (INSERT, REMOVE)
