"""Of the settings page: with what new pictures begin, the language, and what is kept on this computer."""

from __future__ import annotations

from ._client.preferences import BEGINNING, FIELDS, Preferences
from ._client.wording import say
from .inputs import Choice, field_of
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
            if control.name == BEGINNING[0]:
                form.addRow(label(say("new-pictures")))
            form.addRow(control.label, field)
            (field.activated if isinstance(field, Choice) else field.valueChanged).connect(self._tell)
        place = label(say("kept-in", place=preferences.folder), wrap=True, muted=True)
        self.forget = button(say("forget"))
        self.forget.clicked.connect(lambda: self._forget())
        self.message = label(wrap=True)
        column(self, form, label(say("kept-here")), place, self.forget, self.message)

    def _forget(self) -> None:
        self._preferences.forget()
        self.message.setText(self._preferences.trouble or say("forgotten"))

    def _tell(self, _) -> None:
        self.message.setText(self._preferences.trouble)
