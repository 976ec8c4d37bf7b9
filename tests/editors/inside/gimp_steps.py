"""What a test can call inside GIMP (see ``driven.py``). Python 3.11 to 3.14, as GIMP 3 has it."""

import gi

gi.require_version("Gimp", "3.0")
gi.require_version("Gegl", "0.4")

import process  # noqa: E402
from _client.editor.editor import LayerResult  # noqa: E402
from _client.editor.geometry import Bounds, Extent  # noqa: E402
from _client.http.sending import Outgoing  # noqa: E402
from gi.repository import Gegl, Gimp, Gio  # noqa: E402
from host import GimpEditor  # noqa: E402  - the plug-in's own

views = {}  # display → picture
ending = []  # something in it: the driver ends


def quit_driver():
    ending.append(True)


def version():
    return Gimp.version()


# Documents.


def load(path):
    image = Gimp.file_load(Gimp.RunMode.NONINTERACTIVE, Gio.File.new_for_path(path))
    return image.get_id()


def duplicate(image):
    """Which no window shows."""
    return image_of(image).duplicate().get_id()


def delete(image):
    image_of(image).delete()


def show(image):
    views[Gimp.Display.new(image_of(image)).get_id()] = image
    Gimp.displays_flush()


def save(image, path):
    """XCF keeps everything; a PNG is what is seen."""
    return Gimp.file_save(Gimp.RunMode.NONINTERACTIVE, image_of(image), Gio.File.new_for_path(path), None)


def close_documents():
    for image in Gimp.get_images():
        close_views(image.get_id())
        if Gimp.Image.id_is_valid(image.get_id()):
            image.delete()


def close_views(image):
    """A picture goes with the last of its views."""
    for display in [display for display, shown in views.items() if shown == image]:
        del views[display]
        if Gimp.Display.id_is_valid(display):
            Gimp.Display.get_by_id(display).delete()


def image_of(number):
    return Gimp.Image.get_by_id(number)


def new(kind, precision, path, width, height, format, profile=None):
    """A picture of raw pixels: kind "RGB" or "GRAY"; precision and format as GIMP and babl name them."""
    base = getattr(Gimp.ImageBaseType, kind)
    image = Gimp.Image.new_with_precision(width, height, base, getattr(Gimp.Precision, precision))
    if profile is not None:
        image.set_color_profile(Gimp.ColorProfile.new_from_file(Gio.File.new_for_path(profile)))
    add_layer(image.get_id(), path, [0, 0, width, height], format)
    return image.get_id()


def add_layer(image, path, bounds, format, parent=None):
    image, (x, y, width, height) = image_of(image), bounds
    grey = image.get_base_type() == Gimp.ImageBaseType.GRAY
    kind = Gimp.ImageType.GRAYA_IMAGE if grey else Gimp.ImageType.RGBA_IMAGE
    layer = Gimp.Layer.new(image, "Photo", width, height, kind, 100.0, Gimp.LayerMode.NORMAL)
    layer.set_offsets(x, y)
    with open(path, "rb") as file:
        content = file.read()
    buffer = layer.get_buffer()
    buffer.set(Gegl.Rectangle.new(0, 0, width, height), format, content)
    buffer.flush()
    image.insert_layer(layer, parent, 0)
    return layer.get_id()


def add_tree(image, tree, format, parent=None):
    """Layers and groups, the lowest first, each on top of those before. ``told``: name, pixels and bounds or
    children; how it is mixed."""
    image = image_of(image)
    for told in tree:
        if "children" in told:
            layer = Gimp.GroupLayer.new(image, told["name"])
            image.insert_layer(layer, parent, 0)
            add_tree(image.get_id(), told["children"], format, layer)
        else:
            made = add_layer(image.get_id(), told["pixels"], told["bounds"], format, parent)
            layer = Gimp.Layer.get_by_id(made)
            layer.set_name(told["name"])
        layer.set_opacity(told.get("opacity", 100))
        layer.set_mode(getattr(Gimp.LayerMode, told.get("mode", "NORMAL")))
        layer.set_visible(told.get("visible", True))


