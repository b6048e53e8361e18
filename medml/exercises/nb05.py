"""Checks of notebook 05's exercises, with the wrong answers that they must refuse."""

import numpy as np

from medml.course import Exercise, Refused, call, number


def cross_correlate(answer):
    """An image and a kernel without symmetry, then a kernel that is not square."""
    image = np.arange(20.0).reshape(4, 5) ** 2
    kernel = np.array([[1.0, 2.0], [0.0, -3.0]])
    right = _correlate(image, kernel)
    got = _array(call(answer, image.copy(), kernel.copy()))
    if got.shape == image.shape:
        raise Refused("Got the shape {}: there, the kernel hangs over the edge.", got.shape)
    if got.shape != right.shape:
        raise Refused("Got the shape {} for an image of {}.", got.shape, image.shape)
    if np.allclose(got, _correlate(image, kernel[::-1, ::-1])):
        raise Refused("The kernel was turned round. PyTorch's convolution slides it as it is.")
    if np.allclose(got, _correlate(image, kernel.T)):
        raise Refused("The kernel's rows and columns are exchanged.")
    if not np.allclose(got, right):
        raise Refused("Got {} at the first place.", float(got[0, 0]))
    wide = np.array([[1.0, -1.0, 2.0]])
    got = _array(call(answer, image.copy(), wide))
    if got.shape != (4, 3):
        raise Refused("Got the shape {} with a kernel that is wider than high.", got.shape)
    if not np.allclose(got, _correlate(image, wide)):
        raise Refused("Right with one kernel, wrong with another: {}.", got[0].tolist())


def chosen_epoch(answer):
    """Validation, test and the last epoch each point to another epoch; then a tie."""
    history = [
        {"epoch": 1, "train_loss": 0.6, "validation_auroc": 0.80, "test_auroc": 0.82},
        {"epoch": 2, "train_loss": 0.5, "validation_auroc": 0.91, "test_auroc": 0.88},
        {"epoch": 3, "train_loss": 0.3, "validation_auroc": 0.89, "test_auroc": 0.93},
        {"epoch": 4, "train_loss": 0.1, "validation_auroc": 0.86, "test_auroc": 0.90},
    ]
    got = _whole(call(answer, history))
    if got == 3:
        raise Refused("Got epoch {}: the test patients have chosen it.", got)
    if got == 4:
        raise Refused("Got epoch {}, the last one, where the training loss is lowest.", got)
    if got == 1:
        raise Refused("Got epoch {}, the worst one. Is it the smallest or the largest?", got)
    if got != 2:
        raise Refused("Got {}; expected the number of an epoch.", got)
    late = [row | {"validation_auroc": row["epoch"] / 10} for row in history]
    if number(call(answer, late)) != 4:
        raise Refused("Got the same epoch although another one has the best validation score.")
    tie = [row | {"validation_auroc": 0.9} for row in history[1:]]
    got = _whole(call(answer, tie))
    if got != 2:
        raise Refused("Got epoch {} where all validation scores are equal: take the first.", got)


def probabilities(answer):
    """Two rows, then logits so large that their exponentials overflow, then three classes."""
    logits = np.array([[0.0, 2.0], [1.0, 1.5]])
    got = _array(call(answer, logits.copy()))
    if got.shape != (2, 2):
        raise Refused("Got the shape {} for two rows of two logits.", got.shape)
    if np.allclose(got, 1 / (1 + np.exp(-logits))):
        raise Refused("Each number went through a sigmoid by itself; a row must sum to one.")
    if np.isclose(got.sum(), 1):
        raise Refused("All rows together sum to one; each row must.")
    if np.allclose(got.sum(axis=0), 1):
        raise Refused("The columns sum to one: two patients share a probability.")
    if not np.allclose(got.sum(axis=1), 1):
        raise Refused("The rows sum to {}.", got.sum(axis=1).round(3).tolist())
    if not np.allclose(got[0], [1 / (1 + np.e**2), 1 / (1 + np.e**-2)]):
        raise Refused("Got {} for the first row.", got[0].round(3).tolist())
    large = _array(call(answer, np.array([[1000.0, 1001.0], [0.0, 1.0]])))
    if not np.isfinite(large).all():
        raise Refused("Got {} for large logits: exponentials overflow or vanish.", large.tolist())
    if not np.allclose(large, [[1 / (1 + np.e), 1 / (1 + 1 / np.e)]] * 2):
        raise Refused("Got {} for large logits. Was something cut off?", large.tolist())
    three = _array(call(answer, np.zeros((1, 3))))
    if not np.allclose(three, 1 / 3):
        raise Refused("Got {} for three equal logits.", three.tolist())


