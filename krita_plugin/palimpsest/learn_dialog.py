"""The dialog in which a concept is learned: draws every state of ``_client.learning``."""

from __future__ import annotations

from ._client.learn_state import MORE, REPLACE, LearnState
from ._client.learning import Learning
from ._client.lessons import STYLE, SUBJECT, Example
from ._client.wording import say
from .desk import desk
from .layout import Flow, Thumbnails, beside_krita, button, label, link, picture, row
from .qt import (
    QColor,
    QDialog,
    QFileDialog,
    QFormLayout,
    QFrame,
    QImage,
    QLineEdit,
    QPainter,
    QProgressBar,
    QRadioButton,
    QScrollArea,
    QSizePolicy,
    Qt,
    QVBoxLayout,
    QWidget,
)

SIDE, SHELF, LOOK = 88, 120, 96  # px of a picture, of a row of them, of the look at the word
SQUARE = 8  # px of the chequers under what is transparent
PROBLEM = 170  # px of the sentence beside a picture
LINES = 3  # of a message: room is kept, so that no button moves
WIDTH, HEIGHT = 440, 690
VEIL = 0.65  # how dark it is over what isn't learned
FILES = "*.png *.jpg *.jpeg *.webp *.tif *.tiff *.bmp"


class LearnDialog(QDialog):
    """Stays open beside the picture: a selection can be made while it is there."""

    def __init__(self, learning: Learning) -> None:
        super().__init__()
        self.setWindowTitle(say("learn-title"))
        self.setWindowFlag(Qt.WindowType.WindowStaysOnTopHint)
        beside_krita(self)
        self.setMinimumWidth(WIDTH)
        self.resize(WIDTH, HEIGHT)
        self.drawn: LearnState | None = None
        self.learning = learning
        self._thumbnails = Thumbnails(desk().panel.session, SIDE, self._draw_examples, sight)
        column = QVBoxLayout(self)
        column.addLayout(self._name_part())
        self._picture_part(column)
        self._look_part(column)
        self._learn_part(column)
        learning.show_to(self.draw)

    def done(self, result: int) -> None:
        """Escape too: a learning goes on."""
        self.learning.close()
        super().done(result)

    def _name_part(self) -> QFormLayout:
        form = QFormLayout()
        self._name = self._line("name", "name-example")
        self._note = label(wrap=True, muted=True)
        self._more, self._anew = QRadioButton(say("learn-more")), QRadioButton(say("learn-anew"))
        self._more.clicked.connect(lambda: self.learning.set(mode=MORE))
        self._anew.clicked.connect(lambda: self.learning.set(mode=REPLACE))
        self._subject, self._style = QRadioButton(say("subject")), QRadioButton(say("style"))
        self._subject.clicked.connect(lambda: self.learning.set(kind=SUBJECT))
        self._style.clicked.connect(lambda: self.learning.set(kind=STYLE))
        self._noun = self._line("noun", "noun-example")
        self._taken, kinds = QWidget(), QWidget()
        self._taken.setLayout(row(self._more, self._anew, QWidget(), stretch=2))
        kinds.setLayout(row(self._subject, self._style, QWidget(), stretch=2))
        form.addRow(say("name"), self._name)
        form.addRow("", self._note)
        form.addRow("", self._taken)
        form.addRow(say("kind"), kinds)
        form.addRow(say("noun"), self._noun)
        return form

    def _picture_part(self, column: QVBoxLayout) -> None:
        clear = link(say("clear"))
        clear.clicked.connect(lambda: self.learning.clear())
        column.addLayout(row(label(say("pictures")), QWidget(), clear, stretch=1))
        self._good_set = label(wrap=True, muted=True)
        column.addWidget(self._good_set)
        self._pictures = Flow(say("pictures"))
        shelf = QScrollArea()
        shelf.setWidget(self._pictures)
        shelf.setWidgetResizable(True)
        shelf.setFrameShape(QFrame.Shape.NoFrame)
        shelf.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        shelf.setMinimumHeight(SHELF)
        column.addWidget(shelf, 1)
        adds = (
            ("add-files", self._choose_files),
            ("add-selection", self.learning.pictures.add_selection),
            ("add-layers", self.learning.pictures.add_layers),
        )
        column.addLayout(row(*(press(say(key), call) for key, call in adds), QWidget(), stretch=3))

    def _look_part(self, column: QVBoxLayout) -> None:
        self._preview, self._preview_label = label(), label(say("how-it-looks"), muted=True)
        self._preview.setAccessibleName(say("how-it-looks"))
        self._sketch, self._sketch_label = label(), label(say("test-sentence"), muted=True)
        self._sketch.setAccessibleName(say("test-sentence"))
        self._looks = QWidget()
        looks = row(stacked(self._preview, self._preview_label), stacked(self._sketch, self._sketch_label))
        looks.addStretch(1)
        self._looks.setLayout(looks)
        self._sentence = Sentence(self.learning.draw)
        self._sentence.setAccessibleName(say("test-sentence"))
        self._sentence.textEdited.connect(lambda text: self.learning.set(sentence=text))
        self._draw = press(say("draw"), self.learning.draw)
        column.addWidget(self._looks)
        column.addLayout(row(self._sentence, self._draw, stretch=0))

    def _learn_part(self, column: QVBoxLayout) -> None:
        self._message = label(wrap=True)
        self._message.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._message.setFixedHeight(LINES * self.fontMetrics().lineSpacing())
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setFixedHeight(10)
        self._bar.setAccessibleName(say("learn-title"))
        policy = self._bar.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self._bar.setSizePolicy(policy)
        self._learn = press(say("learn-more"), self.learning.learn)
        self._learn.setDefault(True)
        self._learn.setMinimumWidth(self._learn.sizeHint().width())  # so that Stop never moves
        self._stop = press(say("stop"), self.learning.stop)
        column.addWidget(self._message)
        column.addWidget(self._bar)
        column.addLayout(row(self._learn, self._stop, QWidget(), press(say("close"), self.close), stretch=2))

    def _line(self, key: str, example: str) -> QLineEdit:
        made = QLineEdit()
        made.setAccessibleName(say(key))
        made.setPlaceholderText(say(example))
        made.textEdited.connect(lambda text: self.learning.set(**{key: text}))
        return made

    # Drawing.

    def draw(self, state: LearnState) -> None:
        before, self.drawn = self.drawn, state
        put(self._name, state.field)
        put(self._noun, state.noun)
        put(self._sentence, state.sentence)
        self._note.setText(state.note)
        self._note.setVisible(bool(state.note))
        self._subject.setChecked(state.kind == SUBJECT)
        self._style.setChecked(state.kind == STYLE)
        self._taken.setVisible(state.exists)
        for made, mode in ((self._more, MORE), (self._anew, REPLACE)):
            made.setAutoExclusive(False)  # else none of them can be the chosen one
            made.setChecked(state.mode == mode)
            made.setAutoExclusive(True)
        self._good_set.setText(state.good_set)
        if before is None or state.examples != before.examples:
            self._draw_examples()
        self._draw_looks(state, before)
        self._draw_work(state)

    def _draw_looks(self, state: LearnState, before: LearnState | None) -> None:
        if before is None or state.preview is not before.preview:
            self._preview.setPixmap(picture(state.preview, LOOK))
        if before is None or state.drawn is not before.drawn:
            self._sketch.setPixmap(picture(state.drawn, LOOK))
        for parts, content in (
            ((self._preview, self._preview_label), state.preview),
            ((self._sketch, self._sketch_label), state.drawn),
        ):
            for part in parts:
                part.setVisible(content is not None)
        self._looks.setVisible(state.preview is not None or state.drawn is not None)
        for part in (self._sentence, self._draw):
            part.setVisible(bool(state.learned))
        self._draw.setEnabled(not state.cannot_draw)
        self._draw.setToolTip(state.cannot_draw)

    def _draw_work(self, state: LearnState) -> None:
        working = state.progress is not None
        self._bar.setVisible(working)
        self._learn.setText(state.learn_text)
        self._learn.setEnabled(not working and not state.cannot_learn)
        self._stop.setEnabled(state.progress is not None and state.progress.can_cancel)
        if state.progress is not None:
            known = state.progress.fraction
            self._bar.setRange(0, 0 if known is None else 1000)
            self._bar.setValue(0 if known is None else round(1000 * known))
        self._message.setText(state.line)
        self._message.setToolTip(state.line)

    def _draw_examples(self) -> None:
        if self.drawn is not None and not self.isHidden():
            tiles = [self._example(number, example) for number, example in enumerate(self.drawn.examples)]
            self._pictures.refill(tiles)

    def showEvent(self, event) -> None:  # noqa: N802
        super().showEvent(event)
        self._draw_examples()

    def _example(self, number: int, example: Example) -> QWidget:
        """The picture, what is wrong with it, and what can be done about that."""
        name = say("picture", n=number + 1, name=example.name)
        shown = label()
        shown.setAlignment(Qt.AlignmentFlag.AlignCenter)
        shown.setFixedSize(SIDE, SIDE)
        shown.setPixmap(self._thumbnails.of((example.image, example.mask)))
        shown.setAccessibleName(name)
        shown.setToolTip(f"{name}\n{say('masked')}" if example.mask is not None else name)
        text = say("leave-out") if example.problem else "×"
        out = press(text, lambda: self.learning.leave_out(number))
        out.setAccessibleName(f"{say('leave-out')}: {name}")
        out.setToolTip(say("leave-out"))
        if not example.problem:
            out.setMaximumHeight(22)
            out.setFixedWidth(SIDE)
            return stacked(shown, out)
        return self._problem(shown, example, out)

    def _problem(self, shown: QWidget, example: Example, out: QWidget) -> QWidget:
        """A frame around the picture, a badge on it, and beside it the sentence and its answers."""
        badge = label("!")
        badge.setParent(shown)
        badge.setAlignment(Qt.AlignmentFlag.AlignCenter)
        badge.setStyleSheet("background: #b3372b; color: white; font-weight: bold; border-radius: 9px;")
        badge.setGeometry(2, 2, 18, 18)
        said = label(example.problem, wrap=True)
        said.setFixedWidth(PROBLEM)
        said.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Minimum)
        answers = [out]
        if example.odd:
            answers.append(press(say("picture-is-meant"), self.learning.mean_it))
        beside = QVBoxLayout()
        beside.addWidget(said)
        beside.addLayout(row(*answers))
        frame = QFrame()
        frame.setFrameShape(QFrame.Shape.Box)
        frame.setObjectName("odd")
        frame.setStyleSheet("#odd { border: 2px solid #b3372b; }")
        whole = row(shown)
        whole.setContentsMargins(3, 3, 3, 3)
        whole.addLayout(beside)
        frame.setLayout(whole)
        return frame

    # What people do.

    def _choose_files(self) -> None:
        title, kinds = say("learn-title"), f"{say('pictures')} ({FILES})"
        self.learning.pictures.add_files(QFileDialog.getOpenFileNames(self, title, "", kinds)[0])


