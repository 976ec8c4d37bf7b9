"""The dialog in which a concept is learned: draws every state of ``_client.learning``."""

from __future__ import annotations

from ._client.learning import STYLE, SUBJECT, Example, Learning, LearnState
from ._client.wording import say
from .desk import desk
from .layout import Flow, Thumbnails, beside_krita, button, label, picture, row
from .qt import (
    QCheckBox,
    QDialog,
    QFileDialog,
    QFormLayout,
    QFrame,
    QLineEdit,
    QProgressBar,
    QRadioButton,
    QScrollArea,
    Qt,
    QVBoxLayout,
    QWidget,
)

SIDE, SHELF, LOOK = 64, 104, 96  # px of a picture, of a row of them, of the look at the word
WIDTH, HEIGHT = 420, 330
FILES = "*.png *.jpg *.jpeg *.webp *.tif *.tiff *.bmp"


class LearnDialog(QDialog):
    """Stays open beside the picture: a selection can be made while it is there."""

    def __init__(self) -> None:
        super().__init__()
        self.setWindowTitle(say("learn-title"))
        self.setWindowFlag(Qt.WindowType.WindowStaysOnTopHint)
        beside_krita(self)
        self.setMinimumWidth(WIDTH)
        self.resize(WIDTH, HEIGHT)
        self.drawn: LearnState | None = None
        self._thumbnails = Thumbnails(desk().panel.session, SIDE, self._draw_examples)
        self._build()
        self.learning = Learning(desk().panel, desk().editor, self.draw)
        self.draw(self.learning.state)

    def done(self, result: int) -> None:
        self.learning.close()
        super().done(result)

    def _build(self) -> None:
        column = QVBoxLayout(self)
        form = QFormLayout()
        self._name = self._line("name", "name-example")
        self._noun = self._line("noun", "noun-example")
        self._subject, self._style = QRadioButton(say("subject")), QRadioButton(say("style"))
        self._subject.clicked.connect(lambda: self.learning.set(kind=SUBJECT))
        self._style.clicked.connect(lambda: self.learning.set(kind=STYLE))
        self._replaces = QCheckBox()
        self._replaces.clicked.connect(lambda on: self.learning.set(replaces=on))
        form.addRow(say("name"), self._name)
        form.addRow("", self._replaces)
        kinds = QWidget()
        kinds.setLayout(row(self._subject, self._style, QWidget(), stretch=2))
        form.addRow(say("kind"), kinds)
        form.addRow(say("noun"), self._noun)
        column.addLayout(form)
        column.addWidget(label(say("pictures")))
        self._pictures = Flow(say("pictures"))
        shelf = QScrollArea()
        shelf.setWidget(self._pictures)
        shelf.setWidgetResizable(True)
        shelf.setFrameShape(QFrame.Shape.NoFrame)
        shelf.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        shelf.setMinimumHeight(SHELF)
        column.addWidget(shelf, 1)
        adders = [button(say(key)) for key in ("add-files", "add-selection", "add-layers")]
        for adder, call in zip(adders, (self._choose_files, self._add_selection, self._add_layers)):
            adder.clicked.connect(lambda _=False, call=call: call())
        column.addLayout(row(*adders, QWidget(), stretch=3))
        self._message = label(wrap=True)
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setFixedHeight(10)
        self._preview, self._preview_label = label(), label(say("how-it-looks"), muted=True)
        self._preview.setAccessibleName(say("how-it-looks"))
        column.addLayout(row(self._preview, self._preview_label, stretch=1))
        column.addWidget(self._message)
        column.addWidget(self._bar)
        self._mean = button(say("picture-is-meant"))
        self._mean.clicked.connect(lambda: self.learning.mean_it())
        self._learn, self._stop = button(say("learn-now")), button(say("stop"))
        self._learn.setDefault(True)
        self._learn.clicked.connect(lambda: self.learning.learn())
        self._stop.clicked.connect(lambda: self.learning.stop())
        close = button(say("close"))
        close.clicked.connect(lambda: self.close())
        column.addLayout(row(QWidget(), self._mean, self._learn, self._stop, close, stretch=0))

    def _line(self, key: str, example: str) -> QLineEdit:
        made = QLineEdit()
        made.setAccessibleName(say(key))
        made.setPlaceholderText(say(example))
        made.textEdited.connect(lambda text: self.learning.set(**{key: text}))
        return made

    # Drawing.

    def draw(self, state: LearnState) -> None:
        before, self.drawn = self.drawn, state
        for field, text in ((self._name, state.name), (self._noun, state.noun)):
            if field.text().strip("<> ") != text.strip():
                field.setText(text)
        self._subject.setChecked(state.kind == SUBJECT)
        self._style.setChecked(state.kind == STYLE)
        self._replaces.setText(say("replace-concept", name=state.name))
        self._replaces.setVisible(state.exists)
        self._replaces.setChecked(state.replaces)
        if before is None or state.examples != before.examples:
            self._draw_examples()
        if before is None or state.preview is not before.preview:
            seen = picture(state.preview, LOOK)
            self._preview.setPixmap(seen)
            for part in (self._preview, self._preview_label):
                part.setVisible(not seen.isNull())
        working = state.progress is not None
        self._bar.setVisible(working)
        self._stop.setVisible(working)
        self._learn.setVisible(not working)
        self._learn.setEnabled(not state.cannot_learn)
        self._mean.setVisible(state.can_mean and not working)
        if state.progress is not None:
            known = state.progress.fraction
            self._bar.setRange(0, 0 if known is None else 1000)
            self._bar.setValue(0 if known is None else round(1000 * known))
            self._stop.setEnabled(state.progress.can_cancel)
        self._message.setText(state.progress.text if state.progress is not None else state.message)

    def _example(self, number: int, example: Example) -> QWidget:
        """The picture, what is wrong with it, and a way to leave it out."""
        frame = QFrame()
        column = QVBoxLayout(frame)
        column.setContentsMargins(2, 2, 2, 2)
        column.setSpacing(2)
        shown = label()
        shown.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        shown.setFixedSize(SIDE, SIDE)
        shown.setPixmap(self._thumbnails.of(example.image))
        name = say("picture", n=number + 1, name=example.name)
        shown.setAccessibleName(name)
        shown.setToolTip(f"{name} {example.problem}".strip())
        out = button(say("leave-out") if example.problem else "×")
        out.setAccessibleName(f"{say('leave-out')}: {name}")
        out.setToolTip(say("leave-out"))
        out.setMaximumHeight(22)
        if not example.problem:
            out.setFixedWidth(SIDE)
        out.clicked.connect(lambda: self.learning.leave_out(number))
        column.addWidget(shown)
        column.addWidget(out)
        if example.problem:
            frame.setFrameShape(QFrame.Shape.Box)
        return frame

    def _draw_examples(self) -> None:
        if self.drawn is not None and not self.isHidden():
            tiles = [self._example(number, example) for number, example in enumerate(self.drawn.examples)]
            self._pictures.refill(tiles)

    # What people do.

    def _choose_files(self) -> None:
        title, kinds = say("learn-title"), f"{say('pictures')} ({FILES})"
        self.learning.add_files(QFileDialog.getOpenFileNames(self, title, "", kinds)[0])

    def _add_selection(self) -> None:
        self.learning.add_selection()

    def _add_layers(self) -> None:
        self.learning.add_layers()


_open: list = []


def open_learn_dialog() -> LearnDialog:
    """The one that is open, or a new one."""
    if not _open or not _open[0].isVisible():
        _open[:] = [LearnDialog()]
    _open[0].show()
    _open[0].raise_()
    return _open[0]
