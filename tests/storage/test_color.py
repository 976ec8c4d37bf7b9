"""Colour spaces: right against LittleCMS, and what isn't edited keeps its very value."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageCms

import icc_profiles as icc
from palimpsest.errors import ImageUnsupportedError
from palimpsest.storage import color


def _adobe_of(xyz: np.ndarray) -> np.ndarray:
    return np.clip(xyz @ np.linalg.inv(icc.ADOBE), 0, 1) ** (1 / 2.2)


ADOBE = icc.primaries(icc.ADOBE, icc.gamma(2.19921875))
PROPHOTO = icc.primaries(icc.PROPHOTO, icc.gamma(1.8))
SRGB_SHAPE = icc.parametric(3, 2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
P3 = np.array([[0.515, 0.241, -0.001], [0.292, 0.692, 0.042], [0.157, 0.067, 0.784]])
P3_LIKE = icc.primaries(P3, SRGB_SHAPE)
TABLES = icc.tables(lambda rgb: rgb**2.2 @ icc.ADOBE, lambda lab: _adobe_of(icc.lab_to_xyz(lab)))
WIDE = {"adobe": ADOBE, "p3": P3_LIKE, "prophoto": PROPHOTO, "tables": TABLES}


def colours(depth: type = np.uint8, seed: int = 0, size: tuple[int, int] = (48, 40)) -> np.ndarray:
    top = np.iinfo(depth).max
    return np.random.default_rng(seed).integers(0, top + 1, (*size, 3)).astype(depth)


def by_littlecms(values: np.ndarray, source: bytes | None, target: bytes | None) -> np.ndarray:
    """The independent reference, 8 bits."""

    def opened(data: bytes | None) -> ImageCms.ImageCmsProfile:
        if data is None:
            return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
        return ImageCms.ImageCmsProfile(io.BytesIO(data))

    intent = ImageCms.Intent.RELATIVE_COLORIMETRIC
    mode = "L" if values.ndim == 2 else "RGB"
    transform = ImageCms.buildTransform(opened(source), opened(target), mode, "RGB", intent)
    return np.asarray(ImageCms.applyTransform(Image.fromarray(values), transform))


@pytest.mark.parametrize("name", WIDE)
def test_to_srgb_agrees_with_littlecms(name: str) -> None:
    values = colours()
    ours = color.forth(values, color.space(WIDE[name], grey=False)) * 255
    assert np.abs(ours - by_littlecms(values, WIDE[name], None)).max() <= 1.0


@pytest.mark.parametrize("name", WIDE)
def test_from_srgb_agrees_with_littlecms(name: str) -> None:
    edited, elsewhere = colours(seed=1), colours(seed=2)
    document = color.space(WIDE[name], grey=False)
    seen = color.forth(elsewhere, document)
    touched = np.abs(edited / 255 - seen).max(axis=-1) > color.UNTOUCHED
    ours = color.back((edited / 255).astype(np.float32), elsewhere, document) * 255
    assert np.abs(ours - by_littlecms(edited, None, WIDE[name]))[touched].max() <= 1.1


@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
@pytest.mark.parametrize("name", [*WIDE, "none"])
def test_what_is_not_edited_comes_back_as_it_was(name: str, depth: type) -> None:
    """Also colours that sRGB can't show, and also at 16 bits through 8-bit tables."""
    values = colours(depth)
    document = color.space(WIDE.get(name), grey=False)
    top = np.iinfo(depth).max
    returned = color.back(color.forth(values, document), values, document)
    assert np.array_equal(np.rint(returned.astype(np.float64) * top).astype(depth), values)


@pytest.mark.parametrize("name", ["adobe", "p3"])
def test_sixteen_bits_are_kept_by_primaries_and_curves(name: str) -> None:
    """Edited colours, there and back: exact to a few of 65535 levels, for colours that sRGB can show."""
    edited = (0.05 + 0.9 * colours(np.uint16) / 65535).astype(np.float32)
    document = color.space(WIDE[name], grey=False)
    elsewhere = np.zeros(edited.shape, np.uint16)
    there = color.back(edited, elsewhere, document)
    again = color.forth(np.rint(there * 65535).astype(np.uint16), document)
    assert np.abs(again - edited).max() * 65535 < 24


def test_a_small_edit_moves_a_colour_only_a_little() -> None:
    """No seam between edited and unedited where a colour is outside sRGB."""
    document = color.space(PROPHOTO, grey=False)
    values = np.tile(np.array([[[0, 60000, 2000]]], np.uint16), (1, 50, 1))
    steps = np.linspace(0, 0.1, 50, dtype=np.float32)[:, None]
    edited = np.clip(color.forth(values, document) + steps, 0, 1)
    out = color.back(edited, values, document)
    assert np.abs(np.diff(out, axis=1)).max() < 0.1
    assert np.array_equal(np.rint(out[0, 0].astype(np.float64) * 65535), values[0, 0])


