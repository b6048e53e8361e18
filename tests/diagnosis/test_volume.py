"""Volumes keep every voxel at its place in the patient, whatever is done to the array."""

from itertools import permutations, product

import numpy as np
import pytest
import SimpleITK as sitk
from scipy.spatial.transform import Rotation

from medml.diagnosis.volume import Volume, axial_affine, resample, resample_labels

ORIGIN = (-158.135803, -179.035797, -75.699997)
SPACING = (2.5, 0.8, 0.5)  # slices, rows, columns


def affine_of(directions, spacing_mm=SPACING, origin_mm=ORIGIN):
    """Return an affine with the given directions of columns, rows and slices as its columns."""
    affine = np.eye(4)
    affine[:3, :3] = directions * np.array(spacing_mm)[::-1]
    affine[:3, 3] = origin_mm
    return affine


def noise(affine, shape=(4, 5, 6)):
    """Return a volume of random HU, so that no two voxels are alike."""
    return Volume(np.random.default_rng(0).normal(-500, 300, shape), affine)


def in_itk(array, affine):
    """Return the same image as an object of ITK, the library of 3D Slicer and ITK-SNAP."""
    image = sitk.GetImageFromArray(array)
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    image.SetSpacing(spacing.tolist())
    image.SetDirection((affine[:3, :3] / spacing).ravel().tolist())
    image.SetOrigin(affine[:3, 3].tolist())
    return image


def affine_in_itk(image):
    """Return the affine of an image of ITK."""
    directions = np.reshape(image.GetDirection(), (3, 3))
    return affine_of(directions, image.GetSpacing()[::-1], image.GetOrigin())


OBLIQUE = Rotation.from_euler("xyz", (10, -20, 30), degrees=True).as_matrix()
# Columns, rows and slices along any of the patient's axes in any order and direction.
GRIDS = [
    np.eye(3)[:, list(axes)] * signs
    for axes in permutations(range(3))
    for signs in product((1, -1), repeat=3)
]


@pytest.mark.parametrize("directions", [np.eye(3), OBLIQUE, GRIDS[13], GRIDS[-1]])
def test_a_voxel_lies_where_itk_says(directions):
    """Note the order: the array counts slice, row, column; the affine column, row, slice."""
    volume = noise(affine_of(directions))
    expected = in_itk(volume.hu, volume.affine).TransformIndexToPhysicalPoint((5, 2, 3))
    np.testing.assert_allclose(volume.position_mm(3, 2, 5), expected, atol=1e-12)
    assert volume.spacing_mm == pytest.approx(SPACING)


def test_positions_come_for_many_voxels_at_once():
    """One slice, two rows, two columns."""
    found = noise(axial_affine((2, 1, 0.5), (0, 0, 10))).position_mm(3, [0, 2], [4, 0])
    np.testing.assert_array_equal(found, [(2, 0, 16), (0, 2, 16)])


def test_every_grid_turns_to_axial_as_itk_turns_it():
    """All 48 orders and directions of axes, and an oblique one: same voxels, same affine."""
    for directions in [*GRIDS, OBLIQUE, OBLIQUE @ GRIDS[29]]:
        volume = noise(affine_of(directions))
        axial, expected = volume.to_axial(), in_itk(volume.hu, volume.affine)
        expected = sitk.DICOMOrient(expected, "LPS")
        assert axial.orientation == "LPS"
        np.testing.assert_array_equal(axial.hu, sitk.GetArrayFromImage(expected))
        np.testing.assert_allclose(axial.affine, affine_in_itk(expected), atol=1e-10)


def test_the_orientation_names_where_columns_rows_and_slices_lead():
    """A coronal scan with its rows going down: left, feet, back."""
    coronal = np.array([(1, 0, 0), (0, 0, -1), (0, 1, 0)]).T
    assert noise(affine_of(coronal)).orientation == "LIP"
    assert noise(affine_of(-np.eye(3))).orientation == "RAI"


@pytest.mark.parametrize("directions", [np.eye(3), OBLIQUE])
@pytest.mark.parametrize(
    "spacing_mm",
    [(1.25, 0.4, 0.25), (1.0, 0.3, 0.2), (2.5, 0.5, 0.3), (2.5, 0.8, 0.5)],
)
def test_a_finer_grid_has_the_values_of_itk_at_the_same_places(directions, spacing_mm):
    """Linear interpolation; the half voxel at the edge, where ITK knows no value, is left out."""
    volume = noise(affine_of(directions), (6, 7, 8))
    fine = resample(volume, spacing_mm)
    assert fine.spacing_mm == pytest.approx(spacing_mm)
    grid, nothing = in_itk(fine.hu, fine.affine), -9999.0
    image = in_itk(volume.hu, volume.affine)
    expected = sitk.GetArrayFromImage(
        sitk.Resample(image, grid, sitk.Transform(), sitk.sitkLinear, nothing)
    )
    # Between the outermost centres; beyond them ITK repeats the edge up to the outer face.
    last = np.array(volume.hu.shape)[::-1] - 1
    indices = np.moveaxis(np.indices(fine.hu.shape), 0, -1)
    places = fine.position_mm(*np.moveaxis(indices, -1, 0))
    old = (places - volume.affine[:3, 3]) @ np.linalg.inv(volume.affine[:3, :3]).T
    within = ((old >= 0) & (old <= last)).all(axis=-1)
    assert within.mean() > 0.3
    np.testing.assert_allclose(fine.hu[within], expected[within], atol=0.02)


