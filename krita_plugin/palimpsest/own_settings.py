"""Of the settings page: with what new pictures begin, the language, and what is kept on this computer."""

from __future__ import annotations

from ._client.preferences import FIELDS, LANGUAGE, Preferences
from ._client.wording import say
from .inputs import field_of
from .layout import button, column, label
from .qt import QFormLayout, QWidget


class OwnSettings(QWidget):
    def __init__(self, preferences: Preferences) -> None:
        super().__init__()
        self._preferences = preferences
        self.fields = {control.name: field_of(control, preferences) for control in FIELDS}
        form = QFormLayout()
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        for control in FIELDS:
            field = self.fields[control.name]
            field.put(preferences.drawn(control))
            form.addRow(control.label, field)
            if control is LANGUAGE:
                form.addRow(label(say("new-pictures")))
            (field.activated if control is LANGUAGE else field.valueChanged).connect(lambda _: self._tell())
        place = label(say("kept-in", place=preferences.folder), wrap=True, muted=True)
        self.forget = button(say("forget"))
        self.forget.clicked.connect(lambda: self._forget())
        self.message = label(wrap=True)
        column(self, form, label(say("kept-here")), place, self.forget, self.message)

    def _forget(self) -> None:
        self._preferences.forget()
        self.message.setText(self._preferences.trouble or say("forgotten"))

    def _tell(self) -> None:
        self.message.setText(self._preferences.trouble)
