"""The CT slice is read whole, and its stored values become HU as the standard says."""

import numpy as np
import pydicom.pixels
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from medml.data.imaging import read_ct_small, to_hounsfield


def test_the_slice_has_its_header_and_its_range_of_hu():
    """128 × 128 int16, −896 to 1,167 HU, 0.66 mm pixels, 5 mm thick."""
    header = read_ct_small()
    stored = header.pixel_array
    assert (stored.shape, stored.dtype) == ((128, 128), np.int16)
    hu = to_hounsfield(stored, header.RescaleSlope, header.RescaleIntercept)
    assert (hu.min(), hu.max()) == (-896, 1167)
    assert [float(spacing) for spacing in header.PixelSpacing] == [0.661468, 0.661468]
    assert float(header.SliceThickness) == 5
    assert header.InstitutionName == "JFK IMAGING CENTER"


def test_hounsfield_units_equal_those_of_pydicom():
    """pydicom's own modality transform gives the same values."""
    header = read_ct_small()
    ours = to_hounsfield(header.pixel_array, header.RescaleSlope, header.RescaleIntercept)
    np.testing.assert_array_equal(
        ours, pydicom.pixels.apply_modality_lut(header.pixel_array, header)
    )


@given(
    hnp.arrays(np.int16, st.integers(1, 20)),
    st.floats(0.01, 10),
    st.floats(-5000, 5000),
)
def test_the_step_can_be_undone(stored, slope, intercept):
    """Nothing overflows, not even at the ends of int16."""
    hu = to_hounsfield(stored, slope, intercept)
    np.testing.assert_allclose((hu - intercept) / slope, stored, atol=1e-6)


@pytest.mark.parametrize(("slope", "intercept"), [(0, -1024), (float("nan"), 0), (1, float("inf"))])
def test_a_meaningless_factor_is_refused(slope, intercept):
    """A slope of 0 would make every tissue the same."""
    with pytest.raises(ValueError, match="expected a finite slope other than 0"):
        to_hounsfield([0], slope, intercept)
