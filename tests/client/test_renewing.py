"""What becomes of a layer whose edit is renewed, by what it was and what it is now."""

from __future__ import annotations

from palimpsest_client.editor.editor import LayerResult
from palimpsest_client.editor.geometry import Bounds, Extent
from palimpsest_client.editor.imprints import OWN, Imprint, digest_of
from palimpsest_client.editor.renewing import Blank, OldLayer, blank_of, compare_imprint, digest

CANVAS = Extent(90, 80)
IMPRINT = Imprint("cat → dog", CANVAS, Bounds(3, 4, 50, 60), (0, 0), (1, 1), "pixels", "mask")
NOW = OldLayer(None, "cat → dog", CANVAS, IMPRINT, (7, 5), (2, 3))
RESULT = LayerResult(b"", Bounds(0, 0, 53, 64), "cat → wolf", "{}", IMPRINT.bounds)


def told(text: str):
    yield True
    return text


def ended(steps):
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def test_a_layer_that_was_painted_on_is_not_renewed():
    assert ended(compare_imprint(NOW, told("other"), told("mask"))) is None


def test_a_mask_is_peoples_own_once_it_was_painted_on_or_removed():
    assert ended(compare_imprint(NOW, told("pixels"), told("mask"))) == NOW
    assert ended(compare_imprint(NOW, told("pixels"), told("other"))).own_mask
    assert ended(compare_imprint(NOW, told("pixels"), None)).own_mask
    assert ended(
        compare_imprint(NOW._replace(imprint=IMPRINT._replace(mask=OWN)), told("pixels"), told("x"))
    ).own_mask


def test_a_layer_of_before_imprints_is_renewed_with_its_mask():
    old = NOW._replace(imprint=None)
    assert ended(compare_imprint(old, told("whatever"), told("whatever"))) == old
    assert ended(compare_imprint(old, told("whatever"), None)).own_mask
    assert (old.shift, old.mask_shift, old.by_hand, old.own_name) == ((0, 0), (0, 0), False, False)


def test_it_is_known_how_far_layer_and_mask_have_moved_and_by_whom():
    assert (NOW.shift, NOW.mask_shift) == ((7, 5), (1, 2))
    assert (NOW.place, NOW.mask_place) == (Bounds(10, 9, 50, 60), Bounds(4, 6, 50, 60))
    assert NOW.by_hand
    assert not NOW._replace(canvas=Extent(80, 70)).by_hand, "a crop did"
    assert not NOW.own_name
    assert NOW._replace(named="Bello").own_name


def test_a_digest_is_that_of_all_bands_together():
    rows = {y: bytes([y]) * 4 for y in range(6)}
    read = lambda part: b"".join(rows[y] for y in range(part.y, part.bottom))  # noqa: E731
    assert ended(digest(read, Bounds(0, 1, 4, 5), 8)) == digest_of(read(Bounds(0, 1, 4, 5)))


def test_a_copy_goes_with_what_people_moved_and_not_with_what_a_crop_did():
    assert blank_of(NOW, "copy", "mask") == Blank("copy", "mask", (7, 5), (1, 2))
    assert blank_of(NOW._replace(canvas=Extent(80, 70)), "copy", "mask") == Blank("copy", "mask")
    assert blank_of(NOW._replace(own_mask=True), "copy", "mask").mask is None


def test_a_copy_is_wiped_unless_the_result_writes_over_all_of_ours():
    assert not NOW.to_wipe(RESULT)
    assert NOW._replace(canvas=Extent(80, 70)).to_wipe(RESULT), "ours lies elsewhere after a crop"
    assert NOW._replace(imprint=IMPRINT._replace(bounds=Bounds(3, 4, 51, 60))).to_wipe(RESULT)
    assert not NOW._replace(imprint=None).to_wipe(RESULT), "what is ours isn't known"


def test_an_imprint_tells_the_places_as_if_nobody_had_moved_anything():
    blank = Blank("layer", "mask", (7, 5), (1, 2))
    found = blank.imprint(RESULT, CANVAS, (7, 5), (2, 3), "pixels", "mask")
    assert found == IMPRINT._replace(name="cat → wolf")
    assert blank.imprint(RESULT, CANVAS, (7, 5), None, "pixels", OWN).mask_at == (0, 0)
