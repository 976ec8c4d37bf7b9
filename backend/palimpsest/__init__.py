"""Palimpsest edits a photo by words and by the user's own concepts, and changes nothing else."""

__version__ = "0.1.0"
