"""Circles, ellipses, stars and squares have known harmonics; position and direction have none."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ellipe, ellipeinc

from medml.data.outlines import NoduleMasks
from medml.diagnosis.shape import (
    BANDS,
    FLOOR,
    band_powers,
    fourier_bands,
    mean_bands,
    sample_outline,
    shape_features,
    trace_outline,
)

TURN = 2 * np.pi * np.arange(128) / 128


def disc(radius, centre=(0.0, 0.0)):
    """Return the pixels whose centre lies in a disc, as one slice."""
    reach = np.arange(-np.ceil(radius) - 2, np.ceil(radius) + 3)
    return np.hypot(reach[:, None] - centre[0], reach - centre[1]) <= radius


def flower(petals, height, radius=20.0, turned=0.0):
    """Return the pixels inside r (1 + a cos m(t - t0)), as one slice."""
    reach = np.arange(-2 * radius, 2 * radius + 1)
    x, y = np.meshgrid(reach, reach)
    angle = np.arctan2(y, x) - turned
    return np.hypot(x, y) <= radius * (1 + height * np.cos(petals * angle))


def test_the_bands_are_those_of_the_book():
    """Other limits are another model; the floor shows where a band is empty, as in a square."""
    assert list(BANDS.values()) == [(1, 1), (2, 4), (5, 9), (10, 24)]
    assert fourier_bands(np.ones((1, 3, 3)))[0] == pytest.approx(np.log(1e-5))


def test_a_circle_has_no_band_and_a_rectangles_border_is_its_outer_pixels():
    """A sampled circle is exact; a border is traced pixel by pixel, once around, holes ignored."""
    np.testing.assert_allclose(band_powers(5 * np.exp(1j * TURN) + 3 - 2j), 0, atol=1e-20)
    image = np.zeros((8, 9), bool)
    image[2:6, 3:8] = True
    image[3, 4] = False
    border = trace_outline(image)
    edge = {3 + 2j, 7 + 2j, 7 + 5j, 3 + 5j}
    assert border.size == len(set(border)) == 2 * (4 + 5) - 4
    assert edge <= set(border)
    assert np.abs(np.diff(np.append(border, border[0]))).max() == 1


@pytest.mark.parametrize(("p", "q"), [(2.0, 1.0), (10.0, 9.0), (1.0, 3.0)])
def test_an_ellipse_has_its_closed_form(p, q):
    """(p - q)² / (p + q)², nothing else; traced the other way round too."""
    curve = p * np.cos(TURN) + 1j * q * np.sin(TURN)
    expected = [((p - q) / (p + q)) ** 2, 0, 0, 0]
    np.testing.assert_allclose(band_powers(curve), expected, atol=1e-15)
    np.testing.assert_allclose(band_powers(curve.conj()), expected, atol=1e-15)


@pytest.mark.parametrize("m", [2, 3, 4, 8, 9, 15])
def test_a_wave_has_its_power_at_two_harmonics(m):
    """m bumps of relative height a: a²/4 at k = 1 + m and at k = 1 - m."""
    a, expected = 0.1, np.zeros(4)
    for k in (1 + m, abs(1 - m)):
        expected[[first <= k <= last for first, last in BANDS.values()]] += a**2 / 4
    curve = np.exp(1j * TURN) * (1 + a * np.cos(m * TURN))
    np.testing.assert_allclose(band_powers(curve), expected, atol=1e-15)


def test_a_square_has_the_harmonics_of_a_square():
    """Its c_k falls with 1/k² at k = 1, -3, 5, -7 …, and is zero elsewhere."""
    corners = np.array([0, 1, 1 + 1j, 1j])
    odd = np.arange(3.0, 25.0, 2)
    inside = [(odd >= first) & (odd <= last) for first, last in BANDS.values()]
    expected = [(1 / odd[band] ** 4).sum() for band in inside]
    np.testing.assert_allclose(band_powers(sample_outline(corners, 4096)), expected, rtol=1e-3)
    np.testing.assert_allclose(band_powers(sample_outline(corners)), expected, rtol=0.15)


def test_points_lie_at_equal_distances_along_the_curve():
    """Of an ellipse with half axes 2 and 1: the elliptic integral tells where they lie."""
    fine = 2 * np.pi * np.arange(20_000) / 20_000
    points = sample_outline(2 * np.sin(fine) + 1j * np.cos(fine), 16)
    angles = np.unwrap(np.arctan2(points.real / 2, points.imag))
    lengths = ellipeinc(angles, 0.75) / (4 * ellipe(0.75))
    np.testing.assert_allclose(lengths, np.arange(16) / 16, atol=1e-6)


@given(
    first=st.integers(0, 127),
    angle=st.floats(-4, 4),
    scale=st.floats(0.1, 100),
    shift=st.complex_numbers(max_magnitude=100),
    seed=st.integers(0, 9),
)
def test_position_direction_size_and_first_point_change_nothing(first, angle, scale, shift, seed):
    """Nor does a mirror, or the other sense."""
    generator = np.random.default_rng(seed)
    waves = sum(generator.normal() / m * np.exp(1j * m * TURN) for m in (-20, -7, -3, -1, 2, 6, 15))
    curve = 4 * np.exp(1j * TURN) + waves
    moved = np.roll(curve, first) * scale * np.exp(1j * angle) + shift
    for other in (moved, moved[::-1], moved.conj()):
        np.testing.assert_allclose(band_powers(other), band_powers(curve), rtol=1e-6, atol=1e-9)


@given(st.integers(0, 3), st.booleans(), st.integers(0, 5), st.integers(0, 5))
@settings(max_examples=15)
def test_a_mask_may_be_shifted_turned_by_right_angles_and_mirrored(turns, mirrored, down, right):
    """The pixels stay the same; only the first point of the outline moves: within 3 %."""
    image = flower(3, 0.2)
    moved = np.rot90(image[:, ::-1] if mirrored else image, turns)
    moved = np.pad(moved, ((down, 0), (right, 0)))
    np.testing.assert_allclose(fourier_bands(moved[None]), fourier_bands(image[None]), atol=0.03)


@pytest.mark.parametrize("turned", [0.0, 0.2, 0.5])
def test_petals_drawn_in_pixels_are_found_in_their_bands(turned):
    """Three petals bend lobulation, eight the mid band, sixteen roughness: a²/2, within 35 %.

    The curve is sampled by its length, not by the angle, so the closed form is an approximation.
    """
    for petals, band, height in ((3, 1, 0.1), (7, 2, 0.05), (15, 3, 0.03)):
        powers = np.exp(fourier_bands(flower(petals, height, 40.0, turned)[None]))
        assert powers.argmax() == band
        assert powers[band] == pytest.approx(height**2 / 2, rel=0.35)


def test_pixels_are_steps_and_their_power_falls_with_the_square_of_the_radius():
    """Discs at random places: the last three bands together, as the module's first lines say."""
    generator = np.random.default_rng(0)
    power = {}
    for radius in (4, 8, 16):
        discs = [disc(radius, generator.random(2))[None] for _ in range(100)]
        power[radius] = np.mean([(np.exp(fourier_bands(d)) - FLOOR)[1:].sum() for d in discs])
    assert power[4] == pytest.approx(4e-3, rel=0.15)
    assert power[8] == pytest.approx(1e-3, rel=0.15)
    assert power[16] == pytest.approx(2e-4, rel=0.15)


