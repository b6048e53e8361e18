"""De-identify DICOM files: keep what a picture needs, remove all else, known or not."""

import random
import re
import secrets
from datetime import datetime, timedelta

import pydicom
from pydicom.dataset import FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian

from medml import MedmlError
from medml.data.dicom_audit import METHOD
from medml.data.safe_harbor import OLDEST, age_in_years

_NUMBERS = """Rows Columns BitsAllocated BitsStored HighBit PixelRepresentation SamplesPerPixel
    PlanarConfiguration NumberOfFrames PixelPaddingValue PixelPaddingRangeLimit PixelSpacing
    ImagerPixelSpacing SliceThickness SpacingBetweenSlices SliceLocation ImagePositionPatient
    ImageOrientationPatient RescaleSlope RescaleIntercept WindowCenter WindowWidth KVP Exposure
    ExposureTime XRayTubeCurrent GantryDetectorTilt TableHeight DataCollectionDiameter
    ReconstructionDiameter DistanceSourceToDetector DistanceSourceToPatient InstanceNumber
    SeriesNumber AcquisitionNumber RepetitionTime EchoTime FlipAngle""".split()
# Coded words, each with the values that are kept; a name may be written in capitals too.
_CODES = {
    "Modality": "CT MR PT NM CR DX MG US SC OT XA RF ES XC",
    "PatientSex": "M F O",
    "PhotometricInterpretation": "MONOCHROME1 MONOCHROME2 RGB YBR_FULL",
    "PatientPosition": "HFS HFP FFS FFP HFDL HFDR FFDL FFDR",
    "ImageType": "ORIGINAL DERIVED PRIMARY SECONDARY AXIAL LOCALIZER",
    "RescaleType": "HU US",
    "BurnedInAnnotation": "NO",
    "RecognizableVisualFeatures": "NO",
    "LossyImageCompression": "00 01",
}
_UIDS = """SOPInstanceUID StudyInstanceUID SeriesInstanceUID FrameOfReferenceUID
    ReferencedSOPInstanceUID""".split()
_CLASSES = ("SOPClassUID", "ReferencedSOPClassUID")
_SEQUENCES = """SharedFunctionalGroupsSequence PerFrameFunctionalGroupsSequence
    PixelMeasuresSequence PlanePositionSequence PlaneOrientationSequence
    PixelValueTransformationSequence ReferencedImageSequence SourceImageSequence""".split()
_DATES = ("StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate")
# The standard wants these tags in an image but lets them be empty (type 2).
_EMPTY = """PatientName PatientBirthDate StudyDate StudyTime AccessionNumber StudyID
    ReferringPhysicianName""".split()
_USUALLY_CLEAN = {"CT", "MR", "PT", "NM"}
_HEAD = {"HEAD", "HEADNECK", "BRAIN", "SKULL", "FACE"}


class Refused(MedmlError):
    """A file that no program alone may release; the message says what a person has to do."""


class Deidentifier:
    """De-identifies the files of one project, so that they still fit together.

    One patient gets one code, one UID one new UID, one patient's dates one shift. All are drawn
    at random and kept in `codes`. A code that is not derived from the person is what
    45 CFR 164.514(c) allows; whoever holds `codes` can go back, so that under GDPR 4(5) the files
    are pseudonymised and still personal data. Delete `codes`, or lock it away.

    Parameters
    ----------
    dates : {"remove", "shift"}
        "shift" moves a patient's dates by one random number of days, 1 to 10 years back, which
        keeps the time between two scans. Safe Harbor does not allow it; an expert may
        (164.514(b)(1)).
    seed : int, optional
        For teaching and tests only: whoever knows the seed knows the codes. Without it the codes
        come from the operating system's source of secrets.

    Raises
    ------
    ValueError
        If `dates` is neither word.

    Notes
    -----
    Kept are pixels, geometry and exposure (numbers, which are trusted), coded words of the
    standard, sex, and the age up to 89 (older: 090Y for "90 or older"). Text is removed even where
    it is harmless. The picture may still tell who someone is, for example by a rare disease.

    References
    ----------
    DICOM PS3.15, Annex E, describes what to do with each tag; this is stricter.

    Examples
    --------
    >>> from medml.data.imaging import read_ct_small
    >>> clean = Deidentifier(seed=1).clean(read_ct_small())
    >>> str(clean.PatientName), clean.Rows, clean.PatientIdentityRemoved
    ('', 128, 'YES')
    """

    def __init__(self, dates: str = "remove", seed: int | None = None) -> None:
        if dates not in ("remove", "shift"):
            raise ValueError(f"dates={dates!r}: expected 'remove' or 'shift'")
        self.dates = dates
        self.codes: dict[tuple[str, str], str | int] = {}
        self._random = secrets.SystemRandom() if seed is None else random.Random(seed)

    def clean(self, dataset: pydicom.Dataset) -> pydicom.Dataset:
        """Return a new file with the same picture and nothing that identifies the patient.

        Parameters
        ----------
        dataset : pydicom.Dataset
            A file as read; it is not changed. Any tag may be missing.

        Raises
        ------
        Refused
            If the picture itself may identify the patient, or is compressed (`check_picture`).
        """
        check_picture(dataset)
        number = str(dataset.get("PatientID") or "").strip()
        patient = f"{dataset.get('IssuerOfPatientID', '')}/{number}"
        if not number:  # do not join all patients without a number into one
            patient = str(dataset.get("StudyInstanceUID") or self._random.getrandbits(128))
        clean = pydicom.Dataset()
        for keyword in _EMPTY:
            setattr(clean, keyword, "")
        self._copy(dataset, clean, patient)
        if "PixelData" in dataset:
            clean.add(dataset["PixelData"])
        clean.PatientID = self._code("patient", patient)
        clean.PatientIdentityRemoved = "YES"
        clean.DeidentificationMethod = METHOD
        clean.file_meta = FileMetaDataset()
        clean.file_meta.TransferSyntaxUID = _syntax(dataset)
        for keyword in ("SOPClassUID", "SOPInstanceUID"):
            if keyword in clean:
                setattr(clean.file_meta, f"MediaStorage{keyword}", clean[keyword].value)
        clean.preamble = bytes(128)
        return clean

    def _copy(self, old: pydicom.Dataset, new: pydicom.Dataset, patient: str) -> None:
        """Copy what may stay, tag by tag, in nested sequences too."""
        _copy_values(old, new)
        for keyword in _UIDS:
            if old.get(keyword):
                setattr(new, keyword, self._code("uid", str(old[keyword].value)))
        if self.dates == "shift":
            for keyword in _DATES:
                if date := self._shifted(old.get(keyword), patient):
                    setattr(new, keyword, date)
        for keyword in _SEQUENCES:
            items = []
            for source in _many(old.get(keyword)):
                items.append(pydicom.Dataset())
                self._copy(source, items[-1], patient)
            if items:
                setattr(new, keyword, items)

    def _code(self, kind: str, original: str) -> str:
        """Return the code of a patient or UID, drawn when it is first asked for."""
        if (kind, original) not in self.codes:
            bits = self._random.getrandbits(128)
            self.codes[kind, original] = f"2.25.{bits}" if kind == "uid" else f"P{bits >> 64:016x}"
        return self.codes[kind, original]

    def _shifted(self, date: str, patient: str) -> str:
        """Return a date moved by the patient's own number of days; empty if it is no date."""
        days = self.codes.setdefault(("days", patient), self._random.randint(365, 3650))
        if not re.fullmatch(r"\d{8}", str(date)):
            return ""
        try:
            return f"{datetime.strptime(str(date), '%Y%m%d') - timedelta(days):%Y%m%d}"
        except (ValueError, OverflowError):
            return ""


