"""From the outlines that readers draw to nodules: grouping, masks and measurements.

Coordinates follow the scan: an outline is a list of (column, row) pixels in one slice, a mask has
the axes (slice, row, column).
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import pandas as pd
from scipy.sparse.csgraph import connected_components
from scipy.spatial import KDTree
from scipy.spatial.distance import pdist

MOST_READERS = 4  # a scan of LIDC-IDRI was read by four radiologists
SHRINK = 0.9  # factor on the tolerance while a group has more readings than that
SMALLEST_TOLERANCE = 0.1  # below this, a group stays as large as it is

MEASURES = ("diameter_mm", "volume_mm3", "height_mm", "x_mm", "y_mm", "z_mm")


@dataclass(frozen=True, eq=False)
class NoduleMasks:
    """The masks of one nodule, one for each reading, on a common voxel grid.

    Attributes
    ----------
    readers : array of bool, shape (readings, slices, rows, columns)
        What each reader took for nodule.
    reading_ids : tuple of int
        Rows of `lidc.load_readings()`, in the order of `readers`.
    origin : tuple of int
        Slice, row and column of the grid's first voxel in the scan.
    first_z_mm : float
        Position of the grid's first slice along the body axis.
    spacing_mm : tuple of float
        Distance between the centres of neighbouring slices, rows and columns.
    """

    readers: np.ndarray
    reading_ids: tuple[int, ...]
    origin: tuple[int, int, int]
    first_z_mm: float
    spacing_mm: tuple[float, float, float]

    @property
    def consensus(self) -> np.ndarray:
        """Voxels in at least half of the readers' masks, bool, shape (slices, rows, columns).

        With two readers half is one: the consensus is then the union.
        """
        return 2 * self.readers.sum(axis=0) >= len(self.readers)

    def measure(self, mask: np.ndarray) -> tuple[float, ...]:
        """Measure a mask on this grid, for example `consensus` or `readers[0]`.

        Parameters
        ----------
        mask : array of bool, shape (slices, rows, columns)
            At least one voxel must be set.

        Returns
        -------
        tuple of float
            In the order of `MEASURES`: longest diameter within one slice, volume (voxels times
            the volume of a voxel), height (from the lower face of the first slice to the upper
            face of the last), and the centre of mass x, y, z. x and y are columns and rows times
            the pixel spacing, from the centre of the scan's first pixel; z is the DICOM patient
            coordinate.

        Raises
        ------
        ValueError
            If the mask is empty.
        """
        voxels = np.argwhere(mask)
        if not len(voxels):
            msg = f"nothing to measure: the mask of shape {mask.shape} has no voxel set"
            raise ValueError(msg)
        thickness, row, column = self.spacing_mm
        first, last = voxels[0, 0], voxels[-1, 0]
        z, y, x = voxels.mean(axis=0)
        return (
            longest_diameter(mask) * column,
            len(voxels) * thickness * row * column,
            (last - first + 1) * thickness,
            (self.origin[2] + x) * column,
            (self.origin[1] + y) * row,
            self.first_z_mm + z * thickness,
        )


def longest_diameter(mask: np.ndarray) -> float:
    """Return the longest diameter within any one slice, in pixels.

    It is the longest distance between the centres of two pixels of a slice, plus one, so that a
    single pixel is one pixel wide. Radiologists measure the same length with callipers.

    Parameters
    ----------
    mask : array of bool, shape (slices, rows, columns)

    Examples
    --------
    >>> longest_diameter(np.ones((2, 1, 5), bool))
    5.0
    """
    slices = [np.argwhere(image).astype(np.int32) for image in mask if image.any()]
    longest = 0.0
    # The diagonal of the bounding box is an upper bound: long boxes first, then stop early.
    bounds = [np.hypot(*np.ptp(pixels, axis=0)) for pixels in slices]
    for i in np.argsort(bounds)[::-1]:
        if bounds[i] <= longest:
            break
        longest = max(longest, pdist(cv2.convexHull(slices[i]).reshape(-1, 2)).max())
    return float(longest) + 1.0


def fill_outlines(outlines: Iterable, origin: Sequence[int], shape: Sequence[int]) -> np.ndarray:
    """Fill the outlines of one reading.

    In LIDC-IDRI an outline runs along the first pixels *outside* the nodule, so its own pixels
    are taken off after filling; an outline with `inclusion` false encloses a hole, and its pixels
    belong to the hole (Armato et al. 2011, doi:10.1118/1.3528204).

    Parameters
    ----------
    outlines : iterable of rows
        Each with `slice`, `inclusion` and `points`, an int32 array of shape (n, 2).
    origin, shape : sequences of three int
        First voxel and extent of the grid: slice, row, column.

    Returns
    -------
    array of bool, shape `shape`
    """
    mask = np.zeros(shape, np.uint8)
    corner = np.array([origin[2], origin[1]], np.int32)
    for outline in sorted(outlines, key=lambda outline: not outline.inclusion):  # holes last
        image, points = mask[outline.slice - origin[0]], outline.points - corner
        if outline.inclusion:
            cv2.fillPoly(image, [points], 1)
            cv2.polylines(image, [points], True, 0)
        else:
            cv2.fillPoly(image, [points], 0)
    return mask.view(bool)


def group_readings(points: Sequence[np.ndarray], tolerance: float) -> np.ndarray:
    """Tell which readings of one scan mark the same nodule: the rule of pylidc.

    Two readings are linked when their outlines come as close as the tolerance anywhere; what is
    linked directly or through others is one group. While any group has more readings than a scan
    has readers, the tolerance shrinks by a tenth for the whole scan. Where two nodules touch,
    that never succeeds: such groups come back with more than `MOST_READERS` members.
    (pylidc 0.2.3 describes distances in mm and a first tolerance of one pixel, as used here; its
    code takes voxel indices and the slice thickness, which changes 5 of 2,652 groups.)

    Parameters
    ----------
    points : sequence of arrays, shape (n, d)
        The points of each reading's outlines, all in one unit.
    tolerance : float
        The first tolerance, in that unit.

    Returns
    -------
    array of int, shape (readings,)
        The group of each reading.
    """
    distance = _near_distances(points, tolerance)
    while True:
        # Outlines one pixel apart are linked; the last digits of a product must not decide.
        _, group = connected_components(distance <= tolerance * (1 + 1e-9), directed=False)
        if np.bincount(group).max() <= MOST_READERS or tolerance * SHRINK < SMALLEST_TOLERANCE:
            return group
        tolerance *= SHRINK


def _near_distances(points: Sequence[np.ndarray], limit: float) -> np.ndarray:
    """Return the shortest distance of each two readings, infinite where it exceeds `limit`."""
    low = np.array([p.min(axis=0) for p in points])
    high = np.array([p.max(axis=0) for p in points])
    trees = [KDTree(p) for p in points]
    distance = np.full((len(points), len(points)), np.inf)
    bound = limit * (1 + 1e-6)
    # Boxes farther apart than the limit hold no closer points: most pairs end here.
    gaps = np.maximum(low[:, None] - high, low - high[:, None]).clip(min=0)
    near = np.linalg.norm(gaps, axis=2) <= bound
    for i, j in np.argwhere(np.triu(near, 1)):
        found, _ = trees[i].query(points[j], distance_upper_bound=bound)
        distance[i, j] = found.min()
    return np.minimum(distance, distance.T)


def find_nodules(contours: pd.DataFrame, scans: pd.DataFrame) -> dict[int, NoduleMasks]:
    """Group the readings of each scan into nodules and fill their outlines.

    Readings are grouped by the distance of their outlines in mm, starting with a tolerance of one
    pixel (`group_readings`). A nodule's number is the smallest number among its readings.

    Parameters
    ----------
    contours : DataFrame
        As `lidc.load_contours()` gives it.
    scans : DataFrame
        As `lidc.load_scans()` gives it.

    Returns
    -------
    dict
        The masks of each nodule, by its number, in increasing order.
    """
    by_scan = defaultdict(lambda: defaultdict(list))
    for outline in contours.itertuples(index=False):
        by_scan[outline.scan_id][outline.reading_id].append(outline)
    nodules = {}
    for scan_id, readings in by_scan.items():
        scan = scans.loc[scan_id]
        pixel, ids = scan.pixel_spacing_mm, np.array(sorted(readings))
        group = group_readings([_points_mm(readings[i], pixel) for i in ids], pixel)
        for label in range(group.max() + 1):
            members = {int(i): readings[i] for i in ids[group == label]}
            spacing = (float(scan.slice_spacing_mm), float(pixel), float(pixel))
            nodules[min(members)] = _stack(members, spacing)
    return dict(sorted(nodules.items()))


def _points_mm(outlines: list, pixel: float) -> np.ndarray:
    """Return the points of one reading as x, y, z in mm, shape (n, 3)."""
    z = np.repeat([o.z_mm for o in outlines], [len(o.points) for o in outlines])
    return np.column_stack([np.concatenate([o.points for o in outlines]) * pixel, z])


def _stack(members: dict[int, list], spacing_mm: tuple[float, float, float]) -> NoduleMasks:
    """Fill the outlines of several readings on the smallest grid that holds them all."""
    outlines = [outline for reading in members.values() for outline in reading]
    points = np.concatenate([outline.points for outline in outlines])
    slices = [outline.slice for outline in outlines]
    (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
    origin = (int(min(slices)), int(top), int(left))
    shape = (max(slices) - origin[0] + 1, int(bottom) - origin[1] + 1, int(right) - origin[2] + 1)
    masks = np.stack([fill_outlines(reading, origin, shape) for reading in members.values()])
    first_z_mm = float(min(outline.z_mm for outline in outlines))
    return NoduleMasks(masks, tuple(members), origin, first_z_mm, spacing_mm)
