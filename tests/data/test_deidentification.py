"""Nothing of a patient survives in a header, wherever somebody wrote it; the picture does."""

import copy
import io
import random

import numpy as np
import pydicom
import pytest
from dicognito.anonymizer import Anonymizer
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.datadict import DicomDictionary
from pydicom.dataset import Dataset
from pydicom.uid import JPEG2000Lossless, SecondaryCaptureImageStorage

from medml.data.deidentification import Deidentifier, Refused
from medml.data.dicom_audit import audit, identifying_tags, walk
from medml.data.imaging import read_ct_small

CT = read_ct_small()
# Groups whose numbers describe the picture; a number anywhere else may be a telephone number.
PICTURE = (0x0018, 0x0020, 0x0028, 0x7FE0)
TEXT = ("AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT")
NUMBER = ("DS", "IS", "UL", "FD")
TAGS = [
    (tag, vr)
    for tag, (vr, _, _, retired, _) in DicomDictionary.items()
    if tag >> 16 > 0x0007 and tag >> 16 not in (0x7FE0, 0xFFFC, 0xFFFE)
]
# What a header may say that makes a program refuse it; tested by themselves below.
FLAGS = {"BurnedInAnnotation", "RecognizableVisualFeatures", "BodyPartExamined", "Modality"}
PLACES = [
    (tag, vr)
    for tag, vr in TAGS
    if pydicom.datadict.keyword_for_tag(tag) not in FLAGS | {"ImageType"}
    and (vr in (*TEXT, "UI", "DA", "DT", "UN") or (vr in NUMBER and tag >> 16 not in PICTURE))
]
SEQUENCES = [tag for tag, vr in TAGS if vr == "SQ"]


def planted_value(vr, chance):
    """Return a value of this type that exists nowhere else, and the bytes to look for."""
    letters = "".join(chance.choices("BCDFGHJKLMNPQRSTVWXZ", k=12))
    digits = "".join(chance.choices("123456789", k=11))
    if vr == "UI":
        root = chance.choice(["1.9.", "2.25."])
        return root + digits, root + digits
    if vr in ("DA", "DT"):
        date = f"{chance.randint(1900, 1989)}{chance.randint(1, 12):02}{chance.randint(1, 28):02}"
        return date, date if vr == "DT" else None  # eight digits may stand in a new UID by chance
    if vr in ("DS", "IS"):
        return digits[:9], digits[:9]
    if vr in ("UL", "FD"):
        return int(digits[:9]), None
    if vr == "UN":
        return letters.encode(), letters
    return letters, letters


def mutate(dataset, chance):
    """Change a header in place at random; return the texts that must not survive."""
    planted = []
    for _ in range(chance.randint(1, 12)):
        place = dataset
        for _ in range(chance.choice([0, 0, 1, 2, 3])):  # into sequences, up to three deep
            tag = chance.choice(SEQUENCES)
            item = Dataset()
            place.add_new(tag, "SQ", [item])
            place = item
        kind = chance.choice(["tag", "tag", "tag", "private", "missing", "head", "preamble"])
        if kind == "tag":
            tag, vr = chance.choice(PLACES)
            value, text = planted_value(vr, chance)
            place.add_new(tag, vr, value)
        elif kind == "private":
            value, text = planted_value("LO", chance)
            block = place.private_block(0x0009 + 2 * chance.randint(0, 200), "A MAKER", create=True)
            block.add_new(chance.randint(1, 200), "LO", value)
        elif kind == "missing":
            listed = [e.tag for e in dataset if e.keyword != "PixelData" and e.tag.group != 0x0028]
            text = del_one(dataset, listed, chance)
        elif kind == "head":
            value, text = planted_value("AE", chance)
            dataset.file_meta.SourceApplicationEntityTitle = value
        else:
            value, text = planted_value("LO", chance)
            dataset.preamble = value.encode().ljust(128, b"\0")
        planted += [text] if text else []
    return planted


def del_one(dataset, listed, chance):
    """Delete one of the tags."""
    del dataset[chance.choice(listed)]


def saved(dataset):
    """Return the bytes of the file that is written."""
    file = io.BytesIO()
    dataset.save_as(file)
    return file.getvalue()


def texts(dataset):
    """Return the filled values of all elements that identify, as text."""
    listed = set(identifying_tags()["keyword"])
    kinds = {"PN", "DA", "DT", "TM", "UI", "LO", "SH", "LT", "ST", "UT", "AE"}
    return {
        str(element.value)
        for _, element in walk(dataset)
        if element.VR != "SQ"
        and (element.tag.is_private or element.keyword in listed or element.VR in kinds)
        and element.value
        and not str(element.value).startswith("1.2.840.10008.")
    }


