"""Activities and library: counts known from the publications, and units that fit together."""

import gzip

import pytest

from medml.data.compounds import library_paths, load_activities, load_targets


def test_thirty_tasks_measure_29_proteins_and_only_kappa_twice():
    """Each task has a protein with name, gene and family; the kappa receptor has two read-outs."""
    targets = load_targets()
    assert targets.shape == (30, 5)
    assert not targets.isna().any().any()
    twice = targets[targets["target"].duplicated(keep=False)]
    assert sorted(twice.index) == ["CHEMBL237_EC50", "CHEMBL237_Ki"]
    assert set(targets["readout"]) == {"Ki", "EC50"}


def test_all_activities_have_the_published_counts():
    """48,714 rows of 30 tasks, 35,633 different SMILES, each once in a task."""
    table = load_activities()
    assert (len(table), table["task"].nunique(), table["smiles"].nunique()) == (48_714, 30, 35_633)
    assert not table.duplicated(["task", "smiles"]).any()
    assert set(table["task"].cat.categories) == set(load_targets().index)


def test_pX_seven_is_a_hundred_nanomolar():
    """9 − log10(nM): 1 nM is 9, 100 nM is 7; the delta opioid receptor has 52 % above it."""
    delta = load_activities("CHEMBL236_Ki")
    assert 9 - delta["pX"].iloc[0] == pytest.approx(4.592398846)  # the authors' column y, negated
    assert delta["nanomolar"].iloc[0] == 39_120
    assert (delta["pX"] >= 7).mean() == pytest.approx(0.52, abs=0.005)
    assert ((delta["pX"] >= 7) == (delta["nanomolar"] <= 100.0000001)).all()


def test_named_tasks_come_in_the_order_they_are_asked_for():
    """Two tasks give their rows one after the other."""
    table = load_activities("CHEMBL1862_Ki", "CHEMBL236_Ki")
    assert table["task"].unique().tolist() == ["CHEMBL1862_Ki", "CHEMBL236_Ki"]


def test_an_unknown_task_is_answered_with_the_known_ones():
    """A mistyped task is one clear error."""
    with pytest.raises(ValueError, match="unknown task 'CHEMBL236', expected one of CHEMBL1862_Ki"):
        load_activities("CHEMBL236")


def test_the_library_has_as_many_lines_as_the_catalogue_says():
    """1,936,962 molecules below three headings."""
    lines = 0
    for path in library_paths():
        with gzip.open(path, "rt") as file:
            assert next(file).strip() == "SMILES"
            lines += sum(1 for _ in file)
    assert lines == 1_936_962
