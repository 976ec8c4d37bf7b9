#!/usr/bin/env python3
"""Palimpsest in GIMP 3: its procedures, as menu items under Filters and for scripts.

What a menu item does: if the Palimpsest window is open, it turns to this picture and operation; if not,
a small dialog asks for the values and the job runs with GIMP's progress bar. Scripts give the values.
"""

# pyright: reportMissingImports=false
# GIMP's Python brings gi.
from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable
from typing import Any, Dict

import gi

gi.require_version("Gimp", "3.0")
gi.require_version("Gegl", "0.4")
from _client.collector import Collector  # noqa: E402
from _client.connection import Choice, check_choice, connector, write_choice  # noqa: E402
from _client.language import speak_as  # noqa: E402
from _client.procedures import (  # noqa: E402
    BY_NAME,
    PREFIX,
    WINDOW,
    WINDOW_COMMAND,
    Argument,
    Procedure,
    form_of,
    judged,
    menu_labels,
)
from _client.protocol import ClientError, config_folder  # noqa: E402
from _client.slices import WorkError  # noqa: E402
from _client.wording import say  # noqa: E402
from gi.repository import Gimp, GLib, GObject  # noqa: E402

MENU = "<Image>/Filters/Palimpsest/"
RW = GObject.ParamFlags.READWRITE
WIDE = 1e9  # declared limits: values are judged by ``procedures``, GIMP would replace them in silence
WIDE_INT = 2**31 - 1
TURN, TICK = 50, 100  # ms
Values = Dict[str, Any]


class Palimpsest(Gimp.PlugIn):
    def do_set_i18n(self, name: str) -> bool:
        return False

    def do_query_procedures(self) -> list[str]:
        return [WINDOW, *BY_NAME]

    def do_create_procedure(self, name: str) -> Gimp.Procedure:
        return window_procedure(self, name) if name == WINDOW else image_procedure(self, BY_NAME[name])


# Registration.


def window_procedure(plugin: Palimpsest, name: str) -> Gimp.Procedure:
    """No picture belongs to it: it can be opened first, and outlives them all."""
    made = Gimp.Procedure.new(plugin, name, Gimp.PDBProcType.PLUGIN, run_window, plugin)
    described(made, menu_labels()["window"], say("does-window"), say("about-window"))
    interactive = Gimp.RunMode.INTERACTIVE
    label, blurb = say("run-mode"), say("about-run-mode")
    made.add_enum_argument("run-mode", label, blurb, Gimp.RunMode, interactive, RW)
    return made


def image_procedure(plugin: Palimpsest, told: Procedure) -> Gimp.Procedure:
    made = Gimp.ImageProcedure.new(plugin, PREFIX + told.name, Gimp.PDBProcType.PLUGIN, run, plugin)
    made.set_image_types("*")  # indexed pictures too: they are refused with a remedy
    mask = Gimp.ProcedureSensitivityMask
    made.set_sensitivity_mask(mask.DRAWABLE | mask.DRAWABLES | mask.NO_DRAWABLES)
    described(made, menu_labels()[told.name], told.blurb, told.help)
    for argument in told.arguments:
        add_argument(made, argument, told.labels[argument.name])
    if told.returns is not None:
        kind, name = told.returns
        add_return(made, kind, name, say("returns-" + name))
    return made


def described(made: Gimp.Procedure, label: str, blurb: str, help: str) -> None:
    made.set_menu_label(label)
    made.set_documentation(blurb, help, None)
    made.set_attribution("Palimpsest", "Palimpsest", "2026")
    made.add_menu_path(MENU)


def add_argument(made: Gimp.Procedure, argument: Argument, label: str) -> None:
    name, blurb, default = argument.name, argument.blurb, argument.default
    if isinstance(default, bool):
        made.add_boolean_argument(name, label, blurb, default, RW)
    elif isinstance(default, int):
        made.add_int_argument(name, label, blurb, -WIDE_INT, WIDE_INT, default, RW)
    elif isinstance(default, float):
        made.add_double_argument(name, label, blurb, -WIDE, WIDE, default, RW)
    elif isinstance(default, tuple):
        made.add_string_array_argument(name, label, blurb, RW)
    else:
        made.add_string_argument(name, label, blurb, default, RW)


