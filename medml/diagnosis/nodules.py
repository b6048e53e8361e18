"""Patches around lung nodules, as networks take them: real outlines, simulated pixels.

LIDC-IDRI's outlines fit into a wheel, its images do not. So a patch shows the outline that the
readers drew, at its true size, filled with the HU of soft tissue, in parenchyma of one HU, with the
blur and the noise of a scanner, invented and the same for all. What a network learns from such a
patch is the outline's size and shape; density, calcification and surroundings are not in it, and
neither is anything that a reader scored. An accuracy on these patches says nothing about a clinic.
"""

from collections.abc import Callable, Iterable

import cv2
import numpy as np
import torch
from numpy.typing import ArrayLike

from medml.data import lidc
from medml.data.nodulemnist import load_nodulemnist
from medml.data.outlines import NoduleMasks

NODULE_HU = 30.0  # soft tissue
PARENCHYMA_HU = -850.0  # aerated lung at full inspiration
PSF_MM = 0.8  # standard deviation of the simulated scanner's Gaussian point spread
NOISE_HU = 25.0  # standard deviation
NOISE_MM = 0.6  # of the Gaussian that correlates neighbouring pixels' noise
WINDOW_HU = (-1000.0, 400.0)

SHIFT_PIXELS = 3
SCALE = 0.03  # at most 3 %: a nodule's size is diagnostic and must survive

Augment = Callable[[np.ndarray, np.random.Generator], np.ndarray]


def render_patch(
    masks: NoduleMasks, generator: np.random.Generator, *, size: int = 64, pixel_mm: float = 0.7
) -> np.ndarray:
    """Render one nodule: a real outline, simulated pixels.

    The slice in which the consensus mask is largest is resampled to `pixel_mm`: each pixel gets
    the share of its area that the mask covers. The middle of the mask's bounding box lies in the
    middle of the patch. The blur comes after, in mm, so that a scanner with coarser pixels cannot
    be told from a finer one by its sharpness (the steps of its outlines still differ a little).

    Parameters
    ----------
    masks : NoduleMasks
        The masks of one nodule, from `lidc.load_masks`.
    generator : numpy.random.Generator
        Draws the noise, and nothing else.
    size : int
        Rows and columns of the patch. A nodule that is larger than the field is cropped
        (`cropped_nodules`).
    pixel_mm : float

    Returns
    -------
    numpy.ndarray of float32, shape (size, size)
        In HU.

    Raises
    ------
    ValueError
        If the consensus is empty, or size or pixel_mm is not positive.
    """
    if size < 1 or not pixel_mm > 0:
        raise ValueError(f"expected a positive size and pixel, got {size} and {pixel_mm} mm")
    section = _largest_section(masks)
    _, row_mm, column_mm = masks.spacing_mm
    rows = _coverage(section.shape[0], row_mm, size, pixel_mm)
    columns = _coverage(section.shape[1], column_mm, size, pixel_mm)
    share = _blur(rows @ section @ columns.T, PSF_MM / pixel_mm)
    noise = _noise(size, NOISE_MM / pixel_mm, generator)
    return PARENCHYMA_HU + (NODULE_HU - PARENCHYMA_HU) * share + NOISE_HU * noise


def render_patches(
    nodule_ids: Iterable[int], *, seed: int = 0, size: int = 64, pixel_mm: float = 0.7
) -> np.ndarray:
    """Render many nodules: real outlines, simulated pixels.

    Each nodule has a generator of its own, made from the seed and its number: its patch is the
    same alone, among others and in any order.

    Parameters
    ----------
    nodule_ids : iterable of int
        Rows of `lidc.load_nodules()`.
    seed, size, pixel_mm
        As in `render_patch`; the seed is not negative.

    Returns
    -------
    numpy.ndarray of float32, shape (nodules, 1, size, size)
        In HU.

    Raises
    ------
    ValueError
        If a nodule is unknown, or as `render_patch` does.
    DataError
        If the data are missing or damaged.

    Examples
    --------
    >>> patches = render_patches([1, 5])
    >>> patches.shape, bool(patches[0, 0, 32, 32] > -300)
    ((2, 1, 64, 64), True)
    """
    masks = lidc.load_masks(nodule_ids)
    patches = np.empty((len(masks), 1, size, size), np.float32)
    for patch, (nodule_id, nodule) in zip(patches, masks.items(), strict=True):
        generator = np.random.default_rng([seed, nodule_id])
        patch[0] = render_patch(nodule, generator, size=size, pixel_mm=pixel_mm)
    return patches


def cropped_nodules(
    nodule_ids: Iterable[int], *, size: int = 64, pixel_mm: float = 0.7
) -> list[int]:
    """Return the nodules whose largest slice does not fit into a patch and is cropped."""
    field_mm = size * pixel_mm
    return [
        nodule_id
        for nodule_id, masks in lidc.load_masks(nodule_ids).items()
        if (np.array(_largest_section(masks).shape) * masks.spacing_mm[1:]).max() > field_mm
    ]


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


def _largest_section(masks: NoduleMasks) -> np.ndarray:
    """Return the largest slice of the consensus, cropped to its bounding box, as float32."""
    consensus = masks.consensus
    section = consensus[consensus.sum(axis=(1, 2)).argmax()]
    if not section.any():
        msg = f"the readings {masks.reading_ids} share no voxel: leave this nodule out"
        raise ValueError(msg)
    rows, columns = (np.flatnonzero(section.any(axis=axis)) for axis in (1, 0))
    return section[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].astype(np.float32)


def _coverage(pixels: int, spacing: float, size: int, pixel: float) -> np.ndarray:
    """Return the share of each target pixel that each source pixel covers along one axis.

    Both rows of pixels have a common centre; the shares are exact, float32 (size, pixels).
    """
    source = (np.arange(pixels + 1) - pixels / 2) * spacing
    target = (np.arange(size + 1) - size / 2) * pixel
    end = np.minimum(target[1:, None], source[1:])
    start = np.maximum(target[:-1, None], source[:-1])
    return ((end - start).clip(min=0) / pixel).astype(np.float32)


def _blur(image: np.ndarray, sigma: float) -> np.ndarray:
    """Blur with a Gaussian of `sigma` pixels; beyond the edge the edge goes on."""
    side = 2 * _reach(sigma) + 1
    return cv2.GaussianBlur(image, (side, side), sigma, borderType=cv2.BORDER_REPLICATE)


def _reach(sigma: float) -> int:
    """Return the half width of a kernel that holds four standard deviations on each side."""
    return int(np.ceil(4 * sigma))


def _noise(size: int, sigma: float, generator: np.random.Generator) -> np.ndarray:
    """Return noise of standard deviation 1, correlated by a Gaussian of `sigma` pixels."""
    reach = _reach(sigma)
    white = generator.standard_normal((size + 2 * reach,) * 2, np.float32)
    # The rim goes: the blur has invented its neighbours. White noise of 1 is left with the
    # kernel's norm, which is the square of the norm along one axis.
    noise = _blur(white, sigma)[reach : reach + size, reach : reach + size]
    return noise / np.square(cv2.getGaussianKernel(2 * reach + 1, sigma)).sum().astype(np.float32)
