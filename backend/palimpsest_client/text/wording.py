"""Every sentence and label that people read in an editor, once.

``say("key", name=value)`` gives the text in the language that is spoken (languages.py). In a catalogue the
key is the context of its English text. A text is a whole sentence or label, never a piece of one.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from gettext import NullTranslations
from typing import Any, Dict, List

from ..methods import METHODS, OFFERED
from .refusals import REFUSALS

GIB = 1 << 30  # bytes

ENGLISH: Mapping[str, str] = {
    # The language itself.
    "language-name": "English",  # in a catalogue: its own language's name, in that language
    "decimal-mark": ".",
    # The state line.
    "ready": "Ready · {model}",
    "ready-on": "Ready · {model} · {device}",
    "ready-learning": "{ready} · a word is being learned",
    "built-in": "built-in model (for trying out)",
    "searching": "Palimpsest's backend isn't running.",
    "unreachable": "No backend answers at {address}.",
    "starting": "Starting the backend…",
    "start-failed": "The backend could not be started: {reason}",
    "start-slow": "The backend was started, but did not answer within {seconds} s.",
    "start-in-a-shell": "Start it: palimpsest serve.",
    "not-installed": "The backend isn't installed here: run install.py, or connect to another computer.",
    "stopped": "The backend has stopped. Start it again where it was started (palimpsest serve), or connect "
    "to another computer.",
    "refused": "The backend at {address} refused the token.",
    "mismatch": "The backend speaks version {theirs}, this plug-in version {ours}: run install.py again.",
    "answered-status": "The server answered {status}.",
    "token-unreadable": "The token of the server at {address} can't be read: {reason}. Ask the person who "
    "runs the server for it.",
    "no-server-of-ours": "What answered is not a Palimpsest server. Check the address.",
    "connection-broke": "The Palimpsest server at {address} doesn't answer ({reason}).",
    "picture-damaged": "A picture was damaged on its way. Try it again.",
    "gone": "The backend stopped. Your job is kept and goes on when it is back.",
    "fault": "Something went wrong in the plug-in ({what}). The picture is untouched: try again, and "
    "please report this.",
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
    "waiting-for-backend": "The backend is starting: one moment.",
    "queue-full": "{n} edits wait already: let one be done, or take one out.",
    "busy": "Wait until this job is done, or press Cancel.",
    "select-insert": "Select where it should go.",
    "select-remove": "Select what should go.",
    "say-what-it-shows": "Say what the picture shows.",
    "say-what-it-should-show": "Say what it should show.",
    "say-what-to-insert": "Say what to insert.",
    "say-the-style": "Say in which style, or choose one below.",
    "nothing-changes": "Both sentences say the same: change a word.",
    "no-weight": "Move a word's slider: nothing is emphasised yet.",
    "model-cannot": "{operation}: the model {model} can't do this. Choose another model.",
    "model-missing": "The model {model} isn't installed on the backend. Choose another model.",
    "no-concept": "There is no concept <{name}>. Learn it, or choose another.",
    "concept-family": "<{name}> was learned for another kind of model ({family}). Choose such a model, "
    "or another concept.",
    "cannot-describe": "Describe has nothing for this model. Write the sentence yourself, or run in a "
    "shell: palimpsest pull captions",
    "no-recipe": "This layer wasn't made by Palimpsest: choose one that was.",
    "recipe-unreadable": "This layer's recipe can't be read: {reason}",
    "recipe-version": "version {version}",
    "no-word": "Choose a word of “The picture shows”.",
    # What the model sees.
    "sees": "The model sees {seen} px of {of} px: {times} × softer.",
    "sees-select": "Select what is to change, or take a larger model.",
    "sees-less": "Select less, take a larger model, or raise Working size.",
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
    "no-active-layer": "No layer is active: choose one in the list of layers.",
    "layer-empty": "The layer “{layer}” has nothing there. Choose another layer or another place.",
    "canvas-empty": "The canvas has nothing there. Choose another place.",
    "unreadable": "The backend sent something that can't be read ({reason}). Press Apply again.",
    "no-template": "Krita couldn't open the plug-in's own layer template. Run install.py again.",
    "layer-changed": "“{layer}” was painted on or transformed: it stays, and the result lies above it.",
    "layer-gone": "The layer was removed meanwhile.",
    "layer-is-group": "“{layer}” is a group: choose a layer in it, or edit what is visible.",
    "layer-outside": "The layer lies outside the part that is to be edited. Choose another layer, or "
    "edit what is visible.",
    "layer-untouched": "The selection doesn't touch the layer. Select a part of it, or edit what is visible.",
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
    "tip-describe": "Propose a sentence for this picture",
    "words": "Words",
    "tip-words": "Choose a word to replace it, emphasise it or select it in the picture",
    "word-replace": "Replace “{word}” with…",
    "word-emphasise": "Emphasise “{word}”",
    "word-select": "Select “{word}” in the picture",
    "choose-word": "Which word should be selected in the picture?",
    "concepts": "Concepts",
    "no-concepts": "No concepts yet: teach it a word of your own.",
    "all": "All…",
    "tip-all": "All concepts: search, rename, delete",
    "search": "Search",
    "concept-line": "{name} · {kind}, a {noun}",
    "use": "Use",
    "rename": "Rename…",
    "new-name": "New name of <{name}>:",
    "delete": "Delete…",
    "really-delete": "Delete <{name}> for good? Layers that were made with it stay.",
    "learn": "Learn…",
    "learn-action": "Learn a concept…",
    "tip-concept": "<{name}>: {kind}, a {noun}",
    "tip-other-family": "<{name}> was learned for {family} models",
    "structure": "Keep structure",
    "tip-structure": "How closely the result keeps to the photo's shapes and places",
    "technical-structure": "windows of cross- and self-attention",
    "free": "free",
    "exact": "exact",
    "strength": "Strength",
    "tip-strength": "How much the changed words count",
    "technical-strength": "weight of the changed words' attention",
    "gentle": "gentle",
    "grow": "Grow",
    "tip-grow": "Pixels by which the selection is grown, so that all of what was selected goes",
    "technical-grow": "dilation of the selection",
    "feather": "Soft edge",
    "tip-feather": "Width of the soft edge, in what the selection was grown by, else inside it",
    "technical-feather": "feathering",
    "pixels": "{n} px",
    "percent": "{n} %",
    "times": "× {n}",
    "slider-ends": "Left: {left}, right: {right}.",
    "slider-back": "A double-click goes back to what is recommended.",
    "tip-weight": "How much this word counts",
    "technical-weight": "weight of the word's attention",
    "advanced": "Advanced",
    "source": "Take",
    "tip-source": "Which pixels are edited",
    "source-canvas": "what is visible",
    "source-layer": "the active layer",
    "model": "Model",
    "tip-model": "Which of the backend's models draws",
    "technical-model": "checkpoint",
    "model-loading": "The backend's models appear here.",
    "sentence": "Whole sentence",
    "tip-sentence": "What the picture should show, as the backend is told; write your own to change it",
    "technical-sentence": "target sentence",
    "method": "Method",
    "tip-method": "How the photo is made reproducible",
    "technical-method": "inversion",
    **{f"method-{name}": METHODS[name].label for name in OFFERED},
    "steps": "Steps",
    "tip-steps": "In how many steps the picture is drawn: more are slower and more exact",
    "technical-steps": "DDIM steps",
    "guidance": "Guidance",
    "tip-guidance": "How strictly the picture follows the sentence",
    "technical-guidance": "classifier-free guidance scale",
    "cross": "Cross-attention",
    "tip-cross": "For which part of the steps words see what they saw in the photo",
    "technical-cross": "end of the cross-attention window",
    "self-attention": "Self-attention",
    "tip-self-attention": "For which part of the steps the photo's layout is kept",
    "technical-self-attention": "end of the self-attention window",
    "automatic": "auto",  # short: beside it a narrow field says what it comes to
    "automatic-value": "{automatic} ({value})",
    "automatic-model": "Automatic: as the model recommends.",
    "automatic-operation": "Automatic: as the operation recommends.",
    "automatic-structure": "Automatic: as “Keep structure” says.",
    "argument-automatic": "{n}: automatic.",
    "technical-name": "In papers: {name}",
    "begin-from": "Begin from",
    "tip-begin-from": "What the selection begins from: noise, the photo, or a picture of the thing, yours or "
    "the model's",
    "technical-begin-from": "initial latent (SDEdit)",
    "mirror": "Mirror",
    "tip-mirror": "What is selected in a mirror beside the thing: where the sentence names a mirror it is "
    "found, and shows the new thing; or it is drawn like the rest",
    "mirror-auto": "found by itself",
    "mirror-none": "drawn like the rest",
    "begin-from-automatic": "automatic",
    "begin-from-view": "my picture of it",
    "begin-from-drawing": "the model's picture of it",
    "begin-from-noise": "noise",
    "begin-from-photo": "the photo",
    "freedom": "Freedom",
    "tip-freedom": "How far the result may leave what it begins from: 0 % not at all, 100 % altogether",
    "technical-freedom": "noise level of the initial latent",
    "context": "Context",
    "tip-context": "How much around the selection the model sees, as a part of the selection's longer side",
    "technical-context": "margin of the crop",
    "working-size": "Working size",
    "tip-working-size": "Longer side in pixels that the model works at; smaller needs less memory",
    "technical-working-size": "resolution of the crop",
    "seed": "Seed",
    "tip-seed": "The same seed gives the same result; another seed, another result",
    "technical-seed": "seed of the noise",
    "dice": "Another",
    "variations": "Variations",
    "tip-variations": "How many different results one edit makes",
    "defaults": "As recommended",
    "presets": "Presets",
    "tip-presets": "Your own settings for this operation, by a name",
    "keep-preset": "Keep these settings…",
    "preset-name": "Keep these settings under the name:",
    "rename-preset": "Rename “{name}”…",
    "new-preset-name": "New name of “{name}”:",
    "delete-preset": "Delete “{name}”",
    "say-preset-name": "Give the settings a name.",
    "preset-name-long": "A name has at most {n} characters.",
    "preset-taken": "There are settings named “{name}” already.",
    "preset-gone": "There are no settings named “{name}” any more.",
    "presets-unreadable": "Your presets can't be read from {place} ({reason}). The next one that you keep "
    "begins a new file; this one stays beside it.",
    "presets-not-kept": "The presets can't be written to {place} ({reason}).",
    # Doing it.
    "apply": "Apply",
    "update": "Update",
    "new": "New",
    "tip-new": "Another layer, from what is seen now",
    "queue": "{n} edits wait",
    "queue-take-out": "Take out “{name}”",
    "cancel-all": "Cancel all",
    "cancel": "Cancel",
    "progress": "Progress",
    "more": "What else can be done",
    "updating": "Changes “{layer}”",
    "reading": "Reading the picture",
    "placing": "Placing the layer",
    "sending": "Sending",
    "waiting": "Waiting.",
    "waiting-behind": "Waiting: {n} jobs before yours.",
    "phase-": "Starting",
    "phase-inverting": "Inverting the photo",
    "phase-optimising": "Fitting the photo",
    "phase-editing": "Editing",
    "phase-decoding": "Decoding the result",
    "phase-laying": "Laying it over the picture",
    "phase-saving": "Saving the result",
    "backend-away": "Waiting for the backend",
    "phase-comparing": "Comparing the pictures",
    "phase-drawing": "Drawing what is around the cut-outs",
    "phase-preparing": "Preparing the pictures",
    "phase-learning": "Learning",
    "phase-sampling": "Drawing",
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
    "left-behind": "What was under way is the other backend's: it goes on there, and its result is kept "
    "there.",
    "preview": "The result as it forms",
    "live-preview": "As it would be",
    "live-preview-soon": "As it would be: a moment…",
    "strip-place": "{name} {value}: a click sets it",
    "completions": "What can be written here",
    "unknown-words": "Unknown to this model: {words}. Say it otherwise, or choose another model.",
    # What is written by habits of other tools (habits.py); {found} is what was written.
    "habit-file": "{found} does nothing in a sentence here. Leave it out; in a shell a LoRA is given with "
    "--lora NAME:STRENGTH.",
    "habit-embedding": "{found} is no concept here. Write <{name}>.",
    "habit-weight": "{found} gives no weight here: brackets and signs are read as text. Write {word}, "
    'and weigh it with Emphasise (in a shell: --weight "{word}={n}").',
    "habit-editing": "{found} doesn't change words half-way here. Write the one word you mean.",
    "habit-break": "BREAK divides nothing here and is read as a word. Leave it out.",
    "habit-and": "AND doesn't combine sentences here and is read as a word. Write and.",
    "habit-option": "{found} is no option here and is read as words. Leave it out.",
    "habit-space": "{found} is no concept: a name has no spaces. Write <{name}>.",
    "habit-name": "{found} is read as an ordinary word. Write <{name}> for the concept of that name.",
    "habit-near": "{found} is read as it stands. Did you mean the concept <{name}>?",
    "habit-language": "{found}: the models were trained on English and hardly know this. Say it in English.",
    "how-it-looks": "How it looks now",
    "new-layer": "New layer “{layer}”.",
    "layer-updated": "Layer “{layer}” updated.",
    "outside": "{n} pixels changed outside the selection.",
    "outside-grown": "{n} pixels changed outside the selection, grown by {grown} px.",
    "more-variations": "The other variations are under Results.",
    "not-placed": "{reason} The result is kept under Results.",
    "found-again": "An earlier edit is done: its result is under Results.",
    "source-gone": "The picture this layer was made from is not kept any more. Apply makes a new layer.",
    "remembered": "This photo is remembered: it can be reproduced at {n} dB",
    "described": "Described; change what is wrong.",
    "described-fairly": "Described, fairly sure ({n} %): look at each word, and change what is wrong.",
    "doubtful-word": "The model isn't sure of this word: {n} %. Change it if it is wrong.",
    "unsure": "Described, but it is a guess ({n} %): change what is wrong.",
    "selected-word": "“{word}” is selected: {n} % of the picture.",
    "reopened": "“{layer}” is open again: Update changes it.",
    "remember": "Remember this photo",
    "tip-remember": "Invert the photo now, so that edits begin at once",
    # Layers.
    "moved": "{words} stands elsewhere",
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
    "tip-result": "Click: see it on the picture. Double-click: keep it.",
    "result-variation": "{name} ({n} of {of})",
    "result-facts": "Seed {seed} · {width}×{height} px",
    "result-of-picture": "Made from another picture: {picture}",
    "result-of-another": "Made from another picture",
    "result-foreign": "That result was made from another picture. Click it to see it here first, then "
    "press Keep.",
    "preview-layer": "Preview: {layer}",
    "preview-ends-redo": "What you have undone could not be redone after a preview. Choose the result again "
    "to see it all the same.",
    "label-and-sentence": "{label}. {sentence}",  # the label has no full stop of its own
    "previewed": "This is a preview. Keep it as a layer, or discard it.",
    "keep": "Keep",
    "discard": "Discard",
    "original": "Original",
    "tip-keep": "Make it a layer of the picture (Return, or double-click on a result)",
    "tip-discard": "Take the preview away (Escape)",
    "tip-original": "Hold: the picture without it (or hold O)",
    "result-before": "Previous result (left arrow)",
    "result-after": "Next result (right arrow)",
    "all-results": "All pictures",
    "tip-all-results": "Also results of other pictures and other programs",
    "result-copy-words": "Copy the sentences",
    "result-copy-seed": "Copy the seed ({seed})",
    "result-use": "Use its words and settings",
    "result-keep": "Keep it as a layer",
    "result-delete": "Delete it from the list",
    "result-delete-all": "Delete it and its variations ({n})",
    "result-deleted": "Deleted from the list. Layers stay as they are.",
    "result-too-large": "That result lies outside this picture ({width}×{height} px).",
    "result-gone": "That result is not kept any more.",
    "bringing": "Fetching the result",
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
    "describe-action": "Describe the picture",
    "concepts-action": "All concepts…",
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
    "learn-more": "Learn more",
    "learn-anew": "Replace it",
    "quick": "quick",
    "with-detail": "with detail",
    "tip-quick": "The word alone: for things that words nearly describe.",
    "tip-with-detail": "Also what no words say: a face, a figure with its parts. Takes longer.",
    "clear": "Clear",
    "draw": "Draw",
    "test-sentence": "The word in a sentence",
    "good-set": "Three to five: one thing, sharp and large, in other places, light and angles. Select it "
    "around its edge, so that what is around it isn't learned.",
    "n-pictures": "{n} pictures",
    "masked": "What is dark isn't learned.",
    "subject-found": "No selection says where <{name}> is, so the model looked for it. What is bright it "
    "found, in {count} of {total} pictures, and edits begin from that. If it is wrong: leave that picture "
    "out, open it, select the thing, press “{button}”, and learn again.",
    "subject-unseen": "No selection says where <{name}> is, and the model didn't find it: no edit begins "
    "from its pictures. Better: open a picture, select the thing, press “{button}”, and learn again.",
    "tip-found": "What is bright the model took for it.",
    "name-written": "It is written <{name}>: a name has small letters, digits, - and _.",
    "learn-cost": "Up to {n} steps: about {time} on this machine.",
    "learn-cost-unknown": "Up to {n} steps. How long they take here is known after the first time.",
    "learning-goes-on": "This window can be closed: learning goes on, and the panel shows how far it is.",
    "say-sentence": "Write a sentence with the word in it.",
    "not-better": "No step made <{name}> better: it stays as it was. Other pictures may help.",
    "learning-kept": "Stopped after {n} steps. <{name}> is the best of them; Learn more goes on from there.",
    "pictures-gone": "{n} pictures of <{name}> aren't kept any more. Add some, the same or others.",
    "masks-gone": "The selections in the pictures of <{name}> aren't kept any more. Add the pictures anew.",
    "stop": "Stop",
    "close": "Close",
    "say-name": "Give the concept a name.",
    "name-letters": "{name} can't be a name: write small letters, digits, - and _.",
    "name-taken": "There is a concept <{name}> already: write another name, or choose Learn more or "
    "Replace it.",
    "say-noun": "Say what it is: a common noun such as toy, cat, painting.",
    "too-few": "Add at least {n} pictures; three to five are best.",
    "too-many": "{n} pictures are the most: leave some out.",
    "many": "Three to five good pictures are enough.",
    "same-picture": "That picture is there already: {name}.",
    "not-a-picture": "{name} can't be read: {reason}",
    "nothing-selected": "Nothing is selected: select something in the picture first.",
    "no-layers": "Choose layers in the editor's list of layers first.",
    "learned": "<{name}> is learned. Write it into a sentence like a word.",
    "learning-stopped": "Stopped before anything was learned.",
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
    "model-installed": "{model} · installed",
    "download": "Download",
    "download-model": "Download {model}",
    "model-size": "{size} to download · {licence}",
    "model-memory": "Needs about {needs} of memory; how much this device has can't be asked.",
    "model-memory-fits": "Needs about {needs} of memory; this machine's {has} are enough.",
    "model-memory-short": "Needs about {needs} of memory; this machine has {has}: edits take longer.",
    "model-time": "One edit: about {n} runs of its network at {size} px.",
    "model-note-sd21": "A mirror by its community: the publisher withdrew the original in 2025.",
    "model-note-captions": "It says what a photo shows, for “Describe”, and edits nothing.",
    "gigabytes": "{n} GB",
    "beyond-picture": "The built-in model knows nothing in this picture: it was made for drawn toy "
    "scenes. For a photo press “Get a real model…”.",
    "downloaded": "{model} is installed.",
    "settings": "Settings",
    "settings-action": "Settings…",
    "new-pictures": "New pictures begin with",
    "language": "Language",
    "tip-language": "Of the panel; it changes when the editor is started anew",
    "as-the-editor": "as the editor",
    "live": "Small preview",
    "tip-live": "Where the photo is remembered, it follows words and sliders by itself",
    "live-on": "by itself",
    "live-off": "off",
    "kept-here": "Kept on this computer",
    "kept-in": "Sentences, presets and these settings are in {place}. Results, concepts and models are the "
    "backend's.",
    "forget": "Forget sentences and recent concepts",
    "forgotten": "Forgotten. What is open now stays as it is.",
    "not-forgotten": "They can't be removed ({reason}).",
    "preferences-not-kept": "This can't be kept in {place} ({reason}).",
    # Setting up the backend.
    "setup": "Set up the backend…",
    "setup-title": "Set up the backend",
    "setup-costs": "About {size} are downloaded, packages of Python and PyTorch, and kept in {place}. While "
    "that is done, {room} must be free there.",
    "setup-build": "PyTorch for",
    "setup-cpu": "the processor",
    "setup-cuda": "an NVIDIA card",
    "setup-rocm": "an AMD card",
    "setup-mps": "a Mac",
    "setup-index": "Package index",
    "setup-index-hint": "Empty: the usual one",
    "tip-setup-index": "The address of a mirror, where this computer can't reach the usual one",
    "setup-begin": "Set up",
    "setup-go-on": "Go on",
    "setup-update": "Update",
    "setup-repair": "Repair",
    "setup-update-offer": "Update the backend…",
    "setup-repair-offer": "Repair the backend…",
    "setup-manage": "Update, repair or remove the backend…",
    "setup-show": "Show",
    "setup-absent": "The backend isn't installed here yet: set it up, or connect to another computer.",
    "setup-incomplete": "The setup isn't complete. What is there is kept: it goes on where it stopped.",
    "setup-older": "The plug-in brought another version of the backend, {version}: what differs is "
    "downloaded.",
    "setup-whole": "The backend {version} is set up in {place}.",
    "setup-remove": "Remove the backend…",
    "setup-remove-question": "Remove the backend from {place}? Models, concepts and results stay.",
    "setup-checking": "Looking what is there",
    "setup-uv": "Fetching uv, which installs packages",
    "setup-environment": "Making an environment for Python",
    "setup-runtime": "Fetching the libraries",
    "setup-torch": "Fetching PyTorch",
    "setup-package": "Installing the backend",
    "setup-removing": "Removing the backend",
    "setup-arrived": "{text} · {size} on the disk",
    "setup-done": "The backend is set up.",
    "setup-removed": "The backend was removed.",
    "setup-cancelled": "Cancelled. What is there is kept: it goes on where it stopped.",
    "setup-offline": "The package index can't be reached: check the network, then go on.",
    "setup-proxy": "The proxy refuses ({reason}): check the system's proxy settings, then go on.",
    "setup-mirror": "The package index {address} doesn't serve this ({reason}): check its address, then go "
    "on.",
    "setup-full": "The disk is too full for {place}: make room, then go on.",
    "setup-forbidden": "{place} may not be written: change its permissions, then go on.",
    "setup-hash": "{name} isn't what was released and was not installed: try again, or another package "
    "index.",
    "setup-no-python": "No Python 3.10 to 3.13 is here, and uv couldn't fetch one: install one, then go on.",
    "setup-no-uv": "There is no build of uv for {machine}: install uv yourself, then go on.",
    "setup-no-address": "no address of a web page",
    "setup-not-there": "{name} isn't there",
    "setup-not-whole": "Files are missing of {names}: press “{deed}”.",
    "setup-foreign": "{place} holds files that are not Palimpsest's: move them away, then try again.",
    "setup-elsewhere": "Another editor sets the backend up just now: wait until it has ended.",
    "setup-silent": "no reason given",
    "setup-failed": "The setup failed: {reason}",
    # GIMP's procedures: its menu, its dialogs, its procedure browser.
    "menu-window": "Palimpsest Window",
    "does-window": "Edit photos by words and by your own concepts; nothing else changes",
    "about-window": "A window that stays open while GIMP goes on; the picture is chosen in it.",
    "run-mode": "Run mode",
    "about-run-mode": "Interactive only",
    "window-is-for-people": "The window is for people: scripts call the other procedures.",
    "menu-replace": "Replace…",
    "does-replace": "Replace a thing in the picture by another one or by a learned concept",
    "menu-insert": "Insert…",
    "does-insert": "Put something new into the selection",
    "menu-restyle": "Restyle…",
    "does-restyle": "Show the same things in another style or in a learned one",
    "menu-remove": "Remove…",
    "does-remove": "Remove what is selected; its surroundings go on",
    "menu-emphasise-word": "Emphasise Word…",
    "does-emphasise-word": "Make a word of the picture's sentence count more or less",
    "menu-word-to-selection": "Word to Selection…",
    "does-word-to-selection": "Select the part of the picture that a word stands for",
    "menu-learn-concept": "Learn Concept…",
    "does-learn-concept": "Learn a new word from three to five pictures of one subject or style",
    "menu-remember-photo": "Remember Photo…",
    "does-remember-photo": "Invert the photo now, so that edits begin at once",
    "menu-reopen-edit": "Re-open Layer's Edit",
    "does-reopen-edit": "Fill in again what a Palimpsest layer was made with",
    "menu-server": "Server…",
    "does-server": "Choose the backend: this computer's, or another one's",
    "does-precisely": "{does}. Outside the grown selection nothing changes, bit for bit.",
    "returns-layer": "The new layer",
    "returns-selected": "The selected share of the picture, 0 to 1",
    "returns-word": "The word as it is written in a sentence: '<my-toy>'",
    "returns-decibels": "How well the photo is reproduced, PSNR in dB",
    "returns-recipe": "The recipe of the active layer, as JSON",
    "about-shows": "A sentence that describes the picture as it is",
    "word": "Word",
    "about-word": "A word of that sentence",
    "about-should-show": "The sentence with the changed words",
    "about-inserted": "What to insert",
    "about-style": "A style, or a learned one: '<ink>'",
    "about-removed": "What goes",
    "emphasis": "How much",
    "about-emphasis": "-1 = gone, 0 = as it is, 1 = strong",
    "about-name": "The new word, without brackets: small letters, digits, - and _",
    "about-kind": "'subject' or 'style'",
    "about-noun": "A common noun: toy, cat, painting",
    "files": "Files",
    "about-files": "Paths of pictures",
    "chosen-layers": "Chosen layers",
    "about-layers": "The chosen layers are pictures too",
    "this-selection": "This selection",
    "about-selection": "What is selected is a picture too",
    "about-replace": "Learn a word of this name anew",
    "odd-too": "Odd too",
    "about-odd-too": "Learn even if a picture doesn't seem to fit",
    "about-learning-steps": "0 = as recommended",
    "about-address": "As http://192.168.1.20:8391; empty = this computer",
    "about-token": "The token of that backend",
    "value-not-one": "{name} is {value}; it can be one of these: {choices}.",
    "value-beyond": "{name} is {value}; it can be {least} to {most}.",
    **REFUSALS,
}

SINGULAR: Mapping[str, str] = {
    "learn-cost": "Up to {n} step: about {time} on this machine.",
    "learn-cost-unknown": "Up to {n} step. How long it takes here is known after the first time.",
    "learning-kept": "Stopped after {n} step. <{name}> is the best of them; Learn more goes on from there.",
    "n-pictures": "{n} picture",
    "pictures-gone": "{n} picture of <{name}> isn't kept any more. Add some, the same or others.",
    "queue": "{n} edit waits",
    "queue-full": "{n} edit waits already: let it be done, or take it out.",
    "outside": "{n} pixel changed outside the selection.",
    "outside-grown": "{n} pixel changed outside the selection, grown by {grown} px.",
    "too-few": "Add at least {n} picture; three to five are best.",
    "too-many": "{n} picture is the most: leave some out.",
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


def error_text(error: Mapping[str, Any], field: str = "") -> str:
    """What the backend says, in the language that is spoken; as it came where there is no text of it here.

    ``error``: its JSON. ``field``: "message" or "hint"; empty = both.
    """
    if not field:
        one, two = error_text(error, "message"), error_text(error, "hint")
        came = (str(error.get("message", "")), str(error.get("hint", "")))
        return " ".join(came).strip() if (one, two) == came else in_a_row(one, two)
    try:
        return _filled(error["texts"][field])
    except (LookupError, TypeError, ValueError, AttributeError, RecursionError):  # another version's
        return str(error.get(field, ""))


def notices_text(result: Mapping[str, Any]) -> str:
    """What a job's result has to say, in the language that is spoken; what the words of its sentences mean
    elsewhere is none of it: that is told before the job (habits.py)."""
    return reduce(in_a_row, map(error_text, _notices(result)), "")


def original_notices(result: Mapping[str, Any]) -> str:
    """The same in the backend's English; empty where that is what is said anyway."""
    came = " ".join(notice["message"] for notice in _notices(result))
    return "" if came == notices_text(result) else came


