"""Files written here are read by ITK, the library of 3D Slicer and ITK-SNAP, and back again."""

import gzip
import struct

import nibabel
import nrrd
import numpy as np
import pytest
import SimpleITK as sitk
from scipy.spatial.transform import Rotation

from medml.diagnosis.volume import Volume, axial_affine
from medml.diagnosis.volume_files import read_labels, read_volume, write_labels, write_volume

ENDINGS = (".nii", ".nii.gz", ".nrrd")
# mm; NRRD keeps every digit, and ITK multiplies directions and spacing; NIfTI has 32-bit floats.
ROUNDING = {".nrrd": 1e-12, ".nii": 2e-5, ".nii.gz": 2e-5}


def grid(directions, spacing_mm=(2.5, 0.661468, 0.9)):
    """Return the affine of a grid whose first voxel lies where that of CT_small.dcm does."""
    affine = np.eye(4)
    affine[:3, :3] = directions * np.array(spacing_mm)[::-1]
    affine[:3, 3] = -158.135803, -179.035797, -75.699997
    return affine


AFFINES = {
    "axial": grid(np.eye(3)),
    "head first": grid(np.diag((1, 1, -1))),
    "flipped columns and rows": grid(np.diag((-1, -1, 1))),
    "sagittal": grid(np.array([(0, 1, 0), (0, 0, -1), (1, 0, 0)]).T),
    "coronal": grid(np.array([(1, 0, 0), (0, 0, -1), (0, 1, 0)]).T, (5, 0.5, 0.5)),
    "oblique": grid(Rotation.from_euler("xyz", (10, -20, 30), degrees=True).as_matrix()),
}


def noise(affine, shape=(4, 5, 6)):
    """Return a volume of random HU that need all digits of float32."""
    return Volume(np.random.default_rng(0).normal(-500, 300, shape), affine)


@pytest.fixture(params=ENDINGS)
def path(request, tmp_path):
    """A file of each kind."""
    return tmp_path / f"scan{request.param}"


def ending(path):
    """Return the whole ending, .nii.gz included."""
    return path.name.removeprefix("scan")


@pytest.mark.parametrize("affine", AFFINES.values(), ids=AFFINES)
def test_itk_finds_each_value_at_its_place_in_the_patient(path, affine):
    """Axial, turned, flipped and oblique, with three different spacings."""
    volume = noise(affine)
    write_volume(path, volume)
    image = sitk.ReadImage(str(path))
    assert image.GetPixelID() == sitk.sitkFloat32
    np.testing.assert_array_equal(sitk.GetArrayFromImage(image), volume.hu)
    for s, r, c in ((0, 0, 0), (3, 4, 5), (1, 3, 2), (3, 0, 1)):
        place = image.TransformIndexToPhysicalPoint((c, r, s))
        gap = np.abs(volume.position_mm(s, r, c) - place).max()
        assert gap <= max(ROUNDING[ending(path)], 1e-9)
        assert image.GetPixel(c, r, s) == volume.hu[s, r, c]


@pytest.mark.parametrize("affine", AFFINES.values(), ids=AFFINES)
def test_a_volume_comes_back_as_it_was(path, affine):
    """Each value and, in NRRD, each bit of the affine; in NIfTI what 32-bit floats hold."""
    volume = noise(affine)
    write_volume(path, volume)
    again = read_volume(path)
    np.testing.assert_array_equal(again.hu, volume.hu)
    if ending(path) == ".nrrd":
        np.testing.assert_array_equal(again.affine, affine)
    else:
        np.testing.assert_array_equal(again.affine, affine.astype(np.float32))
        write_volume(path, again)  # the second time nothing is left to round
        np.testing.assert_array_equal(read_volume(path).affine, again.affine)


@pytest.mark.parametrize("affine", AFFINES.values(), ids=AFFINES)
def test_a_volume_written_by_itk_is_read(path, affine):
    """16-bit values, as other programs store them; NIfTI in both its places for the affine."""
    stored = np.random.default_rng(1).integers(-1024, 3071, (4, 5, 6)).astype(np.int16)
    image = sitk.GetImageFromArray(stored)
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    image.SetSpacing(spacing.tolist())
    image.SetDirection((affine[:3, :3] / spacing).ravel().tolist())
    image.SetOrigin(affine[:3, 3].tolist())
    sitk.WriteImage(image, str(path))
    volume = read_volume(path)
    assert volume.hu.dtype == np.float32
    np.testing.assert_array_equal(volume.hu, stored)
    np.testing.assert_allclose(volume.affine, affine, atol=max(ROUNDING[ending(path)], 1e-9))


