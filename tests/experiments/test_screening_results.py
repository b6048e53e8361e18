"""Stored screens of the whole library: judged again, hits found again, and the bars are met."""

import numpy as np
import pytest

from experiments import screening_rates, zinc_screen
from medml.course import stored_run
from medml.data.compounds import library_paths, load_activities
from medml.data.smiles import read_chunks
from medml.drugs.kernel_model import KernelModel
from medml.drugs.molecules import fingerprints
from medml.drugs.screening import screen


@pytest.fixture(scope="module")
def target():
    """The measured molecules."""
    return load_activities(zinc_screen.TASK)


@pytest.fixture(scope="module")
def rows():
    """The stored rows by their part."""
    table = {}
    for row in stored_run("zinc_screen")["rows"]:
        table.setdefault(row["part"], []).append(row)
    return table


def test_the_models_are_judged_as_stored_among_measured_molecules(target, rows, monkeypatch):
    """Without decoys and without the network, which takes a minute to teach."""
    monkeypatch.setattr(zinc_screen, "random_forest", lambda *a, **k: np.zeros(len(a[2])))
    stored = {row["model"]: row for row in rows["judge"] if row["decoys"] == "measured"}
    fresh = {row["model"]: row for row in zinc_screen.judge(target, decoys=0)}
    for model in ("heavy atoms", "nearest active", "Gaussian process"):
        for name in ("auroc", "auroc_low", "bedroc", "enrichment_1"):
            assert fresh[model][name] == pytest.approx(stored[model][name], abs=0.01)


def test_the_interval_covers_what_it_did(target, rows):
    """And 85 to 95 % of all, as promised; it is wider outside the domain."""
    fresh = zinc_screen.calibrate(target)
    for row, stored in zip(fresh, rows["interval"] + rows["first"], strict=True):
        for name, value in stored.items():
            assert row[name] == (
                value if isinstance(value, str) else pytest.approx(value, abs=0.01)
            )
    every, inside, outside = rows["interval"]
    assert 0.85 <= every["coverage"] <= 0.95
    assert outside["width"] > inside["width"]


def test_stored_hits_are_found_again_in_their_place(target, rows, tmp_path):
    """The best of one file of the library: its part around the hit is screened anew."""
    model = KernelModel(fingerprints(target["smiles"]), target["pX"])
    hits = [row for row in rows["hit"] if row["model"] == "Gaussian process"]
    scores = model.predict(fingerprints([row["smiles"] for row in hits]))
    np.testing.assert_allclose(scores, [row["score"] for row in hits], atol=1e-3)
    best = next(row for row in hits if row["file"] == "test.csv.gz")
    lines = [text for chunk in read_chunks(library_paths()[1]) for text in chunk.smiles]
    start = best["line"] - 2 - 500
    (tmp_path / "a.smi").write_text("\n".join(lines[start : start + 1000]))
    found = screen(tmp_path / "a.smi", model, 1, processes=1).hits.iloc[0]
    assert (found["line"], found["smiles"]) == (501, best["smiles"])


def test_the_library_takes_minutes_and_memory_does_not_grow_with_it(rows):
    """Below 400 core-seconds and 1 GB a worker, for both models."""
    for model in ("Gaussian process", "network"):
        part, whole = [row for row in rows["screen"] if row["model"] == model]
        assert (part["molecules"], whole["molecules"]) == (50_000, 1_936_962)
        assert whole["core_s"] < 400
        assert max(part["worker_mb"], whole["worker_mb"]) < 1000
        assert whole["worker_mb"] - part["worker_mb"] < 50  # it grows by nothing


def test_the_steps_of_a_screen_cost_what_was_stored():
    """Ratios of a twelfth, within 2.5 times: rates are of one machine on one day.

    Both models reach the bar of 60 % of what the parser alone does.
    """
    stored = {row["step"]: row["rate"] for row in stored_run("screening_rates")["rows"]}
    fresh = {row["step"]: row["rate"] for row in screening_rates.measure(count=8000, asked=100)}
    assert fresh.keys() == stored.keys()
    for step in ("parse and fingerprint", "score, network", "PAINS"):
        ratio = (fresh[step] / fresh["parse"]) / (stored[step] / stored["parse"])
        assert 0.4 < ratio < 2.5
    for model in ("network", "Gaussian process"):
        assert stored[f"screen, {model}"] > 0.6 * stored["parse"]