def add_return(made: Gimp.Procedure, kind: str, name: str, blurb: str) -> None:
    if kind == "layer":
        made.add_layer_return_value(name, name, blurb, True, RW)
    elif kind == "double":
        made.add_double_return_value(name, name, blurb, -WIDE, WIDE, 0.0, RW)
    else:
        made.add_string_return_value(name, name, blurb, "", RW)


# Running.


def run_window(
    procedure: Gimp.Procedure, config: Gimp.ProcedureConfig, plugin: Palimpsest
) -> Gimp.ValueArray:
    if config.get_property("run-mode") != Gimp.RunMode.INTERACTIVE:
        return failed(procedure, say("window-is-for-people"), calling=True)
    if not told_window(""):
        import dialog

        dialog.open_window(plugin, "")
    return succeeded(procedure)


def run(
    procedure: Gimp.Procedure,
    mode: Gimp.RunMode,
    image: Gimp.Image,
    drawables: list[Gimp.Drawable],
    config: Gimp.ProcedureConfig,
    plugin: Palimpsest,
) -> Gimp.ValueArray:
    """One of the quick procedures, in any run mode."""
    told = BY_NAME[procedure.get_name()]
    if mode == Gimp.RunMode.INTERACTIVE:
        command = f"{told.name} {image.get_id()}"
        if told_window(command):
            return succeeded(procedure)
        why_not = None if told.name in IN_WINDOW else refusing(told, image, config)
        if why_not is None:
            import dialog

            dialog.open_window(plugin, command)
            return succeeded(procedure)
        import asking

        if not asking.asked(procedure, told, config, why_not):
            return procedure.new_return_values(Gimp.PDBStatusType.CANCEL, GLib.Error())
    return done(procedure, told, image, values_of(told, config))


def done(procedure: Gimp.Procedure, told: Procedure, image: Gimp.Image, values: Values) -> Gimp.ValueArray:
    from _client import quick

    try:
        result = ACTIONS.get(told.name, edit)(told, image, values)
    except quick.CancelledError:
        return procedure.new_return_values(Gimp.PDBStatusType.CANCEL, GLib.Error())
    except BadValueError as error:
        return failed(procedure, str(error), calling=True)
    except (WorkError, ClientError, OSError) as error:
        return failed(procedure, str(error))
    return succeeded(procedure, told, result)


def told_window(command: str) -> bool:
    """Whether an open window took the command; an empty one only raises it."""
    found = Gimp.get_pdb().lookup_procedure(WINDOW_COMMAND)
    if found is None:
        return False
    config = found.create_config()
    config.set_property("command", command)
    return found.run(config).index(0) == Gimp.PDBStatusType.SUCCESS


def refusing(told: Procedure, image: Gimp.Image, config: Gimp.ProcedureConfig) -> Callable[[], str] | None:
    """What says why the values won't do; None if no backend answers: the window is shown, which helps."""
    import host
    from _client import quick

    editor = host.GimpEditor(image.get_id())
    try:
        backend = quick.find_backend()
    except (WorkError, ClientError):
        return None

    def why_not() -> str:
        values = values_of(told, config)
        try:
            return backend.refusal(editor.document(), form_of(told, values), bool(told.operation))
        except WorkError as error:
            return str(error)

    return why_not


def values_of(told: Procedure, config: Gimp.ProcedureConfig) -> Values:
    return {argument.name: value_of(argument, config) for argument in told.arguments}


def value_of(argument: Argument, config: Gimp.ProcedureConfig) -> Any:
    value = config.get_property(argument.name)
    if isinstance(argument.default, tuple):
        return tuple(value) if value else ()
    return argument.default if value is None else value


# What each does.


class BadValueError(WorkError):
    """The caller's mistake."""


