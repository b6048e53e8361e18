"""The readings of LIDC-IDRI: counts as published, nodules, masks, and their cache."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold

from medml.data import lidc
from medml.data.catalogue import DataError
from medml.data.outlines import MEASURES, fill_outlines


@pytest.fixture(scope="module")
def nodules():
    """All nodules."""
    return lidc.load_nodules()


@pytest.fixture(scope="module")
def readings():
    """All readings."""
    return lidc.load_readings()


@pytest.fixture(scope="module")
def masks():
    """The masks of all nodules."""
    return lidc.load_masks()


@pytest.fixture
def small(tmp_path, monkeypatch):
    """Use a cache of its own that holds the nodules of the first twenty readings only."""
    contours = lidc.load_contours(range(1, 21))
    monkeypatch.setattr(lidc, "load_contours", lambda: contours)
    monkeypatch.setattr(lidc, "cache_path", lambda name: tmp_path / "cache" / name)
    return tmp_path / "cache" / "lidc-nodules.npz"


def test_there_are_as_many_scans_patients_readings_and_contours_as_published(readings):
    """1,018 scans of 1,010 patients, 6,859 readings, 41,406 contours, 992 of them holes."""
    scans, contours = lidc.load_scans(), lidc.load_contours()
    assert (len(scans), scans.patient_id.nunique()) == (1018, 1010)
    assert (len(readings), len(contours)) == (6859, 41406)
    assert (~contours.inclusion).sum() == 992
    assert contours.reading_id.nunique() == 6859
    assert sum(map(len, contours.points)) == 1_718_862


def test_every_scan_has_plausible_spacings_and_every_contour_lies_in_a_slice_of_its_scan():
    """Slices times spacing spans a chest, and a contour's z follows from its slice."""
    scans, contours = lidc.load_scans(), lidc.load_contours()
    assert scans.pixel_spacing_mm.between(0.46, 0.98).all()
    assert scans.slice_thickness_mm.between(0.6, 5).all()
    assert (scans.slices * scans.slice_spacing_mm).between(150, 750).all()
    steps = contours.groupby("reading_id")[["slice", "z_mm"]].agg(np.ptp)
    spacing = scans.slice_spacing_mm[contours.groupby("reading_id").scan_id.first()].to_numpy()
    np.testing.assert_allclose(steps.z_mm, steps["slice"] * spacing, atol=0.01)


def test_the_scores_keep_their_scales(readings):
    """One to five, but calcification has six kinds; the meaning of each is told."""
    assert (readings[list(lidc.SCORES)].min() == 1).all()
    assert readings[list(lidc.SCORES)].max().drop("calcification").eq(5).all()
    assert readings.calcification.max() == 6
    assert readings.notna().all(axis=None)


def test_contours_of_single_readings_are_those_of_the_whole_table():
    """A selection gives the same rows; an empty one gives none."""
    everything, some = lidc.load_contours(), lidc.load_contours([6859, 2])
    wanted = everything[everything.reading_id.isin([2, 6859])]
    pd.testing.assert_frame_equal(some.drop(columns="points"), wanted.drop(columns="points"))
    assert all(map(np.array_equal, some.points, wanted.points))
    assert lidc.load_contours([]).empty


def test_unknown_numbers_are_named():
    """A reading or nodule that does not exist is an error with its number."""
    with pytest.raises(ValueError, match="unknown reading 6860"):
        lidc.load_contours([1, 6860])
    with pytest.raises(ValueError, match="unknown nodule 0"):
        lidc.load_masks([0])


def test_every_reading_belongs_to_one_nodule_of_its_own_scan(nodules, readings):
    """2,652 nodules; fourteen groups keep more than four readings."""
    assert len(nodules) == 2652
    assert (nodules.readers > 4).sum() == 14
    assert nodules.readers.sum() == len(readings)
    assert (nodules.scan_id[readings.nodule_id].to_numpy() == readings.scan_id).all()
    assert (readings.groupby("nodule_id").scan_id.idxmin() == nodules.index).all()


def test_malignancy_is_spread_as_recorded(nodules):
    """With three or more readings: 449 below 3, 512 at 3, 430 above, in 695 patients."""
    read = nodules[nodules.readers >= 3]
    assert (len(read), read.patient_id.nunique()) == (1391, 695)
    assert np.sign(read.malignancy_median - 3).value_counts().to_dict() == {-1: 449, 0: 512, 1: 430}
    clear = read[read.malignancy_median != 3]
    assert (len(clear), clear.patient_id.nunique()) == (879, 535)


def test_the_labelled_cohort_has_869_nodules_in_530_patients():
    """No crowded group, no indeterminate median, labels as the median says."""
    cohort = lidc.labelled_nodules()
    assert (len(cohort), cohort.patient_id.nunique()) == (869, 530)
    assert set(cohort.readers) == {3, 4}
    assert cohort.malignant.sum() == 421
    assert (cohort.malignant == (cohort.malignancy_median > 3)).all()


