"""The short way through the first layer against the long one."""

import numpy as np
import pytest
import torch
from torch import nn

from medml.drugs.finetuning import FineTuned
from medml.drugs.multitask import MultiTask, seeded
from medml.drugs.sparse import sparse_linear, sum_of_rows


@pytest.mark.parametrize("count", [0, 1, 5])
def test_the_sum_of_columns_is_the_product(count):
    """Empty fingerprints first, last and alone too; and no fingerprint at all."""
    bits = (np.random.default_rng(0).random((count, 64)) < 0.1).astype(np.uint8)
    bits[[0, -1] if count > 1 else []] = 0
    layer = seeded(0, lambda: nn.Linear(64, 3))
    torch.testing.assert_close(sparse_linear(layer, bits), layer(torch.from_numpy(bits).float()))


def test_half_precision_counts_2048_shared_bits_exactly():
    """As many as a fingerprint has; 2,047 too, which fewer digits would round."""
    table = torch.ones(2048, 2, dtype=torch.float16)
    table[5, 1] = 0
    shared = sum_of_rows(table, np.ones((1, 2048), np.uint8))
    assert shared.float().tolist() == [[2048, 2047]]


def test_a_fine_tuned_network_predicts_what_its_layers_compute():
    """More molecules than go in one piece, and a view that is not contiguous."""
    bits = (np.random.default_rng(0).random((128, 5000)) < 0.02).astype(np.uint8).T
    model = seeded(0, lambda: FineTuned(MultiTask(["a"], 128).body, level=7.0, spread=2.0)).eval()
    with torch.no_grad():
        expected = 7 + 2 * model(torch.from_numpy(bits.copy()).float()).numpy()
    np.testing.assert_allclose(model.predict(bits), expected, atol=1e-5)
