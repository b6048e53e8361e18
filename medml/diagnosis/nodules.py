"""Images of lung nodules as networks take them: grey levels, augmentation and a data set.

The images are patches with real outlines and simulated pixels (`rendering.render_patches`), or
the small cubes of NoduleMNIST3D with real pixels. All labels are readers' opinion, not pathology.
"""

from collections.abc import Callable

import cv2
import numpy as np
import torch
from numpy.typing import ArrayLike

from medml.data.nodulemnist import load_nodulemnist

WINDOW_HU = (-1000.0, 400.0)

SHIFT_PIXELS = 3
SCALE = 0.03  # at most 3 %: a nodule's size is diagnostic and must survive

Augment = Callable[[np.ndarray, np.random.Generator], np.ndarray]


def to_network(hu: ArrayLike) -> np.ndarray:
    """Map HU to the grey levels that the networks take: −1000 HU to 0, 400 HU to 1, clipped.

    The window is fixed, so that one HU is one grey level in every image.

    Raises
    ------
    ValueError
        If a value is not finite.

    Examples
    --------
    >>> to_network([-2000, -300, 400]).tolist()
    [0.0, 0.5, 1.0]
    """
    hu = np.asarray(hu, np.float32)
    if not np.isfinite(hu).all():
        raise ValueError("the image holds NaN or infinity: mend or leave out that image first")
    low, high = WINDOW_HU
    return ((hu - low) / (high - low)).clip(0, 1)


def random_view(image: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Return the nodule as it might have lain as well: an augmentation for training only.

    Any rotation, a mirror image in half of the cases, a shift of up to 3 pixels either way and a
    scale of at most ± 3 %. A nodule's size is the best sign of malignancy that there is: scaling
    more would teach the network to ignore it.

    Parameters
    ----------
    image : array of float32, shape (rows, columns)
    generator : numpy.random.Generator

    Returns
    -------
    numpy.ndarray of float32, the shape of `image`
    """
    rows, columns = image.shape
    angle = generator.uniform(0, 360)
    scale = generator.uniform(1 - SCALE, 1 + SCALE)
    shift = generator.uniform(-SHIFT_PIXELS, SHIFT_PIXELS, 2)
    matrix = cv2.getRotationMatrix2D(((columns - 1) / 2, (rows - 1) / 2), angle, scale)
    matrix[:, 2] += shift
    view = cv2.warpAffine(
        image, matrix, (columns, rows), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101
    )
    return view[:, ::-1].copy() if generator.random() < 0.5 else view


class NoduleDataset(torch.utils.data.Dataset):
    """Images of nodules with their labels and patients.

    Item i in epoch e is augmented with a generator made from (seed, e, i): neither the loader's
    order, nor its workers, nor a training that was stopped and resumed changes it. Workers that
    outlive an epoch (`persistent_workers`) would miss `set_epoch`: do not use them.

    Parameters
    ----------
    images : array_like of float32, shape (n, channels, rows, columns)
        Scaled for the network, for example by `to_network`.
    labels : array_like of shape (n,)
        0 benign or 1 malignant. One class alone is allowed: a small test set may hold no other.
    patients : array_like of str, shape (n,)
        Whose nodule it is; split by it.
    augment : callable, optional
        Takes an image (rows, columns) and a generator, returns an image of the same shape, as
        `random_view` does. All channels of an item get the same draw.
    seed : int

    Raises
    ------
    ValueError
        If there is no image, a value is not finite, a label is not 0 or 1, or lengths differ.
    """

    def __init__(
        self,
        images: ArrayLike,
        labels: ArrayLike,
        patients: ArrayLike,
        *,
        augment: Augment | None = None,
        seed: int = 0,
    ):
        self.images = np.asarray(images, np.float32)
        labels = np.asarray(labels)
        self.patients = np.asarray(patients)
        if self.images.ndim != 4 or not self.images.size:
            msg = f"expected images (n, channels, rows, columns), got shape {self.images.shape}"
            raise ValueError(msg)
        if {labels.shape, self.patients.shape} != {(len(self.images),)}:
            msg = (
                f"{len(self.images)} images need as many labels and patients, got shapes "
                f"{labels.shape} and {self.patients.shape}"
            )
            raise ValueError(msg)
        wrong = ~np.isin(labels, [0, 1])
        if wrong.any():
            raise ValueError(f"expected labels 0 or 1, got {labels[wrong][0]!s}: drop or recode it")
        broken = np.flatnonzero(~np.isfinite(self.images).all(axis=(1, 2, 3)))
        if len(broken):
            raise ValueError(f"image {broken[0]} holds NaN or infinity: mend it or leave it out")
        self.labels = labels.astype(np.int64)
        self.augment = augment
        self.seed = seed
        self.epoch = 0

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        index = range(len(self))[index]
        image = self.images[index]
        if self.augment is not None:
            entropy = [self.seed, self.epoch, index]
            image = np.stack([self.augment(c, np.random.default_rng(entropy)) for c in image])
        return torch.tensor(image), torch.tensor(self.labels[index])

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch, counted from 0, whose augmentation is drawn from now on."""
        self.epoch = epoch

    def subset(self, indices: ArrayLike, *, augment: Augment | None = None) -> "NoduleDataset":
        """Return the items at `indices`, numbered anew from 0, with an augmentation or none."""
        indices = np.asarray(indices)
        return NoduleDataset(
            self.images[indices],
            self.labels[indices],
            self.patients[indices],
            augment=augment,
            seed=self.seed,
        )


def nodulemnist_dataset(
    split: str, *, planes: int = 1, augment: Augment | None = None, seed: int = 0
) -> NoduleDataset:
    """Return NoduleMNIST3D as a `NoduleDataset`: real pixels, 28 × 28 of 1 mm.

    No patient ids were published: every volume counts as a patient of its own here. Two nodules of
    one patient may then lie on both sides of a split, so a score on this set may be too high.

    Parameters
    ----------
    split : {"train", "val", "test"}
    planes : {1, 3}
        The central slice along the first axis, or the central slices along all three axes as
        three channels.
    augment, seed
        As in `NoduleDataset`.

    Raises
    ------
    ValueError
        If the split or the number of planes is unknown.
    DataError
        If the data set was not fetched, or has an unexpected form.
    """
    if planes not in (1, 3):
        raise ValueError(f"expected 1 or 3 planes, got {planes}")
    volumes, labels = load_nodulemnist(split)
    middle = volumes.shape[1] // 2
    sections = [volumes.take(middle, axis=axis) for axis in range(1, planes + 1)]
    images = np.stack(sections, axis=1) / np.float32(255)
    patients = [f"{split}-{i}" for i in range(len(labels))]
    return NoduleDataset(images, labels, patients, augment=augment, seed=seed)
