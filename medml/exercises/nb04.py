"""Checks of notebook 04's exercises, with the wrong answers that they must refuse."""

import numpy as np

from medml.course import Exercise, Refused, call, number


def to_grey(answer):
    """A window with both ends inside the values, then another one."""
    hu = np.array([-1000.0, -175.0, 40.0, 125.0, 700.0])
    got = _array(call(answer, hu.copy(), 50.0, 350.0), hu.shape)
    if got.max() > 1.5 and np.allclose(got / 255, _window(hu, 50, 350), atol=0.01):
        raise Refused("Got values up to {}; expected grey from zero to one.", float(got.max()))
    if got.min() < 0 or got.max() > 1:
        raise Refused(
            "Got {} to {}: what lies outside is not cut.", float(got.min()), float(got.max())
        )
    if np.allclose(got, 1 - _window(hu, 50, 350)):
        raise Refused("Bone is black and air is white.")
    if np.allclose(got, _window(hu, 50, 700)):
        raise Refused("The window is twice as wide as asked for.")
    if np.allclose(got, _window(hu, 225, 350)):
        raise Refused("The level became the lower end; it is the middle.")
    if np.allclose(got, (hu - hu.min()) / np.ptp(hu)):
        raise Refused("The image's own minimum and maximum decide, not level and width.")
    if not np.allclose(got, _window(hu, 50, 350)):
        raise Refused("Got {} for a value in the middle.", float(got[2]))
    lung = _array(call(answer, hu.copy(), -600.0, 1500.0), hu.shape)
    if not np.allclose(lung, _window(hu, -600, 1500)):
        raise Refused("Right in one window, wrong in another: {}.", lung.round(2).tolist())


def nodule_recall(answer):
    """A nodule half lost in a large mask, a mask within the nodule, and none found."""
    mask = np.zeros((8, 8), bool)
    nodule = np.zeros((8, 8), bool)
    mask[:, :4], nodule[2:4, 2:6] = True, True
    got = number(call(answer, mask.copy(), nodule.copy()))
    if np.isclose(got, 4 / 32):
        raise Refused("Got {}: that is the nodule's share of the mask.", got)
    if np.isclose(got, 4 / 36):
        raise Refused("Got {}: overlap over union; the lung's size must not count.", got)
    if np.isclose(got, 8 / 40):
        raise Refused("Got {}: that is Dice, in which the lung drowns the nodule.", got)
    if not np.isclose(got, 0.5):
        raise Refused("Got {} where half of the nodule is in the mask.", got)
    got = number(call(answer, np.zeros_like(mask), nodule.copy()))
    if got != 0:
        raise Refused("Got {} for an empty mask.", got)


def pixels_after(answer):
    """Finer, coarser, and a length between two whole numbers."""
    got = _whole(call(answer, 512, 0.7, 1.4))
    if got == 1024:
        raise Refused("Got {}: larger pixels, and more of them?", got)
    if got == 512:
        raise Refused("Got {}: the number of pixels stays only if their size does.", got)
    if got != 256:
        raise Refused("Got {} for pixels that are twice as large.", got)
    got = _whole(call(answer, 99, 0.77, 1.0))
    if got != int(got):
        raise Refused("Got {}; pixels come whole.", got)
    if got == 77:
        raise Refused("Got {}: rounded up; take the nearest whole number.", got)
    got = _whole(call(answer, 101, 0.77, 1.0))
    if got == 77:
        raise Refused("Got {}: the rest was cut off; take the nearest whole number.", got)
    if got != 78:
        raise Refused("Got {} for a length just under a whole pixel.", got)
    got = _whole(call(answer, 1, 0.7, 5.0))
    if got == 0:
        raise Refused("Got {}: a slice of one pixel has vanished.", got)


def _whole(value):
    """Return a number without a needless .0, for the message."""
    value = number(value)
    return int(value) if value.is_integer() else value


def _array(value, shape):
    try:
        value = np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        raise Refused("Got {}; expected an array of grey values.", value) from None
    if value.shape != shape:
        raise Refused("Got the shape {} for {}.", value.shape, shape)
    return value


def _window(hu, level, width):
    return np.clip((hu - level) / width + 0.5, 0, 1)


EXERCISES = {
    "04.to_grey": Exercise(
        check=to_grey,
        hints=(
            "Half of the window lies below the level.",
            "At the lower end the grey is zero, one width higher it is one.",
            "np.clip(values, lowest, highest) cuts what lies outside.",
        ),
        wrong=(
            (lambda hu, level, width: (hu - level) / width + 0.5, "is not cut"),
            (lambda hu, level, width: 255 * _window(hu, level, width), "from zero to one"),
            (lambda hu, level, width: 1 - _window(hu, level, width), "air is white"),
            (lambda hu, level, width: _window(hu, level, 2 * width), "twice as wide"),
            (
                lambda hu, level, width: _window(hu, level + width / 2, width),
                "it is the middle",
            ),
            (lambda hu, level, width: (hu - hu.min()) / np.ptp(hu), "own minimum and maximum"),
            (lambda hu, level, width: _window(hu, 50, 350), "wrong in another"),
        ),
    ),
    "04.nodule_recall": Exercise(
        check=nodule_recall,
        hints=(
            "Which of the two masks should be found again?",
            "If the whole nodule is in the mask, the answer is one, however large the lung.",
            "Divide the pixels in both by the pixels of the nodule.",
        ),
        wrong=(
            (lambda mask, nodule: (mask & nodule).sum() / max(mask.sum(), 1), "share of the mask"),
            (lambda mask, nodule: (mask & nodule).sum() / (mask | nodule).sum(), "over union"),
            (
                lambda mask, nodule: 2 * (mask & nodule).sum() / (mask.sum() + nodule.sum()),
                "drowns the nodule",
            ),
            (lambda mask, nodule: float((mask & nodule).any()), "half of the nodule"),
            (lambda mask, nodule: max((mask & nodule).sum() / nodule.sum(), 0.1), "empty mask"),
        ),
    ),
    "04.pixels_after": Exercise(
        check=pixels_after,
        hints=(
            "How many millimetres long is the row?",
            "The length stays; divide it by the new size of a pixel.",
            "Round to the nearest whole number, and leave at least one pixel.",
        ),
        wrong=(
            (lambda pixels, old, new: round(pixels * new / old), "and more of them"),
            (lambda pixels, old, new: pixels, "only if their size does"),
            (lambda pixels, old, new: pixels * old / new, "come whole"),
            (lambda pixels, old, new: int(pixels * old / new + 1e-9), "cut off"),
            (lambda pixels, old, new: int(np.ceil(pixels * old / new - 1e-9)), "rounded up"),
            (lambda pixels, old, new: round(pixels * old / new), "has vanished"),
        ),
    ),
}
