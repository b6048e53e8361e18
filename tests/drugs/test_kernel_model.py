"""The model for screening beside the Gaussian process that it is, and at its edges."""

import pickle

import numpy as np
import pytest

from medml.data.compounds import library_paths, load_activities
from medml.data.smiles import sample_smiles
from medml.drugs import gaussian_process
from medml.drugs.kernel_model import KernelModel
from medml.drugs.molecules import fingerprints
from medml.drugs.similarity import tanimoto


@pytest.fixture(scope="module")
def known():
    """120 molecules of the delta opioid receptor and their pX."""
    table = load_activities("CHEMBL236_Ki").iloc[::20].iloc[:120]
    return fingerprints(table["smiles"]), table["pX"].to_numpy()


def test_it_predicts_what_the_gaussian_process_predicts(known):
    """For 300 molecules of the library and an empty fingerprint, like one that is known."""
    bits, values = np.vstack([known[0], known[0][:1] * 0]), np.r_[known[1], 9.0]
    asked = np.vstack([fingerprints(sample_smiles(library_paths()[1], 300, 0)), bits[:1] * 0])
    every = np.vstack([bits, asked])
    expected = gaussian_process.predict(tanimoto(every, every), np.arange(121), values).mean[121:]
    model = pickle.loads(pickle.dumps(KernelModel(bits, values)))  # noqa: S301  our own
    np.testing.assert_allclose(model.predict(asked), expected, atol=1e-4)


def test_what_is_like_nothing_known_gets_the_level(known):
    """One bit that no molecule of the training set has."""
    bits, values = known
    model = KernelModel(bits, values)
    stranger = np.zeros((1, 2048), np.uint8)
    stranger[0, np.flatnonzero(bits.sum(axis=0) == 0)[0]] = 1
    assert model.predict(stranger) == pytest.approx(model.level, abs=1e-6)
    assert values.min() < model.level < values.max()


def test_labels_and_fingerprints_that_do_not_fit_are_refused(known):
    """Too few, one missing, all equal, a NaN, another number of bits."""
    bits, values = known
    with pytest.raises(ValueError, match="at least 3 labels, one a molecule, got 2 for 2"):
        KernelModel(bits[:2], values[:2])
    with pytest.raises(ValueError, match="got 119 for 120"):
        KernelModel(bits, values[1:])
    for wrong in (np.full(120, 7.0), np.r_[np.nan, values[1:]]):
        with pytest.raises(ValueError, match="finite and not all equal"):
            KernelModel(bits, wrong)
    with pytest.raises(ValueError, match=r"fingerprints \(1, 1024\) for a model of 2048 bits"):
        KernelModel(bits, values).predict(np.zeros((1, 1024), np.uint8))
