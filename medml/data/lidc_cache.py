"""Nodules as plain arrays in one .npz file, so that they are computed only once."""

import contextlib
import hashlib
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from medml.data.catalogue import atomic_write, dataset
from medml.data.outlines import NoduleMasks

# What np.load and the arrays of an .npz file can raise when the file is missing or damaged.
_UNREADABLE = (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile, zlib.error)


def nodule_key() -> str:
    """Return a hash of all that decides the nodules: the data, the code, the filling of OpenCV."""
    (file,) = dataset("lidc").files
    modules = ("lidc.py", "lidc_cache.py", "outlines.py")
    code = [Path(__file__).with_name(module).read_bytes() for module in modules]
    parts = [file.checksum.encode(), cv2.__version__.encode(), *code]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def cached_arrays(
    path: Path, key: str, compute: Callable[[], dict[str, np.ndarray]]
) -> dict[str, np.ndarray]:
    """Return the arrays stored at `path`, or compute and store them.

    Parameters
    ----------
    path : Path
        The .npz file. A missing, damaged or outdated one is written anew.
    key : str
        Stands for all that the arrays depend on; stored with another key they are outdated.
    compute : callable
        Returns the arrays by name.

    Raises
    ------
    DataError
        If the file cannot be written; this is known before anything is computed.
    """
    with contextlib.suppress(*_UNREADABLE), np.load(path, allow_pickle=False) as file:
        if str(file["key"]) == key:
            return {name: file[name] for name in file.files if name != "key"}
    with atomic_write(path) as file:
        arrays = compute()
        np.savez_compressed(file, key=np.array(key), **arrays)
    return arrays


def pack_nodules(nodules: dict[int, NoduleMasks]) -> dict[str, np.ndarray]:
    """Turn nodules into arrays: masks as bits, and the measures of every mask.

    Parameters
    ----------
    nodules : dict
        As `outlines.find_nodules` gives them.

    Returns
    -------
    dict
        For m nodules with n readings: nodule_id and readers (m), shape, origin and spacing_mm
        (m, 3), first_z_mm (m), nodule_measures (m, 6), reading_id (n), reading_measures (n, 6),
        and bits: all masks one after the other, eight voxels a byte, each nodule from a new byte.
    """
    each = list(nodules.values())
    return {
        "nodule_id": np.array(list(nodules)),
        "readers": np.array([len(n.readers) for n in each]),
        "shape": np.array([n.readers.shape[1:] for n in each]),
        "origin": np.array([n.origin for n in each]),
        "first_z_mm": np.array([n.first_z_mm for n in each]),
        "spacing_mm": np.array([n.spacing_mm for n in each]),
        "nodule_measures": np.array([n.measure(n.consensus) for n in each]),
        "reading_id": np.concatenate([n.reading_ids for n in each]),
        "reading_measures": np.array([n.measure(mask) for n in each for mask in n.readers]),
        "bits": np.concatenate([np.packbits(n.readers) for n in each]),
    }


def unpack_nodules(arrays: dict[str, np.ndarray]) -> dict[int, NoduleMasks]:
    """Turn the arrays of `pack_nodules` back into nodules."""
    shapes = np.column_stack([arrays["readers"], arrays["shape"]])
    sizes = shapes.prod(axis=1)
    bits = np.split(arrays["bits"], np.cumsum(-(-sizes // 8))[:-1])
    reading_ids = np.split(arrays["reading_id"], np.cumsum(arrays["readers"])[:-1])
    nodules = {}
    for i, nodule_id in enumerate(arrays["nodule_id"].tolist()):
        masks = np.unpackbits(bits[i], count=sizes[i]).view(bool).reshape(shapes[i])
        nodules[nodule_id] = NoduleMasks(
            masks,
            tuple(reading_ids[i].tolist()),
            tuple(arrays["origin"][i].tolist()),
            float(arrays["first_z_mm"][i]),
            tuple(arrays["spacing_mm"][i].tolist()),
        )
    return nodules
