"""Volumes and label maps as NIfTI and NRRD, the files that 3D Slicer and ITK-SNAP open.

NIfTI counts patient coordinates to the right and to the front (RAS), NRRD, DICOM and `Volume` to
the left and to the back (LPS). NRRD keeps an affine as it is; NIfTI rounds it to 32-bit floats,
about 0.00001 mm.
"""

import gzip
import io
from pathlib import Path

import nibabel
import nrrd
import numpy as np

from medml.diagnosis.volume import Volume, reorient
from medml.files import atomic_write

NIFTI, NRRD = (".nii", ".nii.gz"), (".nrrd",)
# What takes the patient coordinates of each space to LPS.
SPACES = {
    "left-posterior-superior": (1, 1, 1),
    "right-anterior-superior": (-1, -1, 1),
    "left-anterior-superior": (1, -1, 1),
}
SPACES |= {"".join(word[0] for word in name.split("-")): sign for name, sign in SPACES.items()}
SAME_GRID = 1e-4  # mm; more than NIfTI rounds, far less than any voxel


def read_volume(path: str | Path) -> Volume:
    """Read a CT volume from a NIfTI or NRRD file. DICOM files: `dicom.read_dicom`.

    The axes stay as they are in the file (`Volume.orientation`); `Volume.to_axial` turns them.

    Parameters
    ----------
    path : path
        Ends in .nii, .nii.gz or .nrrd.

    Returns
    -------
    Volume

    Raises
    ------
    ValueError
        If the file is none of these or damaged, has not three dimensions, says nothing about the
        patient's orientation, or holds what cannot be HU (`ct.require_hu`).
    OSError
        If it cannot be read.
    """
    return Volume(*_read(Path(path)))


def read_labels(path: str | Path, volume: Volume) -> np.ndarray:
    """Read a label map, such as a segmentation corrected by hand, onto the grid of its volume.

    Axes that the file has in another order or direction are turned to those of the volume.

    Parameters
    ----------
    path : path
        Ends in .nii, .nii.gz or .nrrd.
    volume : Volume
        What the labels belong to.

    Returns
    -------
    array of uint8 or uint16, the shape of `volume.hu`

    Raises
    ------
    ValueError
        As for `read_volume`, or if the grid is not that of the volume, or a label is not a whole
        number from 0 to 65535.
    OSError
        If the file cannot be read.
    """
    array, affine = _read(Path(path))
    array, affine = reorient(array, affine, volume.affine)
    same = np.allclose(affine, volume.affine, rtol=0, atol=SAME_GRID)
    if not (same and array.shape == volume.hu.shape):
        msg = (
            f"{path} has another grid, of shape {array.shape}, than its volume of shape "
            f"{volume.hu.shape}; export it as a label map with the volume as its reference"
        )
        raise ValueError(msg)
    return _as_labels(array)


def write_volume(path: str | Path, volume: Volume) -> None:
    """Write a volume as float32, exactly; the file appears when it is whole.

    Parameters
    ----------
    path : path
        Ends in .nii, .nii.gz or .nrrd.
    volume : Volume

    Raises
    ------
    ValueError
        If the ending is none of these, or the same name is there with and without .gz.
    OSError
        If the file cannot be written.
    """
    _write(Path(path), volume.hu, volume.affine)


def write_labels(path: str | Path, labels: np.ndarray, volume: Volume) -> None:
    """Write a label map beside its volume: 0 is background, each other number a structure.

    Parameters
    ----------
    path : path
        Ends in .nii, .nii.gz or .nrrd.
    labels : array of bool or int, shape of `volume.hu`
    volume : Volume
        What the labels belong to; it gives the affine.

    Raises
    ------
    ValueError
        As for `write_volume`, or if the shapes differ, or a label is not a whole number from 0
        to 65535.
    OSError
        If the file cannot be written.
    """
    labels = np.asarray(labels)
    if labels.shape != volume.hu.shape:
        msg = f"labels of shape {labels.shape} are not those of a volume of {volume.hu.shape}"
        raise ValueError(msg)
    _write(Path(path), _as_labels(labels), volume.affine)


def _as_labels(array: np.ndarray) -> np.ndarray:
    """Return labels as uint8 if they fit, else as uint16."""
    low, high = array.min(), array.max()
    if not (low >= 0 and high < 2**16 and (array.dtype.kind in "biu" or (array % 1 == 0).all())):
        msg = f"expected labels that are whole numbers from 0 to 65535, got {low} to {high}"
        raise ValueError(msg)
    return array.astype(np.uint8 if high < 2**8 else np.uint16, order="C")