def judging(judge: Callable[[Procedure, Values], Any], told: Procedure, values: Values) -> Any:
    """What ``judge`` makes of the values; what it refuses is the caller's mistake."""
    try:
        return judge(told, values)
    except WorkError as error:
        raise BadValueError(str(error)) from error


def with_bar(told: Procedure, image: Gimp.Image, work: Callable[[Any], Any]) -> Any:
    """What ``work`` returns for a Quick, while the bar shows how far it is."""
    import host
    import process
    from _client import quick

    bar, editor = process.ProgressBar(told.title), host.GimpEditor(image.get_id())
    try:
        with contextlib.closing(quick.Quick(editor, bar, turning)) as errand:
            return work(errand)
    finally:
        bar.end()


def turning(turn: Callable[[], bool]) -> None:
    """Until ``turn`` says False."""
    loop = GLib.MainLoop()
    GLib.timeout_add(TURN, lambda: turn() or loop.quit())
    loop.run()


def edit(told: Procedure, image: Gimp.Image, values: Values) -> Gimp.Layer:
    filled = judging(form_of, told, values)
    return with_bar(told, image, lambda quick: quick.edit(filled))


def remember(told: Procedure, image: Gimp.Image, values: Values) -> float:
    filled = judging(form_of, told, values)
    return with_bar(told, image, lambda quick: quick.remember(filled))


def select_word(told: Procedure, image: Gimp.Image, values: Values) -> float:
    filled = judging(form_of, told, values)
    return with_bar(told, image, lambda quick: quick.select_word(filled, values["word"].strip()))


def learn(told: Procedure, image: Gimp.Image, values: Values) -> str:
    judging(judged, told, values)
    return with_bar(told, image, lambda quick: quick.learn(values))


def recipe(told: Procedure, image: Gimp.Image, values: Values) -> str:
    import host

    found = host.GimpEditor().recipe(str(image.get_id()))
    if found is None:
        raise WorkError(say("no-recipe"))
    return found.text


def choose_server(told: Procedure, image: Gimp.Image, values: Values) -> None:
    """Asks the backend first: what doesn't answer is not kept."""
    choice = Choice(values["address"].strip(), values["token"].strip())
    reason = check_choice(choice)
    if reason:
        raise BadValueError(reason)
    if choice.address:
        connector(config_folder(), choice)().system()
    write_choice(config_folder(), choice)


ACTIONS: dict[str, Callable[[Procedure, Gimp.Image, Values], Any]] = {
    "word-to-selection": select_word,
    "learn-concept": learn,
    "remember-photo": remember,
    "reopen-edit": recipe,
    "server": choose_server,
}
IN_WINDOW = ("reopen-edit", "learn-concept", "server")
"""These ask more than a dialog of one moment can; and GIMP would keep a token with its last values."""


# Answers.


def failed(procedure: Gimp.Procedure, text: str, calling: bool = False) -> Gimp.ValueArray:
    status = Gimp.PDBStatusType.CALLING_ERROR if calling else Gimp.PDBStatusType.EXECUTION_ERROR
    return procedure.new_return_values(status, GLib.Error(text))


def succeeded(
    procedure: Gimp.Procedure, told: Procedure | None = None, result: Any = None
) -> Gimp.ValueArray:
    answer = procedure.new_return_values(Gimp.PDBStatusType.SUCCESS, GLib.Error())
    if told is not None and told.returns is not None and result is not None:
        kind = {"layer": Gimp.Layer, "double": float, "string": str}[told.returns[0]]
        answer.remove(1)
        answer.insert(1, GObject.Value(kind, result))
    return answer


if __name__ == "__main__":
    speak_as(GLib.get_language_names())  # GIMP hands the language that it was set to on in LANGUAGE
    collector = Collector()
    collector.start()
    GLib.timeout_add(TICK, lambda: collector.collect() or GLib.SOURCE_CONTINUE)
    Gimp.main(Palimpsest.__gtype__, sys.argv)