def mask_topmost(image):
    """By what is selected."""
    layer = image_of(image).get_layers()[0]
    return layer.add_mask(layer.create_mask(Gimp.AddMaskType.SELECTION))


def choose_layer(image, name):
    return image_of(image).set_selected_layers([image_of(image).get_layer_by_name(name)])


def flatten(image):
    """One layer without transparency, as a photo from a camera is opened."""
    image_of(image).flatten()


def show_otherwise(image, how):
    """As people do it in the list of channels: a colour is switched off, a channel lies over all."""
    image = image_of(image)
    if how == "component":
        image.set_component_visible(Gimp.ChannelType.RED, False)
    else:
        size = image.get_width(), image.get_height()
        channel = Gimp.Channel.new(image, "red", *size, 50.0, Gegl.Color.new("red"))
        image.insert_channel(channel, None, 0)
        channel.set_visible(True)


def make_indexed(image):
    none = Gimp.ConvertDitherType.NONE
    return image_of(image).convert_indexed(none, Gimp.ConvertPaletteType.GENERATE, 16, False, False, "")


def select_rectangle(image, x, y, width, height):
    return image_of(image).select_rectangle(Gimp.ChannelOps.REPLACE, x, y, width, height)


def select_ellipse(image, x, y, width, height):
    return image_of(image).select_ellipse(Gimp.ChannelOps.REPLACE, x, y, width, height)


def choose_layers(image, places):
    """Select the layers at these places in the list, counted from the top."""
    layers = image_of(image).get_layers()
    return image_of(image).set_selected_layers([layers[place] for place in places])


def set_clean(image):
    return image_of(image).clean_all()


def is_clean(image):
    return not image_of(image).is_dirty()


def move_layer(image, index, x, y):
    return image_of(image).get_layers()[index].set_offsets(x, y)


def change_topmost(image, name):
    """As people do it in the list of layers, and with the tools."""
    layer = image_of(image).get_layers()[0]
    layer.set_name(name)
    layer.set_opacity(70)
    layer.set_mode(Gimp.LayerMode.SCREEN)
    layer.set_color_tag(Gimp.ColorTag.GREEN)
    layer.set_lock_alpha(True)
    layer.set_lock_position(True)
    layer.set_visible(False)
    effect = Gimp.DrawableFilter.new(layer, "gegl:invert-gamma", "Inverted")
    layer.append_filter(effect)


def make_topmost(image, how):
    """Something by which it may hide less than all that is below it."""
    layer = image_of(image).get_layers()[0]
    if how == "half":
        layer.set_opacity(50)
    elif how == "masked":
        select_rectangle(image, 10, 10, 60, 60)
        mask_topmost(image)
        Gimp.Selection.none(image_of(image))
    elif how == "filtered":
        effect = Gimp.DrawableFilter.new(layer, "gegl:color-to-alpha", "Transparent")
        layer.append_filter(effect)
    elif how == "group":
        group = Gimp.GroupLayer.new(image_of(image), "group")
        image_of(image).insert_layer(group, None, 0)
        image_of(image).reorder_item(layer, group, 0)


def state_of_topmost(image):
    layer = image_of(image).get_layers()[0]
    return {
        "name": layer.get_name(),
        "opacity": layer.get_opacity(),
        "mode": layer.get_mode().value_nick,
        "tag": layer.get_color_tag().value_nick,
        "locks": [layer.get_lock_alpha(), layer.get_lock_position(), layer.get_lock_content()],
        "visible": layer.get_visible(),
        "filters": [effect.get_operation_name() for effect in layer.get_filters()],
        "offsets": list(layer.get_offsets())[1:],
    }


def paint_topmost(image, masked, x, y, width, height, value):
    """A rectangle of the topmost layer, or of its mask, one value everywhere."""
    layer = image_of(image).get_layers()[0]
    drawable = layer.get_mask() if masked else layer
    size = 1 if masked else 4
    buffer = drawable.get_buffer()
    values = bytes([value]) * (width * height * size)
    buffer.set(Gegl.Rectangle.new(x, y, width, height), "Y u8" if masked else "R'G'B'A u8", values)
    buffer.flush()


