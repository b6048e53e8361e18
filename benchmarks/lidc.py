"""Nodules and their consensus masks from LIDC-IDRI readings: medml against pylidc 0.2.3.

    python benchmarks/lidc.py [SCANS]

Both start from the database, group the readings of the same scans into nodules and fill the masks
of every reader and their consensus; no cache is used. Times are CPU-seconds. Exits with 1 if the
nodules differ, or a consensus by more than a thousandth of its voxels (and by more than one).
"""

import os
import sys
import time
import warnings

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # one thread each, before NumPy is loaded

import numpy as np

from medml.data.lidc import load_contours, load_readings, load_scans
from medml.data.outlines import find_nodules

# pylidc was written for NumPy 1, and takes these names, which NumPy 1.24 dropped, when it runs.
vars(np).update(int=int, float=float)
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # SQLAlchemy and pkg_resources on pylidc's age
    import pylidc
    from pylidc.utils import consensus


def by_medml(scan_ids):
    """Return the voxels of each nodule's consensus, by the tuple of its readings."""
    readings = READINGS.index[READINGS.scan_id.isin(scan_ids)]
    nodules = find_nodules(load_contours(readings), load_scans())
    return {n.reading_ids: int(n.consensus.sum()) for n in nodules.values()}


def by_pylidc(scan_ids):
    """Return the same from pylidc, whose objects are read from the database as they are used."""
    found = {}
    for scan in pylidc.query(pylidc.Scan).filter(pylidc.Scan.id.in_(scan_ids)):
        for cluster in scan.cluster_annotations(verbose=False):
            mask, _, _ = consensus(cluster)
            found[tuple(sorted(annotation.id for annotation in cluster))] = int(mask.sum())
    return found


def cpu_seconds(function, *arguments):
    """Return the result of a call and the CPU time it took."""
    start = time.process_time()
    return function(*arguments), time.process_time() - start


def main(count):
    """Time both on `count` scans spread over the collection; return the exit status."""
    with_readings = READINGS.scan_id.unique()
    places = np.linspace(0, len(with_readings) - 1, count).astype(int)
    scan_ids = [int(scan_id) for scan_id in with_readings[places]]
    for function in (by_medml, by_pylidc):
        function(scan_ids[:2])  # imports and connections are not timed
    ours, our_time = cpu_seconds(by_medml, scan_ids)
    theirs, their_time = cpu_seconds(by_pylidc, scan_ids)

    print(f"{count} scans, {len(ours)} nodules\n")
    print(f"{'':<16}{'CPU-s':>8}{'ratio':>8}")
    print(f"{'medml':<16}{our_time:>8.2f}{1:>8}")
    print(f"{'pylidc 0.2.3':<16}{their_time:>8.2f}{their_time / our_time:>8.0f}\n")

    if ours.keys() != theirs.keys():
        print(f"DIFFERENT NODULES: {sorted(ours.keys() ^ theirs.keys())}")
        return 1
    differences = {i: ours[i] - theirs[i] for i in ours if ours[i] != theirs[i]}
    print(f"same nodules; {len(differences)} masks differ, by {differences or 'no voxel'}")
    return int(any(abs(d) > max(1, ours[i] // 1000) for i, d in differences.items()))


READINGS = load_readings()

if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 100))
