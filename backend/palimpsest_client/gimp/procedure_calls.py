"""What a procedure of GIMP's does when it is called: from its values to its answer, without GIMP."""

from __future__ import annotations

from contextlib import closing
from typing import Any, Callable, Dict, Mapping, NamedTuple, Optional

from ..editor.slices import WorkError
from ..folders import config_folder
from ..http.connection import Choice, check_choice, connector, write_choice
from ..http.protocol import ClientError
from ..text.wording import say
from .procedure_run import Bar, CancelledError, PlacingEditor, ProcedureRun, Turning, find_backend
from .procedures import CALLING, CANCEL, EXECUTION, SUCCESS, Procedure, check_values, form_of

IN_WINDOW = ("reopen-edit", "learn-concept", "server")
"""These ask more than a dialog of one moment can; and GIMP would keep a token with its last values."""

Values = Mapping[str, Any]


class Answer(NamedTuple):
    status: str = SUCCESS
    text: str = ""  # why it failed
    value: Any = None  # what the procedure returns


class BadValueError(WorkError):
    """The caller's mistake."""


class Call(NamedTuple):
    """Of a procedure for a picture, which ``editor`` has. ``bar``: makes the editor's own, with a title."""

    procedure: Procedure
    values: Values
    document: str
    editor: PlacingEditor
    bar: Callable[[str], Bar]
    turning: Turning

    def answer(self) -> Answer:
        try:
            return Answer(value=HANDLERS.get(self.procedure.name, edit)(self))
        except CancelledError:
            return Answer(CANCEL)
        except BadValueError as error:
            return Answer(CALLING, str(error))
        except (WorkError, ClientError, OSError) as error:
            return Answer(EXECUTION, str(error))

    def check(self, judge: Callable[[Procedure, Values], Any]) -> Any:
        """What ``judge`` makes of the values; what it refuses is the caller's mistake."""
        try:
            return judge(self.procedure, self.values)
        except WorkError as error:
            raise BadValueError(str(error)) from error

    def with_bar(self, work: Callable[[ProcedureRun], Any]) -> Any:
        """What ``work`` returns, while the bar shows how far it is."""
        bar = self.bar(self.procedure.title)
        try:
            with closing(ProcedureRun(self.editor, bar, self.turning)) as run:
                return work(run)
        finally:
            bar.end()


def edit(call: Call) -> Any:
    form = call.check(form_of)
    return call.with_bar(lambda quick: quick.edit(form))


def remember(call: Call) -> float:
    form = call.check(form_of)
    return call.with_bar(lambda quick: quick.remember(form))


def select_word(call: Call) -> float:
    form, word = call.check(form_of), call.values["word"].strip()
    return call.with_bar(lambda quick: quick.select_word(form, word))


def learn(call: Call) -> str:
    call.check(check_values)
    return call.with_bar(lambda quick: quick.learn(call.values))


def recipe(call: Call) -> str:
    found = call.editor.recipe(call.document)
    if found is None:
        raise WorkError(say("no-recipe"))
    return found.text


def choose_server(call: Call) -> None:
    """Asks the backend first: what doesn't answer is not kept."""
    choice = Choice(call.values["address"].strip(), call.values["token"].strip())
    reason = check_choice(choice)
    if reason:
        raise BadValueError(reason)
    if choice.address:
        connector(config_folder(), choice)().system()
    write_choice(config_folder(), choice)


HANDLERS: Dict[str, Callable[[Call], Any]] = {
    "word-to-selection": select_word,
    "learn-concept": learn,
    "remember-photo": remember,
    "reopen-edit": recipe,
    "server": choose_server,
}


def refusing(
    procedure: Procedure, values: Callable[[], Values], editor: PlacingEditor
) -> Optional[Callable[[], str]]:
    """What says why the values of its dialog won't do; None where the panel's window is shown instead: it
    asks more, and helps if no backend answers."""
    if procedure.name in IN_WINDOW:
        return None
    try:
        backend = find_backend()
    except (WorkError, ClientError):
        return None

    def why_not() -> str:
        try:
            return backend.refusal(editor.document(), form_of(procedure, values()), bool(procedure.operation))
        except WorkError as error:
            return str(error)

    return why_not
