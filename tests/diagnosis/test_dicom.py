"""Series made from one real slice, in every order, direction and state that must be noticed."""

import numpy as np
import pydicom
import pydicom.uid
import pytest
import SimpleITK as sitk

from medml.data.imaging import read_ct_small, to_hounsfield
from medml.diagnosis.dicom import read_dicom

PIXEL = 0.661468  # mm, of the real slice
AXES = {
    "axial": (1, 0, 0, 0, 1, 0),
    "prone": (-1, 0, 0, 0, -1, 0),
    "coronal": (1, 0, 0, 0, 0, -1),
    "sagittal": (0, 1, 0, 0, 0, -1),
    "oblique": (0.8, 0.6, 0, -0.36, 0.48, 0.8),
}


def series(slices=4, axes="axial", distance=5.0):
    """Return the headers of a series: the real slice, each with its number in its first pixel."""
    row, column = np.reshape(AXES[axes], (2, 3))
    headers = []
    for i in range(slices):
        header = read_ct_small()
        stored = header.pixel_array.copy()
        stored[0, 0] = 1000 + i
        header.PixelData = stored.tobytes()
        place = np.array([-158.0, -179.0, -75.7]) + i * distance * np.cross(row, column)
        header.ImagePositionPatient = [f"{x:.6f}" for x in place]
        header.ImageOrientationPatient = list(AXES[axes])
        header.SOPInstanceUID = pydicom.uid.generate_uid()
        headers.append(header)
    return headers


def save(headers, folder, order=None):
    """Write headers as files, named in the given order of their places; return the folder."""
    for i, header in enumerate(headers):
        name = i if order is None else order[i]
        header.save_as(folder / f"{name:03}.dcm")
    return folder


def number(volume):
    """Return each slice's number, from its first pixel."""
    return (volume.hu[:, 0, 0] + 24).tolist()


def change(header, **elements):
    """Set elements of a header, or take them out where the value is None."""
    for name, value in elements.items():
        if value is None:
            delattr(header, name)
        else:
            setattr(header, name, value)


def test_slices_are_sorted_by_place_not_by_file_name(tmp_path):
    """File names and instance numbers run the other way."""
    headers = series(5)
    for i, header in enumerate(headers):
        header.InstanceNumber = 5 - i
    volume = read_dicom(save(headers, tmp_path, order=(3, 1, 4, 0, 2)))
    assert number(volume) == [0, 1, 2, 3, 4]
    assert volume.orientation == "LPS"
    assert volume.spacing_mm == pytest.approx((5, PIXEL, PIXEL))
    assert volume.position_mm(0, 0, 0) == pytest.approx((-158, -179, -75.7))
    assert volume.position_mm(4, 127, 0) == pytest.approx((-158, -179 + 127 * PIXEL, -55.7))


def test_the_values_are_those_of_the_real_slice_in_hu(tmp_path):
    """Alone, the slice is as thick as its header says."""
    header = read_ct_small()
    volume = read_dicom(header.filename)
    expected = to_hounsfield(header.pixel_array, header.RescaleSlope, header.RescaleIntercept)
    np.testing.assert_array_equal(volume.hu[0], expected)
    assert volume.spacing_mm == pytest.approx((5, PIXEL, PIXEL))


@pytest.mark.parametrize("axes", AXES)
def test_itk_reads_the_same_series_at_the_same_place(tmp_path, axes):
    """With pixels that are not square: PixelSpacing gives the distance of rows first."""
    headers = series(4, axes)
    for header in headers:
        header.PixelSpacing = [0.9, 0.6]
    volume = read_dicom(save(headers, tmp_path, order=(2, 0, 3, 1)))
    names = sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(tmp_path))
    image = sitk.ReadImage(names)
    np.testing.assert_array_equal(volume.hu, sitk.GetArrayFromImage(image))
    for s, r, c in ((0, 0, 0), (3, 100, 20), (1, 3, 127)):
        place = image.TransformIndexToPhysicalPoint((c, r, s))
        np.testing.assert_allclose(volume.position_mm(s, r, c), place, atol=1e-4)
    assert volume.spacing_mm == pytest.approx((5, 0.9, 0.6))