def check_picture(dataset: pydicom.Dataset) -> None:
    """Raise if the picture itself may tell who the patient is, as far as its header says.

    Raises
    ------
    Refused
        If text may be burned into the pixels (flag (0028,0301), a screenshot, ultrasound), if a
        face may be rendered from it (flag (0028,0302), a head), or if it is compressed: a JPEG
        stream has comments of its own.

    References
    ----------
    Faces from head scans: Schwarz CG et al. (2019), doi:10.1056/NEJMc1908881.
    """
    if "PixelData" not in dataset:
        return
    burned, face = (dataset.get(k) for k in ("BurnedInAnnotation", "RecognizableVisualFeatures"))
    kinds = {str(kind) for kind in _many(dataset.get("ImageType"))}
    kinds.add(UID(str(dataset.get("SOPClassUID", ""))).name.partition(" ")[0].upper())
    modality, part = dataset.get("Modality"), str(dataset.get("BodyPartExamined", "")).upper()
    if burned != "NO" and (burned or modality not in _USUALLY_CLEAN or "SECONDARY" in kinds):
        raise Refused(
            f"text may be burned into the picture (flag {burned!r}, modality {modality!r}): "
            "look at it, black out what you find, then set BurnedInAnnotation to 'NO'"
        )
    if face != "NO" and (face or part in _HEAD):
        raise Refused(
            f"a face may be seen or rendered (flag {face!r}, body part {part!r}): "
            "remove it, then set RecognizableVisualFeatures to 'NO'"
        )
    if _syntax(dataset).is_compressed and not _syntax(dataset).is_deflated:
        raise Refused(f"the picture is {_syntax(dataset).name}: call its decompress() first")


def _copy_values(old: pydicom.Dataset, new: pydicom.Dataset) -> None:
    """Copy numbers, coded words and age; a value that is not what it should be is left out."""
    for keyword in _NUMBERS:
        if keyword in old and _is_number(old[keyword].value):
            new.add(old[keyword])
    for keyword, words in _CODES.items():
        values = [str(value) for value in _many(old.get(keyword))]
        if values and set(values) <= set(words.split()):
            setattr(new, keyword, values)
    for keyword in _CLASSES:
        uid = str(old.get(keyword, ""))
        if uid and UID(uid).name != uid:  # the standard's own, which has a name
            setattr(new, keyword, uid)
    if age := _allowed_age(old.get("PatientAge")):
        new.PatientAge = age


def _syntax(dataset: pydicom.Dataset) -> UID:
    head = getattr(dataset, "file_meta", None) or {}
    return UID(str(head.get("TransferSyntaxUID") or ExplicitVRLittleEndian))


def _many(value) -> list:
    """Return the values of an element, whether it has none, one or many."""
    if value is None or isinstance(value, (str, bytes, int, float)):
        return [] if value in (None, "", b"") else [value]
    return list(value)


def _is_number(value) -> bool:
    try:
        return [float(number) for number in _many(value)] != []
    except (TypeError, ValueError):
        return False


def _allowed_age(age) -> str:
    """Return an age up to 89 as it is, an older one as 090Y, and nothing for no age."""
    try:
        years = age_in_years(age)
    except ValueError:
        return ""
    if years >= OLDEST:
        return f"{OLDEST:03}Y"
    return str(age) if years >= 0 and str(age)[-1:] in "DWMY" else ""
