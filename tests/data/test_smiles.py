"""Libraries written by hand: what is read, in which pieces, and what is said of damaged files."""

import gzip

import pytest

from medml.data.compounds import library_paths
from medml.data.smiles import read_chunks, sample_smiles


def write(path, text):
    """Write a text, packed if the name ends in .gz; return the path."""
    data = text.encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def lines_of(library, **how):
    """Return every line of a library as (line number, text)."""
    chunks = read_chunks(library, **how)
    return [(n, text) for chunk in chunks for n, text in enumerate(chunk.smiles, chunk.line)]


@pytest.mark.parametrize("ending", ["", ".gz"])
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", "id,SMILES\n1,CCO\n2,CC\n3,C\n"),
        ("a.tsv", "id\tname\tSmiles\n1\ta\tCCO\n2\tb\tCC\n3\tc\tC\n"),
        ("a.csv", '\ufeff"smiles"\r\n"CCO"\r\n"CC"\r\nC'),
    ],
)
def test_tables_are_read_by_the_name_of_their_column(tmp_path, name, text, ending):
    """Any case, any place, quoted or not, with a byte order mark and Windows line ends."""
    path = write(tmp_path / (name + ending), text)
    assert lines_of(path) == [(2, "CCO"), (3, "CC"), (4, "C")]


@pytest.mark.parametrize("name", ["a.smi", "a.txt.gz", "A.SMILES"])
def test_a_smiles_file_gives_the_first_word_of_each_line(tmp_path, name):
    """Names follow after a blank or a tab; an empty line is an empty text."""
    path = write(tmp_path / name, "CCO ethanol\n\nCC\tethane\n  C\n")
    assert lines_of(path) == [(1, "CCO"), (2, ""), (3, "CC"), (4, "C")]


def test_chunks_do_not_span_files_and_count_the_bytes_of_all(tmp_path):
    """Five lines and one, in pieces of two."""
    first = write(tmp_path / "a.smi", "C\n" * 5)
    second = write(tmp_path / "b.csv", "smiles\nCC\n")
    chunks = list(read_chunks([first, second], size=2))
    assert [(chunk.line, chunk.smiles) for chunk in chunks] == [
        (1, ("C", "C")), (3, ("C", "C")), (5, ("C",)), (2, ("CC",)),
    ]  # fmt: skip
    assert chunks[-1].bytes_read == 10 + 10
    assert [chunk.file for chunk in chunks[2:]] == [str(first), str(second)]


def test_an_open_quotation_mark_spoils_its_own_line_only(tmp_path):
    """A parser that takes it for a field of many lines would swallow what follows."""
    path = write(tmp_path / "a.csv", 'name,smiles\n"open,C\nx,CC\nshort\ny,CCC\n')
    assert lines_of(path) == [(2, ""), (3, "CC"), (4, ""), (5, "CCC")]


def test_a_monster_field_does_not_stop_the_reader(tmp_path):
    """Longer than the csv module allows: it comes as it is, for the next step to refuse."""
    path = write(tmp_path / "a.csv", f'smiles\n"{"C" * 200_000}"\nCC\n')
    (_, monster), second = lines_of(path)
    assert len(monster) > 200_000
    assert second == (3, "CC")


def test_bytes_that_are_no_text_do_not_stop_the_reader(tmp_path):
    """Latin-1 in a file of UTF-8."""
    path = tmp_path / "a.smi"
    path.write_bytes(b"C\xe9\nCC\n")
    assert lines_of(path) == [(1, "C\ufffd"), (2, "CC")]


def test_a_truncated_gz_gives_what_is_left_then_says_so_and_the_next_file_follows(tmp_path):
    """As after a download that broke off."""
    path = write(tmp_path / "a.smi.gz", "".join(f"{'C' * (n % 37 + 1)}\n" for n in range(20_000)))
    path.write_bytes(path.read_bytes()[:-40])
    *chunks, last, other = read_chunks([path, write(tmp_path / "b.smi", "O\n")], size=1000)
    assert len(chunks) >= 10
    assert all(chunk.damage == "" for chunk in (*chunks, other))
    assert "cannot be unpacked any further" in last.damage
    assert other.smiles == ("O",)
    whole = [text for chunk in (*chunks, last) for text in chunk.smiles]
    assert whole == ["C" * (n % 37 + 1) for n in range(len(whole))]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.csv", "id,structure\n1,C\n", r"no column 'smiles' .* \['id', 'structure'\]"),
        ("a.csv", "SMILES,Smiles\nC,C\n", "more than one column 'smiles'"),
        ("a.csv", "", r"no header line in .*a\.csv': is the file empty"),
        ("a.sdf", "", "unknown kind of file .*a.sdf"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_before_anything_is_read(tmp_path, name, text, message):
    """At the call, not at the first chunk: a run of a night must not end on its last file."""
    with pytest.raises(ValueError, match=message):
        read_chunks([write(tmp_path / "ok.smi", "C\n"), write(tmp_path / name, text)])


def test_a_file_that_is_no_gz_or_is_missing_is_refused_at_once(tmp_path):
    """Each with its name."""
    path = tmp_path / "a.smi.gz"
    path.write_bytes(b"C\nCC\n")
    with pytest.raises(ValueError, match=r"cannot unpack .*a\.smi\.gz"):
        read_chunks(path)
    with pytest.raises(FileNotFoundError, match=r"no file .*b\.smi"):
        read_chunks(tmp_path / "b.smi")
    with pytest.raises(ValueError, match="at least one file"):
        read_chunks([])
    with pytest.raises(ValueError, match="at least 1 line, got 0"):
        read_chunks(path, size=0)


def test_a_sample_is_drawn_without_replacement_and_in_order(tmp_path):
    """All lines once when all are drawn; the seed decides; other files count too."""
    numbers = [str(n) for n in range(50)]
    library = [
        write(tmp_path / "a.smi", "\n".join(numbers[:20])),
        write(tmp_path / "b.smi.gz", "\n".join(numbers[20:])),
    ]
    assert sample_smiles(library, 50, seed=0) == numbers
    some = sample_smiles(library, 10, seed=1)
    assert some == sorted(set(some), key=int) == sample_smiles(iter(library), 10, seed=1)
    assert some != sample_smiles(library, 10, seed=2)
    assert {int(text) < 20 for text in some} == {True, False}
    with pytest.raises(ValueError, match="between 0 and 50 lines to draw, got 51"):
        sample_smiles(library, 51, seed=0)


def test_the_smallest_file_of_the_library_has_the_lines_that_its_datasheet_says():
    """176,074 molecules, none empty."""
    chunks = list(read_chunks(library_paths()[1]))
    assert sum(len(chunk.smiles) for chunk in chunks) == 176_074
    assert all(all(chunk.smiles) for chunk in chunks)
    assert chunks[-1].bytes_read == library_paths()[1].stat().st_size