def test_slices_count_by_their_area_and_small_ones_not_at_all():
    """The mean of powers, not of logarithms; the largest part of a slice is its outline."""
    images = np.stack([np.pad(disc(6), 3), np.pad(disc(3), 6), np.zeros((23, 23), bool)])
    images[1, 5:12, 8] = True  # the small disc grows a spike
    images[2, 1:3, 1:5] = True  # eight pixels
    powers = [np.exp(fourier_bands(images[[j]])) for j in (0, 1)]
    expected = np.log(np.average(powers, axis=0, weights=images[:2].sum(axis=(1, 2))))
    np.testing.assert_allclose(fourier_bands(images), expected)
    lonely = images[:1].copy()
    lonely[0, 0, 0] = True  # touches nothing
    np.testing.assert_allclose(fourier_bands(lonely), fourier_bands(images[:1]))


def test_a_nodule_is_the_mean_of_its_readers():
    """A reader who drew too little is left out; without any, the shape is not measurable."""
    images = [flower(3, 0.1), flower(7, 0.1), flower(15, 0.1), np.zeros((81, 81), bool)]
    readers = np.stack(images)[:, None]
    nodule = NoduleMasks(readers, (4, 5, 6, 8), (0, 0, 0), 0.0, (1.0, 0.7, 0.7))
    nothing = NoduleMasks(readers[3:], (7,), (0, 0, 0), 0.0, (1.0, 0.7, 0.7))
    table = shape_features({7: nothing, 4: nodule})
    expected = sum(fourier_bands(mask) for mask in readers[:3]) / 3
    assert table.index.tolist() == [7, 4]
    np.testing.assert_allclose(table.loc[4], expected)
    assert table.loc[7].isna().all()
    np.testing.assert_allclose(mean_bands(readers[:1]), fourier_bands(readers[0]))
    assert shape_features({}).shape == (0, 4)


def test_a_line_of_pixels_has_a_shape_too():
    """Traced there and back, it is the flattest ellipse: both harmonics ±1 are equal."""
    line = np.ones((1, 1, 12), bool)
    assert fourier_bands(line)[0] == pytest.approx(np.log(1 + FLOOR), abs=1e-3)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: fourier_bands(np.zeros((2, 5, 5))), "largest has 0"),
        (lambda: fourier_bands(np.ones((1, 2, 4))), "largest has 8"),
        (lambda: fourier_bands(np.ones((5, 5))), r"array of \(5, 5\)"),
        (lambda: fourier_bands(np.zeros((0, 5, 5))), "largest has 0"),
        (lambda: trace_outline(np.ones((1, 5, 5))), r"array of \(1, 5, 5\)"),
        (lambda: sample_outline([1 + 1j, 1 + 1j]), "2 equal points"),
        (lambda: sample_outline([]), "0 equal points"),
        (lambda: band_powers(np.exp(1j * TURN[:48])), "got 48"),
    ],
)
def test_bad_input_is_named(call, message):
    """With what was given."""
    with pytest.raises(ValueError, match=message):
        call()