class Sentence(QLineEdit):
    """Return draws, and isn't the dialog's."""

    def __init__(self, draw) -> None:
        super().__init__()
        self._draw = draw

    def keyPressEvent(self, event) -> None:  # noqa: N802
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._draw()
        else:
            super().keyPressEvent(event)


def press(text: str, call):
    """A button that Return presses only where it has the keyboard."""
    made = button(text)
    made.setAutoDefault(False)
    made.clicked.connect(lambda: call())
    return made


def put(line: QLineEdit, text: str) -> None:
    """What is there already stays, and so does the cursor's place from the end."""
    if line.text() != text:
        from_end = len(line.text()) - line.cursorPosition()
        line.setText(text)
        line.setCursorPosition(max(0, len(text) - from_end))


def stacked(*parts: QWidget) -> QWidget:
    """One above the other, closely."""
    made = QWidget()
    column = QVBoxLayout(made)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(2)
    for part in parts:
        column.addWidget(part)
    return made


def sight(content, side: int) -> QImage:
    """Of (picture, mask or None): chequers where it is transparent, dark where it isn't learned from.

    A null image for a picture that can't be read. On any thread.
    """
    image, mask = (None if part is None else QImage.fromData(part) for part in content)
    if image is None or image.isNull():
        return QImage()
    ratio, smooth = Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
    image = image.scaled(side, side, ratio, smooth)
    seen = QImage(image.size(), QImage.Format.Format_RGB32)
    seen.fill(QColor(255, 255, 255))
    painter = QPainter(seen)
    for y in range(0, seen.height(), SQUARE):
        for x in range(y // SQUARE % 2 * SQUARE, seen.width(), 2 * SQUARE):
            painter.fillRect(x, y, SQUARE, SQUARE, QColor(190, 190, 190))
    painter.drawImage(0, 0, image)
    if mask is not None and not mask.isNull():
        painter.setOpacity(VEIL)
        painter.drawImage(0, 0, veil(mask.scaled(image.size(), transformMode=smooth)))
    painter.end()
    return seen


def veil(mask: QImage) -> QImage:
    """Black, and the more opaque the darker the grey ``mask`` is."""
    made = QImage(mask.size(), QImage.Format.Format_ARGB32)
    made.fill(QColor(0, 0, 0))
    opacity = mask.convertToFormat(QImage.Format.Format_Grayscale8)
    opacity.invertPixels()
    made.setAlphaChannel(opacity)
    return made


_lessons: list = []  # the one of this Krita
_open: list = []


def open_learn_dialog() -> LearnDialog:
    """The one that is open, or a new one that shows what the last one did."""
    if not _lessons or _lessons[0][0] is not desk().panel:
        _lessons[:] = [(desk().panel, Learning(desk().panel, desk().editor))]
    if not _open or not _open[0].isVisible():
        _open[:] = [LearnDialog(_lessons[0][1])]
    _open[0].show()
    _open[0].raise_()
    return _open[0]