def test_the_audit_finds_what_ct_small_holds():
    """Listed tags, private elements, nested numbers, the head of the file and its preamble."""
    found = audit(CT)
    assert (found["why"] == "private").sum() == 172  # of 179; seven are empty
    where = set(found["where"])
    assert {"preamble", "file:SourceApplicationEntityTitle"} <= where
    assert {"PatientName", "OtherPatientIDsSequence[1].PatientID", "ImageComments"} <= where
    assert "AccessionNumber" not in where, "it is there, but empty"
    listed = identifying_tags()["keyword"]
    names = {path.split(".")[-1].split(":")[-1] for path in where}
    assert (len(listed), sum(name in names for name in listed)) == (64, 25)


def test_the_audit_reads_ages_and_empty_headers():
    """Over 89 and unreadable ages are found; nothing is found in nothing."""
    header = Dataset()
    assert audit(header).empty
    for age, found in (("089Y", 0), ("090Y", 1), ("", 0), ("12XY", 1)):
        header.PatientAge = age
        assert len(audit(header)) == found


def test_clean_ct_small_has_no_identifying_tag_and_the_same_picture():
    """And it opens, from the bytes on the disk."""
    clean = pydicom.dcmread(io.BytesIO(saved(Deidentifier().clean(CT))))
    assert audit(clean).empty
    assert not any(element.tag.is_private for element in clean.iterall())
    assert clean.PixelData == CT.PixelData
    np.testing.assert_array_equal(clean.pixel_array, CT.pixel_array)
    for keyword in ("RescaleSlope", "RescaleIntercept", "PixelSpacing", "ImagePositionPatient"):
        assert clean[keyword].value == CT[keyword].value
    assert texts(CT).isdisjoint(texts(clean))
    assert clean.PatientIdentityRemoved == "YES"


# A fixed seed: a finding must be the same tomorrow.
@settings(max_examples=200, derandomize=True)
@given(st.integers(0, 2**64))
def test_nothing_identifying_survives_in_a_mutated_header(seed):
    """Texts, numbers and dates at any tag, depth or private block; missing tags are fine."""
    chance = random.Random(seed)
    dirty = copy.deepcopy(CT)
    planted = mutate(dirty, chance)
    before = texts(dirty)
    identifier = Deidentifier(chance.choice(["remove", "shift"]), seed=seed)
    clean = identifier.clean(dirty)
    raw = saved(clean)
    for text in planted:
        assert text.encode() not in raw
    opened = pydicom.dcmread(io.BytesIO(raw))
    assert texts(opened).isdisjoint(before)
    assert set(audit(opened)["why"]) <= ({"C dates"} if identifier.dates == "shift" else set())
    assert opened.PixelData == CT.PixelData
    again = identifier.clean(dirty)
    if dirty.get("PatientID") or dirty.get("StudyInstanceUID"):
        assert saved(again) == raw, "the same file gives the same codes"


def test_files_of_one_project_still_fit_together():
    """One patient, one code; one UID, one new UID, in references too; another patient differs."""
    first, second, other = (copy.deepcopy(CT) for _ in range(3))
    reference = Dataset()
    reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = (
        first.SOPClassUID,
        first.SOPInstanceUID,
    )
    second.SOPInstanceUID = "1.2.3.4"
    second.ReferencedImageSequence = [reference]
    other.PatientID, other.StudyInstanceUID = "2CT2", "1.2.3.5"
    identifier = Deidentifier()
    one, two, three = (identifier.clean(file) for file in (first, second, other))
    assert one.PatientID == two.PatientID != three.PatientID
    assert one.StudyInstanceUID == two.StudyInstanceUID != three.StudyInstanceUID
    assert two.ReferencedImageSequence[0].ReferencedSOPInstanceUID == one.SOPInstanceUID
    assert one.file_meta.MediaStorageSOPInstanceUID == one.SOPInstanceUID
    assert one.SOPInstanceUID != two.SOPInstanceUID
    assert Deidentifier().clean(first).PatientID != one.PatientID, "no code is derived"


def test_dates_are_removed_or_moved_together():
    """The time between two scans stays; what is no date goes."""
    later = copy.deepcopy(CT)
    later.StudyDate, later.ContentDate, later.SeriesDate = "20040130", "2004013", ""
    identifier = Deidentifier("shift", seed=0)
    one, two = identifier.clean(CT), identifier.clean(later)
    assert int(two.StudyDate) != 20040130
    days = [np.datetime64(f"{d[:4]}-{d[4:6]}-{d[6:]}") for d in (one.StudyDate, two.StudyDate)]
    assert days[1] - days[0] == np.timedelta64(11, "D")
    assert 365 <= (np.datetime64("2004-01-19") - days[0]).astype(int) <= 3650
    assert "ContentDate" not in two
    assert one.StudyTime == ""
    assert set(audit(one)["why"]) == {"C dates"}, "the audit says so: Safe Harbor does not"
    assert Deidentifier().clean(CT).StudyDate == ""
    with pytest.raises(ValueError, match="dates='keep': expected 'remove' or 'shift'"):
        Deidentifier("keep")


