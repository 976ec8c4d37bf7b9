"""Qt as this Krita has it: PyQt5 up to Krita 5, PyQt6 from Krita 6.

Krita 6 refuses PyQt5. PyQt6 is never tried first: Krita 5 would load a second Qt if the system has one.
"""

# ruff: noqa: F401, F403, I001

from __future__ import annotations

try:
    from PyQt5.sip import isdeleted
    from PyQt5.QtCore import *
    from PyQt5.QtGui import *
    from PyQt5.QtWidgets import *
except ImportError:
    from PyQt6.sip import isdeleted
    from PyQt6.QtCore import *
    from PyQt6.QtGui import *
    from PyQt6.QtWidgets import *