def test_a_coarser_grid_has_the_mean_of_the_voxels_it_replaces():
    """Two slices, two rows and four columns in one, at the centre of these sixteen."""
    volume = noise(affine_of(OBLIQUE), (4, 6, 8))
    coarse = resample(volume, (5.0, 1.6, 2.0))
    blocks = volume.hu.reshape(2, 2, 3, 2, 2, 4)
    np.testing.assert_allclose(coarse.hu, blocks.mean(axis=(1, 3, 5)), rtol=1e-5)
    corners = [volume.position_mm(s, r, c) for s in (0, 1) for r in (0, 1) for c in (0, 3)]
    np.testing.assert_allclose(coarse.position_mm(0, 0, 0), np.mean(corners, axis=0), atol=1e-9)


def test_slices_get_thinner_while_pixels_get_larger():
    """A ramp along z stays on its line where the array has two neighbours."""
    affine = axial_affine((5, 0.5, 0.5), (0, 0, 100))
    volume = Volume(np.broadcast_to(np.arange(100.0, 130.0, 5)[:, None, None], (6, 8, 8)), affine)
    new = resample(volume, (1, 1, 1))
    assert new.hu.shape == (30, 4, 4)
    z = new.position_mm(range(30), 0, 0)[:, 2]
    inner = slice(2, -2)
    np.testing.assert_allclose(new.hu[inner], np.broadcast_to(z, (4, 4, 30)).T[inner], rtol=1e-5)


# With these, no new centre lies on the border of two old voxels, where either label is right.
@pytest.mark.parametrize("spacing_mm", [(0.9, 0.3, 0.21), (4.1, 1.3, 2.1), (2.5, 0.8, 0.5)])
def test_labels_land_on_the_grid_of_their_volume(spacing_mm):
    """Each voxel has the label in which its centre lies, as in ITK; no label is invented."""
    volume = noise(affine_of(OBLIQUE), (6, 20, 30))
    labels = np.random.default_rng(1).choice([0, 3, 700], volume.hu.shape).astype(np.uint16)
    new = resample(volume, spacing_mm)
    found = resample_labels(labels, volume, spacing_mm)
    assert (found.dtype, found.shape) == (np.uint16, new.hu.shape)
    expected = sitk.Resample(
        in_itk(labels, volume.affine),
        in_itk(new.hu, new.affine),
        sitk.Transform(),
        sitk.sitkNearestNeighbor,
        65535,
        sitk.sitkUInt16,
    )
    expected = sitk.GetArrayFromImage(expected)
    within = expected != 65535  # ITK has no value beyond the last face
    assert within.mean() > 0.8
    np.testing.assert_array_equal(found[within], expected[within])


@pytest.mark.parametrize("spacing_mm", [(0, 1, 1), (1, -1, 1), (1, 1, np.nan), (1, 1)])
def test_a_spacing_that_is_none_is_refused(spacing_mm):
    """Three lengths above 0 are needed."""
    volume = noise(axial_affine((1, 1, 1)))
    with pytest.raises(ValueError, match="expected the spacing of slices, rows and columns"):
        resample(volume, spacing_mm)


def test_a_volume_thinner_than_a_voxel_is_refused():
    """One slice of 1 mm is no slice of 5 mm."""
    volume = noise(axial_affine((1, 1, 1)), (1, 9, 9))
    for step in (resample, lambda v, mm: resample_labels(v.hu, v, mm)):
        with pytest.raises(ValueError, match="does not fill one voxel"):
            step(volume, (5, 1, 1))


def test_labels_of_another_shape_are_refused():
    """They would be put in the wrong place."""
    with pytest.raises(ValueError, match=r"\(4, 6, 5\) are not those of a volume of \(4, 5, 6\)"):
        resample_labels(np.zeros((4, 6, 5)), noise(np.eye(4)), (1, 1, 1))


def sheared(angle_deg):
    """Return an affine whose slices move back as they go up, as under a tilted gantry."""
    affine = axial_affine((2.5, 0.8, 0.8))
    affine[1, 2] = 2.5 * np.tan(np.radians(angle_deg))
    return affine


@pytest.mark.parametrize(
    ("affine", "message"),
    [
        (np.eye(3), r"finite affine of shape \(4, 4\)"),
        (axial_affine((1, 1, np.nan)), "finite affine"),
        (axial_affine((1, 0, 1)), "empty step"),
        (np.eye(4)[::-1], "wrong last row"),
        (sheared(15), "75.00° apart, not 90° .a tilted gantry"),
        (sheared(0.5), "89.50° apart"),
    ],
)
def test_an_affine_that_is_no_straight_grid_is_refused(affine, message):
    """The message says what is wrong with it."""
    with pytest.raises(ValueError, match=message):
        noise(affine)


def test_a_tilt_that_is_rounding_is_no_tilt():
    """Decimal text in headers is not exact."""
    assert noise(sheared(0.01)).orientation == "LPS"


@pytest.mark.parametrize(
    ("hu", "message"),
    [
        (np.zeros((5, 5)), "slices, rows, columns"),
        (np.zeros((3, 5, 5), np.uint8), "picture of grey values"),
        (np.full((3, 5, 5), np.nan), "75 of 75 values are NaN"),
    ],
)
def test_an_array_that_is_no_volume_in_hu_is_refused(hu, message):
    """The same messages as for a slice."""
    with pytest.raises(ValueError, match=message):
        Volume(hu, np.eye(4))


def test_a_volume_owns_its_affine():
    """Changing the matrix from which it was made moves no voxel."""
    affine = axial_affine((1, 1, 1))
    volume = noise(affine)
    affine[:3, 3] = 99
    assert volume.position_mm(0, 0, 0).tolist() == [0, 0, 0]
