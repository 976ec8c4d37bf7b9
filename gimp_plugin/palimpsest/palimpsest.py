#!/usr/bin/env python3
"""Palimpsest in GIMP 3: its procedures, as menu items under Filters and for scripts.

What a menu item does: if the Palimpsest window is open, it turns to this picture and operation; if not,
a small dialog asks for the values and the job runs with GIMP's progress bar. Scripts give the values.
"""

from __future__ import annotations

import sys
from typing import Any

import gi

for name, version in {"Gimp": "3.0", "GimpUi": "3.0", "Gegl": "0.4", "Gtk": "3.0", "Gdk": "3.0"}.items():
    gi.require_version(name, version)
from _client.editor.collector import Collector  # noqa: E402
from _client.gimp import procedures  # noqa: E402
from _client.text.language import speak_as  # noqa: E402
from _client.text.wording import say  # noqa: E402
from gi.repository import Gimp, GLib, GObject  # noqa: E402

MENU = "<Image>/Filters/Palimpsest/"
RW = GObject.ParamFlags.READWRITE
KINDS = {bool: "boolean", int: "int", float: "double", tuple: "string_array", str: "string"}
LIMITS = {"int": (-(2**31) + 1, 2**31 - 1), "double": (-1e9, 1e9)}
"""As declared: values are judged by ``procedures``, GIMP would replace them in silence."""
TICK = 100  # ms


class Palimpsest(Gimp.PlugIn):
    def do_set_i18n(self, name: str) -> bool:
        return False

    def do_query_procedures(self) -> list[str]:
        return [procedures.WINDOW, *procedures.BY_NAME]

    def do_create_procedure(self, name: str) -> Gimp.Procedure:
        told = procedures.BY_NAME.get(name)
        return window_procedure(self, name) if told is None else image_procedure(self, told)


# Registration.


def window_procedure(plugin: Palimpsest, name: str) -> Gimp.Procedure:
    """No picture belongs to it: it can be opened first, and outlives them all."""
    made = Gimp.Procedure.new(plugin, name, Gimp.PDBProcType.PLUGIN, run_window, plugin)
    describe(made, procedures.menu_labels()["window"], say("does-window"), say("about-window"))
    interactive = Gimp.RunMode.INTERACTIVE
    label, blurb = say("run-mode"), say("about-run-mode")
    made.add_enum_argument("run-mode", label, blurb, Gimp.RunMode, interactive, RW)
    return made


def image_procedure(plugin: Palimpsest, told: procedures.Procedure) -> Gimp.Procedure:
    name, kind = procedures.PREFIX + told.name, Gimp.PDBProcType.PLUGIN
    made = Gimp.ImageProcedure.new(plugin, name, kind, run, plugin)
    made.set_image_types("*")  # indexed pictures too: they are refused with a remedy
    mask = Gimp.ProcedureSensitivityMask
    made.set_sensitivity_mask(mask.DRAWABLE | mask.DRAWABLES | mask.NO_DRAWABLES)
    describe(made, procedures.menu_labels()[told.name], told.blurb, told.help)
    for argument in told.arguments:
        add_argument(made, argument, told.labels[argument.name])
    if told.returns is not None:
        kind, name = told.returns
        add_return(made, kind, name, say("returns-" + name))
    return made


def describe(made: Gimp.Procedure, label: str, blurb: str, help: str) -> None:
    made.set_menu_label(label)
    made.set_documentation(blurb, help, None)
    made.set_attribution("Palimpsest", "Palimpsest", "2026")
    made.add_menu_path(MENU)


def add_argument(made: Gimp.Procedure, argument: procedures.Argument, label: str) -> None:
    kind = KINDS[type(argument.default)]
    add, limits = getattr(made, f"add_{kind}_argument"), LIMITS.get(kind, ())
    default = () if isinstance(argument.default, tuple) else (argument.default,)
    add(argument.name, label, argument.blurb, *limits, *default, RW)


def add_return(made: Gimp.Procedure, kind: str, name: str, blurb: str) -> None:
    about = {"layer": (True,), "double": (*LIMITS["double"], 0.0), "string": ("",)}[kind]
    getattr(made, f"add_{kind}_return_value")(name, name, blurb, *about, RW)


# Running.


def run_window(
    procedure: Gimp.Procedure, config: Gimp.ProcedureConfig, plugin: Palimpsest
) -> Gimp.ValueArray:
    if config.get_property("run-mode") != Gimp.RunMode.INTERACTIVE:
        return answer(procedure, procedures.CALLING, say("window-is-for-people"))
    return show_window(procedure, plugin, "")


def show_window(procedure: Gimp.Procedure, plugin: Palimpsest, command: str) -> Gimp.ValueArray:
    """The window, which obeys the command: the one that is open, or a new one, until it is closed."""
    import process

    if not process.tell(command):
        import dialog

        dialog.open_window(plugin, command)
    return answer(procedure)


def run(
    procedure: Gimp.Procedure,
    mode: Gimp.RunMode,
    image: Gimp.Image,
    drawables: list[Gimp.Drawable],
    config: Gimp.ProcedureConfig,
    plugin: Palimpsest,
) -> Gimp.ValueArray:
    """One of the procedures, in any run mode."""
    import host
    import process
    from _client.gimp import procedure_calls

    told, editor = procedures.BY_NAME[procedure.get_name()], host.GimpEditor(image.get_id())
    if mode == Gimp.RunMode.INTERACTIVE:
        command = f"{told.name} {image.get_id()}"
        if process.tell(command):
            return answer(procedure)
        why_not = procedure_calls.refusing(told, lambda: values_of(told, config), editor)
        if why_not is None:
            return show_window(procedure, plugin, command)
        import asking

        if not asking.ask(procedure, told, config, why_not):
            return answer(procedure, procedures.CANCEL)
    about = told, values_of(told, config), str(image.get_id()), editor
    came = procedure_calls.Call(*about, process.ProgressBar, process.turning).answer()
    return answer(procedure, came.status, came.text, told.returns, came.value)


def values_of(told: procedures.Procedure, config: Gimp.ProcedureConfig) -> dict[str, Any]:
    return {argument.name: value_of(argument, config) for argument in told.arguments}


def value_of(argument: procedures.Argument, config: Gimp.ProcedureConfig) -> Any:
    value = config.get_property(argument.name)
    if isinstance(argument.default, tuple):
        return tuple(value) if value else ()
    return argument.default if value is None else value


def answer(
    procedure: Gimp.Procedure,
    status: str = procedures.SUCCESS,
    text: str = "",
    returns: tuple[str, str] | None = None,
    value: Any = None,
) -> Gimp.ValueArray:
    """What GIMP gets: a status and its reason, and what the procedure returns where it gave anything."""
    found = getattr(Gimp.PDBStatusType, status.replace("-", "_").upper())
    made = procedure.new_return_values(found, GLib.Error(text) if text else GLib.Error())
    if returns is not None and value is not None:
        kind = {"layer": Gimp.Layer, "double": float, "string": str}[returns[0]]
        made.remove(1)
        made.insert(1, GObject.Value(kind, value))
    return made


if __name__ == "__main__":
    speak_as(GLib.get_language_names())  # GIMP hands the language that it was set to on in LANGUAGE
    collector = Collector()
    collector.start()
    GLib.timeout_add(TICK, lambda: collector.collect() or GLib.SOURCE_CONTINUE)
    Gimp.main(Palimpsest.__gtype__, sys.argv)
