"""Medical images: a DICOM file with its header, and the step from stored values to HU."""

import numpy as np
import pydicom
from numpy.typing import ArrayLike

from medml.data.catalogue import locate


def read_ct_small() -> pydicom.Dataset:
    """Return one real CT slice with its whole DICOM header.

    `pixel_array` of the result has shape (128, 128), int16: stored values, not yet HU.

    Raises
    ------
    DataError
        If the file is missing or damaged.

    Examples
    --------
    >>> slice_ = read_ct_small()
    >>> slice_.Modality, slice_.pixel_array.shape
    ('CT', (128, 128))
    """
    return pydicom.dcmread(locate("ct-small", "CT_small.dcm"))


def to_hounsfield(stored: ArrayLike, slope: float, intercept: float) -> np.ndarray:
    """Turn stored CT values into Hounsfield units: HU = stored × slope + intercept.

    Water is 0 HU and air −1000 HU by definition.

    Parameters
    ----------
    stored : array_like of any shape
        Pixel values as they stand in the file.
    slope, intercept : float
        RescaleSlope (0028,1053) and RescaleIntercept (0028,1052) of the same file.

    Returns
    -------
    numpy.ndarray of float64, the shape of `stored`
        Floating point, because int16 overflows near its ends without a warning.

    Raises
    ------
    ValueError
        If the slope is 0 or a factor is not finite.

    References
    ----------
    DICOM PS3.3, section C.11.1, Modality LUT Module.

    Examples
    --------
    >>> to_hounsfield([24, 1024], slope=1, intercept=-1024).tolist()
    [-1000.0, 0.0]
    """
    slope, intercept = float(slope), float(intercept)
    if slope == 0 or not np.isfinite([slope, intercept]).all():
        msg = (
            f"expected a finite slope other than 0 and a finite intercept, got {slope}, {intercept}"
        )
        raise ValueError(msg)
    return np.asarray(stored, dtype=np.float64) * slope + intercept
