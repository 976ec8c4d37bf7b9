"""Every sentence and label that people read in an editor, once.

``say("key", name=value)`` gives the text in the language that is spoken (languages.py). In a catalogue the
key is the context of its English text. A text is a whole sentence or label, never a piece of one.
"""

from __future__ import annotations

from collections.abc import Mapping
from gettext import NullTranslations
from typing import Any

ENGLISH: Mapping[str, str] = {
    # The language itself.
    "language-name": "English",  # in a catalogue: its own language's name, in that language
    "decimal-mark": ".",
    # The state line.
    "ready": "Ready · {model}",
    "ready-on": "Ready · {model} · {device}",
    "built-in": "built-in model (for trying out)",
    "searching": "Palimpsest's backend isn't running.",
    "unreachable": "No backend answers at {address}.",
    "starting": "Starting the backend…",
    "start-failed": "The backend could not be started: {reason}",
    "start-slow": "The backend was started, but did not answer within {seconds} s.",
    "start-in-a-shell": "Start it: palimpsest serve.",
    "not-installed": "The backend isn't installed here: run install.py, or connect to another computer.",
    "refused": "The backend at {address} refused the token.",
    "mismatch": "The backend speaks version {theirs}, this plug-in version {ours}: run install.py again.",
    "answered-status": "The server answered {status}.",
    "token-unreadable": "The token of the server at {address} can't be read: {reason}. Ask the person who "
    "runs the server for it.",
    "no-server-of-ours": "What answered is not a Palimpsest server. Check the address.",
    "connection-broke": "The Palimpsest server at {address} doesn't answer ({reason}).",
    "picture-damaged": "A picture was damaged on its way.",
    "gone": "The backend stopped. Your job is kept and goes on when it is back.",
    "fault": "Something went wrong in the plug-in ({what}).",
    # What can be done about it.
    "start": "Start it",
    "connect": "Connect to another computer…",
    "choose-token": "Choose the token…",
    "copy-command": "Copy command",
    "update-command": "python3 install.py plugins",
    "smaller": "Try at {size} px",
    "get-model": "Get a real model…",
    # Why Apply isn't possible.
    "no-document": "Open a picture to begin.",
    "waiting-for-backend": "The backend is not connected yet.",
    "busy": "Wait for the present job, or cancel it.",
    "select-insert": "Select where it should go.",
    "select-remove": "Select what should go.",
    "say-what-it-shows": "Say what the picture shows.",
    "say-what-it-should-show": "Say what it should show.",
    "say-what-to-insert": "Say what to insert.",
    "say-the-style": "Say in which style, or choose one below.",
    "nothing-changes": "Both sentences say the same: change a word.",
    "no-weight": "Move a word's slider: nothing is emphasised yet.",
    "model-cannot": "{operation}: the model {model} can't do this.",
    "model-missing": "The model {model} isn't installed on the backend.",
    "no-concept": "There is no concept <{name}>. Learn it, or choose another.",
    "concept-family": "<{name}> was learned for another kind of model ({family}).",
    "cannot-describe": "Nothing here describes pictures for this model. Write it yourself, or get a model "
    "that does: palimpsest pull captions",
    "no-recipe": "This layer wasn't made by Palimpsest: choose one that was.",
    "recipe-unreadable": "This layer's recipe can't be read: {reason}",
    "recipe-version": "version {version}",
    "no-word": "Name a word of the first sentence.",
    # What the editors find in the way.
    "indexed": "This picture has indexed colours. Palimpsest edits RGB and grey pictures.",
    "colour-model": "This picture is {name}. Palimpsest edits RGB and grey pictures.",
    "layer-colour-model": "This layer is {name}. Palimpsest edits RGB and grey pictures.",
    "rgb-copy": "Make an RGB copy",
    "floating": "This picture has a floating selection: anchor it or make it a layer first.",
    "nothing-to-edit": "This picture has no layer to edit. Add one, or open a photo.",
    "closed": "The picture was closed meanwhile.",
    "canvas-changed": "The canvas had {before} pixels and has {now} now: the result doesn't fit it.",
    "selection-outside": "The selection lies outside the canvas. Select something on it, or deselect.",
    "no-active-layer": "There is no active layer.",
    "layer-empty": "The layer “{layer}” has nothing there. Choose another layer or another place.",
    "canvas-empty": "The canvas has nothing there. Choose another place.",
    "unreadable": "The backend sent something that can't be read ({reason}). Apply it again.",
    "no-template": "Krita couldn't open the plug-in's own layer template.",
    "layer-gone": "The layer was removed meanwhile.",
    "layer-is-group": "“{layer}” is a group: choose a layer in it, or edit what is visible.",
    "layer-outside": "The layer lies outside the part that is to be edited.",
    "layer-untouched": "The selection doesn't touch the layer.",
    "result-empty": "The result changes nothing that is selected.",
    # Operations and fields.
    "replace": "Replace",
    "insert": "Insert",
    "restyle": "Restyle",
    "remove": "Remove",
    "reweight": "Emphasise",
    "tip-replace": "A word of the picture becomes another word or a concept",
    "tip-insert": "Something new, where the selection is",
    "tip-restyle": "The same things, drawn another way",
    "tip-remove": "What is selected goes; its surroundings go on",
    "tip-reweight": "A word counts more, less or not at all",
    "first": "The picture shows",
    "first-example": "a photo of a cat next to a mirror",
    "second-replace": "It should show",
    "second-insert": "Insert",
    "second-restyle": "In the style of",
    "second-remove": "What is selected",
    "example-replace": "a photo of a dog next to a mirror",
    "example-insert": "a red ball",
    "example-restyle": "an oil painting",
    "example-remove": "a cat (may stay empty)",
    "weights": "How much each word counts",
    "word-gone": "gone",
    "strong": "strong",
    "no-words": "Write the first sentence: its words appear here.",
    "describe": "Describe",
    "tip-describe": "Let the backend propose a sentence",
    "words": "Words",
    "tip-words": "Choose a word to replace it, emphasise it or select it in the picture",
    "word-replace": "Replace “{word}” with…",
    "word-emphasise": "Emphasise “{word}”",
    "word-select": "Select “{word}” in the picture",
    "new-word": "Replace “{word}” with:",
    "choose-word": "Which word should be selected in the picture?",
    "concepts": "Concepts",
    "no-concepts": "None yet: teach it a word of your own.",
    "learn": "Learn…",
    "learn-action": "Learn a concept…",
    "tip-concept": "<{name}>: {kind}, a {noun}",
    "tip-other-family": "<{name}> was learned for {family} models",
    "structure": "Keep structure",
    "tip-structure": "How long the photo's cross- and self-attention are kept (their windows)",
    "free": "free",
    "exact": "exact",
    "strength": "Strength",
    "tip-strength": "Weight of the changed words' attention",
    "gentle": "gentle",
    "grow": "Grow",
    "tip-grow": "Pixels by which the selection is grown, so that all of what was selected goes",
    "feather": "Soft edge",
    "tip-feather": "Width of the soft edge, in what the selection was grown by, else inside it",
    "pixels": "{n} px",
    "advanced": "Advanced",
    "source": "Take",
    "source-canvas": "what is visible",
    "source-layer": "the active layer",
    "model": "Model",
    "model-loading": "The backend's models appear here.",
    "sentence": "Whole sentence",
    "tip-sentence": "What the picture should show, as the backend is told; write your own to change it",
    "method": "Method",
    "tip-method": "How the photo is inverted",
    "method-direct": "direct (fast)",
    "method-null-text": "null-text (as published)",
    "method-ddim": "DDIM (plain)",
    "steps": "Steps",
    "tip-steps": "DDIM steps",
    "guidance": "Guidance",
    "tip-guidance": "Classifier-free guidance",
    "cross": "Cross-attention",
    "tip-cross": "End of the cross-attention window, in percent of the steps",
    "self": "Self-attention",
    "tip-self": "End of the self-attention window, in percent of the steps",
    "automatic": "automatic",
    "context": "Context",
    "tip-context": "Surroundings of the selection that the model sees, in percent of its longer side",
    "working-size": "Working size",
    "tip-working-size": "Longer side in pixels that the model works at",
    "seed": "Seed",
    "tip-seed": "Of the noise that is drawn: the same seed gives the same result",
    "dice": "Another",
    "variations": "Variations",
    "defaults": "As recommended",
    # Doing it.
    "apply": "Apply",
    "update": "Update layer",
    "cancel": "Cancel",
    "updating": "Changes “{layer}”",
    "new-layer-instead": "New layer instead",
    "reading": "Reading the picture",
    "placing": "Placing the layer",
    "sending": "Sending",
    "waiting": "Waiting.",
    "waiting-behind": "Waiting: {n} jobs before yours.",
    "phase-": "Starting",
    "phase-inverting": "Inverting the photo",
    "phase-optimising": "Fitting the photo",
    "phase-editing": "Editing",
    "phase-comparing": "Comparing the pictures",
    "phase-drawing": "Drawing what is around the cut-outs",
    "phase-preparing": "Preparing the pictures",
    "phase-learning": "Learning",
    "phase-looking": "Looking",
    "phase-loading": "Loading the model",
    "phase-downloading": "Downloading",
    "n-of-m": "{n} of {m}",
    "seconds": "{n} s",
    "minutes": "{n} min",
    "hours": "{n} h",
    "done": "Done.",
    "failed": "Failed.",
    "cancelled": "Cancelled.",
    "cancelling": "Cancelling…",
    "preview": "The result as it forms",
    "unknown-words": "Unknown to this model: {words}. Say it otherwise, or choose another model.",
    # What is written by habits of other tools (habits.py); {found} is what was written.
    "habit-file": "{found} names a file of another kind, which isn't read here. Leave it out; a word of your "
    "own is learned or imported as a concept.",
    "habit-embedding": "{found} is no concept here. Write <{name}>.",
    "habit-weight": "{found} gives no weight here: its signs are read as they stand. Write {word}, and weigh "
    "it with Emphasise (in a shell: --weight \"{word}={n}\").",
    "habit-editing": "{found} doesn't change the sentence on the way here. Write the one word that is meant.",
    "habit-break": "BREAK divides nothing here and is read as a word. Leave it out.",
    "habit-and": "AND doesn't combine sentences here and is read as a word. Write and.",
    "habit-option": "{found} is no option here and is read as words. Leave it out.",
    "habit-space": "{found} is no concept: a name has no spaces. Write <{name}>.",
    "habit-name": "{found} is read as an ordinary word. Write <{name}> for the concept of that name.",
    "habit-language": "{found}: the models were trained on English and hardly know this. Say it in English.",
    "how-it-looks": "How it looks now",
    "new-layer": "New layer “{layer}”.",
    "layer-updated": "Layer “{layer}” updated.",
    "outside": "{n} pixels changed outside the selection.",
    "outside-grown": "{n} pixels changed outside the selection, grown by {grown} px.",
    "more-variations": "The other variations are under Results.",
    "not-placed": "{reason} The result is kept under Results.",
    "found-again": "The job of before has ended: its result is under Results.",
    "source-gone": "The picture this layer was made from is not kept any more. Apply makes a new layer.",
    "remembered": "This photo is remembered: it can be reproduced at {n} dB",
    "described": "Described; change what is wrong.",
    "unsure": "Described, but it may be wrong: change it.",
    "selected-word": "“{word}” is selected: {n} % of the picture.",
    "reopened": "“{layer}” is open again: Update layer changes it.",
    "remember": "Remember this photo",
    "tip-remember": "Invert the photo now, so that edits begin at once",
    # Layers.
    "becomes": "→ {sentence}",
    "layer-insert": "+ {thing}",
    "layer-restyle": "{style}",
    "layer-remove": "− {thing}",
    "layer-removed": "removed",
    "layer-reweight": "{words}",
    "weighted": "{word} × {n}",
    # Results.
    "results": "Results",
    "no-results": "Results appear here and stay.",
    "tip-result": "{name} · {width}×{height} px · click: put it into the picture again",
    "result-too-large": "That result lies outside this picture ({width}×{height} px).",
    "result-gone": "That result is not kept any more.",
    "bringing": "Bringing the result",
    # Menu actions.
    "again": "Edit again with last settings",
    "replace-action": "Replace in selection",
    "insert-action": "Insert in selection",
    "restyle-action": "Restyle in selection",
    "remove-action": "Remove in selection",
    "emphasise-action": "Emphasise word",
    "select-action": "Word to selection",
    "reopen": "Re-open this layer's edit",
    "show-panel": "Show the Palimpsest panel",
    # Learning.
    "learn-title": "Learn a concept",
    "name": "Name",
    "name-example": "my-toy",
    "kind": "Kind",
    "subject": "subject",
    "style": "style",
    "noun": "It is a",
    "noun-example": "toy (a common noun helps a lot)",
    "pictures": "Pictures",
    "add-files": "+ files",
    "add-selection": "+ this selection",
    "add-layers": "+ chosen layers",
    "leave-out": "Leave out",
    "picture-is-meant": "It is meant",
    "picture": "Picture {n}: {name}",
    "learn-now": "Learn",
    "stop": "Stop",
    "close": "Close",
    "say-name": "Give the concept a name.",
    "name-letters": "A name has small letters, digits, - and _: {name} has not.",
    "name-taken": "There is a concept <{name}> already: choose another name, or replace it.",
    "replace-concept": "Replace <{name}>",
    "say-noun": "Say what it is: a common noun such as toy, cat, painting.",
    "too-few": "Add at least {n} pictures; three to five are best.",
    "too-many": "{n} pictures are the most.",
    "many": "Three to five good pictures are enough.",
    "same-picture": "That picture is there already: {name}.",
    "not-a-picture": "{name} can't be read: {reason}",
    "nothing-selected": "Nothing is selected.",
    "no-layers": "Choose layers in the editor's list of layers first.",
    "learned": "<{name}> is learned. Write it into a sentence like a word.",
    "learning-stopped": "Stopped. The next Learn goes on from here.",
    # Connection and models.
    "server-title": "Palimpsest's backend",
    "this-computer": "This computer",
    "other-computer": "Another computer",
    "address": "Address",
    "token": "Token",
    "token-hint": "In the file token of the backend's configuration folder",
    "bad-token": "The token holds characters that no token has. Copy it once more.",
    "bad-address": "{address} is no address. For instance http://192.168.1.20:8391.",
    "say-token": "Paste the token of that backend.",
    "connect-now": "Connect",
    "models-title": "Models",
    "installed": "installed",
    "download": "Download",
    "model-offer": "{title} · {size} to download · {licence}",
    "downloaded": "{model} is installed.",
    "settings": "Backend and models",
}