def test_slope_and_intercept_are_those_of_each_slice(tmp_path):
    """PET/CT scanners change them from slice to slice."""
    headers = series(2)
    change(headers[1], RescaleSlope="0.5", RescaleIntercept="-500")
    volume = read_dicom(save(headers, tmp_path))
    assert volume.hu[:, 0, 0].tolist() == [-24, 0.5]


@pytest.mark.parametrize("padding", [-30, 65506])
def test_the_padding_value_becomes_air(tmp_path, padding):
    """Here −1054 HU, also when it is written without its sign; nothing else is touched."""
    (header,) = series(1)
    stored = header.pixel_array.copy()
    stored[:10] = -30
    header.PixelData = stored.tobytes()
    header.add_new("PixelPaddingValue", "SS" if padding < 0 else "US", padding)
    hu = read_dicom(save([header], tmp_path)).hu[0]
    assert (hu[:10] == -1000).all()
    np.testing.assert_array_equal(hu[10:], stored[10:].astype(float) - 1024)


def test_a_range_of_padding_becomes_air_and_unnamed_padding_too(tmp_path):
    """−32763 is no HU; a padding of 0 means −1024 HU here."""
    (header,) = series(1)
    stored = header.pixel_array.copy()
    stored[0, :4] = 0, 3, 4, -31739
    header.PixelData = stored.tobytes()
    change(header, PixelPaddingValue=0)
    header.add_new("PixelPaddingRangeLimit", "SS", 3)
    hu = read_dicom(save([header], tmp_path)).hu[0]
    assert hu[0, :4].tolist() == [-1000, -1000, -1020, -1000]


def test_unsigned_stored_values_are_read(tmp_path):
    """PixelRepresentation 0: 16-bit values up to 65535."""
    (header,) = series(1)
    stored = np.full((128, 128), 1024, np.uint16)
    stored[0, 0] = 40000
    header.PixelData = stored.tobytes()
    change(header, PixelRepresentation=0, PixelPaddingValue=None)
    hu = read_dicom(save([header], tmp_path)).hu[0]
    assert (hu[0, 0], hu[1, 1]) == (38976, 0)


def test_other_files_in_the_folder_are_left_alone_and_named_files_are_not(tmp_path):
    """Text beside the scan is no slice; a text that is asked for is an error."""
    save(series(2), tmp_path)
    (tmp_path / "README").write_text("a scan", encoding="utf-8")
    assert number(read_dicom(tmp_path)) == [0, 1]
    assert number(read_dicom(sorted(tmp_path.glob("*.dcm")))) == [0, 1]
    with pytest.raises(ValueError, match="README is no DICOM file"):
        read_dicom(tmp_path / "README")


def test_a_folder_without_slices_is_an_error(tmp_path):
    """So is a list without files; a missing file stays a missing file."""
    for source in (tmp_path, []):
        with pytest.raises(ValueError, match="no DICOM file in"):
            read_dicom(source)
    with pytest.raises(FileNotFoundError):
        read_dicom(tmp_path / "none.dcm")


@pytest.mark.parametrize(
    ("elements", "message"),
    [
        ({"RescaleSlope": None}, "no RescaleSlope: without it stored values are no HU"),
        ({"RescaleIntercept": ""}, "no RescaleIntercept: without it stored values are no HU"),
        ({"RescaleSlope": 0}, "expected a finite slope other than 0"),
        ({"Modality": "MR"}, "no single CT slice: its modality is MR"),
        ({"Modality": None}, "no single CT slice: its modality is None"),
        ({"NumberOfFrames": 3}, "no single CT slice.*3 frames"),
        ({"PixelSpacing": None}, "no PixelSpacing"),
        ({"ImagePositionPatient": None}, "no ImagePositionPatient"),
        ({"ImageOrientationPatient": None}, "no ImageOrientationPatient"),
        ({"PixelData": None}, "no PixelData"),
        ({"SeriesInstanceUID": "1.2.3"}, "000.dcm and 002.dcm differ in SeriesInstanceUID"),
        ({"ImageOrientationPatient": [1, 0, 0, 0, 0, -1]}, "differ in ImageOrientationPatient"),
        ({"ImageOrientationPatient": [-1, 0, 0, 0, 1, 0]}, "differ in ImageOrientationPatient"),
        ({"PixelSpacing": [0.5, 0.5]}, "differ in PixelSpacing"),
        ({"Rows": 64, "PixelData": bytes(2 * 64 * 128)}, "differ in Rows: 128 and 64"),
        ({"Columns": 64, "PixelData": bytes(2 * 64 * 128)}, "differ in Columns: 128 and 64"),
    ],
)
def test_one_slice_that_does_not_fit_is_named(tmp_path, elements, message):
    """The third of four is changed; the message names it or what differs."""
    headers = series(4)
    change(headers[2], **elements)
    with pytest.raises(ValueError, match=message):
        read_dicom(save(headers, tmp_path))


