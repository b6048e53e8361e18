"""A series of DICOM files, one a slice, put together as one volume.

Nothing is taken from file names or instance numbers: a slice belongs where its header says that it
lies in the patient. A series that would come out bent, with a hole, or mixed with another scan is
refused.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pydicom
import pydicom.errors
import pydicom.misc

from medml.data.imaging import to_hounsfield
from medml.diagnosis.ct import AIR, fill_padding
from medml.diagnosis.volume import Volume

ROUNDING = 1e-3  # headers hold decimal text: what belongs together may differ by so much
COINCIDE = 0.01  # mm; slices nearer than this are two of the same place
OFF_GRID = 0.1  # voxels by which a slice may lie off its place on a straight, even grid

# What is the same in all slices of a volume.
SHARED = ("SeriesInstanceUID", "Rows", "Columns", "PixelSpacing", "ImageOrientationPatient")
RESCALING = ("RescaleSlope", "RescaleIntercept")
NEEDED = (*SHARED, *RESCALING, "ImagePositionPatient", "PixelData")


def read_dicom(source: str | Path | Iterable[str | Path]) -> Volume:
    """Read one CT series, a file for each slice.

    Slices are sorted along the normal of the image plane, so that for axial images the first is
    the one nearest to the feet. Padding becomes air (−1000 HU): PixelPaddingValue, up to
    PixelPaddingRangeLimit where there is one, and what `ct.fill_padding` finds. A single slice is
    as thick as SliceThickness says.

    Parameters
    ----------
    source : path or iterable of paths
        A folder (its files that are DICOM, without subfolders), or the files themselves.

    Returns
    -------
    Volume

    Raises
    ------
    ValueError
        If there is no DICOM file; if a file is no CT slice or lacks a needed element, such as
        RescaleSlope; if series, sizes, pixels or orientations are mixed; if slices coincide, are
        missing or unevenly spaced; if the gantry was tilted or the table moved sideways.
    OSError
        If a file cannot be read.

    References
    ----------
    DICOM PS3.3, sections C.7.6.2 (image plane) and C.8.2.1 (CT image).
    """
    slices = [_read_slice(path) for path in _files(source)]
    for other in slices[1:]:
        _require_alike(slices[0], other)
    slices, affine = _stack(slices)
    return Volume(np.stack([_hounsfield(header) for header in slices]), affine)


def _files(source: str | Path | Iterable[str | Path]) -> list[Path]:
    """Return the files to be read."""
    if not isinstance(source, str | Path):
        files = [Path(path) for path in source]
    elif Path(source).is_dir():
        inside = sorted(path for path in Path(source).iterdir() if path.is_file())
        files = [path for path in inside if pydicom.misc.is_dicom(path)]
    else:
        files = [Path(source)]
    if not files:
        raise ValueError(f"no DICOM file in {source}; subfolders are not searched")
    return files


def _read_slice(path: Path) -> pydicom.Dataset:
    """Read a file that must be one CT slice with all that a volume needs."""
    try:
        header = pydicom.dcmread(path)
    except pydicom.errors.InvalidDicomError as error:
        raise ValueError(f"{path} is no DICOM file") from error
    modality, frames = header.get("Modality"), header.get("NumberOfFrames") or 1
    if modality != "CT" or frames != 1:
        msg = f"{path} is no single CT slice: its modality is {modality}, with {frames} frames"
        raise ValueError(msg)
    for name in NEEDED:
        if header.get(name) in (None, ""):
            why = "without it stored values are no HU; " if name in RESCALING else ""
            raise ValueError(f"{path} has no {name}: {why}export the original images again")
    return header


def _name(header: pydicom.Dataset) -> str:
    """Return the name of a slice's file."""
    return Path(header.filename).name