SINGULAR: Mapping[str, str] = {
    "outside": "{n} pixel changed outside the selection.",
    "outside-grown": "{n} pixel changed outside the selection, grown by {grown} px.",
    "too-few": "Add at least {n} picture; three to five are best.",
    "too-many": "{n} picture is the most.",
    "waiting-behind": "Waiting: {n} job before yours.",
}
"""For n = 1, where ``n`` decides the form; languages have one to four forms."""

_spoken = NullTranslations()


def speak(translation: NullTranslations) -> None:
    """Say everything by a catalogue from now on; what it lacks, and all by an empty one, in English."""
    global _spoken
    _spoken = translation


def say(key: str, **values: Any) -> str:
    """The text with its placeholders filled in. Raises KeyError for a text that there isn't."""
    if key in SINGULAR:
        text = _spoken.npgettext(key, SINGULAR[key], ENGLISH[key], int(values["n"]))
    else:
        text = _spoken.pgettext(key, ENGLISH[key])
    return text.format(**values)


def number(value: float, digits: int = 0) -> str:
    """With the language's decimal mark: 1.5 or 1,5."""
    return "{:.{}f}".format(value, digits).replace(".", say("decimal-mark"))


def duration(seconds: float) -> str:
    """12 s, 3 min, 2 h."""
    if seconds < 60:
        return say("seconds", n=round(seconds))
    return say("minutes", n=round(seconds / 60)) if seconds < 3600 else say("hours", n=round(seconds / 3600))


def phase(name: str) -> str:
    key = "phase-" + name
    return say(key) if key in ENGLISH else name.capitalize()