@pytest.mark.parametrize("affine", AFFINES.values(), ids=AFFINES)
@pytest.mark.parametrize(("most", "dtype"), [(1, bool), (255, np.int64), (256, int), (65535, int)])
def test_labels_come_back_exactly_and_itk_reads_them(path, affine, most, dtype):
    """In the smallest type that holds them, on the grid of their volume."""
    volume = noise(affine)
    labels = np.random.default_rng(2).choice([0, 1, most], volume.hu.shape).astype(dtype)
    write_labels(path, labels, volume)
    again = read_labels(path, volume)
    assert again.dtype == (np.uint8 if most < 256 else np.uint16)
    np.testing.assert_array_equal(again, labels)
    image = sitk.ReadImage(str(path))
    np.testing.assert_array_equal(sitk.GetArrayFromImage(image), labels)
    place = image.TransformIndexToPhysicalPoint((5, 4, 3))
    np.testing.assert_allclose(place, volume.position_mm(3, 4, 5), atol=1e-4)


@pytest.mark.parametrize("affine", AFFINES.values(), ids=AFFINES)
def test_labels_drawn_on_a_turned_copy_fit_the_original(path, affine):
    """Axes that a program put in another order or direction are turned back, without rounding."""
    volume = noise(affine)
    axial = volume.to_axial()
    marked = np.argmax(volume.hu)
    labels = (axial.hu == volume.hu.max()).astype(np.uint8) * 7
    write_labels(path, labels, axial)
    again = read_labels(path, volume)
    assert np.flatnonzero(again).tolist() == [marked]


def test_labels_of_another_grid_are_refused(path):
    """A voxel less, or a shift of a tenth of a millimetre."""
    volume = noise(AFFINES["axial"])
    write_labels(path, np.ones((4, 5, 6), np.uint8), volume)
    shifted = volume.affine.copy()
    shifted[2, 3] += 0.1
    for other in (noise(volume.affine, (4, 5, 7)), noise(shifted)):
        with pytest.raises(ValueError, match=r"another grid.*with the volume as its reference"):
            read_labels(path, other)


@pytest.mark.parametrize("affine", [np.full((4, 4), np.nan), np.diag((1, 0, 1, 1))])
def test_a_place_that_is_none_is_refused(path, affine):
    """A header may hold anything: no number, or voxels without width."""
    array = np.zeros((4, 5, 6), np.uint8)
    if ending(path) == ".nrrd":
        steps = {"space directions": affine[:3, :3], "space origin": np.zeros(3)}
        nrrd.write(str(path), array, {"space": "LPS", **steps}, index_order="C")
    else:
        image = nibabel.Nifti1Image(array.T, np.eye(4))
        image.header.set_sform(affine, 1)
        image = nibabel.Nifti1Image(array.T, None, image.header)
        nibabel.save(image, path)
    for read in (read_volume, lambda p: read_labels(p, noise(AFFINES["axial"]))):
        with pytest.raises(ValueError, match="does not say where the patient's left"):
            read(path)


@pytest.mark.parametrize("value", [-1, 65536, 0.5, np.nan])
def test_labels_that_are_no_labels_are_refused(path, value):
    """Neither written nor taken from a file of HU."""
    volume = noise(AFFINES["axial"])
    labels = np.zeros(volume.hu.shape)
    labels[0, 0, 0] = value
    with pytest.raises(ValueError, match="whole numbers from 0 to 65535"):
        write_labels(path, labels, volume)
    assert not path.exists()
    write_volume(path, volume)
    with pytest.raises(ValueError, match="whole numbers from 0 to 65535, got -"):
        read_labels(path, volume)


def test_labels_of_another_shape_are_not_written(path):
    """They would lie elsewhere in the patient."""
    with pytest.raises(ValueError, match=r"\(5, 4, 6\) are not those of a volume of \(4, 5, 6\)"):
        write_labels(path, np.zeros((5, 4, 6), int), noise(np.eye(4)))
    assert not path.exists()


@pytest.mark.parametrize("name", ["scan.dcm", "scan.nii.zip", "scan", "scan.nhdr", "scan.NRRD"])
def test_an_unknown_ending_is_refused(tmp_path, name):
    """The message lists the known ones."""
    volume = noise(np.eye(4))
    for step in (read_volume, lambda p: write_volume(p, volume), lambda p: read_labels(p, volume)):
        with pytest.raises(ValueError, match=r"ends in none of \.nii, \.nii\.gz, \.nrrd"):
            step(tmp_path / name)


@pytest.mark.parametrize("first", [".nii", ".nii.gz"])
def test_one_name_with_and_without_gz_is_refused(tmp_path, first):
    """ITK reads the voxels of scan.nii when asked for scan.nii.gz: shown here, then prevented."""
    volume, other = noise(np.eye(4)), Volume(np.full((4, 5, 6), -1000.0), np.eye(4))
    plain, packed = tmp_path / "scan.nii", tmp_path / "scan.nii.gz"
    write_volume(plain, volume)
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    write_volume(plain.with_name("other.nii"), other)
    plain.with_name("other.nii").replace(plain)
    confused = sitk.GetArrayFromImage(sitk.ReadImage(str(packed)))
    np.testing.assert_array_equal(confused, other.hu)
    second = {".nii": packed, ".nii.gz": plain}[first]
    second.unlink()
    with pytest.raises(ValueError, match="is there already: ITK"):
        write_volume(second, volume)
    assert not second.exists()


