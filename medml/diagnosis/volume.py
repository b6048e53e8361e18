"""A CT scan as one array in HU that knows where in the patient each voxel lies."""

from dataclasses import dataclass

import nibabel.orientations
import numpy as np
from numpy.typing import ArrayLike

from medml.diagnosis.ct import require_hu, rescale

# A scan tilted by less is straight for every use here: 0.3 mm over a chest of 300 mm.
LARGEST_COSINE = 1e-3
# The ends of the patient's axes, the negative one first, in the order of DICOM and ITK.
PATIENT_AXES = (("R", "L"), ("A", "P"), ("I", "S"))


@dataclass(frozen=True, eq=False)
class Volume:
    """A CT volume on a straight grid.

    Attributes
    ----------
    hu : array of float32, shape (slices, rows, columns)
        Hounsfield units; other signed numbers are converted.
    affine : array of float64, shape (4, 4)
        Takes (column, row, slice, 1) to the patient coordinates (x, y, z, 1) of the voxel's
        centre in mm: x grows to the patient's left, y to the back, z to the head (LPS), as in
        DICOM and ITK. Its first three columns are the steps from one voxel to the next, its last
        is the position of the first voxel. Note the order: indices of `hu` run backwards.

    Raises
    ------
    ValueError
        If the array is not three-dimensional, its values cannot be HU (`ct.require_hu`), or the
        affine is not a finite matrix whose steps are at right angles.

    Examples
    --------
    >>> volume = Volume(np.zeros((3, 4, 5)), axial_affine((2.5, 0.7, 0.7), (-10, -20, 30)))
    >>> volume.spacing_mm, volume.orientation
    ((2.5, 0.7, 0.7), 'LPS')
    >>> volume.position_mm(slice_=1, row=0, column=2).tolist()
    [-8.6, -20.0, 32.5]
    """

    hu: np.ndarray
    affine: np.ndarray

    def __post_init__(self):
        hu, affine = require_hu(self.hu), np.array(self.affine, float)
        if hu.ndim != 3:
            raise ValueError(f"expected (slices, rows, columns), got the shape {hu.shape}")
        if affine.shape != (4, 4) or not np.isfinite(affine).all():
            raise ValueError(f"expected a finite affine of shape (4, 4), got {self.affine}")
        steps = affine[:3, :3]
        lengths = np.linalg.norm(steps, axis=0)
        if not (lengths > 0).all() or (affine[3] != (0, 0, 0, 1)).any():
            raise ValueError(f"this affine has an empty step or a wrong last row: {affine}")
        cosines = (steps / lengths).T @ (steps / lengths) - np.eye(3)
        if (worst := np.abs(cosines).max()) > LARGEST_COSINE:
            msg = (
                f"the axes are {np.degrees(np.arccos(worst)):.2f}° apart, not 90° (a tilted "
                "gantry?); resample the scan to a straight grid, for example in 3D Slicer"
            )
            raise ValueError(msg)
        object.__setattr__(self, "hu", np.ascontiguousarray(hu, np.float32))
        object.__setattr__(self, "affine", affine)

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Distance between the centres of neighbouring slices, rows and columns."""
        column, row, slice_ = np.linalg.norm(self.affine[:3, :3], axis=0).tolist()
        return slice_, row, column

    @property
    def orientation(self) -> str:
        """Where columns, rows and slices lead, such as "LPS": left, posterior, superior.

        Oblique axes get the nearest letter.
        """
        return "".join(nibabel.orientations.aff2axcodes(self.affine, PATIENT_AXES))

    def position_mm(self, slice_: ArrayLike, row: ArrayLike, column: ArrayLike) -> np.ndarray:
        """Return the patient coordinates x, y, z (LPS) of voxels, shape (…, 3)."""
        index = np.stack(np.broadcast_arrays(column, row, slice_), axis=-1)
        return index @ self.affine[:3, :3].T + self.affine[:3, 3]

    def to_axial(self) -> "Volume":
        """Turn and flip the axes so that columns lead to the left, rows back, slices up ("LPS").

        No value changes and each voxel keeps its place in the patient. Oblique axes go to the
        nearest direction.
        """
        return Volume(*reorient(self.hu, self.affine, np.eye(4)))


def axial_affine(
    spacing_mm: tuple[float, float, float], origin_mm: tuple[float, float, float] = (0, 0, 0)
) -> np.ndarray:
    """Return the affine of an ordinary axial scan.

    Parameters
    ----------
    spacing_mm : tuple of three float
        Distance between slices, rows and columns.
    origin_mm : tuple of three float
        Patient coordinates x, y, z (LPS) of the first voxel's centre.

    Returns
    -------
    array of float64, shape (4, 4)
    """
    affine = np.diag([*np.array(spacing_mm, float)[::-1], 1.0])
    affine[:3, 3] = origin_mm
    return affine


def reorient(array: np.ndarray, affine: np.ndarray, target: np.ndarray) -> tuple:
    """Turn and flip an array so that its axes run as nearly as possible like those of another.

    Parameters
    ----------
    array : array of shape (slices, rows, columns)
    affine, target : arrays of shape (4, 4)
        Of this array, and of the grid whose directions are wanted.

    Returns
    -------
    array, affine
        The same voxels in another order (a view), each still at its place in the patient.
    """
    turns = nibabel.orientations.io_orientation(np.linalg.inv(target) @ affine)
    backwards = array.transpose(2, 1, 0)  # nibabel counts columns first
    turned = nibabel.orientations.apply_orientation(backwards, turns).transpose(2, 1, 0)
    return turned, affine @ nibabel.orientations.inv_ornt_aff(turns, backwards.shape)


def resample(volume: Volume, spacing_mm: tuple[float, float, float]) -> Volume:
    """Bring a volume to another spacing: averages where it gets coarser, else linearly.

    The outer faces of the first slice, row and column stay in place (`ct.rescale`); the far end
    moves by up to half a new voxel, so that the spacing is exactly what was asked for.

    Parameters
    ----------
    volume : Volume
    spacing_mm : tuple of three float
        Wanted distance between slices, rows and columns.

    Returns
    -------
    Volume

    Raises
    ------
    ValueError
        If the volume is thinner than half a new voxel, or a spacing is not above 0.
    """
    factors = _factors(volume, spacing_mm)
    hu = np.stack([rescale(image, factors[1:]) for image in volume.hu])
    if factors[0] != 1:
        rows = range(hu.shape[1])
        hu = np.stack([rescale(hu[:, row], (factors[0], 1)) for row in rows], axis=1)
    steps = 1 / np.array([*factors[::-1], 1])
    affine = volume.affine * steps
    affine[:3, 3] += volume.affine[:3, :3] @ (steps[:3] - 1) / 2
    return Volume(hu, affine)


def resample_labels(
    labels: np.ndarray, volume: Volume, spacing_mm: tuple[float, float, float]
) -> np.ndarray:
    """Bring the labels of a volume to the grid of `resample(volume, spacing_mm)`.

    Each new voxel takes the label in which its centre lies: labels are names and have no average.
    What is smaller than a new voxel may be lost.

    Parameters
    ----------
    labels : array of shape (slices, rows, columns)
        On the grid of `volume`, of any type.
    volume : Volume
    spacing_mm : tuple of three float

    Returns
    -------
    array of the type of `labels`

    Raises
    ------
    ValueError
        As for `resample`, or if labels and volume differ in shape.
    """
    labels = np.asarray(labels)
    if labels.shape != volume.hu.shape:
        msg = f"labels of shape {labels.shape} are not those of a volume of {volume.hu.shape}"
        raise ValueError(msg)
    old = []
    for n, factor in zip(labels.shape, _factors(volume, spacing_mm), strict=True):
        centres = (np.arange(round(n * factor)) + 0.5) / factor
        old.append(np.minimum(centres.astype(int), n - 1))
    return labels[np.ix_(*old)]


def _factors(volume: Volume, spacing_mm: tuple[float, float, float]) -> tuple:
    """Return the number of new voxels for each old one along slices, rows and columns."""
    wanted = np.asarray(spacing_mm, float)
    if wanted.shape != (3,) or not (np.isfinite(wanted).all() and (wanted > 0).all()):
        raise ValueError(f"expected the spacing of slices, rows and columns in mm, got {wanted}")
    factors = tuple((np.array(volume.spacing_mm) / wanted).tolist())
    if min(round(n * factor) for n, factor in zip(volume.hu.shape, factors, strict=True)) < 1:
        extent = np.multiply(volume.hu.shape, volume.spacing_mm)
        raise ValueError(f"a volume of {extent} mm does not fill one voxel of {wanted} mm")
    return factors
