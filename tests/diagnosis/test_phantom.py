"""The simulated chest: is it to scale, is its truth exact, does it hold what it promises?"""

import numpy as np
import pytest
from scipy.ndimage import binary_erosion

from medml.data import lidc
from medml.diagnosis.anatomy import vessel_tree
from medml.diagnosis.cohort import load_cohort
from medml.diagnosis.phantom import CASES, thorax
from medml.diagnosis.rendering import largest_slice

SEEDS = range(500, 508)


@pytest.fixture(scope="module")
def plain():
    """Slices of different people without a nodule."""
    return {seed: thorax(seed, 256) for seed in SEEDS}


def test_a_seed_gives_one_slice_and_a_generator_goes_on():
    """Equal seeds agree in every pixel; a generator that is used twice gives two people."""
    np.testing.assert_array_equal(thorax(3, 128).hu, thorax(3, 128).hu)
    generator = np.random.default_rng(3)
    first, second = thorax(generator, 128), thorax(generator, 128)
    np.testing.assert_array_equal(first.hu, thorax(3, 128).hu)
    assert (first.lungs != second.lungs).any()


@pytest.mark.parametrize("seed", SEEDS)
def test_tissues_have_the_hu_of_a_real_chest(plain, seed):
    """Lung −920 to −770, room −1000, bone above 300, and soft tissue the most common in between."""
    phantom = plain[seed]
    assert phantom.hu.dtype == np.float32
    assert phantom.hu.shape == phantom.lungs.shape == (256, 256)
    assert -920 < np.median(phantom.hu[phantom.lungs]) < -770
    assert abs(np.median(phantom.hu[:8]) + 1000) < 10
    assert 0.005 < (phantom.hu > 300).mean() < 0.06
    soft = phantom.hu[(phantom.hu > -30) & (phantom.hu < 120)]
    assert abs(np.median(soft) - 50) < 10
    assert 250 < phantom.pixel_mm * 256 < 480  # the field of view in mm


@pytest.mark.parametrize("seed", SEEDS)
def test_both_lungs_have_the_area_of_an_adults(plain, seed):
    """Between 40 and 240 cm² each, one on either side of the middle column."""
    phantom = plain[seed]
    for half in (phantom.lungs[:, :128], phantom.lungs[:, 128:]):
        assert 40 < half.sum() * phantom.pixel_mm**2 / 100 < 240


def test_the_truth_does_not_depend_on_the_size_of_the_pixels():
    """The same person at 128 and at 384 pixels: lung areas in cm² agree within 1 %."""
    for seed in SEEDS:
        areas = [p.lungs.sum() * p.pixel_mm**2 for p in (thorax(seed, 128), thorax(seed, 384))]
        assert areas[0] == pytest.approx(areas[1], rel=0.01)


def test_the_truth_lies_where_the_image_changes():
    """Across its border HU jump by more than 600: half of it lies on either side of −400."""
    phantom = thorax(1, 512)
    inner = phantom.lungs & ~binary_erosion(phantom.lungs)
    outer = ~phantom.lungs & ~binary_erosion(~phantom.lungs, border_value=1)
    assert np.median(phantom.hu[inner]) < -550
    assert np.median(phantom.hu[outer]) > -250


def test_a_nodule_has_the_area_of_its_outline():
    """Over ten central nodules, mm² in the phantom and in the readers' consensus agree."""
    areas = []
    for seed in range(10):
        phantom = thorax(seed, 320, "central")
        masks = lidc.load_masks([phantom.nodule_id])[phantom.nodule_id]
        mask, pixel_mm = largest_slice(masks), masks.spacing_mm[2]
        areas.append((phantom.nodule.sum() * phantom.pixel_mm**2, mask.sum() * pixel_mm**2))
    ours, readers = np.transpose(areas)
    assert ours.sum() == pytest.approx(readers.sum(), rel=0.03)
    np.testing.assert_allclose(ours, readers, rtol=0.35)


@pytest.mark.parametrize("seed", range(6))
def test_a_juxtapleural_nodule_touches_what_is_no_lung_and_a_central_one_does_not(seed):
    """Both are part of the lungs and look like soft tissue."""
    central, seated = (thorax(seed, 320, kind) for kind in ("central", "juxtapleural"))
    inside = binary_erosion(central.lungs, iterations=2)
    assert (central.nodule <= inside).all()
    assert (seated.nodule <= seated.lungs).all()
    assert (seated.nodule & ~binary_erosion(seated.lungs)).any()
    for phantom in (central, seated):
        assert phantom.nodule.any()
        assert np.median(phantom.hu[phantom.nodule]) > -300  # small ones are mixed with lung


