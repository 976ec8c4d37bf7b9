"""What the backend refuses, fails with or has to say of a result, as far as people meet it in a panel: each
sentence, once.

The backend raises its errors with these texts, in English, and says with them what is to be known of a
result. On the wire each goes with its name here and with what was filled in (docs/errors.md), so that a panel
says it in its own language. Only data: what says them is in wording.py.
"""

from __future__ import annotations

from collections.abc import Mapping

REFUSALS: Mapping[str, str] = {
    "two-sentences": "{one} {two}",
    # The words.
    "word-not-there": "The word {word!r} is not in the sentence {prompt!r}.",
    "words-there": "Words in it: {words}.",
    "no-words-there": "Words in it: none, it is empty.",
    "word-unknown": "The model doesn't know the word {word!r}.",
    "nouns-known": "Give the nearest noun it knows, or another model. It knows: {words}.",
    "word-in-pieces": "The model doesn't know the word {word!r}: it spells it in {n} pieces.",
    "nearest-noun": "Give the nearest noun it knows.",
    "prompt-too-long": "The sentence needs {used} tokens, but the text encoder reads {room}: {prompt!r}.",
    "shorten-prompt": "Shorten it; {word!r} is the first word that no longer fits.",
    "not-remembered": "The photo isn't remembered as {prompt!r} with these settings, so there is no draft "
    "of it.",
    "apply-remembers": "Apply the edit: that remembers it.",
    "beyond-the-built-in": "The picture shows nothing that the built-in model knows (best guess: {word}, "
    "{n} %).",
    "describe-yourself": "Write the description yourself, or choose another model.",
    "nothing-describes": "Nothing here describes pictures for the model {model!r}.",
    "describe-or-pull": "Describe it in your own words, or fetch a model that does: palimpsest pull "
    "captions.",
    # The selection and the size.
    "selection-empty": "Nothing is selected.",
    "selection-below": "Nothing is selected: no value is above {n} of 255.",
    "select-or-none": "Select something, or give no selection at all.",
    "selection-size": "The selection has {width} x {height} pixels, the picture {of_width} x {of_height}.",
    "selection-of-its-size": "Give a selection of the picture's size.",
    "working-size-large": "A working size of {n} pixels is too large for this model.",
    "working-size-most": "It was trained on {native}; give at most {most}.",
    # Pictures.
    "picture-large": "The picture has {width} x {height} = {n} pixels; the limit is {limit}.",
    "scale-down-or-raise": "Scale it down, or raise the limit.",
    "scale-down": "Scale it down.",
    "picture-small": "The picture has {width} x {height} pixels.",
    "sides-least": "Both sides must have at least {n}.",
    "picture-kind": "This is a {mode} picture; only RGB, grey and palette pictures can be edited.",
    "convert-to-rgb": "Convert it to RGB in your editor.",
    "picture-hdr": "This picture has 32 bits per channel (HDR).",
    "tone-map": "Tone-map it to an ordinary 8- or 16-bit picture first.",
    "picture-damaged-file": "The {name} file is damaged, or isn't what it says it is ({reason}).",
    "save-again": "Open it in an editor and save it again.",
    "picture-not-there": "There is no picture {image}.",
    "send-first": "Send it first.",
    "picture-broken-here": "The stored picture {image} was damaged on the disk and has been removed.",
    "send-or-make-again": "Send it again; if it is a result, submit its job again under another id.",
    # Concepts.
    "concept-not-there": "There is no concept <{name}>.",
    "concept-near": "Did you mean <{name}>?",
    "concepts-there": "There are: {names}.",
    "no-concepts-there": "The library is empty: learn or import one first.",
    "concept-there": "There is a concept <{name}> already.",
    "other-name-or-replace": "Choose another name, or say that it is to be replaced.",
    "concept-used": "A job that has not ended uses <{name}>.",
    "wait-or-cancel": "Wait until it has ended, or cancel it.",
    "concept-being-learned": "Somebody else is learning <{name}>.",
    "other-name-or-wait": "Choose another name, or wait until that has ended.",
    "set-picture-odd": "Picture {n} doesn't seem to show the same {noun} as the others.",
    "leave-out-or-meant": "Leave it out, or say that it is meant.",
    "set-picture-same": "Picture {n} is the same as picture {first}.",
    "set-picture-small": "Picture {n} is {width} x {height} pixels; each side needs {least} for this model.",
    "set-few": "{n} pictures were given; at least {least} different ones are needed.",
    "set-picture-blank": "Picture {n} is blank: next to nothing can be seen in it.",
    "set-picture-blurred": "Picture {n} is blurred: it has no sharp edge anywhere.",
    "give-larger": "Give larger pictures.",
    "check-exposure": "Check the exposure, or leave it out.",
    "give-sharper": "Give a sharper picture.",
    "give-other-views": "Give different views: other angles, places, light.",
    "add-views": "Add views of the same subject: other angles, places, light.",
    # Models.
    "model-not-there": "There is no model called {model!r}.",
    "models-there": "There are: {names}. Models are looked for in {place}.",
    "model-coming": "Model {model!r} is being downloaded.",
    "when-complete": "Try again when it is complete.",
    "model-cut-short": "{file} is incomplete: {n} of {of} bytes are there.",
    "fetch-again": "Fetch it again.",
    "model-damaged": "{file} is not a safetensors file: {reason}.",
    "maybe-damaged": "It may be damaged or incomplete: fetch it again.",
    "model-not-loaded": "{file} can't be loaded: {reason}",
    "maybe-files-damaged": "The files may be damaged or incomplete: fetch them again.",
    "model-pickled": "{file} is a pickle file, which can run any program when it is read, so Palimpsest "
    "doesn't read it.",
    "convert-pickle": "Get the model as .safetensors, or convert it once, which reads weights and nothing "
    "else (weights_only=True): {command}",
    "not-finite": "{part} gave NaN or infinity in {n} % of its values, computing in {precision}.",
    "other-file": "Its file may be damaged or badly merged: use another one.",
    "compute-in-float32": "It may overflow in this precision: compute in float32 (--device cpu, or "
    "PALIMPSEST_DEVICE=cpu for the server). If that fails too, its file is damaged or badly merged: use "
    "another one.",
    # The machine.
    "memory-out": "Memory ran out.",
    "lower-or-free": "Try a smaller working size, or free memory.",
    "memory-saved": "The card’s memory ran out, so less of the model was kept on it: that takes longer.",
    "memory-short": "The memory of {device} is not enough for {what}.",
    "what-editing": "editing at {width} x {height} pixels",
    "what-editing-variations": "editing at {width} x {height} pixels and {n} variations",
    "what-inverting": "inverting at {width} x {height} pixels",
    "what-drawing": "drawing {width} x {height} pixels",
    "what-looking": "looking at {width} x {height} pixels",
    "what-learning": "learning {n} latents at once",
    "what-describing": "describing a picture",
    "what-captioner": "the model that describes pictures",
    "lower-size": "Lower the working size.",
    "lower-size-option": "Lower the working size (--working-size).",
    "fewer-variations": "Ask for fewer variations, or lower the working size (--working-size).",
    "free-memory": "Free some (palimpsest doctor).",
    "close-or-draw-on-cpu": "Close other programs that use the device, or draw on the CPU "
    "(PALIMPSEST_DEVICE=cpu).",
    "close-or-learn-on-cpu": "Close other programs that use the device, or learn on the CPU "
    "(PALIMPSEST_DEVICE=cpu).",
    "model-beyond-memory": "The model {model} doesn't fit into the memory of {device}.",
    "smaller-model": "Close other programs that use the device, choose a smaller model, or use the CPU.",
    "memory-for-decoding": "Not enough memory to decode the picture.",
    "no-room-for-picture": "There is no room for a picture in {place}.",
    "no-room-to-write": "No room to write {name} in {place}: {reason}.",
    "disk-free": "{place} has {has} MB free; {needed} MB are needed.",
    "nothing-was-changed": "Nothing was changed.",
    "nothing-kept": "Nothing of the download is kept.",
    "free-or-other-disk": "Free some space, or set PALIMPSEST_HOME to another disk.",
    "disk-full": "The disk of {place} is full.",
    "free-some-space": "Free some space on the disk.",
    "photo-not-kept": "The photo couldn't be remembered: the disk has no room, or can't be written to. Free "
    "some space, or the next edit of it takes as long as this one.",
    "photo-over-limit": "The photo couldn't be remembered: it needs more than all remembered photos may have "
    "(PALIMPSEST_INVERSION_CACHE_BYTES). Raise that, or the next edit of it takes as long as this one.",
    "nothing-changed": "Nothing was changed. Make room and try again.",
    "not-written": "{place} can't be written: {reason}.",
    "picture-not-written": "A picture can't be written to {place}: {reason}.",
    "quota-full": "Your pictures have {has} MB; with {more} MB more they would have more than the {most} MB "
    "that each may keep here.",
    "remove-some": "Remove some (palimpsest jobs remove, palimpsest kept remove). What was used within the "
    "last hour, or is needed by a job, doesn't go by itself.",
    "offline": "Downloads are switched off by {name}.",
    "unset-or-bring": "Unset {name}, or bring the files yourself.",
    "download-broke": "The connection to {address} broke: {reason}.",
    "goes-on-there": "What has come is kept: the next attempt goes on from there.",
    "hub-silent": "The hub doesn't list {repository}: {reason}.",
    "check-connection": "Check the connection; a mirror is set by HF_ENDPOINT, a proxy by HTTPS_PROXY.",
    "download-forbidden": "{address} may not be downloaded ({status}).",
    "accept-licence": "Accept the model's licence on its page and set HF_TOKEN to your access token.",
    "download-wrong": "{address} came with {n} bytes and hash {found}; {of} and {expected} were expected.",
    "damaged-or-changed": "It was damaged on its way, or the file has changed: try again.",
    # Jobs.
    "jobs-waiting": "{n} jobs are waiting.",
    "wait-or-cancel-some": "Wait for some of them, or cancel some.",
    "job-not-there": "There is no job {job!r}.",
    "removed-by-age": "It may have been removed by its age.",
    "worker-died": "This job was begun {n} times and never done; the last time its worker ended: {reason}.",
    "killed-for-memory": "SIGKILL is most often the system's answer to too little memory: try a smaller "
    "working size.",
    "server-died": "This job was begun {n} times and never done; the last time the server ended under it.",
    "ended-for-memory": "Most often that is the system's answer to too little memory: try a smaller working "
    "size.",
    "job-stalled": "Nothing was heard of the job for {n} seconds.",
    "submit-again": "Its worker was ended. Submit it again.",
    "mistake-of-ours": "This is a mistake in Palimpsest.",
    # What a result has to say.
    "mirror-not-found": "No mirror was found in the selection: all of it was edited alike.",
    "select-mirror-image": "Select the image in the mirror, too.",
    "mirror-image-unknown": "The thing's image wasn't recognised in the mirror: what is selected there was "
    "left as it was.",
    "select-image-or-draw": "Select the whole image, or have it drawn like the rest (Mirror under Advanced, "
    "--mirror none).",
    "mirror-without-inserted": "If what was inserted stands before a mirror, the mirror doesn't show it: "
    "nothing says how it would.",
    "profile-unusable": "The picture's colour profile can't be used: {reason}.",
    "profile-as-srgb": "It is kept as it is; the picture was read as if it were sRGB.",
    "notice-of-picture": "Picture {n}: {notice}",
}
