import numpy as np
import pytest

from medml.diagnosis.shortcut import burn_tags, share_inside, tag_effect, tag_region, tags_like


def test_tags_follow_the_label_as_often_as_asked():
    """Always, never, or about nine times in ten, in both classes."""
    labels = np.arange(4000) % 2
    assert (tags_like(labels, 1, 0) == labels).all()
    assert (tags_like(labels, 0, 0) != labels).all()
    agree = tags_like(labels, 0.9, 0) == labels
    for label in (0, 1):
        assert abs(agree[labels == label].mean() - 0.9) < 0.02
    np.testing.assert_array_equal(tags_like(labels, 0.9, 0) == labels, agree)


def test_only_tagged_images_change_and_only_in_the_corner():
    """The letter is bright, stands inside its region, and the input stays as it was."""
    images = np.full((2, 1, 32, 32), 0.1, np.float32)
    burned = burn_tags(images, [True, False])
    assert (images == np.float32(0.1)).all()
    assert (burned[1] == images[1]).all()
    assert (burned >= images).all()  # the ground of the letter leaves the image as it was
    changed = burned[0, 0] != images[0, 0]
    assert changed.sum() > 10 and burned.max() > 0.7
    assert not changed[~tag_region(32, 32)].any()
    assert tag_region(32, 32).mean() == 1 / 16


def test_tag_effect_by_hand():
    """A reader of the corner moves by the letter; a reader of the middle does not."""
    images = np.zeros((3, 1, 32, 32), np.float32)
    region = tag_region(32, 32)

    def corner(given):
        return given[:, 0, region].mean(axis=1)

    effect = tag_effect(corner, images)
    assert (effect > 0.1).all() and np.ptp(effect) == 0
    assert (tag_effect(lambda given: given[:, 0, 16, 16], images) == 0).all()


def test_share_inside_by_hand():
    """Negative parts do not count; a flat map has the region's share; an empty one is NaN."""
    maps = np.zeros((3, 32, 32))
    maps[0], maps[1, 0, 0], maps[1, 20, 20], maps[1, 9, 9] = 1, 3, 1, -7
    share = share_inside(maps, tag_region(32, 32))
    np.testing.assert_allclose(share, [1 / 16, 0.75, np.nan])
    each = np.stack([tag_region(32, 32)] * 3)
    np.testing.assert_allclose(share_inside(maps, each), share)


@pytest.mark.parametrize(
    ("labels", "agreement", "words"),
    [([0, 2], 1, "got 2"), ([0, 1], 1.5, "got 1.5"), ([0, 1], np.nan, "got nan")],
)
def test_tags_refuse(labels, agreement, words):
    """A label that is not 0 or 1, or an agreement that is no share."""
    with pytest.raises(ValueError, match=words):
        tags_like(labels, agreement, 0)


@pytest.mark.parametrize(
    ("shape", "tags", "words"),
    [
        ((2, 32, 32), 2, "got shape"),
        ((2, 1, 4, 4), 2, "at least 8 pixels"),
        ((2, 3, 32, 32), 2, "got shape"),
        ((2, 1, 32, 32), 3, "as many marks"),
    ],
)
def test_burning_refuses(shape, tags, words):
    """Shapes that do not fit are named."""
    with pytest.raises(ValueError, match=words):
        burn_tags(np.zeros(shape), np.zeros(tags, bool))


def test_share_refuses_another_region():
    """The region must be of the maps' size."""
    with pytest.raises(ValueError, match="a region of their size"):
        share_inside(np.zeros((2, 8, 8)), np.ones((4, 4)))
