"""A panel with a scripted backend and editor around it, for the tests of what is shown, sent and done."""

from __future__ import annotations

from client.scripted import Backend, ScriptedEditor
from jobs.shop import eventually
from palimpsest_client.panel.panel import Panel

SHOWS = "a photo of a cat on grass"


class Desk:
    """A panel with everything around it."""

    def __init__(self, folder, backend: Backend | None = None, editor: ScriptedEditor | None = None) -> None:
        self.backend = Backend() if backend is None else backend
        self.editor = ScriptedEditor() if editor is None else editor
        self.states = []
        self.panel = Panel("krita", self.editor, self.states.append, folder)
        self.panel.session._connect = self.backend.connect

    @property
    def state(self):
        return self.panel.state

    def until(self, holds):
        def ticked():
            self.panel._looked_at = self.panel.remembered_photos._looked_at = float("-inf")
            self.panel.tick()
            return holds(self.panel.state)

        return eventually(ticked)

    def ready(self) -> Desk:
        self.panel.start()
        self.until(lambda s: s.status.kind == "ready" and s.models and s.document is not None)
        return self

    def idle(self) -> None:
        self.until(lambda s: s.progress is None)


def fill(panel: Panel, operation: str = "replace", second: str = "a photo of a dog on grass") -> None:
    panel.draft.choose_operation(operation)
    panel.draft.write_source_prompt(SHOWS)
    panel.draft.write_operand(second)
