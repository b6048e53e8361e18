"""Two fusions answer with every source, and without one."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from medml.diagnosis.fusion import EarlyFusion, LateFusion, boosting, without_each_source
from medml.statistics import auroc


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Trees as small as these only wait for each other on several threads."""
    with threadpool_limits(1):
        yield


@pytest.fixture(scope="module")
def data():
    """Two sources that each know half, one that is noise; 400 patients."""
    generator = np.random.default_rng(3)
    x = generator.normal(size=(400, 3))
    labels = (x[:, 0] + x[:, 1] + 0.5 * generator.normal(size=400) > 0).astype(int)
    names = ("left", "right", "noise")
    return {name: pd.DataFrame({name: x[:, i]}) for i, name in enumerate(names)}, labels


def rows(tables, chosen):
    """Return the same rows of each table."""
    return {name: table[chosen] for name, table in tables.items()}


@pytest.fixture(scope="module", params=[EarlyFusion, LateFusion])
def fusion(request, data):
    """Each fusion, learned from the first 300 patients."""
    tables, labels = data
    return request.param().fit(rows(tables, slice(0, 300)), labels[:300])


def test_both_sources_together_are_better_than_one(fusion, data):
    """On patients that were not seen."""
    tables, labels = data
    found = without_each_source(fusion, rows(tables, slice(300, 400)), labels[300:])
    assert list(found) == ["none", "left", "right", "noise"]
    assert found["none"] > 0.9
    assert found["left"] < found["none"] - 0.05
    assert found["noise"] > 0.88


def test_an_empty_table_is_a_missing_table(fusion, data):
    """All gaps and no table are the same to both fusions."""
    tables, _ = data
    rest = {name: table for name, table in tables.items() if name != "left"}
    gaps = tables | {"left": tables["left"] * np.nan}
    np.testing.assert_allclose(fusion.predict(gaps), fusion.predict(rest))


def test_patients_may_lack_different_sources(fusion, data):
    """Each gets the answer that a hospital without the source would give."""
    tables, _ = data
    mixed = {name: table.copy() for name, table in tables.items()}
    mixed["left"].iloc[:10] = np.nan
    mixed["right"].iloc[5:20] = np.nan
    mixed["left"].iloc[5:10] = 1.0
    answers = fusion.predict(mixed)
    without = {
        name: fusion.predict({key: table for key, table in tables.items() if key != name})
        for name in ("left", "right")
    }
    np.testing.assert_allclose(answers[:5], without["left"][:5])
    np.testing.assert_allclose(answers[10:20], without["right"][10:20])
    np.testing.assert_allclose(answers[20:], fusion.predict(tables)[20:])


def test_the_order_of_the_sources_does_not_matter(fusion, data):
    """Columns are found by name."""
    tables, _ = data
    turned = dict(reversed(tables.items()))
    np.testing.assert_allclose(fusion.predict(turned), fusion.predict(tables))


def test_late_fusion_of_one_source_keeps_its_ranking(data):
    """A combination of one is a scale and a shift of its log odds."""
    tables, labels = data
    one = {"left": tables["left"]}
    late = LateFusion(LogisticRegression()).fit(one, labels)
    alone = LogisticRegression().fit(tables["left"].to_numpy(), labels)
    p = alone.predict_proba(tables["left"].to_numpy())[:, 1]
    assert auroc(labels, late.predict(one)) == auroc(labels, p)


def test_the_combination_learns_from_unseen_patients(data):
    """A source that can only be memorised gets hardly any weight."""
    _, labels = data
    unique = pd.DataFrame({"code": np.random.default_rng(9).permutation(len(labels)).astype(float)})
    memory = boosting().set_params(min_samples_leaf=1, max_leaf_nodes=40, l2_regularization=0)
    late = LateFusion(memory).fit({"code": unique}, labels)
    trusted = memory.fit(unique.to_numpy(), labels).predict_proba(unique.to_numpy())[:, 1]
    assert auroc(labels, trusted) > 0.95
    assert np.ptp(late.predict({"code": unique})) < 0.5 * np.ptp(trusted)