@pytest.mark.parametrize("lost", [1, 2, 6])
def test_a_missing_slice_is_noticed_where_it_is_missing(tmp_path, lost):
    """The two neighbours of the gap are named."""
    headers = series(8)
    save(headers, tmp_path)
    (tmp_path / f"{lost:03}.dcm").unlink()
    gap = rf"between 00{lost - 1}.dcm and 00{lost + 1}.dcm lie 10\.00 mm, between most .* 5\.00 mm"
    with pytest.raises(ValueError, match=gap):
        read_dicom(tmp_path)


def test_one_missing_slice_of_three_is_noticed(tmp_path):
    """Two gaps, 5 and 10 mm: neither is the usual one."""
    save(series(4), tmp_path)
    (tmp_path / "001.dcm").unlink()
    with pytest.raises(ValueError, match="missing or unevenly spaced"):
        read_dicom(tmp_path)


def test_two_slices_in_one_place_are_named(tmp_path):
    """The same place twice, such as a second phase under the same series."""
    headers = series(4)
    headers[3].ImagePositionPatient = headers[1].ImagePositionPatient
    with pytest.raises(ValueError, match=r"001.dcm and 003.dcm lie in the same place, -70\.70 mm"):
        read_dicom(save(headers, tmp_path))


def test_places_rounded_to_a_tenth_of_a_slice_are_even_enough(tmp_path):
    """Scanners write decimal text; the mean distance is kept."""
    headers = series(4, distance=1.0)
    for header, z in zip(headers, ("0", "1.05", "1.95", "3"), strict=True):
        header.ImagePositionPatient = [0, 0, z]
    volume = read_dicom(save(headers, tmp_path))
    assert volume.spacing_mm[0] == pytest.approx(1.0)


def test_a_tilted_gantry_is_refused_with_its_angle(tmp_path):
    """Slices that step back as they go up: a straight volume of them would be bent."""
    headers = series(4)
    for i, header in enumerate(headers):
        back = -179 + i * 5 * np.tan(np.radians(12))
        header.ImagePositionPatient = [-158, f"{back:.6f}", -75.7 + 5 * i]
    with pytest.raises(ValueError, match=r"sideways by 3\.19 mm \(12\.0°\): the gantry was tilted"):
        read_dicom(save(headers, tmp_path))


def test_one_slice_moved_sideways_is_refused(tmp_path):
    """The first and the last lie above each other; the second does not."""
    headers = series(4)
    headers[1].ImagePositionPatient = [-150, -179, -70.7]
    with pytest.raises(ValueError, match=r"sideways by 8\.00 mm"):
        read_dicom(save(headers, tmp_path))


def test_axes_that_are_no_axes_are_refused(tmp_path):
    """Not at right angles, or not of length 1."""
    for axes in ([1, 0, 0, 0.1, 1, 0], [2, 0, 0, 0, 1, 0]):
        (header,) = series(1)
        header.ImageOrientationPatient = axes
        with pytest.raises(ValueError, match="no pair of unit vectors at 90°"):
            read_dicom(save([header], tmp_path))


def test_a_slice_alone_needs_its_thickness(tmp_path):
    """Nothing else tells how high its voxels are."""
    (header,) = series(1)
    del header.SliceThickness
    with pytest.raises(ValueError, match="alone and has no SliceThickness"):
        read_dicom(save([header], tmp_path))