def mask_of_topmost(image, path):
    with open(path, "wb") as file:
        file.write(pixels(image_of(image).get_layers()[0].get_mask(), "Y u8"))


def noted_after(image, path, bounds, updates):
    """What is said of a layer that was updated."""
    with open(path, "rb") as file:
        part = Bounds(*bounds)
        result = LayerResult(file.read(), part, "other", "{}", part, updates)
    outcome, editor = [], GimpEditor(image)
    editor.insert(str(image), result, outcome.append, outcome.append)
    while not outcome:
        yield
    return editor.noted


def hide_topmost(image):
    image_of(image).get_layers()[0].set_visible(False)


def remove_layers(image):
    for layer in image_of(image).get_layers():
        image_of(image).remove_layer(layer)


def layers(image):
    return [told(layer) for layer in image_of(image).get_layers()]


def told(layer):
    _, x, y = layer.get_offsets()
    parasite = layer.get_parasite("palimpsest-recipe")
    return {
        "id": layer.get_id(),
        "name": layer.get_name(),
        "bounds": [x, y, layer.get_width(), layer.get_height()],
        "mask": layer.get_mask() is not None,
        "recipe": None if parasite is None else bytes(parasite.get_data()).decode(),
    }


def seen(image, path):
    """Write what is seen, in the picture's own precision and encoding, as raw bytes."""
    layer = Gimp.Layer.new_from_visible(image_of(image), image_of(image), "seen")
    with open(path, "wb") as file:
        file.write(native(layer))
    layer.delete()


def selected(image, path):
    with open(path, "wb") as file:
        file.write(pixels(image_of(image).get_selection(), "Y u8"))


def native(drawable):
    return pixels(drawable, None)


def pixels(drawable, format):
    whole = Gegl.Rectangle.new(0, 0, drawable.get_width(), drawable.get_height())
    return bytes(drawable.get_buffer().get(whole, 1.0, format, Gegl.AbyssPolicy.NONE))


# The plug-in's procedures.


def procedures():
    return sorted(name for name in Gimp.get_pdb().query_procedures("plug-in-palimpsest", *[""] * 7) or [])


def run(name, image, run_mode, values):
    """Status, the other results (a layer by its id), and what GIMP says went wrong."""
    procedure = Gimp.get_pdb().lookup_procedure(name)
    config = procedure.create_config()
    config.set_property("run-mode", getattr(Gimp.RunMode, run_mode))
    if image is not None:
        config.set_property("image", image_of(image))
        config.set_core_object_array("drawables", image_of(image).get_selected_layers())
    for key, value in values.items():
        config.set_property(key, value)
    results = procedure.run(config)
    status = results.index(0)
    rest = [plain(results.index(place)) for place in range(1, results.length())]
    return {"status": status.value_nick, "results": rest, "error": Gimp.get_pdb().get_last_error()}


def menu_label(name):
    return Gimp.get_pdb().lookup_procedure(name).get_menu_label()


def tell_window(command):
    """As a menu item does. The window obeys at once, but afterwards."""
    return process.tell(command)


said, stops = [], []  # what menu items said; what ends the listening


def listen():
    """As a Palimpsest window does that was opened later than all others."""
    stops.append(process.Listening(Gimp.get_plug_in(), said.append))


def heard():
    stops[-1].look()
    return said


def stop_listening():
    stops.pop().close()
    said.clear()


def plain(value):
    return value.get_id() if isinstance(value, Gimp.Item) else value


# The host, without panel and network.


def facts(image):
    found = GimpEditor(image).document()
    return None if found is None else vars(found) | {"selection": found.selection}


def content_mark(image, source):
    return GimpEditor(image).content(str(image), source)


def fill(image, x, y, width, height):
    """A rectangle of the topmost layer, as people do it."""
    found = image_of(image)
    found.select_rectangle(Gimp.ChannelOps.REPLACE, x, y, width, height)
    found.get_layers()[0].edit_fill(Gimp.FillType.FOREGROUND)
    Gimp.Selection.none(found)


def content_captured(image, source):
    outcome = []
    GimpEditor(image).capture(str(image), source, None, Outgoing(), outcome.append, outcome.append)
    while not outcome:
        yield
    return outcome[0].content


