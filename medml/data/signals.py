"""Signals over time: a twelve-lead ECG, and a smart watch during four activities."""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pydicom

from medml.data.catalogue import locate


class Quantity(NamedTuple):
    """A measured value with its unit."""

    value: float
    unit: str


@dataclass(frozen=True, eq=False)
class Ecg:
    """A resting ECG with the report of the machine that recorded it.

    Attributes
    ----------
    samples : numpy.ndarray of shape (leads, samples), float64
        Voltages in `unit`.
    unit : str
        Unit of the voltages as the file gives it, "uV" for microvolt.
    rate : float
        Samples a second, in Hz.
    leads : tuple of str
        Names of the leads, in the order of the rows: "I", "II", … "V6".
    report : dict of str to Quantity
        Intervals (ms) and axes (deg) by the machine; 0 ms stands for "not measured".
    statements : tuple of str
        The machine's findings, in the language of the hospital (Italian).
    beats : numpy.ndarray of int
        Index of each heart beat (the machine's fiducial point, within the QRS complex).
    """

    samples: np.ndarray
    unit: str
    rate: float
    leads: tuple[str, ...]
    report: dict[str, Quantity]
    statements: tuple[str, ...]
    beats: np.ndarray

    @property
    def seconds(self) -> np.ndarray:
        """Time of each sample in seconds, shape (samples,)."""
        return np.arange(self.samples.shape[1]) / self.rate


def load_ecg_12_lead() -> Ecg:
    """Return a real resting ECG: 12 leads × 10,000 samples at 1,000 Hz, in µV.

    Raises
    ------
    DataError
        If the file is missing or damaged.

    References
    ----------
    A test file of pydicom (DICOM 12-lead ECG Waveform Storage).

    Examples
    --------
    >>> ecg = load_ecg_12_lead()
    >>> ecg.samples.shape, ecg.unit, ecg.report["RR Interval"].value
    ((12, 10000), 'uV', 982.0)
    """
    header = pydicom.dcmread(locate("ecg-12-lead", "waveform_ecg.dcm"))
    rhythm = header.WaveformSequence[0]  # the second item is the machine's median beat
    channels = rhythm.ChannelDefinitionSequence
    report, statements, beats = _annotations(header)
    return Ecg(
        samples=header.waveform_array(0).T,
        unit=channels[0].ChannelSensitivityUnitsSequence[0].CodeValue,
        rate=float(rhythm.SamplingFrequency),
        leads=tuple(_lead(channel) for channel in channels),
        report=report,
        statements=statements,
        beats=beats,
    )


def _lead(channel: pydicom.Dataset) -> str:
    """Return the short name of a channel: "I" for "Lead I (Einthoven)"."""
    return channel.ChannelSourceSequence[0].CodeMeaning.split()[1]


def _annotations(
    header: pydicom.Dataset,
) -> tuple[dict[str, Quantity], tuple[str, ...], np.ndarray]:
    """Sort the annotations of an ECG into measurements, statements and positions of beats."""
    report, statements, beats = {}, [], []
    for note in header.WaveformAnnotationSequence:
        if "UnformattedTextValue" in note:
            statements.append(note.UnformattedTextValue)
            continue
        name = note.ConceptNameCodeSequence[0].CodeMeaning
        if "NumericValue" in note:
            unit = note.MeasurementUnitsCodeSequence[0].CodeValue
            report[name] = Quantity(float(note.NumericValue), unit)
        # In this file groups from 100 on are the beats of the rhythm strip, one group each.
        elif name == "Fiducial Point" and note.AnnotationGroupNumber >= 100:
            beats.append(note.ReferencedSamplePositions - 1)  # DICOM counts samples from 1
    return report, tuple(statements), np.array(beats)


@dataclass(frozen=True, eq=False)
class Motion:
    """Recordings of a smart watch.

    Attributes
    ----------
    signals : numpy.ndarray of shape (recordings, axes, samples), float64
        The source states no unit; the values look like m/s² without gravity, and rad/s.
    axes : tuple of str
        Three axes of the accelerometer, then three of the gyroscope.
    rate : float
        Samples a second, in Hz.
    activity : numpy.ndarray of str, shape (recordings,)
        "Standing", "Running", "Walking" or "Badminton".
    is_train : numpy.ndarray of bool, shape (recordings,)
        The split that the archive gives; it is not a split by person.
    """

    signals: np.ndarray
    axes: tuple[str, ...]
    rate: float
    activity: np.ndarray
    is_train: np.ndarray


def load_motion() -> Motion:
    """Return 80 recordings of a smart watch, 6 axes × 100 samples at 10 Hz, with the activity.

    Raises
    ------
    DataError
        If a file is missing or damaged.

    References
    ----------
    BasicMotions, in: Bagnall A et al. (2018) The UEA multivariate time series classification
    archive, 2018. arXiv:1811.00075.
    """
    train, train_activity = _read_arff(locate("motion", "BasicMotions_TRAIN.arff"))
    test, test_activity = _read_arff(locate("motion", "BasicMotions_TEST.arff"))
    return Motion(
        signals=np.concatenate([train, test]),
        axes=tuple(
            f"{sensor} {axis}" for sensor in ("accelerometer", "gyroscope") for axis in "xyz"
        ),
        rate=10.0,
        activity=np.array(train_activity + test_activity),
        is_train=np.repeat([True, False], [len(train), len(test)]),
    )


def _read_arff(path: Path) -> tuple[np.ndarray, list[str]]:
    """Read a relational ARFF file: one line = quoted series, separated by a literal \\n, and label.

    Returns the signals, shape (recordings, axes, samples), and the labels.
    """
    _, data = path.read_text(encoding="utf-8").split("@data", 1)
    signals, labels = [], []
    for line in data.split():
        series, label = line.removeprefix("'").split("',")
        signals.append([[float(value) for value in row.split(",")] for row in series.split(r"\n")])
        labels.append(label)
    return np.array(signals), labels
