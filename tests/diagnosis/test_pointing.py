import numpy as np
import pytest

from medml.data import lidc
from medml.diagnosis.cohort import load_cohort
from medml.diagnosis.pointing import (
    TOLERANCE_PIXELS,
    blind_guesses,
    pointing_hits,
    render_scenes,
)


@pytest.fixture(scope="module")
def scenes():
    cohort = load_cohort()
    chosen = cohort[~cohort.locked & (cohort.diameter_mm < 15)].index[:60]
    return render_scenes(chosen, seed=1)


def test_scenes_come_in_pairs(scenes):
    """One with and one without for each nodule; targets only where a nodule is."""
    assert scenes.images.shape == (120, 1, 64, 64) and scenes.images.dtype == np.float32
    assert scenes.present.tolist() == [1, 0] * 60
    assert (scenes.nodule_ids[::2] == scenes.nodule_ids[1::2]).all()
    assert (scenes.inside.any(axis=(1, 2)) == (scenes.present == 1)).all()


def test_the_nodule_is_whole_and_has_its_size(scenes):
    """Soft tissue inside the target covers about the area of the readers' outline."""
    shown = scenes.present == 1
    soft = (scenes.images[shown, 0] > -410) & scenes.inside[shown]
    area = soft.sum(axis=(1, 2)) * 0.7**2
    masks = lidc.load_masks(scenes.nodule_ids[shown]).values()
    outlined = [
        m.consensus.sum(axis=(1, 2)).max() * m.spacing_mm[1] * m.spacing_mm[2] for m in masks
    ]
    np.testing.assert_allclose(area, outlined, rtol=0.1, atol=4)  # the blur eats small ones
    assert area.sum() == pytest.approx(np.sum(outlined), rel=0.06)
    larger = scenes.inside[shown].sum(axis=(1, 2)) / soft.sum(axis=(1, 2))
    assert (larger > 1).all() and TOLERANCE_PIXELS == 4


def test_every_scene_has_a_rib_that_is_brighter_than_a_nodule(scenes):
    """The brightest pixel never lies on the nodule, and it is bone with or without nodule."""
    top = scenes.images.max(axis=(1, 2, 3))
    assert (top > 500).all()
    guesses = blind_guesses(scenes.images[::2], scenes.inside[::2])
    assert guesses["brightest pixel"].max() == 0
    bone = (scenes.images > 300).mean(axis=(1, 2, 3))
    assert abs(bone[::2].mean() - bone[1::2].mean()) < 0.02


def test_a_scene_depends_on_seed_and_nodule_alone():
    """The same alone and among others; another seed, another scene."""
    alone, among = render_scenes([3], seed=2), render_scenes([1, 3], seed=2)
    np.testing.assert_array_equal(alone.images, among.images[2:])
    assert not np.array_equal(alone.images, render_scenes([3], seed=3).images)


def test_the_middle_wins_no_more_than_its_share(scenes):
    """Places are spread over the field: the middle is hit about as often as chance says."""
    guesses = blind_guesses(scenes.images[::2], scenes.inside[::2])
    assert guesses["centre"].mean() < 0.2
    assert 0.02 < guesses["chance"].mean() < 0.12


def test_pointing_by_hand():
    """A hit, a miss, a tie whose first place is outside, and a flat map."""
    maps = np.array([[[0, 3], [1, 2]], [[5, 0], [0, 0]], [[1, 0], [0, 1]], [[1, 1], [1, 1]]])
    inside = np.array([[[0, 1], [0, 0]]] * 2 + [[[0, 0], [0, 1]]] + [[[1, 1], [1, 1]]])
    assert pointing_hits(maps, inside).tolist() == [True, False, False, False]


def test_blind_guesses_by_hand():
    """One pixel of nine is inside, the middle; a bright corner draws the third guess away."""
    inside = np.zeros((1, 9, 9), bool)
    inside[0, 4, 4] = True
    image = np.zeros((1, 1, 9, 9))
    image[0, 0, 0, 0] = 1
    found = {name: value.tolist() for name, value in blind_guesses(image, inside).items()}
    assert found == {"chance": [1 / 81], "centre": [1.0], "brightest pixel": [0.0]}


@pytest.mark.parametrize(
    ("maps", "inside", "words"),
    [
        (np.zeros((1, 2, 2)), np.ones((2, 2, 2)), "of one shape"),
        (np.zeros((2, 2)), np.ones((2, 2)), "of one shape"),
        (np.full((1, 2, 2), np.nan), np.ones((1, 2, 2)), "holds NaN"),
        (np.zeros((1, 2, 2)), np.zeros((1, 2, 2)), "image 0 has nothing to be pointed at"),
    ],
)
def test_pointing_refuses(maps, inside, words):
    """Shapes, NaN and images without a target are named."""
    with pytest.raises(ValueError, match=words):
        pointing_hits(maps, inside)


def test_a_nodule_that_fills_the_field_is_refused():
    """There is no room for a rib beside it."""
    largest = load_cohort().diameter_mm.idxmax()
    with pytest.raises(ValueError, match="leaves no room for a rib"):
        render_scenes([largest], size=24)