def test_nodules_come_from_patients_that_are_not_locked_or_from_the_given_list():
    """The patient's id goes with the nodule, so that a split can keep patients together."""
    locked = set(load_cohort().query("locked").patient_id)
    nodules = lidc.load_nodules()
    for seed in range(12):
        phantom = thorax(seed, 96, "central")
        assert phantom.patient_id == nodules.patient_id[phantom.nodule_id]
        assert phantom.patient_id not in locked
    assert thorax(0, 96, "central", nodule_ids=[1]).nodule_id == 1
    empty = thorax(0, 96)
    assert (empty.nodule_id, empty.patient_id, empty.nodule.any()) == (None, None, False)


def test_vessels_are_cut_by_the_slice_and_do_not_fill_the_lung():
    """Discs are no wider than their vessel, and most are twigs; they cover a small part."""
    discs = vessel_tree(np.array([40.0, 0.0]), 1, np.random.default_rng(0))
    assert discs[:, 2].max() < 4.2
    assert np.median(discs[:, 2]) < 1.6
    for seed in SEEDS:
        phantom = thorax(seed, 320)
        assert 0.01 < (phantom.hu[phantom.lungs] > -400).mean() < 0.12


def test_every_case_leaves_its_mark():
    """Compared with the same person without the case."""
    plain, cases = thorax(11, 256), {case: thorax(11, 256, cases=[case]) for case in CASES}
    area = plain.lungs.sum() * plain.pixel_mm**2
    corner = np.s_[:10, :10]

    assert (cases["padding"].hu[corner] == -2048).all()
    assert plain.hu[corner].max() < -900
    assert ((cases["contrast"].hu > 180) & (plain.hu < 120)).sum() > 300
    assert cases["metal"].hu.max() == 3071
    assert (cases["metal"].hu - plain.hu)[plain.lungs].std() > 40  # streaks
    assert cases["zoom"].pixel_mm < 0.75 * plain.pixel_mm
    assert cases["zoom"].hu[:, [0, -1]].mean() > -800  # the body is cut
    assert np.unique(cases["saturated"].hu).size <= 256
    assert cases["saturated"].hu.min() == -160

    fluid = plain.lungs & ~cases["effusion"].lungs
    assert 0.1 < fluid.sum() / plain.lungs.sum() < 0.6
    assert 0 < np.median(cases["effusion"].hu[fluid]) < 20
    low = cases["bases"]
    assert low.lungs.sum() * low.pixel_mm**2 < 0.5 * area
    gas = binary_erosion(cases["stomach gas"].hu < -940, iterations=5)
    assert gas[60:140, 128:200].any()
    under = np.s_[-60:]
    assert (np.abs(cases["table air"].hu[under] + 880) < 40).mean() > 0.1


def test_cases_combine_and_padding_hides_lung():
    """What padding covers is no part of the truth."""
    phantom = thorax(2, 128, cases=("zoom", "padding"))
    assert (phantom.hu[phantom.lungs] > -2048).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": 32}, "size is 32 pixels"),
        ({"nodule": "apical"}, "unknown kind of nodule 'apical'"),
        ({"cases": ["fog"]}, "unknown case 'fog'"),
        ({"cases": "fog"}, "unknown case 'fog'"),
        ({"nodule": "central", "nodule_ids": [0]}, "unknown nodule 0"),
        ({"nodule": "central", "nodule_ids": []}, "nodule_ids is empty"),
    ],
)
def test_what_cannot_be_drawn_is_told(options, message):
    """Each message names the value."""
    with pytest.raises(ValueError, match=message):
        thorax(0, **{"size": 64, **options})


def test_a_nodule_that_does_not_fit_is_told():
    """The widest nodule finds no room between diaphragm and ribs."""
    widest = load_cohort().query("~locked").diameter_mm.idxmax()
    with pytest.raises(ValueError, match="none of 40 drawn nodules fits"):
        thorax(5, 96, "central", cases=["bases"], nodule_ids=[widest])
