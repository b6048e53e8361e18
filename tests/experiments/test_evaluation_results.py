"""Stored results of the evaluation chapter: a part comes out again, and the bars are met."""

import numpy as np
import pytest

from experiments import reader_ceiling, reading_leakage, slice_leakage
from medml.course import stored_run
from medml.data import lidc
from medml.diagnosis.cohort import load_cohort
from medml.diagnosis.ruler import out_of_fold, regression


def row_of(name, **wanted):
    """Return the one stored row that has these values."""
    (row,) = (row for row in stored_run(name)["rows"] if wanted.items() <= row.items())
    return row


@pytest.fixture(scope="module")
def readings():
    """The readings without the locked patients."""
    return reading_leakage.load()


@pytest.fixture(scope="module")
def judged():
    """All readings that are judged by the others."""
    return reader_ceiling.load()


@pytest.mark.parametrize("split", reading_leakage.SPLITS)
def test_memory_of_positions_comes_out_again(readings, split):
    """On the consensus, and on the first coin of each patient; within two readings."""
    fresh = reading_leakage.neighbour_is_right(
        readings, readings["malignant"].to_numpy(), split, reading_leakage.SEED
    )
    stored = row_of("reading_leakage", labels="consensus", split=split)["accuracy"]
    assert fresh.mean() == pytest.approx(stored[0], abs=1e-3)
    coin = reading_leakage.neighbour_is_right(
        readings, reading_leakage.coins(readings, 0), split, 0
    )
    draws = row_of("reading_leakage", labels="random", split=split)["draws"]
    assert coin.mean() == pytest.approx(draws[0], abs=1e-3)


def test_a_coin_is_thrown_for_the_patient_not_for_the_reading(readings):
    """Half of the patients, and every reading of a patient alike."""
    coins = readings.assign(coin=reading_leakage.coins(readings, 3)).groupby("patient_id")["coin"]
    assert (coins.nunique() == 1).all()
    assert coins.first().mean() == pytest.approx(0.5, abs=0.01)


def test_memory_is_perfect_by_reading_and_worth_a_coin_by_patient():
    """Bars: at least .98 by reading, at most .60 by patient; coins .45 to .55."""
    found = {
        (labels, split): row_of("reading_leakage", labels=labels, split=split)["accuracy"][0]
        for labels in ("consensus", "random")
        for split in reading_leakage.SPLITS
    }
    assert min(found["consensus", "reading"], found["random", "reading"]) >= 0.98
    assert found["consensus", "patient"] <= 0.60
    assert 0.45 <= found["random", "patient"] <= 0.55
    assert len(row_of("reading_leakage", labels="random", split="patient")["draws"]) == 20


def test_the_first_simulated_slices_come_out_again():
    """The first repeat at no share, at half and at all; and the control on the area."""
    nodules, sections = slice_leakage.load()
    for share in (0.0, 0.5, 1.0):
        fresh = slice_leakage.memory(nodules, sections, share, 0)
        stored = row_of("slice_leakage", model="memory", share=share)["first"]
        assert [fresh[split].mean() for split in slice_leakage.SPLITS] == pytest.approx(
            stored, abs=0.006
        )
    area = slice_leakage.area(nodules, sections, 0)
    stored = row_of("slice_leakage", model="area")["first"]
    assert [area[split].mean() for split in slice_leakage.SPLITS] == pytest.approx(stored, abs=5e-3)


def test_the_share_is_the_correlation_of_two_backgrounds():
    """A knob that does what it says: no nodule, 400 pairs of textures."""
    generator = np.random.default_rng(0)
    first, second = [], []
    for _ in range(200):
        common, own = (slice_leakage.texture(generator, number) for number in (1, 2))
        around = np.sqrt(0.3) * common + np.sqrt(0.7) * own
        first.append(around[0])
        second.append(around[1])
    found = np.corrcoef(np.ravel(first), np.ravel(second))[0, 1]
    assert found == pytest.approx(0.3, abs=0.03)


def test_the_gap_is_made_by_the_shared_background():
    """Bars: at least .20 at full share, at most .05 at none; the area remembers nothing."""
    gaps = {
        share: row_of("slice_leakage", model="memory", share=share)["gap"][0]
        for share in slice_leakage.SHARES
    }
    assert gaps[1.0] >= 0.20
    assert abs(gaps[0.0]) <= 0.05
    assert abs(row_of("slice_leakage", model="area")["gap"][0]) <= 0.02


