#!/usr/bin/env python3
# -*- coding: utf-8 -*-
"""Set Palimpsest up in .venv beside this file, and run what you ask for.

    python3 install.py demo       learn a word, edit a photo with it, see the result in demo-output/
    python3 install.py plugins    put the plugins into Krita and GIMP (or only: krita, gimp)
    python3 install.py uninstall  take them out again
    python3 install.py doctor     look whether everything is as it should be
    python3 install.py test       run all tests
    python3 install.py setup      only install

This file is written for any Python, however old, so that a wrong one gets a sentence and no traceback.
"""

import os
import sys

NEEDED = (3, 10)


def main():
    if sys.version_info < NEEDED:
        have = ".".join(str(part) for part in sys.version_info[:3])
        sys.stderr.write("Palimpsest needs Python 3.10 or newer, this is Python " + have + ". ")
        sys.stderr.write("Install a newer one and run it by its name, for instance: python3.11 install.py\n")
        return 1
    root = os.path.dirname(os.path.abspath(__file__))
    # Only the backend and what Python itself has: a file beside this one must not stand for a module.
    sys.path[:] = [place for place in sys.path if os.path.abspath(place) not in (root, os.getcwd())]
    sys.path.insert(0, os.path.join(root, "backend"))
    from palimpsest.installation.command import run

    return run(root, sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