def capture(image, source, folder, within=None):
    outcome = []
    part = None if within is None else Bounds(*within)
    GimpEditor(image).capture(str(image), source, part, Outgoing(), outcome.append, outcome.append)
    while not outcome:
        yield
    found = outcome[0]
    if isinstance(found, str):
        return {"failed": found}
    with open(folder + "/image.png", "wb") as file:
        file.write(found.image)
    if found.selection is not None:
        with open(folder + "/selection.png", "wb") as file:
            file.write(found.selection)
    return {
        "bounds": list(found.bounds),
        "selection": found.selection is not None,
        "source": found.source,
        "canvas": list(found.canvas),
    }


def insert(image, path, bounds, name, recipe, updates=None, source="canvas", canvas=None):
    outcome = []
    with open(path, "rb") as file:
        part = Bounds(*bounds)
        before = None if canvas is None else Extent(*canvas)
        result = LayerResult(file.read(), part, name, recipe, part, updates, source, before)
    editor = GimpEditor(image)
    editor.insert(str(image), result, lambda layer: outcome.append({"layer": layer}), outcome.append)
    while not outcome:
        yield
    return outcome[0]


def select(image, path, bounds):
    outcome = []
    with open(path, "rb") as file:
        mask = file.read()
    editor, ended = GimpEditor(image), lambda: outcome.append(None)
    editor.select(str(image), mask, Bounds(*bounds), None, ended, outcome.append)
    while not outcome:
        yield
    return outcome[0]


def recipe(image):
    found = GimpEditor(image).recipe(str(image))
    return None if found is None else {"layer": found.layer, "name": found.name, "text": found.text}


def remedy(image):
    """The copy's key."""
    editor = GimpEditor(image)
    editor.remedy(str(image))
    return editor.document().key


def file_names(image):
    """All by which GIMP would save it without asking."""
    image = image_of(image)
    files = (image.get_file(), image.get_xcf_file(), image.get_exported_file(), image.get_imported_file())
    return [file.get_path() for file in files if file is not None]


def documents():
    return GimpEditor().documents()


# The window's fields, made here.

controls = []


def open_controls(width, height):
    from gimp_controls import Controls

    controls.append(Controls(width, height))


def close_controls():
    controls.pop().close()


def ask_controls(what, *values):
    """What a method of theirs says."""
    return getattr(controls[-1], what)(*values)


def set_controls(settings):
    controls[-1].panel.draft.set(**settings)


def controls_say(what, expected, *values):
    return ask_controls(what, *values) == expected


def controls_are_at(value):
    return controls[-1].at() == value


def controls_have_scrolled(before):
    return controls[-1].at() != before


def applied_with(name):
    """What this setting was, each time that Return applied."""
    return [settings[name] for settings in controls[-1].applied]


def setting_is(name, value):
    return controls[-1].settings()[name] == value


def setting_of(name):
    return controls[-1].settings()[name]


def setting_is_about(name, value):
    return abs(controls[-1].settings()[name] - value) < 1e-6


# Results to be looked at.


def show_result(image, path, bounds, name, canvas=None):
    """ "shown", or what went wrong."""
    outcome = []
    with open(path, "rb") as file:
        part = Bounds(*bounds)
        before = None if canvas is None else Extent(*canvas)
        result = LayerResult(file.read(), part, name, "{}", part, canvas=before)
    GimpEditor(image).show_result(str(image), result, lambda: outcome.append("shown"), outcome.append)
    while not outcome:
        yield
    return outcome[0]


def hide_result(image):
    GimpEditor(image).hide_result(str(image))


def veil_result(image, veiled):
    GimpEditor(image).veil_result(str(image), veiled)


def shows_result(image):
    return GimpEditor(image).shows_result(str(image))


def is_locked(image):
    """The uppermost layer."""
    layer = image_of(image).get_layers()[0]
    return layer.get_lock_content() and layer.get_lock_position()


def chosen_layers(image):
    return [layer.get_name() for layer in image_of(image).get_selected_layers()]


def session():
    return GimpEditor().session()
