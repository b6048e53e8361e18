"""Molecules as text and as fingerprints: reading, standard form, duplicates."""

from collections.abc import Iterable

import numpy as np
from rdkit import Chem, rdBase
from rdkit.Chem import rdFingerprintGenerator

LONGEST = 500  # characters; reading time grows faster than length, and drugs have under 200


def parse(smiles: str) -> Chem.Mol:
    """Read one SMILES with rdkit's full checks.

    Parameters
    ----------
    smiles : str

    Raises
    ------
    ValueError
        If the text is no string, is empty or longer than `LONGEST`, or is no molecule to rdkit.

    Examples
    --------
    >>> parse("c1ccccc1O").GetNumAtoms()
    7
    >>> parse("c1ccccc1O(")
    Traceback (most recent call last):
    ValueError: not a molecule: 'c1ccccc1O(', leave it out or mend it
    """
    if not isinstance(smiles, str) or not smiles.strip():
        raise ValueError(f"expected a SMILES, got {smiles!r}: leave the row out")
    if len(smiles) > LONGEST:
        msg = f"a SMILES of {len(smiles):,} characters, the limit is {LONGEST}: {smiles[:20]}…"
        raise ValueError(msg)
    with rdBase.BlockLogs():  # the reason comes with the error, not on the screen
        molecule = Chem.MolFromSmiles(smiles)
    if molecule is None:
        raise ValueError(f"not a molecule: {smiles!r}, leave it out or mend it")
    return molecule


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
        If `parse` refuses a SMILES, or radius or bits are out of range.

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
    morgan = rdFingerprintGenerator.GetMorganGenerator(radius=radius, fpSize=bits)
    rows = [morgan.GetFingerprintAsNumPy(parse(text)) for text in smiles]
    return np.array(rows, np.uint8).reshape(len(rows), bits)
