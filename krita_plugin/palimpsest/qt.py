"""Qt as this Krita has it: PyQt5 up to Krita 5, PyQt6 from Krita 6.

Krita 6 refuses PyQt5. PyQt6 is never tried first: Krita 5 would load a second Qt if the system has one.
"""

# ruff: noqa: F401, I001

from __future__ import annotations

try:
    from PyQt5.sip import isdeleted
    from PyQt5.QtCore import QBuffer, QByteArray, QEvent, QIODevice, QLocale, QObject, QPoint
    from PyQt5.QtCore import QItemSelectionModel, QSize, Qt, QTimer
    from PyQt5.QtGui import QColor, QIcon, QImage, QImageReader, QPainter, QPalette, QPixmap
    from PyQt5.QtGui import QTextCharFormat, QTextCursor
    from PyQt5.QtWidgets import (
        QApplication, QBoxLayout, QButtonGroup, QComboBox, QDialog, QDoubleSpinBox, QFileDialog,
        QFormLayout, QFrame, QGridLayout, QHBoxLayout, QInputDialog, QLabel,
        QLineEdit, QListWidget, QListWidgetItem, QMdiArea, QMenu, QMessageBox, QPlainTextEdit,
        QProgressBar, QPushButton, QRadioButton, QScrollArea, QSizePolicy, QSlider, QStyle,
        QStyleOptionSlider, QTextEdit, QToolButton, QToolTip, QVBoxLayout, QWidget,
    )
except ImportError:
    from PyQt6.sip import isdeleted
    from PyQt6.QtCore import QBuffer, QByteArray, QEvent, QIODevice, QLocale, QObject, QPoint
    from PyQt6.QtCore import QItemSelectionModel, QSize, Qt, QTimer
    from PyQt6.QtGui import QColor, QIcon, QImage, QImageReader, QPainter, QPalette, QPixmap
    from PyQt6.QtGui import QTextCharFormat, QTextCursor
    from PyQt6.QtWidgets import (
        QApplication, QBoxLayout, QButtonGroup, QComboBox, QDialog, QDoubleSpinBox, QFileDialog,
        QFormLayout, QFrame, QGridLayout, QHBoxLayout, QInputDialog, QLabel,
        QLineEdit, QListWidget, QListWidgetItem, QMdiArea, QMenu, QMessageBox, QPlainTextEdit,
        QProgressBar, QPushButton, QRadioButton, QScrollArea, QSizePolicy, QSlider, QStyle,
        QStyleOptionSlider, QTextEdit, QToolButton, QToolTip, QVBoxLayout, QWidget,
    )