def _require_alike(first: pydicom.Dataset, other: pydicom.Dataset) -> None:
    """Ask that two slices belong to one volume."""
    for name in SHARED:
        one, two = first[name].value, other[name].value
        if isinstance(one, str | int):
            same = one == two
        else:
            same = np.allclose(np.array(one, float), np.array(two, float), rtol=0, atol=ROUNDING)
        if not same:
            msg = (
                f"{_name(first)} and {_name(other)} differ in {name}: {one} and {two}; "
                "give the files of one series, without its scout images"
            )
            raise ValueError(msg)


def _stack(slices: Sequence[pydicom.Dataset]) -> tuple[list[pydicom.Dataset], np.ndarray]:
    """Return the slices in the order of their places, and the affine of their volume."""
    first = slices[0]
    row, column = np.array(first.ImageOrientationPatient, float).reshape(2, 3)
    if not np.allclose((row @ row, column @ column, row @ column), (1, 1, 0), atol=ROUNDING):
        msg = f"{_name(first)}: ImageOrientationPatient is no pair of unit vectors at 90°"
        raise ValueError(msg)
    normal = np.cross(row, column)
    places = np.array([header.ImagePositionPatient for header in slices], float)
    order = np.argsort(places @ normal)
    slices, places = [slices[i] for i in order], places[order]
    between_rows, between_columns = (float(mm) for mm in first.PixelSpacing)
    affine = np.eye(4)
    affine[:3, 0], affine[:3, 1] = row * between_columns, column * between_rows
    affine[:3, 2] = normal * _slice_distance(slices, places, normal)
    affine[:3, 3] = places[0]
    return slices, affine


def _slice_distance(
    slices: Sequence[pydicom.Dataset], places: np.ndarray, normal: np.ndarray
) -> float:
    """Return the distance of neighbouring slices in mm, after asking that it is the same."""
    if len(slices) == 1:
        if not slices[0].get("SliceThickness"):
            raise ValueError(f"{_name(slices[0])} is alone and has no SliceThickness")
        return float(slices[0].SliceThickness)
    along = places @ normal
    gaps, distance = np.diff(along), (along[-1] - along[0]) / (len(along) - 1)
    closest = gaps.argmin()
    if gaps[closest] < COINCIDE:
        names = " and ".join(_name(header) for header in slices[closest : closest + 2])
        raise ValueError(f"{names} lie in the same place, {along[closest]:.2f} mm; keep one scan")
    off_place = np.abs(along - np.linspace(along[0], along[-1], len(along))).max()
    if off_place > OFF_GRID * distance:
        widest = gaps.argmax()
        names = " and ".join(_name(header) for header in slices[widest : widest + 2])
        msg = (
            f"between {names} lie {gaps[widest]:.2f} mm, between most slices "
            f"{np.median(gaps):.2f} mm: slices are missing or unevenly spaced"
        )
        raise ValueError(msg)
    sideways = places - along[:, None] * normal
    drift = np.linalg.norm(sideways - sideways[0], axis=1).max()
    if drift > OFF_GRID * min(slices[0].PixelSpacing):
        tilt = np.degrees(np.arctan2(drift, along[-1] - along[0]))
        msg = (
            f"the slices move sideways by {drift:.2f} mm ({tilt:.1f}°): the gantry was tilted or "
            "the table moved; resample the scan to a straight grid, for example in 3D Slicer"
        )
        raise ValueError(msg)
    return float(distance)


def _hounsfield(header: pydicom.Dataset) -> np.ndarray:
    """Return a slice in HU, float32, with padding set to air."""
    stored = header.pixel_array
    hu = to_hounsfield(stored, header.RescaleSlope, header.RescaleIntercept)
    padding = header.get("PixelPaddingValue")
    if padding is not None:
        limit = header.get("PixelPaddingRangeLimit", padding)
        # Some files give it without its sign: 63536 for −2000. The stored type puts that right.
        low, high = np.sort(np.array([padding, limit], np.int64).astype(stored.dtype))
        hu[(stored >= low) & (stored <= high)] = AIR
    return fill_padding(hu).astype(np.float32)
