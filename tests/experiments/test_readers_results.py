"""Stored results of the readers' chapter: a part comes out again, and the bars are met."""

import numpy as np
import pandas as pd
import pytest

from experiments import label_noise, leaky_splits, planted_readers
from medml.course import stored_run


@pytest.fixture(scope="module")
def noise():
    """The stored rows of label_noise."""
    return pd.DataFrame(stored_run("label_noise")["rows"])


def test_the_first_draw_of_each_teacher_comes_out_again(noise):
    """Accuracy may move by two nodules of 869: another numeric library, a risk near one half."""
    features, truth, patients, table = label_noise.load()
    for name, values in features.items():
        fresh = label_noise.one_draw(values, truth, patients, table, 0)
        rows = noise[noise["features"] == name]
        stored = [draws[0] for draws in rows["first_draws"]]
        assert rows["teacher"].tolist() == list(label_noise.TEACHERS)
        np.testing.assert_allclose(fresh, stored, atol=0.0025)


def test_the_first_draw_of_each_sweep_comes_out_again(noise):
    """Both directions, each share."""
    features, truth, patients, _ = label_noise.load()
    for row in noise[noise["part"] == "sweep"].itertuples():
        fresh = label_noise.one_sweep(
            features["size"], truth, patients, row.share, bool(row.either_way), 0
        )
        np.testing.assert_allclose(fresh, row.first_draws[0], atol=0.0025)


def test_one_reader_costs_accuracy_and_hardly_auroc(noise):
    """About 20 % noise: at least 0.05 accuracy, at most 0.03 AUROC; with either set of features."""
    rows = noise[noise["part"] == "teachers"].set_index(["features", "teacher"])
    for name in ("size", "size and scores"):
        consensus = rows.loc[(name, "consensus")]
        one = rows.loc[(name, "one reader, 3 = benign")]
        assert 0.15 <= one["noise"] <= 0.25
        assert consensus["accuracy"] - one["accuracy"] >= 0.05
        assert consensus["auroc"] - one["auroc"] <= 0.03


def test_the_first_plants_come_out_again():
    """Of every setting with 200 and 1,000 items, and with hidden cancers."""
    for row in stored_run("planted_readers")["rows"]:
        if row["part"] == "hidden":
            fresh = planted_readers.one_hidden(row["share"], 0)
        elif row["items"] <= 1000:
            fresh = planted_readers.one_plant(row["classes"], row["items"], row["shared"], 0)
        else:
            continue
        np.testing.assert_allclose(fresh, row["first_plants"][0], atol=1e-3)


def test_planted_matrices_are_recovered():
    """5,000 items, four readers: the mean absolute error is at most 0.03, and under the vote's."""
    rows = [row for row in stored_run("planted_readers")["rows"] if row.get("items") == 5000]
    assert {row["classes"] for row in rows} == {2, 3, 5}
    for row in rows:
        assert row["model"] <= 0.03
        assert row["model"] < row["majority"]


def test_the_first_seed_of_each_split_comes_out_again():
    """Two labels, three splits; the forest is the same on every machine but for rounding."""
    readings = leaky_splits.load()
    rows = pd.DataFrame(stored_run("leaky_splits")["rows"])
    for labels, stored in rows.groupby("labels"):
        fresh = leaky_splits.one_seed(readings, labels, 0)
        assert stored["split"].tolist() == list(leaky_splits.SPLITS)
        np.testing.assert_allclose(fresh, [seeds[0] for seeds in stored["seeds"]], atol=0.005)
