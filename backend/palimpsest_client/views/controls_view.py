"""How an edit is done, described: the sliders that the operation has, and what is folded away under them."""

from __future__ import annotations

from functools import partial
from typing import Any, Callable, List, Tuple

from ..fields.control import ADVANCED, MAIN, Control
from ..fields.settings import controls_at
from ..panel.panel import Panel
from ..panel.structure_strip import SLIDER
from ..text.wording import say
from .view import LINK, SMALL, STRIP, Button, Field, Form, Gap, MenuLine, Part, Slider, Sliders, column, row

STRIP_SIDE = 40  # px of a picture


class ControlsView:
    """``apply`` is what Return does."""

    def __init__(self, panel: Panel, apply: Callable[[], None]) -> None:
        self._panel, self._apply = panel, apply
        self.unfolded = False
        self.redraw = lambda: None  # what is folded is this window's own

    def describe(self) -> Part:
        panel, state = self._panel, self._panel.state
        sliders: List[Part] = []
        for control in controls_at(MAIN):
            sliders.append(slider_part(panel, control))
            if control is SLIDER:
                sliders.append(self._strip())
        fold = Button(
            "unfold",
            text=say("advanced"),
            arrow="down" if self.unfolded else "right",
            look=LINK,
            do=self.unfold,
        )
        presets = Button(
            "presets",
            name=say("presets"),
            tip=say("tip-presets"),
            text=say("presets"),
            look=LINK,
            elide=True,
            has_menu=True,
            menu=lambda: preset_menu(self._panel),
        )
        controls = list(controls_at(ADVANCED))
        defaults = Button("defaults", text=say("defaults"), look=LINK, do=panel.draft.reset_settings)
        advanced = Form(
            "advanced",
            captions=(*(control.label for control in controls), None),
            parts=(
                *(self._advanced(control, control.name in state.shown) for control in controls),
                row("defaults-row", defaults, Gap("beside-defaults")),
            ),
            shown=self.unfolded,
            look=SMALL,
        )
        head = row("controls-head", fold, Gap("between-controls"), presets)
        return column("controls", Sliders("sliders", parts=tuple(sliders)), head, advanced)

    def _strip(self) -> Part:
        """What the slider's places would make: a click sets it there."""
        change = self._panel.draft.change
        tiles = [
            Button(
                f"strip-{number}",
                name=tile.tip,
                tip=tile.tip,
                text=tile.text,
                look=STRIP,
                picture=tile.picture,
                side=STRIP_SIDE,
                on=tile.chosen,
                grow=1,
                do=lambda value=tile.value: change(SLIDER.name, value),
            )
            for number, tile in enumerate(self._panel.state.structures)
        ]
        return row("strip", *tiles, look=STRIP)

    def unfold(self) -> None:
        self.unfolded = not self.unfolded
        self.redraw()

    def _advanced(self, control: Control, shown: bool) -> Part:
        field = field_part(self._panel, control, self._apply, shown=shown, grow=1)
        if not control.dice:
            return field
        again = Button(
            "dice-" + control.name,
            text=say("dice"),
            tip=control.tip,
            look=LINK,
            do=lambda: self._panel.draft.randomize(control.name),
        )
        return row("row-" + control.name, field, again, tip=control.tip, shown=shown)


def preset_menu(panel: Panel) -> Tuple[MenuLine, ...]:
    """To choose one, to keep what is set, to rename or delete what is chosen."""
    panel.draft.look_at_presets()
    names, chosen = panel.state.presets, panel.state.preset
    found = [MenuLine(name, partial(panel.draft.use_preset, name), name == chosen) for name in names]
    found.append(MenuLine(say("keep-preset"), panel.draft.keep_preset, ask=say("preset-name"), value=chosen))
    if chosen:
        prompt = say("new-preset-name", name=chosen)
        rename = partial(panel.draft.rename_preset, chosen)
        found.append(MenuLine(say("rename-preset", name=chosen), rename, ask=prompt, value=chosen))
        found.append(MenuLine(say("delete-preset", name=chosen), partial(panel.draft.delete_preset, chosen)))
    return tuple(found)


def field_part(panel: Panel, control: Control, apply: Callable[[], None], **about: Any) -> Part:
    return Field(
        control.name,
        name=control.label,
        tip=control.tip,
        control=control,
        drawn=panel.state.controls[control.name],
        change=lambda value: panel.draft.change(control.name, value),
        enter=apply,
        **about,
    )


def slider_part(panel: Panel, control: Control) -> Part:
    return Slider(
        control.name,
        name=control.label,
        tip=control.tip,
        caption=control.label,
        control=control,
        drawn=panel.state.controls[control.name],
        shown=control.name in panel.state.shown,
        change=lambda value: panel.draft.change(control.name, value),
        back=lambda: panel.draft.recommend(control.name),
    )
