"""Genes: expression of thousands of genes in tumours, and the sequence of one gene."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from Bio import SeqIO
from Bio.Seq import Seq

from medml.data.catalogue import locate

# The files of the Khan set number the diagnoses; the names follow from the published counts.
_KHAN = {
    1: "Burkitt lymphoma",
    2: "Ewing sarcoma",
    3: "neuroblastoma",
    4: "rhabdomyosarcoma",
}


@dataclass(frozen=True, eq=False)
class Expression:
    """Gene expression with a label for each sample.

    Attributes
    ----------
    values : numpy.ndarray of shape (samples, genes), float64
        Logarithms of expression relative to a reference.
    labels : numpy.ndarray of str, shape (samples,)
        Kind of tumour.
    is_train : numpy.ndarray of bool, shape (samples,), or None
        The split that the publication gives, None where it gives none.
    """

    values: np.ndarray
    labels: np.ndarray
    is_train: np.ndarray | None = None


def load_nci60() -> Expression:
    """Return the NCI60 cell cultures: 64 samples × 6,830 genes, 14 different labels.

    Nine labels are tissues of origin, one is UNKNOWN, and four (`…-repro`) are repeated
    measurements of the cell lines K562 and MCF7.

    Raises
    ------
    DataError
        If a file is missing or damaged.

    References
    ----------
    Ross DT et al. (2000) Nat Genet 24:227-235, doi:10.1038/73432.
    """
    labels = pd.read_csv(locate("nci60", "NCI60labs.csv"))["label"]
    values = np.load(locate("nci60", "NCI60data.npy"), allow_pickle=False)
    return Expression(values, labels.to_numpy(dtype=str))


def load_khan() -> Expression:
    """Return small round blue cell tumours: 63 train + 20 test samples × 2,308 genes.

    Raises
    ------
    DataError
        If a file is missing or damaged.

    References
    ----------
    Khan J et al. (2001) Nat Med 7:673-679, doi:10.1038/89044.
    """
    values = [pd.read_csv(locate("khan", f"Khan_x{part}.csv")) for part in ("train", "test")]
    codes = [pd.read_csv(locate("khan", f"Khan_y{part}.csv"))["x"] for part in ("train", "test")]
    return Expression(
        values=np.concatenate(values),
        labels=pd.concat(codes).map(_KHAN).to_numpy(dtype=str),
        is_train=np.repeat([True, False], [len(part) for part in codes]),
    )


def load_beta_globin() -> Seq:
    """Return the coding sequence of human β-globin: 444 nucleotides, start to stop codon.

    Raises
    ------
    DataError
        If the file is missing or damaged.

    References
    ----------
    Reference sequence NM_000518.5 (gene HBB), its coding part.

    Examples
    --------
    >>> str(load_beta_globin().translate(to_stop=True)[:9])
    'MVHLTPEEK'
    """
    return SeqIO.read(locate("hbb", "hbb.fasta"), "fasta").seq


def sickle_allele(normal: Seq) -> Seq:
    """Return the sickle-cell allele of β-globin: codon 7, GAG (glutamate), becomes GTG (valine).

    Codons are counted from the first Met; the protein is cut behind it, hence the name Glu6Val.

    Parameters
    ----------
    normal : Bio.Seq.Seq
        The normal coding sequence, from its start codon on.

    Raises
    ------
    ValueError
        If codon 7 is not GAG.

    References
    ----------
    Ingram VM (1957) Nature 180:326-328, doi:10.1038/180326a0.

    Examples
    --------
    >>> str(sickle_allele(load_beta_globin()).translate(to_stop=True)[:9])
    'MVHLTPVEK'
    """
    codon = normal[18:21]
    if codon != "GAG":
        msg = f"codon 7 of the normal allele must be GAG, got '{codon}'"
        raise ValueError(msg)
    return normal[:18] + "GTG" + normal[21:]
