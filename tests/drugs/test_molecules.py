"""Reading, standard form and fingerprints of molecules: known chemistry and bad input."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rdkit import Chem
from rdkit.Chem import AllChem, DataStructs

from medml.data.compounds import load_activities
from medml.drugs.molecules import LONGEST, duplicated, fingerprints, parse, skeleton, standardise
from medml.drugs.similarity import tanimoto

ASPIRIN = "CC(=O)Oc1ccccc1C(=O)O"


@pytest.fixture(scope="module")
def sample():
    """Return 200 measured molecules of the ABL1 table."""
    return load_activities("CHEMBL1862_Ki")["smiles"].sample(200, random_state=0).tolist()


@pytest.mark.parametrize(
    ("smiles", "message"),
    [
        ("", "expected a SMILES, got ''"),
        ("  ", "expected a SMILES, got '  '"),
        (None, "expected a SMILES, got None"),
        (float("nan"), "expected a SMILES, got nan"),
        ("CC(C", r"not a molecule: 'CC\(C'"),
        ("C(C)(C)(C)(C)C", "not a molecule"),  # five bonds at a carbon
        ("ibuprofen", "not a molecule: 'ibuprofen'"),
        ("CC\u0421", "not a molecule"),  # a Cyrillic letter, which rdkit would drop
        ("C" * 10_000, f"10,000 characters, at most {LONGEST:,}: CCCC"),
    ],
)
def test_what_is_no_molecule_is_one_clear_error(smiles, message, capfd):
    """Invalid, empty, missing and monstrous SMILES are named; rdkit prints nothing besides."""
    for read in (parse, standardise, skeleton, lambda text: fingerprints([ASPIRIN, text])):
        with pytest.raises(ValueError, match=message):
            read(smiles)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("smiles", "expected"),
    [
        ("[Na+].CC(=O)Oc1ccccc1C([O-])=O", ASPIRIN),  # salt
        ("CC(=O)Oc1ccccc1C(=O)O.O", ASPIRIN),  # hydrate
        ("CC(=O)Oc1ccccc1C(=O)O[K]", ASPIRIN),  # metal drawn as if bound
        ("CCO.CC(=O)Oc1ccccc1C(=O)O", ASPIRIN),  # mixture: the largest organic part
        ("NCC(=O)O", "NCC(=O)O"),
        ("[NH3+]CC([O-])=O", "NCC(=O)O"),  # zwitterion
        ("O=N(=O)c1ccccc1", "O=[N+]([O-])c1ccccc1"),  # nitro group written with five bonds
        ("C[N+](C)(C)CCO.[Cl-]", "C[N+](C)(C)CCO"),  # choline keeps its charge
        ("C[C@H](N)C(=O)O", "C[C@H](N)C(=O)O"),  # stereochemistry stays
    ],
)
def test_the_standard_form_is_what_acts_written_in_one_way(smiles, expected):
    """Counter-ions, water and charges go; the rest is canonical."""
    assert standardise(smiles) == Chem.CanonSmiles(expected)


@pytest.mark.parametrize("smiles", ["[Na+].[Cl-]", "[Fe]", "N[Pt](N)(Cl)Cl", "[H][H]"])
def test_a_metal_or_an_inorganic_salt_has_no_standard_form(smiles):
    """Without carbon there is nothing to predict from."""
    with pytest.raises(ValueError, match="no organic part in"):
        standardise(smiles)


def test_what_cannot_be_read_again_is_no_standard_form():
    """A ring of ferrocene gets a proton that rdkit cannot read."""
    with pytest.raises(ValueError, match=r"no standard form of .*Fe.*, c1cccc1 is no mol"):
        standardise("[Fe+2].c1cc[cH-]c1.c1cc[cH-]c1")


def test_the_activities_are_in_standard_form_already(sample):
    """Nothing changes but the order in which a SMILES is written, and a second time nothing."""
    assert [standardise(text) for text in sample] == [Chem.CanonSmiles(text) for text in sample]


def test_one_compound_has_one_skeleton_whatever_its_form():
    """Mirror images, isotopes, tautomers and salts share it; with other bonds it is another."""
    assert skeleton("C[C@H](N)C(=O)O") == skeleton("C[C@@H](N)C(=O)O") == skeleton("CC(N)C(=O)O")
    assert skeleton("[2H]C(N)C(=O)O") == skeleton("NCC(=O)O")
    assert skeleton("CN=C(N)N") == skeleton("CNC(=N)N")
    assert (
        skeleton("CC[NH3+].[Cl-]") == skeleton("CCN.Cl") == skeleton("CC[NH3+]") == skeleton("CCN")
    )
    assert skeleton("[Na+].CC(=O)[O-]") == skeleton("CC(=O)O")
    assert skeleton("CCO") != skeleton("COC")
    with pytest.raises(ValueError, match=r"no InChIKey for 'C\*'"):
        skeleton("C*")


def test_repeats_of_an_earlier_molecule_are_marked():
    """The first stays, whatever the order of its atoms; nothing to do without molecules."""
    assert duplicated(["OCC", "COC", "CCO", "C(O)C"]).tolist() == [False, False, True, True]
    assert duplicated([]).tolist() == []


def test_fingerprints_equal_those_of_the_older_interface_of_rdkit(sample):
    """Bit by bit, for radius 2 and 3."""
    for radius, bits in ((2, 2048), (3, 512)):
        found = fingerprints(sample[:30], radius, bits)
        generator = AllChem.GetMorganFingerprintAsBitVect
        expected = [list(generator(parse(text), radius, nBits=bits)) for text in sample[:30]]
        np.testing.assert_array_equal(found, expected)
        assert found.dtype == np.uint8


def test_fingerprints_of_nothing_are_an_empty_table():
    """Zero molecules, 2,048 bits."""
    assert fingerprints([]).shape == (0, 2048)


@pytest.mark.parametrize(("radius", "bits"), [(-1, 2048), (2, 0)])
def test_fingerprints_need_a_radius_and_bits(radius, bits):
    """A negative radius or no bit is refused."""
    with pytest.raises(ValueError, match=f"got {radius} and {bits}"):
        fingerprints([ASPIRIN], radius, bits)


def test_one_text_is_no_list_of_molecules():
    """Its letters would be read as methane and water."""
    with pytest.raises(ValueError, match=r"got one text: pass \['CO'\]"):
        fingerprints("CO")


def test_similarity_is_that_of_rdkit_and_a_positive_definite_kernel(sample):
    """Each pair as rdkit's bulk function has it; no eigenvalue is negative."""
    bits = fingerprints(sample)
    vectors = [DataStructs.CreateFromBitString("".join(map(str, row))) for row in bits]
    expected = [DataStructs.BulkTanimotoSimilarity(vector, vectors) for vector in vectors]
    kernel = tanimoto(bits, bits)
    np.testing.assert_allclose(kernel, expected, atol=1e-6)
    assert np.linalg.eigvalsh(kernel.astype(float)).min() > -1e-5


rows = st.lists(st.lists(st.integers(0, 1), min_size=6, max_size=6), min_size=1, max_size=5)


@settings(max_examples=50)
@given(rows, rows)
def test_similarity_is_shared_over_either_set(left, right):
    """By Python's sets; two empty ones are alike."""
    found = tanimoto(np.array(left), np.array(right))
    for i, one in enumerate(left):
        for j, other in enumerate(right):
            a, b = ({k for k, bit in enumerate(row) if bit} for row in (one, other))
            expected = len(a & b) / len(a | b) if a | b else 1
            assert found[i, j] == pytest.approx(expected)


def test_fingerprints_that_do_not_fit_together_are_refused():
    """Two sizes, and packed bits."""
    with pytest.raises(ValueError, match="2048 and 1024 bits"):
        tanimoto(fingerprints([ASPIRIN]), fingerprints([ASPIRIN], bits=1024))
    packed = np.packbits(fingerprints([ASPIRIN]), axis=1)
    with pytest.raises(ValueError, match="of 0 and 1: packed"):
        tanimoto(packed, packed)