def _notices(result: Mapping[str, Any]) -> List[Dict[str, Any]]:
    """Those that have a text here, each as the JSON of an error."""
    try:
        pairs = list(zip(result["notices"], result["texts"]["notices"]))
    except (LookupError, TypeError):  # another version's
        return []
    return [{"message": str(came), "texts": {"message": text}} for came, text in pairs if text is not None]


def in_a_row(one: str, two: str) -> str:
    """Two sentences, either of which may be empty; not all languages set a blank between them."""
    return say("two-sentences", one=one, two=two) if one and two else one + two


def original_text(error: Mapping[str, Any]) -> str:
    """Both in the backend's English; empty where that is what is said anyway."""
    came = "{} {}".format(error.get("message", ""), error.get("hint", "")).strip()
    return "" if came == error_text(error) else came


def _filled(text: Mapping[str, Any]) -> str:
    values = {name: _filled(v) if isinstance(v, dict) else v for name, v in text["values"].items()}
    return say(text["name"], **values)


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


def gigabytes(size: float) -> str:
    """Of ``size`` bytes: 1.5 GB."""
    return say("gigabytes", n=number(size / GIB, 1))


def fault(error: Exception) -> str:
    """A fault of ours, as a sentence."""
    return say("fault", what=f"{type(error).__name__}: {error}")