def _whole(value):
    """Return a number without a needless .0, for the message."""
    value = number(value)
    return int(value) if value.is_integer() else value


def _array(value):
    try:
        return np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        raise Refused("Got {}; expected an array of numbers.", value) from None


def _correlate(image, kernel):
    windows = np.lib.stride_tricks.sliding_window_view(image, kernel.shape)
    return (windows * kernel).sum(axis=(2, 3))


def _same_size(image, kernel):
    padded = np.pad(image, [(0, size - 1) for size in kernel.shape])
    return _correlate(padded, kernel)


def _best(history, key, pick=max):
    return pick(history, key=lambda row: row[key])["epoch"]


def _exponentials(logits, axis):
    return np.exp(logits) / np.exp(logits).sum(axis=axis, keepdims=True)


EXERCISES = {
    "05.cross_correlate": Exercise(
        check=cross_correlate,
        hints=(
            "How often does a kernel of two columns fit into five columns?",
            "The window begins at (row, column) and is as large as the kernel.",
            "Multiply window and kernel element by element, then add everything up.",
        ),
        wrong=(
            (_same_size, "hangs over the edge"),
            (lambda image, kernel: _correlate(image, kernel[::-1, ::-1]), "turned round"),
            (
                lambda image, kernel: _correlate(image, kernel.T),
                "rows and columns are exchanged",
            ),
            (lambda image, kernel: _correlate(image, kernel)[:-1, :-1], "Got the shape"),
            (lambda image, kernel: _correlate(image, np.abs(kernel)), "at the first place"),
            (
                lambda image, kernel: _correlate(image, kernel)[
                    :, : len(image[0]) - len(kernel) + 1 - (len(kernel) == 1)
                ][: len(image) - len(kernel[0]) + 1],
                "wider than high",
            ),
        ),
    ),
    "05.chosen_epoch": Exercise(
        check=chosen_epoch,
        hints=(
            "Which of the three sets may take part in a choice?",
            "The test patients are looked at once, at the end.",
            "Only the key that `max` looks at is wrong.",
        ),
        wrong=(
            (lambda history: _best(history, "test_auroc"), "the test patients have chosen"),
            (lambda history: history[-1]["epoch"], "the last one"),
            (lambda history: 2, "another one has the best"),
            (lambda history: _best(history, "train_loss", min), "the last one"),
            (lambda history: _best(history, "validation_auroc", min), "the worst one"),
            (lambda history: _best(history[::-1], "validation_auroc"), "take the first"),
        ),
    ),
    "05.probabilities": Exercise(
        check=probabilities,
        hints=(
            "A softmax divides exponentials by their sum. Which sum?",
            "One row is one nodule: sum along the last axis, and keep that axis.",
            "Subtract each row's largest logit first; it cancels in the quotient.",
        ),
        wrong=(
            (lambda logits: 1 / (1 + np.exp(-logits)), "sigmoid by itself"),
            (lambda logits: _exponentials(logits, None), "All rows together"),
            (lambda logits: _exponentials(logits, 0), "columns sum to one"),
            (lambda logits: logits / (logits.sum(axis=1, keepdims=True) + 1e-9), "for the first"),
            (np.exp, "The rows sum to"),
            (lambda logits: _exponentials(logits - logits.max(), 1), "overflow or vanish"),
            (
                lambda logits: _exponentials(np.clip(logits, -50, 50), 1),
                "Was something cut off",
            ),
            (
                lambda logits: np.where(
                    np.abs(logits).max() > 700, np.nan, _exponentials(np.clip(logits, -9, 9), 1)
                ),
                "overflow or vanish",
            ),
        ),
    ),
}
