"""Which backend is used, with which token; which models it has, and which it could fetch."""

from __future__ import annotations

from ._client.connection import Choice
from ._client.wording import say
from .desk import desk
from .layout import beside_krita, button, label, line, row, scrolled
from .models_part import Models
from .own_settings import OwnSettings
from .qt import QDialog, QFormLayout, QLineEdit, QRadioButton, QVBoxLayout, QWidget

WIDTH, HEIGHT = 440, 640
MODELS = 160  # px, at least


class BackendDialog(QDialog):
    """The settings page: this computer's backend or another's, its models, and one's own settings."""

    def __init__(self) -> None:
        super().__init__()
        self.setWindowTitle(say("settings"))
        beside_krita(self)
        self.setMinimumWidth(WIDTH)
        self.resize(WIDTH, HEIGHT)
        self._panel = desk().panel
        choice = self._panel.backend.choice
        self.here, self.elsewhere = QRadioButton(say("this-computer")), QRadioButton(say("other-computer"))
        self.address, self.token = QLineEdit(choice.address), QLineEdit(choice.token)
        self._build()
        (self.elsewhere if choice.address else self.here).setChecked(True)
        self._toggle()

    def _build(self) -> None:
        whole = QVBoxLayout(self)
        for part in (label(say("server-title")), self.here, self.elsewhere):
            whole.addWidget(part)
        form = QFormLayout()
        self.address.setPlaceholderText("http://192.168.1.20:8391")
        self.address.setAccessibleName(say("address"))
        self.token.setEchoMode(QLineEdit.EchoMode.Password)
        self.token.setPlaceholderText(say("token-hint"))
        self.token.setAccessibleName(say("token"))
        form.addRow(say("address"), self.address)
        form.addRow(say("token"), self.token)
        whole.addLayout(form)
        self.message = label(wrap=True)
        whole.addWidget(self.message)
        self.here.toggled.connect(lambda _: self._toggle())
        connect, close = button(say("connect-now")), button(say("close"))
        connect.setDefault(True)
        connect.clicked.connect(lambda: self.connect_now())
        close.clicked.connect(lambda: self.close())
        whole.addLayout(row(QWidget(), connect, stretch=0))
        self.own = OwnSettings(self._panel.preferences)
        models = scrolled(Models())  # with what each needs they are higher than a small screen
        models.setMinimumHeight(MODELS)
        for part in (line(), self.own, line(), label(say("models-title"))):
            whole.addWidget(part)
        whole.addWidget(models, 1)
        whole.addLayout(row(QWidget(), close, stretch=0))

    def _toggle(self) -> None:
        for field in (self.address, self.token):
            field.setEnabled(self.elsewhere.isChecked())

    def connect_now(self) -> None:
        far = self.elsewhere.isChecked()
        choice = Choice(self.address.text().strip(), self.token.text().strip()) if far else Choice()
        if far and not choice.address:
            self.message.setText(say("bad-address", address="“”"))
            return
        reason = self._panel.backend.connect_to(choice)
        self.message.setText(reason)
        if not reason:
            self.accept()


class TokenDialog(BackendDialog):
    """The backend that was found refused its token: another one for it."""

    def __init__(self) -> None:
        super().__init__()
        self.elsewhere.setChecked(True)
        self.address.setText(self._panel.backend.choice.address or self._panel.session.state.address)
        self.token.setFocus()


class ModelsDialog(QDialog):
    """The models alone."""

    def __init__(self) -> None:
        super().__init__()
        self.setWindowTitle(say("models-title"))
        beside_krita(self)
        self.setMinimumWidth(WIDTH)
        self.resize(WIDTH, HEIGHT)
        self.models = Models()
        close = button(say("close"))
        close.clicked.connect(lambda: self.close())
        whole = QVBoxLayout(self)
        whole.addWidget(scrolled(self.models))
        whole.addLayout(row(QWidget(), close, stretch=0))


_open: list = []


def show_dialog(dialog: QDialog) -> QDialog:
    _open[:] = [dialog]  # kept, or Qt takes it away at once
    dialog.show()
    dialog.raise_()
    return dialog


def open_backend_dialog() -> QDialog:
    refused = desk().panel.session.state.connection == "refused"
    return show_dialog(TokenDialog() if refused else BackendDialog())


def open_models_dialog() -> QDialog:
    return show_dialog(ModelsDialog())
