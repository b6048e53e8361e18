"""Molecules as text, as standard forms and as fingerprints."""

import functools
from collections.abc import Iterable

import numpy as np
import pandas as pd
from rdkit import Chem, rdBase
from rdkit.Chem import rdFingerprintGenerator
from rdkit.Chem.MolStandardize import rdMolStandardize

LONGEST = 1000  # characters; drugs have under 200, the longest peptide of the activities has 761
_CARBON = 6


def parse(smiles: str) -> Chem.Mol:
    """Read one SMILES with rdkit's full checks.

    Parameters
    ----------
    smiles : str
        At most `LONGEST` characters, since some monsters keep the reader busy for very long.

    Raises
    ------
    ValueError
        If the text is no string, is empty or too long, has letters that no SMILES has, or is no
        molecule to rdkit.

    Examples
    --------
    >>> parse("c1ccccc1O").GetNumAtoms()
    7
    >>> parse("c1ccccc1O(")
    Traceback (most recent call last):
    ValueError: not a molecule: 'c1ccccc1O(', leave it out or mend it
    """
    if not isinstance(smiles, str) or not smiles.strip():
        raise ValueError(f"expected a SMILES, got {smiles!r}: leave it out")
    if len(smiles) > LONGEST:
        msg = f"a SMILES of {len(smiles):,} characters, at most {LONGEST:,}: {smiles[:20]}…"
        raise ValueError(msg)
    plain = smiles.split(None, 1)[0].isascii()  # rdkit would cut other letters off both ends
    with rdBase.BlockLogs():  # the caller decides what is shown
        molecule = Chem.MolFromSmiles(smiles) if plain else None
    if molecule is None:
        raise ValueError(f"not a molecule: {smiles!r}, leave it out or mend it")
    return molecule


def standardise(smiles: str) -> str:
    """Return the canonical SMILES of what acts in a compound: its largest organic part, neutral.

    Metals are disconnected, groups written in one way (nitro, sulfoxide), salts and solvents
    dropped, charges removed where a proton can be moved. Stereochemistry stays. The activities
    and the library are in this form already, but for sulfoxides: 45 of the activities have them
    with a proton, [S+]O, and some 0.2 % of the library has them as S=O. This is for compounds from
    elsewhere.

    Parameters
    ----------
    smiles : str

    Raises
    ------
    ValueError
        If `parse` refuses it, nothing with carbon is left (an inorganic salt, cisplatin), or what
        is left cannot be read again (ferrocene without its iron).

    References
    ----------
    Bento AP et al. (2020) An open source chemical structure curation pipeline using RDKit,
    doi:10.1186/s13321-020-00456-1, for the order of the steps.

    Examples
    --------
    >>> standardise("[Na+].OC(=O)c1ccccc1C([O-])=O")
    'O=C(O)c1ccccc1C(=O)O'
    """
    molecule = parse(smiles)
    with rdBase.BlockLogs():
        clean = rdMolStandardize.Cleanup(molecule)
        largest = rdMolStandardize.LargestFragmentChooser(preferOrganic=True).choose(clean)
        neutral = rdMolStandardize.Uncharger().uncharge(largest)
    if not any(atom.GetAtomicNum() == _CARBON for atom in neutral.GetAtoms()):
        raise ValueError(f"no organic part in {smiles!r}: leave it out")
    text = Chem.MolToSmiles(neutral)
    with rdBase.BlockLogs():
        if Chem.MolFromSmiles(text) is None:
            raise ValueError(f"no standard form of {smiles!r}, {text} is no molecule: leave it out")
    return text


@functools.lru_cache(maxsize=100_000)  # asked again for each target, 0.4 ms each
def skeleton(smiles: str) -> str:
    """Return a key that is equal for all forms of one compound: 14 letters of its InChIKey.

    They hash what is bound to what. Stereoisomers, isotope labels, charge states and most tautomers
    share them, and of a salt or mixture the largest organic part counts (`standardise`); for
    duplicates and leaks that is the safe side, for activity it is not: mirror images can differ a
    thousandfold.

    Parameters
    ----------
    smiles : str

    Raises
    ------
    ValueError
        If `parse` refuses it, or `standardise` does with a salt, or it is a pattern with open
        places (*).

    References
    ----------
    Heller SR et al. (2015) InChI, the IUPAC International Chemical Identifier,
    doi:10.1186/s13321-015-0068-4.

    Examples
    --------
    >>> skeleton("C[C@H](N)C(=O)O") == skeleton("C[C@@H](N)C(=O)O")
    True
    """
    molecule = parse(smiles)
    if len(Chem.GetMolFrags(molecule)) > 1:
        molecule = parse(standardise(smiles))
    with rdBase.BlockLogs():
        key = Chem.MolToInchiKey(molecule)[:14]
    if not key:
        raise ValueError(
            f"no InChIKey for {smiles!r}: a pattern (*) is not a molecule, leave it out"
        )
    return key


def duplicated(smiles: Iterable[str]) -> np.ndarray:
    """Tell which molecules are another form of an earlier one (see `skeleton`).

    Parameters
    ----------
    smiles : iterable of str, n of them

    Returns
    -------
    numpy.ndarray of bool, shape (n,)
        False for the first of each compound.

    Raises
    ------
    ValueError
        If `skeleton` refuses a SMILES.

    Examples
    --------
    >>> duplicated(["OCC", "CO", "CC[OH]", "CCO"]).tolist()
    [False, False, True, True]
    """
    return pd.Series([skeleton(text) for text in smiles], dtype=str).duplicated().to_numpy()


def fingerprints(smiles: Iterable[str], radius: int = 2, bits: int = 2048) -> np.ndarray:
    """Return the Morgan fingerprint of each molecule.

    A bit is set for each neighbourhood of up to `radius` bonds around an atom, at a place that a
    hash gives; with few bits two neighbourhoods can share one. Radius 2 is ECFP4. Stereochemistry
    is not seen.

    Parameters
    ----------
    smiles : iterable of str, n of them
    radius : int
        In bonds.
    bits : int
        Length of a fingerprint; a multiple of 8 packs without loss with `numpy.packbits`.

    Returns
    -------
    numpy.ndarray of uint8, shape (n, bits)
        0 or 1.

    Raises
    ------
    ValueError
        If `parse` refuses a SMILES, one text is given instead of a list, or radius or bits are out
        of range.

    References
    ----------
    Rogers D, Hahn M (2010) Extended-connectivity fingerprints, doi:10.1021/ci100050t.

    Examples
    --------
    >>> fingerprints(["CO", "OC", "CCO"]).sum(axis=1).tolist()
    [3, 3, 6]
    """
    if radius < 0 or bits < 1:
        raise ValueError(f"expected radius ≥ 0 and bits ≥ 1, got {radius} and {bits}")
    if isinstance(smiles, str):  # its letters would be taken for molecules
        raise ValueError(f"expected a list of SMILES, got one text: pass [{smiles!r}]")
    morgan = rdFingerprintGenerator.GetMorganGenerator(radius=radius, fpSize=bits)
    rows = [morgan.GetFingerprintAsNumPy(parse(text)) for text in smiles]
    return np.array(rows, np.uint8).reshape(len(rows), bits)
