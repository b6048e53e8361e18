"""What a chemist asks of a hit before ordering it: alerts, drug-likeness and its scaffold."""

import functools
from collections.abc import Iterable, Sequence

import pandas as pd
from PIL.Image import Image
from rdkit import Chem
from rdkit.Chem import QED, Draw
from rdkit.Chem.FilterCatalog import FilterCatalog, FilterCatalogParams

from medml.drugs.molecules import parse
from medml.drugs.splits import scaffold

_RULES = ("PAINS", "BRENK")


def alerts(smiles: str, rules: str) -> list[str]:
    """Return the names of the alerts that a molecule raises.

    An alert is a substructure with a bad record, not a verdict: approved drugs raise them, too.

    Parameters
    ----------
    smiles : str
    rules : {"PAINS", "BRENK"}
        PAINS: often positive in assays for a wrong reason (it reacts, aggregates or fluoresces).
        BRENK: toxic, reactive or unstable groups. Slow, some 500 molecules a second: for hits.

    Raises
    ------
    ValueError
        If the rules are unknown or `molecules.parse` refuses the SMILES.

    References
    ----------
    Baell JB, Holloway GA (2010), doi:10.1021/jm901137j. Brenk R et al. (2008),
    doi:10.1002/cmdc.200700139.

    Examples
    --------
    >>> alerts("O=C1C=CC(=O)C=C1", "PAINS")
    ['quinone_A(370)']
    """
    return [match.GetDescription() for match in _catalogue(rules).GetMatches(parse(smiles))]


@functools.cache
def _catalogue(rules: str) -> FilterCatalog:
    """Build rdkit's catalogue of one set of rules, once in a process."""
    if rules not in _RULES:
        raise ValueError(f"unknown rules {rules!r}, expected one of {', '.join(_RULES)}")
    return FilterCatalog(FilterCatalogParams(getattr(FilterCatalogParams.FilterCatalogs, rules)))


def triage(smiles: Iterable[str]) -> pd.DataFrame:
    """Return alerts, drug-likeness and scaffold of each hit.

    Parameters
    ----------
    smiles : iterable of str, n of them

    Returns
    -------
    pandas.DataFrame of n rows
        `smiles`; `pains` and `brenk`, numbers of alerts; `qed`, drug-likeness from 0 to 1: how
        near weight, logP, polar surface and five more lie to those of oral drugs; `scaffold`.

    References
    ----------
    Bickerton GR et al. (2012) Quantifying the chemical beauty of drugs, doi:10.1038/nchem.1243.
    """
    rows = [
        {
            "smiles": text,
            "pains": len(alerts(text, "PAINS")),
            "brenk": len(alerts(text, "BRENK")),
            "qed": QED.qed(parse(text)),
            "scaffold": scaffold(text),
        }
        for text in smiles
    ]
    return pd.DataFrame(rows, columns=["smiles", "pains", "brenk", "qed", "scaffold"])


def draw(smiles: Sequence[str], captions: Sequence[str] | None = None, columns: int = 4) -> Image:
    """Draw molecules on a grid, their Murcko scaffolds in colour.

    Parameters
    ----------
    smiles : sequence of str, n of them
    captions : sequence of str, optional
        One under each molecule.
    columns : int
        Molecules in a row.

    Returns
    -------
    PIL.Image.Image
        200 × 200 pixels a molecule.

    Raises
    ------
    ValueError
        If there is no molecule, one is refused, or captions and molecules differ in number.
    """
    if not len(smiles) or (captions is not None and len(captions) != len(smiles)):
        found = "no captions" if captions is None else f"{len(captions)} captions"
        raise ValueError(
            f"expected molecules and a caption for each, got {len(smiles)} and {found}"
        )
    molecules = [parse(text) for text in smiles]
    cores = []
    for molecule, text in zip(molecules, smiles, strict=True):
        core = scaffold(text)
        cores.append(molecule.GetSubstructMatch(Chem.MolFromSmiles(core)) if core else ())
    return Draw.MolsToGridImage(
        molecules,
        molsPerRow=columns,
        legends=None if captions is None else list(captions),
        highlightAtomLists=cores,
        returnPNG=False,
    )
