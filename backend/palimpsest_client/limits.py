"""What the backend takes beside the panel's own fields (``settings``), (least, most).

``palimpsest.contract`` makes its limits from here, and the panels offer no more.
"""

LEARNING_STEPS = (1, 100000)
WEIGHT = (-20, 20)
SENTENCE = (0, 2000)
EXAMPLES = (3, 20)

MOST_SEED = 2**31 - 1  # the most that the editors' number fields hold; the backend takes more