def test_a_ruler_alone_tells_the_label():
    """The longest diameter: AUC about .937 over folds of patients."""
    cohort = lidc.labelled_nodules()
    size, label = cohort.diameter_mm.to_numpy(), cohort.malignant.to_numpy()
    folds = StratifiedGroupKFold(5, shuffle=True, random_state=0)
    aucs = [
        roc_auc_score(label[test], size[test])
        for _, test in folds.split(size, label, cohort.patient_id)
    ]
    assert np.mean(aucs) == pytest.approx(0.937, abs=0.005)


def test_two_readers_agree_on_the_mask_with_a_dice_of_077(masks):
    """Every pair of readers of the labelled nodules; .78 where there are four readers."""
    dice = {3: [], 4: []}
    for i in lidc.labelled_nodules().index:
        readers = masks[i].readers
        for a, b in combinations(readers, 2):
            dice[len(readers)].append(2 * (a & b).sum() / (a.sum() + b.sum()))
    assert np.mean(dice[3] + dice[4]) == pytest.approx(0.774, abs=0.005)
    assert np.mean(dice[4]) == pytest.approx(0.781, abs=0.005)


def test_a_mask_is_what_its_readings_outline(masks, nodules, readings):
    """The stored mask of each reader equals its outlines filled, and the tables its measures."""
    for i in nodules.index[::300]:
        nodule = masks[i]
        table = lidc.load_contours(nodule.reading_ids)
        for reading_id, mask in zip(nodule.reading_ids, nodule.readers, strict=True):
            rows = table[table.reading_id == reading_id].itertuples()
            np.testing.assert_array_equal(fill_outlines(rows, nodule.origin, mask.shape), mask)
            measured = readings.loc[reading_id, list(MEASURES)].astype(float)
            assert nodule.measure(mask) == pytest.approx(measured.tolist())
        measured = nodules.loc[i, list(MEASURES)].astype(float)
        assert nodule.measure(nodule.consensus) == pytest.approx(measured.tolist())


def test_no_mask_is_empty_and_sizes_are_those_of_nodules(masks, nodules):
    """A nodule fits into a chest: 1 to 80 mm, a volume below that of its enclosing box."""
    assert all(nodule.readers.any(axis=(1, 2, 3)).all() for nodule in masks.values())
    assert nodules.diameter_mm.between(1, 80).all()
    assert (nodules.volume_mm3 <= nodules.diameter_mm**2 * nodules.height_mm).all()


def test_cached_nodules_equal_fresh_ones(small):
    """The second call reads the file and gives the same masks and tables."""
    fresh = lidc._stored()
    written = small.stat().st_mtime_ns
    cached = lidc._stored()
    assert small.stat().st_mtime_ns == written
    assert fresh.keys() == cached.keys()
    for name, array in fresh.items():
        np.testing.assert_array_equal(cached[name], array)
    found = lidc.find_nodules(lidc.load_contours(), lidc.load_scans())
    loaded = lidc.load_masks()
    assert loaded.keys() == found.keys()
    for i, nodule in found.items():
        np.testing.assert_array_equal(loaded[i].readers, nodule.readers)
        fields = ("reading_ids", "origin", "first_z_mm", "spacing_mm")
        assert [getattr(loaded[i], f) for f in fields] == [getattr(nodule, f) for f in fields]


@pytest.mark.parametrize(
    "damage",
    [
        lambda whole: b"",
        lambda whole: whole[: len(whole) // 2],
        lambda whole: whole[:400] + bytes(50) + whole[450:],
        lambda whole: b"no archive at all",
    ],
    ids=["empty", "cut", "overwritten", "foreign"],
)
def test_a_damaged_cache_is_rebuilt(small, damage):
    """Whatever is wrong with the file, the nodules are computed and written again."""
    fresh = lidc._stored()
    whole = small.read_bytes()
    small.write_bytes(damage(whole))
    again = lidc._stored()
    for name, array in fresh.items():
        np.testing.assert_array_equal(again[name], array)
    assert len(small.read_bytes()) == len(whole)


def test_a_cache_of_other_code_or_data_is_rebuilt(small, monkeypatch):
    """The key decides: a change of source or data means new nodules."""
    lidc._stored()
    monkeypatch.setattr(lidc, "nodule_key", lambda: "another")
    before = small.stat().st_ino, small.stat().st_mtime_ns
    lidc._stored()
    assert (small.stat().st_ino, small.stat().st_mtime_ns) != before


def test_a_cache_that_cannot_be_written_is_an_error_with_its_cure(tmp_path, monkeypatch):
    """A file stands where the folder should be; nothing is computed in vain."""
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setattr(lidc, "cache_path", lambda name: tmp_path / "file" / name)
    monkeypatch.setattr(lidc, "load_contours", lambda: pytest.fail("computed before checking"))
    with pytest.raises(DataError, match="set MEDML_DATA"):
        lidc.load_nodules()