def test_srgb_by_any_other_name_is_left_alone() -> None:
    described = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    samples = np.linspace(0, 1, 1024)
    table = np.where(samples <= 0.04045, samples / 12.92, ((samples + 0.055) / 1.055) ** 2.4)
    for data in (described, icc.primaries(icc.SRGB, SRGB_SHAPE), icc.primaries(icc.SRGB, icc.sampled(table))):
        assert isinstance(color.space(data, grey=False), color.Srgb)
    assert not isinstance(color.space(icc.primaries(icc.SRGB, icc.gamma(2.2)), grey=False), color.Srgb)


def test_no_profile_is_srgb() -> None:
    values = colours(np.uint16)
    expected = (values / np.float32(65535)).astype(np.float32)
    assert np.array_equal(color.forth(values, color.space(None, grey=False)), expected)


@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
@pytest.mark.parametrize("data", [None, icc.grey(icc.gamma(2.2)), icc.grey(icc.gamma(1.0))])
def test_grey_stays_grey_and_unedited_grey_stays_the_same(data: bytes | None, depth: type) -> None:
    top = np.iinfo(depth).max
    values = np.repeat(np.linspace(0, top, 256).astype(depth).reshape(16, 16, 1), 3, axis=-1)
    document = color.space(data, grey=True)
    seen = color.forth(values, document)
    assert np.array_equal(np.rint(color.back(seen, values, document) * np.float64(top)).astype(depth), values)
    coloured = color.back(np.random.default_rng(0).random((16, 16, 3)).astype(np.float32), values, document)
    assert np.array_equal(coloured[..., 0], coloured[..., 1])
    assert np.array_equal(coloured[..., 0], coloured[..., 2])


def test_grey_profiles_agree_with_littlecms() -> None:
    data = icc.grey(icc.gamma(1.8))
    ramp = np.arange(256, dtype=np.uint8).reshape(16, 16)
    ours = color.forth(np.repeat(ramp[..., None], 3, axis=-1), color.space(data, grey=True)) * 255
    difference = np.abs(ours - by_littlecms(ramp, data, None))
    assert difference[ours > 8].max() <= 1.0
    assert difference.max() <= 1.5, "LittleCMS computes 8-bit curves in fixed point; dark greys differ"


def test_a_colour_becomes_the_grey_of_its_luminance() -> None:
    """A green of linear 1 is as light as a grey of linear 0.7169 (IEC 61966-2-1 under D50)."""
    document = color.space(None, grey=True)
    green = np.array([[[0, 1, 0]]], np.float32)
    found = color.back(green, np.zeros((1, 1, 3), np.uint16), document)[0, 0, 0]
    assert found == pytest.approx(1.055 * 0.71688 ** (1 / 2.4) - 0.055, abs=1e-3)


PARAMETRIC = {
    0: (2.2,),
    1: (2.4, 0.9, 0.1),
    2: (2.4, 0.85, 0.1, 0.02),
    3: (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045),
    4: (2.4, 0.9, 0.05, 0.08, 0.04, 0.01, 0.002),
}


@pytest.mark.parametrize("kind", PARAMETRIC)
def test_every_form_of_tone_curve_agrees_with_littlecms(kind: int) -> None:
    data = icc.primaries(icc.ADOBE, icc.parametric(kind, *PARAMETRIC[kind]))
    values = colours()
    ours = color.forth(values, color.space(data, grey=False)) * 255
    difference = np.abs(ours - by_littlecms(values, data, None))
    assert np.percentile(difference, 99.5) <= 1.0
    assert difference.max() <= 2.5, "LittleCMS computes 8-bit curves in fixed point; dark colours differ"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not a profile",
        ADOBE[:200],
        ADOBE.replace(b"acsp", b"nope"),
        icc.grey(icc.gamma(2.2)),
        icc.profile(b"CMYK", {}),
        icc.primaries(icc.ADOBE * 0, icc.gamma(2.2)),
        icc.primaries(icc.ADOBE, icc.sampled(np.zeros(4))),
        icc.primaries(icc.ADOBE, icc.parametric(9, 1)),
        icc.primaries(icc.ADOBE, b"what\0\0\0\0\0\0\0\0"),
        icc.profile(b"RGB ", {}),
    ],
)
def test_a_profile_that_cannot_be_used_is_refused_with_a_remedy(data: bytes) -> None:
    with pytest.raises(ImageUnsupportedError, match=r"profile can't be used.*Convert"):
        color.space(data, grey=False)


def test_large_pictures_are_converted_in_bands_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    values, document = colours(size=(37, 29)), color.space(ADOBE, grey=False)
    whole = color.forth(values, document)
    monkeypatch.setattr(color, "BAND", 64)
    assert np.array_equal(color.forth(values, document), whole)
