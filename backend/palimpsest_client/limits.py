"""What the backend takes, (least, most): the panels' controls offer no more.

Copied from ``palimpsest.contract``, which an editor's Python can't import; a test keeps them equal.
"""

STEPS = (1, 1000)
LEARNING_STEPS = (1, 100000)
GUIDANCE = (0, 100)
WORKING_SIZE = (64, 4096)
GROWTH = (0, 512)
FEATHER = (0, 4096)
CONTEXT = (0, 8)
WEIGHT = (-20, 20)
VARIATIONS = (1, 16)
SENTENCE = (0, 2000)
EXAMPLES = (3, 20)

MOST_GROWTH = MOST_FEATHER = 64  # px: a slider's end, not the backend's
MOST_SEED = 2**31 - 1  # the most that the editors' number fields hold; the backend takes more