def test_no_judge_is_the_judged(judged):
    """By hand for twenty readings: the label is the median of the others, and never 3."""
    everything = lidc.load_readings()
    for reading in judged.index[::150]:
        nodule = everything[everything["nodule_id"] == judged.loc[reading, "nodule_id"]]
        others = nodule["malignancy"].drop(reading)
        assert judged.loc[reading, "others"] == others.median() != 3
        assert judged.loc[reading, "malignant"] == (others.median() > 3)
        assert judged.loc[reading, "judges"] == len(others)
    cohort = load_cohort()
    locked = set(cohort["patient_id"][cohort["locked"]])
    assert judged["patient_id"].isin(locked).equals(judged["locked"])


def test_the_contestants_that_train_no_network_come_out_again(judged):
    """AUROC within folds over all sizes."""
    rows = judged[~judged["locked"]]
    scores, contestants = [], reader_ceiling.CONTESTANTS
    for name in contestants[:-1]:
        if name == reader_ceiling.READER:
            score = reader_ceiling.as_it_is(rows["malignancy"])
        elif name == "diameter":
            score = reader_ceiling.as_it_is(rows["diameter_mm"])
        else:
            features = rows[reader_ceiling.REGRESSIONS[name]]
            score = regression(features, rows["malignant"])
        parts = out_of_fold(rows.rename_axis("nodule_id"), score, reader_ceiling.SEEDS)
        parts = [part for _, part in parts.groupby("seed")]
        scores.append(np.transpose([part["score"] for part in parts]))
    fold = np.transpose([part["fold"] for part in parts])
    fresh = reader_ceiling.within_folds(
        rows["malignant"].to_numpy(), fold, np.stack(scores, axis=-1), None
    )
    stored = row_of("reader_ceiling", part="auroc", patients="choosing", size="all sizes")
    assert stored["readings"] == len(rows)
    expected = [stored["auroc"][name][0] for name in contestants[:-1]]
    assert fresh[: len(expected)] == pytest.approx(expected, abs=2e-3)


@pytest.mark.parametrize("who", ["choosing", "locked"])
def test_the_network_s_tables_come_out_of_its_stored_scores(judged, who):
    """AUROC within folds, pairs alike in size, and accuracy, of three repetitions."""
    rows = judged[judged["locked"] == (who == "locked")]
    parts = [
        row_of("reader_ceiling", part="scores", patients=who, model="small CNN", seed=seed)
        for seed in reader_ceiling.SEEDS
    ]
    assert all(part["reading_id"] == rows.index.tolist() for part in parts)
    fold, score = (np.transpose([part[key] for part in parts]) for key in ("fold", "score"))
    rating = np.repeat(rows["malignancy"].to_numpy()[:, None], 3, axis=1)
    labels, both = rows["malignant"].to_numpy(), np.stack([rating, score], axis=-1)
    for statistic, size in (
        (reader_ceiling.within_folds, "all sizes"),
        (reader_ceiling.matched_within_folds, reader_ceiling.ALIKE),
    ):
        found = statistic(labels, fold, both, rows["diameter_mm"].to_numpy())
        stored = row_of("reader_ceiling", part="auroc", patients=who, size=size)
        expected = [stored["auroc"][name][0] for name in (reader_ceiling.READER, "small CNN")]
        assert found[:2] == pytest.approx(expected, abs=1e-3)
        assert found[3] == pytest.approx(stored["minus rating"]["small CNN"][0], abs=1e-3)
    found = reader_ceiling.decisions(labels, rows["malignancy"].to_numpy(), score)
    stored = row_of("reader_ceiling", part="accuracy", patients=who, model="small CNN")
    assert found[:3] == pytest.approx(
        [stored[name][0] for name in ("reader", "right", "difference")], abs=1e-3
    )


def test_a_ruler_passes_the_bar_and_the_reader_knows_more_where_sizes_are_equal():
    """Bars: rating below diameter, scores and diameter .92 to .95; the circular .96 to .99."""
    everyone = row_of("reader_ceiling", part="auroc", patients="choosing", size="all sizes")
    assert everyone["minus rating"]["diameter"][1] > 0
    assert 0.92 <= everyone["auroc"]["eight scores and diameter"][0] <= 0.95
    alike = row_of("reader_ceiling", part="auroc", patients="choosing", size=reader_ceiling.ALIKE)
    assert alike["minus rating"]["diameter"][2] < 0
    assert alike["minus rating"]["small CNN"][2] < 0
    circular = row_of("reader_ceiling", part="circular", model="eight scores and diameter")
    assert 0.96 <= circular["auroc"][0] <= 0.99
    assert circular["auroc"][1] > everyone["auroc"]["eight scores and diameter"][2]


def test_the_circular_comparison_comes_out_again():
    """Estimates of the two models."""
    for fresh in reader_ceiling.circular():
        stored = row_of("reader_ceiling", part="circular", model=fresh["model"])
        assert fresh["auroc"][0] == pytest.approx(stored["auroc"][0], abs=2e-3)
        assert fresh["accuracy"][0] == pytest.approx(stored["accuracy"][0], abs=1e-3)