def test_late_fusion_promises_as_many_as_there_are(data):
    """Two sources both know how rare label 1 is; their combination must not count it twice."""
    tables, _ = data
    rare = (tables["left"]["left"] + tables["right"]["right"] > 2).astype(int)
    late = LateFusion(LogisticRegression()).fit(tables, rare)
    assert rare.mean() < 0.1
    assert late.predict(tables).mean() == pytest.approx(rare.mean(), abs=0.01)


def test_training_patients_may_lack_a_source_and_one_value_is_enough(data):
    """Fifty patients without the source, fifty with one of its two columns: only those have it."""
    tables, labels = data
    wide = {"left": tables["left"].assign(copy=tables["left"]), "right": tables["right"]}
    wide["left"].iloc[:50] = np.nan
    wide["left"].iloc[50:100, 1] = np.nan
    late = LateFusion().fit(wide, labels)
    assert np.isfinite(late.unseen_["left"]).sum() == 350
    answers, without = late.predict(wide), late.predict({"right": tables["right"]})
    np.testing.assert_allclose(answers[:50], without[:50])
    assert auroc(labels[50:100], answers[50:100]) > auroc(labels[50:100], without[50:100]) + 0.05


def test_dropping_sources_in_training_helps_when_one_is_missing():
    """Two copies of one sign: without dropping, the trees may lean on a single one."""
    generator = np.random.default_rng(5)
    labels = generator.integers(2, size=600)
    sign = labels + 0.6 * generator.normal(size=600)
    copy = sign + 0.05 * generator.normal(size=600)
    tables = {"first": pd.DataFrame({"a": sign}), "second": pd.DataFrame({"b": copy})}
    plain, dropped = (
        EarlyFusion(dropped=share, seed=1).fit(rows(tables, slice(0, 400)), labels[:400])
        for share in (0.0, 0.5)
    )
    test = {"second": tables["second"][400:]}
    assert auroc(labels[400:], dropped.predict(test)) > 0.85
    assert auroc(labels[400:], dropped.predict(test)) > auroc(labels[400:], plain.predict(test))


@pytest.mark.parametrize("fusion", [EarlyFusion(), LateFusion()])
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t, y: (t, y * 0), "all 400 labels are 0: a model needs both"),
        (lambda t, y: (t, np.where(y, 2, 0)), r"labels are 0 or 1, got \[0, 2\]"),
        (lambda t, y: (t, np.where(y, np.nan, 0)), "labels are 0 or 1, got"),
        (lambda t, y: (t, y[:-1]), "expected one row for each of 399 labels"),
        (lambda t, y: ({}, y), "expected one row for each of 400 labels"),
        (lambda t, y: (t | {"noise": t["noise"] * np.nan}, y), "source 'noise' is empty"),
    ],
)
def test_what_no_model_can_learn_from_is_refused(data, fusion, change, message):
    """One class, other labels, NaN, a missing row, no table, an empty source."""
    with pytest.raises(ValueError, match=message):
        fusion.fit(*change(*data))


def test_unknown_sources_and_columns_are_refused(fusion, data):
    """A source that training never saw, none at all, and a table of the wrong source."""
    tables, _ = data
    with pytest.raises(ValueError, match="unknown source 'images', expected some of left, right"):
        fusion.predict(tables | {"images": tables["left"]})
    with pytest.raises(ValueError, match="no source at all, expected some of left, right, noise"):
        fusion.predict({})
    with pytest.raises(ValueError, match=r"source 'left' has columns \['right'\]"):
        fusion.predict({"left": tables["right"]})


def test_a_patient_without_any_source_is_refused(data):
    """Late fusion has nothing to combine for row 2."""
    tables, labels = data
    late = LateFusion(LogisticRegression()).fit({"left": tables["left"]}, labels)
    empty = tables["left"].copy()
    empty.iloc[2] = np.nan
    with pytest.raises(ValueError, match="the patient in row 2 has no source at all"):
        late.predict({"left": empty})


def test_too_few_of_a_class_and_a_share_above_one_are_refused(data):
    """Four deaths for five folds; dropped given as a percentage."""
    tables, labels = data
    few = np.arange(len(labels)) < 4
    with pytest.raises(ValueError, match="5 folds need 5 patients of each class"):
        LateFusion().fit(tables, few)
    with pytest.raises(ValueError, match="dropped is a share of the patients, 0-1, got 50"):
        EarlyFusion(dropped=50).fit(tables, labels)
