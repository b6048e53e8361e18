"""Scoring a piece of a library and joining the results: pure functions, for any kind of pool.

The best molecules of a library are the best of the best of its pieces, in whatever order and on
whatever machine they were scored.
"""

import heapq
from collections.abc import Iterable
from typing import NamedTuple, Protocol

import numpy as np
from rdkit import Chem, rdBase
from rdkit.Chem import rdFingerprintGenerator
from rdkit.DataStructs import BitVectToBinaryText

from medml.data.smiles import Chunk
from medml.drugs.molecules import LONGEST, parse, standardise

_SHOWN = 80  # characters of a refused text that are kept


class Model(Protocol):
    """What can rank a library: a regressor of scikit-learn, `finetuning.FineTuned`, …"""

    def predict(self, bits: np.ndarray) -> np.ndarray:
        """Return a score for each fingerprint of 0 and 1, shape (n, bits): higher is better."""


class Hit(NamedTuple):
    """One molecule that was scored; `molecule` is the canonical SMILES of what was scored."""

    score: float
    file: str
    line: int
    smiles: str
    molecule: str


class Skipped(NamedTuple):
    """One line that could not be scored, and why."""

    file: str
    line: int
    smiles: str
    reason: str


class Scored(NamedTuple):
    """The result of one or more chunks.

    Attributes
    ----------
    hits : list of Hit
        The best, in order of their score; ties in order of file name and line. Each molecule
        once, under the place that comes first in that order.
    skipped : list of Skipped
    molecules : int
        Number of lines that were scored.
    """

    hits: list[Hit]
    skipped: list[Skipped]
    molecules: int


def score_chunk(
    chunk: Chunk,
    model: Model,
    top_k: int,
    floor: float = -np.inf,
    bits: int = 2048,
    radius: int = 2,
) -> Scored:
    """Parse, fingerprint and score the molecules of one chunk; it depends on nothing else.

    A mixture (a SMILES with a dot) is scored as its largest organic part (`standardise`), which
    is what the activities of a model describe; all else is scored as it stands.

    Parameters
    ----------
    chunk : Chunk
    model : Model
    top_k : int
        Number of hits to keep.
    floor : float
        Molecules with a lower score are not kept: pass the score of the worst hit so far.
    bits, radius : int
        The fingerprint that the model was trained on.

    Returns
    -------
    Scored

    Raises
    ------
    ValueError
        If the model gives something else than one finite number for each molecule.

    Examples
    --------
    >>> class Size:
    ...     def predict(self, bits):
    ...         return bits.sum(axis=1)
    >>> result = score_chunk(Chunk("a.smi", 1, ("CO", "C(", "OCC", "CCO")), Size(), top_k=5)
    >>> [(hit.score, hit.line, hit.molecule) for hit in result.hits]
    [(6.0, 3, 'CCO'), (3.0, 1, 'CO')]
    >>> [(skipped.line, skipped.reason) for skipped in result.skipped]
    [(2, "not a molecule: 'C(', leave it out or mend it")]
    """
    morgan = rdFingerprintGenerator.GetMorganGenerator(radius=radius, fpSize=bits)
    rows, lines, skipped = [], [], []
    with rdBase.BlockLogs():  # what rdkit has to say stands in `skipped`
        for line, text in enumerate(chunk.smiles, chunk.line):
            try:
                # A molecule is let go at once: a thousand in memory take half as long again.
                rows.append(BitVectToBinaryText(morgan.GetFingerprint(_quick_parse(text))))
                lines.append(line)
            except (ValueError, RuntimeError) as error:  # the latter from rdkit's own checks
                skipped.append(Skipped(chunk.file, line, text[:_SHOWN], str(error)))
    if chunk.damage:
        skipped.append(Skipped(chunk.file, chunk.line + len(chunk.smiles), "", chunk.damage))
    if not rows:
        return Scored([], skipped, 0)
    packed = np.frombuffer(b"".join(rows), np.uint8).reshape(len(rows), -1)
    scores = predict(model, np.unpackbits(packed, axis=1, count=bits, bitorder="little"))
    ranked = np.argsort(-scores, kind="stable")
    hits = (
        _hit(scores[row], chunk, lines[row]) for row in ranked[scores[ranked] >= floor].tolist()
    )
    return Scored(_distinct(hits, top_k), skipped, len(rows))


def merge(parts: Iterable[Scored], top_k: int) -> Scored:
    """Join results; the order of the parts, and what was joined before, make no difference.

    Parameters
    ----------
    parts : iterable of Scored
        Each with at least its own `top_k` best hits.
    top_k : int

    Returns
    -------
    Scored
        `skipped` in order of file name and line.
    """
    parts = list(parts)
    ranked = heapq.merge(*(part.hits for part in parts), key=_rank)
    skipped = sorted(row for part in parts for row in part.skipped)
    return Scored(_distinct(ranked, top_k), skipped, sum(part.molecules for part in parts))


def predict(model: Model, fingerprints: np.ndarray) -> np.ndarray:
    """Return the model's scores, shape (n,), after checking that they are n finite numbers.

    Raises
    ------
    ValueError
        If they are not.
    """
    scores = np.asarray(model.predict(fingerprints), float)
    if scores.shape != (len(fingerprints),) or not np.isfinite(scores).all():
        wrong = scores[~np.isfinite(scores)]
        found = f"{wrong[0]}" if wrong.size else f"an array of shape {scores.shape}"
        msg = f"expected one finite score for each of {len(fingerprints)} molecules, got {found}"
        raise ValueError(msg)
    return scores


def _quick_parse(text: str) -> Chem.Mol:
    """Read a molecule with all checks of rdkit but without stereochemistry.

    Morgan fingerprints do not see it, and it takes a fifth of the time. Texts that need more than
    the checks (a mixture, hydrogens to be removed, nothing at all) or fail go the long way.
    """
    if text.strip() and len(text) <= LONGEST and "." not in text and "[H" not in text:
        molecule = Chem.MolFromSmiles(text, sanitize=False)
        if molecule is not None and not Chem.SanitizeMol(molecule, catchErrors=True):
            return molecule
    return _parse(text)


def _parse(text: str) -> Chem.Mol:
    """Return what is scored of one line."""
    return parse(standardise(text) if "." in text else text)


def _hit(score: float, chunk: Chunk, line: int) -> Hit:
    """Return the hit of one line."""
    text = chunk.smiles[line - chunk.line]
    return Hit(float(score), chunk.file, line, text, Chem.MolToSmiles(_parse(text)))


def _rank(hit: Hit):
    """The order of hits: best first, ties by place."""
    return -hit.score, hit.file, hit.line


def _distinct(ranked: Iterable[Hit], top_k: int) -> list[Hit]:
    """Return the first `top_k` different molecules of ranked hits."""
    best = {}
    for hit in ranked:
        if len(best) == top_k:
            break
        best.setdefault(hit.molecule, hit)
    return list(best.values())