def test_the_same_volume_gives_the_same_bytes(path):
    """No time stamp: a file that did not change looks unchanged."""
    volume = noise(np.eye(4))
    write_volume(path, volume)
    first = path.read_bytes()
    path.unlink()
    write_volume(path, volume)
    assert path.read_bytes() == first
    if path.suffix == ".gz":
        assert first[4:8] == bytes(4)  # where gzip has the time


def test_both_places_of_a_nifti_affine_are_filled(tmp_path):
    """Some programs believe the one, some the other."""
    volume = noise(AFFINES["oblique"])
    write_volume(tmp_path / "scan.nii", volume)
    header = nibabel.load(tmp_path / "scan.nii").header
    assert (int(header["qform_code"]), int(header["sform_code"])) == (1, 1)
    expected = np.diag([-1, -1, 1, 1]) @ volume.affine
    np.testing.assert_allclose(header.get_qform(), expected, atol=2e-5)
    np.testing.assert_allclose(header.get_sform(), expected, atol=2e-5)
    assert header.get_xyzt_units()[0] == "mm"


def test_a_damaged_or_misnamed_file_is_one_clear_error(path):
    """Cut short, empty, or another format under this name."""
    write_volume(path, noise(AFFINES["axial"], (10, 10, 10)))
    whole = path.read_bytes()
    for content in (whole[: len(whole) // 2], b"", b"NRRX" + bytes(1000), b"\x1f\x8b broken"):
        path.write_bytes(content)
        with pytest.raises(ValueError, match="is damaged or not what its name says"):
            read_volume(path)


def test_a_missing_file_is_an_os_error(path):
    """It is not called damaged."""
    with pytest.raises(FileNotFoundError):
        read_volume(path)


def test_slope_and_intercept_of_a_nifti_file_are_applied(tmp_path):
    """Stored values 0 and 1000 with slope 2 and intercept −1024."""
    path = tmp_path / "scan.nii"
    nibabel.save(nibabel.Nifti1Image(np.array([[[0, 1000]]], np.int16), np.eye(4)), path)
    content = bytearray(path.read_bytes())
    struct.pack_into("<ff", content, 112, 2, -1024)  # where NIfTI-1 has slope and intercept
    path.write_bytes(content)
    assert read_volume(path).hu.ravel().tolist() == [-1024, 976]


def test_a_nifti_file_without_orientation_is_refused(tmp_path):
    """Left and right would be a guess. So would be the unit of a file in metres."""
    image = nibabel.Nifti1Image(np.zeros((3, 4, 5), np.float32), None)
    nibabel.save(image, tmp_path / "scan.nii")
    with pytest.raises(ValueError, match="does not say where the patient's left"):
        read_volume(tmp_path / "scan.nii")
    image = nibabel.Nifti1Image(np.zeros((3, 4, 5), np.float32), np.eye(4))
    image.header.set_xyzt_units("meter")
    nibabel.save(image, tmp_path / "scan.nii")
    with pytest.raises(ValueError, match="counts in meter, expected mm"):
        read_volume(tmp_path / "scan.nii")


def test_an_nrrd_file_in_another_space_is_turned_and_one_without_is_refused(tmp_path):
    """RAS counts to the right and to the front."""
    array, path = np.zeros((3, 4, 5), np.float32), str(tmp_path / "scan.nrrd")
    header = {"space directions": np.diag((1.0, 2, 3)), "space origin": (10.0, 20, 30)}
    for space, signs in (("RAS", (-1, -1, 1)), ("left-anterior-superior", (1, -1, 1))):
        nrrd.write(path, array, {"space": space, **header})
        affine = np.diag([*np.multiply(signs, (1, 2, 3)), 1.0])
        affine[:3, 3] = np.multiply(signs, (10, 20, 30))
        np.testing.assert_array_equal(read_volume(path).affine, affine)
    for missing in ({}, {"space": "scanner-xyz", **header}, {"space": "LPS"}):
        nrrd.write(path, array, missing)
        with pytest.raises(ValueError, match="does not say where the patient's left"):
            read_volume(path)


@pytest.mark.parametrize("shape", [(4, 5), (2, 3, 4, 5)])
def test_what_is_no_single_volume_is_refused(tmp_path, shape):
    """A slice, or several volumes in time."""
    nibabel.save(nibabel.Nifti1Image(np.zeros(shape, np.float32), np.eye(4)), tmp_path / "a.nii")
    n = len(shape)
    header = {"space": "LPS", "space directions": np.eye(n, 3), "space origin": np.zeros(3)}
    nrrd.write(str(tmp_path / "a.nrrd"), np.zeros(shape, np.float32), header)
    for name in ("a.nii", "a.nrrd"):
        with pytest.raises(ValueError, match=f"has {n} dimensions; expected one volume of three"):
            read_volume(tmp_path / name)


def test_an_8_bit_picture_is_no_volume_in_hu(path):
    """It has lost its HU, but it may be a label map."""
    volume = noise(axial_affine((1, 1, 1)))
    write_labels(path, np.ones(volume.hu.shape, np.uint8), volume)
    with pytest.raises(ValueError, match="picture of grey values"):
        read_volume(path)
