"""``python -m palimpsest``."""

import sys

from palimpsest.cli import main

if __name__ == "__main__":
    sys.exit(main())
