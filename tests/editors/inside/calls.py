"""Inside an editor: do what ``driven.py`` calls. Standard library only, Python 3.8.

``Calls(functions).turn()`` is called again and again on the editor's own thread.
"""

import inspect
import json
import os
import traceback
from pathlib import Path


class Calls:
    """``functions``: name → what is called. Generators are taken up again at every turn until they end."""

    def __init__(self, functions):
        self.functions = functions
        self.folder = Path(os.environ["PALIMPSEST_TEST_CALLS"])
        self.waiting = []  # (generator, where its answer belongs)

    def ready(self):
        (self.folder / "ready").touch()

    def turn(self):
        for file in sorted(self.folder.glob("*.call")):
            told = json.loads(file.read_text())
            file.unlink()
            self.attempt(file, lambda told=told: self.functions[told["function"]](*told["arguments"]))
        waiting, self.waiting = self.waiting, []
        for steps, file in waiting:
            self.attempt(file, lambda steps=steps: self.next_of(steps))

    def attempt(self, file, call):
        try:
            result = call()
        except BaseException:
            self.reply(file, {"error": traceback.format_exc()})
            return
        if inspect.isgenerator(result):
            self.waiting.append((result, file))
        else:
            self.reply(file, {"result": result})

    def next_of(self, steps):
        """The generator itself while it goes on, its result when it has ended."""
        try:
            next(steps)
        except StopIteration as end:
            return end.value
        return steps

    def reply(self, file, told):
        draft = file.with_suffix(".reply")
        draft.write_text(json.dumps(told, default=str))
        draft.rename(file.with_suffix(".answer"))
