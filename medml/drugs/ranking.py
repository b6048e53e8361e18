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
    """One molecule that was scored.

    `molecule` is the canonical SMILES of what was scored; it is empty until `merge` needs it.
    """

    score: float
    file: str
    line: int
    smiles: str
    molecule: str = ""


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
        In order of their score; ties in order of file name and line.
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
    floor : float
        Molecules with a lower score are left out: pass the score of the worst hit so far.
    bits, radius : int
        The fingerprint that the model was trained on.

    Returns
    -------
    Scored

    Raises
    ------
    ValueError
        If the model gives something else than one finite number for each molecule. A note says in
        which lines, as it does of whatever the model itself raises.

    Examples
    --------
    >>> class Size:
    ...     def predict(self, bits):
    ...         return bits.sum(axis=1)
    >>> result = score_chunk(Chunk("a.smi", 1, ("CO", "C(", "OCC", "CCO")), Size())
    >>> [(hit.score, hit.line, hit.smiles) for hit in result.hits]
    [(6.0, 3, 'OCC'), (6.0, 4, 'CCO'), (3.0, 1, 'CO')]
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
    try:
        scores = predict(model, np.unpackbits(packed, axis=1, count=bits, bitorder="little"))
    except Exception as error:
        error.add_note(f"This came from lines {lines[0]} to {lines[-1]} of {chunk.file}.")
        raise
    hits = []
    for row in np.argsort(-scores, kind="stable").tolist():
        if scores[row] < floor:
            break
        text = chunk.smiles[lines[row] - chunk.line]
        hits.append(Hit(float(scores[row]), chunk.file, lines[row], text))
    return Scored(hits, skipped, len(rows))


def merge(parts: Iterable[Scored], top_k: int) -> Scored:
    """Join results; the order of the parts, and what was joined before, make no difference.

    Parameters
    ----------
    parts : iterable of Scored
        Results of `score_chunk` or of `merge` with this `top_k`.
    top_k : int
        Number of hits to keep.

    Returns
    -------
    Scored
        `hits`: each molecule once, at the best of its places, with `molecule` filled in;
        `skipped` in order of file name and line.

    Examples
    --------
    >>> parts = [Scored([Hit(6.0, "a.smi", 3, "OCC")], [], 1),
    ...          Scored([Hit(6.0, "a.smi", 1, "CCO"), Hit(3.0, "a.smi", 2, "CO")], [], 2)]
    >>> [(hit.line, hit.molecule) for hit in merge(parts, top_k=5).hits]
    [(1, 'CCO'), (2, 'CO')]
    """
    parts = list(parts)
    best = {}
    for hit in heapq.merge(*(part.hits for part in parts), key=_rank):
        if len(best) == top_k:
            break
        # Canonical SMILES take as long as parsing: only for what is among the best so far.
        molecule = hit.molecule or Chem.MolToSmiles(_parse(hit.smiles))
        best.setdefault(molecule, hit._replace(molecule=molecule))
    skipped = sorted(row for part in parts for row in part.skipped)
    return Scored(list(best.values()), skipped, sum(part.molecules for part in parts))


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
    long_way = "." in text or "[H" in text or "[#1" in text or not text.isascii()
    if text.strip() and len(text) <= LONGEST and not long_way:
        molecule = Chem.MolFromSmiles(text, sanitize=False)
        if molecule is not None and not Chem.SanitizeMol(molecule, catchErrors=True):
            return molecule
    return _parse(text)


def _parse(text: str) -> Chem.Mol:
    """Return what is scored of one line."""
    return parse(standardise(text) if "." in text else text)


def _rank(hit: Hit):
    """The order of hits: best first, ties by place."""
    return -hit.score, hit.file, hit.line