def _ending(path: Path) -> tuple[str, ...]:
    """Return `NIFTI` or `NRRD`."""
    for kind in (NIFTI, NRRD):
        if path.name.endswith(kind):
            return kind
    raise ValueError(f"{path} ends in none of {', '.join(NIFTI + NRRD)}")


def _write(path: Path, array: np.ndarray, affine: np.ndarray) -> None:
    """Write an array (slice, row, column) with its affine to LPS."""
    encode = _to_nifti if _ending(path) == NIFTI else _to_nrrd
    content, packed = encode(array, affine), path.suffix == ".gz"
    twin = path.with_suffix("") if packed else path.with_name(f"{path.name}.gz")
    if encode is _to_nifti and twin.exists():
        msg = (
            f"{twin} is there already: ITK, and with it 3D Slicer and ITK-SNAP, would take one "
            "for the other without a word; choose another name"
        )
        raise ValueError(msg)
    if packed:
        content = gzip.compress(content, compresslevel=4, mtime=0)  # the same bytes every time
    with atomic_write(path) as file:
        file.write(content)


def _to_nifti(array: np.ndarray, affine: np.ndarray) -> bytes:
    image = nibabel.Nifti1Image(array.T, np.diag([-1, -1, 1, 1]) @ affine)
    image.header.set_xyzt_units("mm")
    # Both places of the affine, because programs differ in the one that they believe; 1: scanner.
    image.set_qform(image.affine, 1)
    image.set_sform(image.affine, 1)
    return image.to_bytes()


def _to_nrrd(array: np.ndarray, affine: np.ndarray) -> bytes:
    header = {
        "space": "left-posterior-superior",
        "space directions": affine[:3, :3].T,
        "space origin": affine[:3, 3],
        "kinds": ["domain"] * 3,
        "encoding": "gzip",
    }
    file = io.BytesIO()
    nrrd.write(file, array, header, index_order="C", compression_level=4)
    return file.getvalue()


def _read(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return the array (slice, row, column) of a file and its affine to LPS."""
    parse, place = {NIFTI: (_parse_nifti, _nifti_affine), NRRD: (_parse_nrrd, _nrrd_affine)}[
        _ending(path)
    ]
    content = path.read_bytes()
    try:
        array, header = parse(gzip.decompress(content) if path.suffix == ".gz" else content)
    except Exception as error:  # whatever a parser stumbles over in a file from elsewhere
        raise ValueError(f"{path} is damaged or not what its name says: {error}") from error
    if array.ndim != 3:
        raise ValueError(f"{path} has {array.ndim} dimensions; expected one volume of three")
    affine = place(header)
    if affine is None or not (np.isfinite(affine).all() and np.linalg.det(affine)):
        msg = f"{path} does not say where the patient's left, back and head are; export it again"
        raise ValueError(msg)
    return array, affine


def _parse_nifti(content: bytes) -> tuple[np.ndarray, nibabel.Nifti1Header]:
    image = nibabel.Nifti1Image.from_bytes(content)
    return np.asarray(image.dataobj).T, image.header  # with the file's own slope and intercept


def _nifti_affine(header: nibabel.Nifti1Header) -> np.ndarray | None:
    if not (header["qform_code"] or header["sform_code"]):
        return None
    if (unit := header.get_xyzt_units()[0]) not in ("mm", "unknown"):
        raise ValueError(f"the header counts in {unit}, expected mm")
    return np.diag([-1, -1, 1, 1]) @ header.get_best_affine()


def _parse_nrrd(content: bytes) -> tuple[np.ndarray, dict]:
    file = io.BytesIO(content)
    header = nrrd.read_header(file)
    return nrrd.read_data(header, file, index_order="C"), header


def _nrrd_affine(header: dict) -> np.ndarray | None:
    sign = SPACES.get(str(header.get("space")).lower())
    steps = np.array(header.get("space directions", ()), float)
    origin = np.array(header.get("space origin", ()), float)
    if sign is None or steps.shape != (3, 3) or origin.shape != (3,):
        return None
    return np.diag([*sign, 1]) @ np.block([[steps.T, origin[:, None]], [np.eye(1, 4, 3)]])