@pytest.mark.parametrize(
    ("age", "kept"), [("045Y", "045Y"), ("093Y", "090Y"), ("018M", "018M"), ("unknown", None)]
)
def test_an_age_over_89_becomes_90_or_older(age, kept):
    """An unreadable age goes, a missing one is fine."""
    file = copy.deepcopy(CT)
    file.PatientAge = age
    clean = Deidentifier().clean(file)
    assert clean.get("PatientAge") == kept
    assert audit(clean).empty


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"BurnedInAnnotation": "YES"}, "flag 'YES'.*black out.*set BurnedInAnnotation to 'NO'"),
        ({"BurnedInAnnotation": "PERHAPS"}, "flag 'PERHAPS'"),
        ({"Modality": "US"}, "modality 'US'"),
        ({"Modality": None}, "modality None"),
        ({"ImageType": ["DERIVED", "SECONDARY"]}, "burned into the picture"),
        ({"SOPClassUID": SecondaryCaptureImageStorage}, "burned into the picture"),
        ({"RecognizableVisualFeatures": "YES"}, "a face may be seen"),
        ({"BodyPartExamined": "HEAD"}, "body part 'HEAD'.*RecognizableVisualFeatures to 'NO'"),
    ],
)
def test_a_picture_that_may_tell_is_refused_until_a_person_has_looked(changes, message):
    """A header is cleaned by a program; a picture is not."""
    file = copy.deepcopy(CT)
    for keyword, value in changes.items():
        setattr(file, keyword, value)
    with pytest.raises(Refused, match=message):
        Deidentifier().clean(file)
    file.BurnedInAnnotation = file.RecognizableVisualFeatures = "NO"
    assert Deidentifier().clean(file).PixelData == CT.PixelData


def test_a_compressed_picture_is_refused_with_the_cure():
    """A JPEG stream may hold comments."""
    file = copy.deepcopy(CT)
    file.file_meta.TransferSyntaxUID = JPEG2000Lossless
    with pytest.raises(Refused, match=r"JPEG 2000.*decompress\(\)"):
        Deidentifier().clean(file)


def test_a_header_without_patient_study_or_picture_is_fine():
    """Two such patients are not taken for one."""
    header = Dataset()
    header.Modality, header.IssuerOfPatientID, header.PatientID = "US", "HOSPITAL", " "
    before = copy.deepcopy(header)
    identifier = Deidentifier(seed=0)
    one, two = identifier.clean(header), identifier.clean(header)
    assert one.PatientID != two.PatientID
    assert audit(one).empty
    assert "PixelData" not in one
    assert header == before


def test_a_name_written_where_a_word_or_number_belongs_goes():
    """Only the values that the standard defines are kept."""
    file = copy.deepcopy(CT)
    file.PatientSex, file.PatientPosition, file.RescaleType = "LI MING", "LI MING", "LI MING"
    file.ImageType = ["ORIGINAL", "PRIMARY", "LI MING"]
    file.SOPClassUID = "1.2.3.4.5"
    raw = saved(file).replace(b"5.000000", b"LI MING ")
    clean = Deidentifier().clean(pydicom.dcmread(io.BytesIO(raw)))
    assert b"LI MING" not in saved(clean)
    assert {"PatientSex", "ImageType", "SOPClassUID", "SliceThickness"}.isdisjoint(clean.dir())


def test_whatever_dicognito_changes_is_changed_here_too():
    """dicognito works by a list of what identifies; ours must lose at least as much."""
    theirs = copy.deepcopy(CT)
    theirs.PatientTelephoneNumbers, theirs.PatientAddress = "555-0100", "1 Main Street"
    theirs.PerformingPhysicianName, theirs.Occupation = "Li^Ming", "baker"
    theirs.DeviceSerialNumber, theirs.RequestingService = "SN-1", "ward 7"
    dirty, before = copy.deepcopy(theirs), dict(walk(theirs))
    before = {where: str(element.value) for where, element in before.items()}
    Anonymizer(seed="a").anonymize(theirs)
    after = {where: str(element.value) for where, element in walk(theirs)}
    ours = {where: str(e.value) for where, e in walk(Deidentifier().clean(dirty))}
    changed = {where for where, value in before.items() if value and after.get(where) != value}
    assert {"PatientName", "StudyDate", "OtherPatientIDsSequence[0].PatientID"} <= changed
    assert len(changed) > 20
    for where in changed - {"OtherPatientIDsSequence"}:
        assert ours.get(where) != before[where], where
    assert theirs.PixelData == Deidentifier().clean(dirty).PixelData


def test_dicognito_leaves_what_a_list_of_what_identifies_does_not_know():
    """The reason for a list of what may stay: the private elements are all still there."""
    theirs = copy.deepcopy(CT)
    Anonymizer(seed="a").anonymize(theirs)
    assert sum(element.tag.is_private for element in theirs.iterall()) == 179
