"""NoduleMNIST3D: small CT cubes around nodules of LIDC-IDRI, an optional set to be fetched.

Source: Yang J et al. (2023), doi:10.1038/s41597-022-01721-8. The labels come from the readers'
scores, not from pathology. Patient ids were not published.
"""

import warnings
import zipfile

import numpy as np

from medml.data.catalogue import DataError, locate

SPLITS = ("train", "val", "test")
SIDE = 28  # pixels of 1 mm


def load_nodulemnist(split: str) -> tuple[np.ndarray, np.ndarray]:
    """Load one split of NoduleMNIST3D without its empty cubes.

    Older releases held some 150 cubes of nothing but zeros: they are left out, with a warning that
    says how many.

    Parameters
    ----------
    split : {"train", "val", "test"}
        The authors' own split.

    Returns
    -------
    images : numpy.ndarray of uint8, shape (n, 28, 28, 28)
    labels : numpy.ndarray of int64, shape (n,)
        0 benign, 1 malignant, in the readers' opinion.

    Raises
    ------
    ValueError
        If the split is unknown.
    DataError
        If the set was not fetched or is damaged, the file has another form, or all is empty.
    """
    if split not in SPLITS:
        raise ValueError(f"unknown split {split!r}, expected one of {', '.join(SPLITS)}")
    images, labels = _read(split)
    empty = ~images.any(axis=(1, 2, 3))
    if empty.all():
        raise DataError(f"all {len(images)} cubes of '{split}' are empty: fetch a newer release")
    if empty.any():
        warnings.warn(
            f"{empty.sum()} of {len(images)} cubes of '{split}' are empty and left out",
            stacklevel=2,
        )
    return images[~empty], labels[~empty]


def _read(split: str) -> tuple[np.ndarray, np.ndarray]:
    """Read images and labels, and refuse a file of another form."""
    path = locate("nodulemnist3d", "nodulemnist3d.npz")
    try:
        with np.load(path, allow_pickle=False) as file:  # a pickle could run code
            images, labels = file[f"{split}_images"], file[f"{split}_labels"].ravel()
    except (KeyError, TypeError, ValueError, EOFError, OSError, zipfile.BadZipFile) as error:
        raise DataError(f"{path.name} is not NoduleMNIST3D ({error}): fetch it again") from error
    good = images.dtype == np.uint8 and images.shape == (len(labels), SIDE, SIDE, SIDE)
    if not good or not len(labels):
        msg = (
            f"{path.name} holds {images.dtype} cubes {images.shape} and {len(labels)} labels for "
            f"'{split}', expected uint8 (n, {SIDE}, {SIDE}, {SIDE}) and n labels, n ≥ 1"
        )
        raise DataError(msg)
    if not np.isin(labels, [0, 1]).all():
        raise DataError(f"{path.name} has labels {np.unique(labels).tolist()}, expected 0 and 1")
    return images, labels.astype(np.int64)
