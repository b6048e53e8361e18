"""Fine-tuning: the document's loss exactly, and each strategy moves what it may move."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from medml.drugs.finetuning import FineTuned, fine_tune, l2_sp, plain, transfer_loss
from medml.drugs.multitask import MultiTask, pretrain, seeded

BITS = (np.random.default_rng(0).random((40, 64)) < 0.3).astype(np.uint8)
PX = 6 + BITS[:, :8].sum(axis=1) / 2 - BITS[:, 8:16].sum(axis=1) / 3


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Keep torch on one thread, so that sums have one order."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def source():
    """Return a source model of two tasks that share their cause with the target."""
    bits = (np.random.default_rng(1).random((600, 64)) < 0.3).astype(np.uint8)
    cause = bits[:, :8].sum(axis=1) / 2 - bits[:, 8:16].sum(axis=1) / 3
    tasks = np.where(np.arange(600) % 2, "even", "odd")
    return pretrain(bits, tasks, np.where(tasks == "odd", 2 * cause, 5 - cause), seed=0, epochs=20)


def parameters(module):
    """Return all parameters of a module as one vector."""
    return torch.cat([parameter.detach().flatten() for parameter in module.parameters()])


def test_lambda_zero_is_plain_fine_tuning_bit_for_bit(source):
    """0·D + 1·L has the gradient of L, to the last bit."""
    body = source.body
    tuned = [fine_tune(body, BITS, PX, objective) for objective in (plain, transfer_loss(0))]
    first, second = map(parameters, tuned)
    assert torch.equal(first, second)
    assert not torch.equal(parameters(tuned[0].body), parameters(body))


def test_lambda_one_never_learns(source):
    """The body stays the source's and the head stays as it was made."""
    tuned = fine_tune(source.body, BITS, PX, transfer_loss(1), seed=3)
    assert torch.equal(parameters(tuned.body), parameters(source.body))
    fresh = seeded(3, lambda: FineTuned(copy.deepcopy(source.body), 0.0, 1.0))
    assert torch.equal(parameters(tuned.head), parameters(fresh.head))


def test_one_step_follows_the_written_gradient_of_the_documents_loss(source):
    """θ − η·((1 − λ)·∂L + 2λ·(θ_t − θ_s)) by autograd on a formula of its own; no D on the head."""
    lam, rate, seen = 0.3, 0.05, []

    def spy(loss, distance, head):
        seen.append((loss, distance, head))
        return transfer_loss(lam)(loss, distance, head)

    step = {"rate": rate, "optimiser": torch.optim.SGD}
    tuned = fine_tune(source.body, BITS, PX, spy, steps=7, **step)
    loss, distance, head = seen[-1]
    assert distance.item() > 0
    assert seen[0][1].item() == 0  # the first step starts at the source
    again = fine_tune(source.body, BITS, PX, transfer_loss(lam), steps=6, **step)
    target = torch.from_numpy((PX - PX.mean()) / PX.std()).float()
    value = ((again(torch.from_numpy(BITS).float()) - target) ** 2).mean()
    gap = parameters(again.body) - parameters(source.body)
    assert loss.item() == pytest.approx(value.item(), rel=1e-6)
    assert distance.item() == pytest.approx((gap**2).sum().item(), rel=1e-5)
    assert head.item() == pytest.approx((parameters(again.head) ** 2).sum().item(), rel=1e-5)
    gradient = torch.autograd.grad(value, list(again.parameters()))
    theirs = [*source.body.parameters(), *again.head.parameters()]  # no pull on the head
    for own, now, start, slope in zip(
        tuned.parameters(), again.parameters(), theirs, gradient, strict=True
    ):
        expected = now - rate * ((1 - lam) * slope + 2 * lam * (now - start))
        torch.testing.assert_close(own, expected, atol=1e-7, rtol=1e-5)


def test_bits_that_no_labelled_molecule_has_keep_the_sources_weights(source):
    """And all others move, and the first layer is whole again."""
    bits = BITS[:6].copy()
    tuned = fine_tune(source.body, bits, PX[:6], steps=3)
    moved = (tuned.body[0].weight != source.body[0].weight).any(dim=0).numpy()
    np.testing.assert_array_equal(moved, bits.any(axis=0))
    assert tuned.body[0].weight.shape == source.body[0].weight.shape


def test_for_plain_gradient_descent_lambda_shrinks_the_step_and_the_rate_can_undo_it(source):
    """Rate η/(1 − λ) gives the steps of L + λ/(1 − λ)·D at the rate η; η itself does not."""
    lam = 0.6
    descent = {"steps": 20, "optimiser": torch.optim.SGD}

    def tuned(objective, rate):
        return parameters(fine_tune(source.body, BITS, PX, objective, rate=rate, **descent))

    apart = tuned(l2_sp(2 * lam / (1 - lam), 0), 0.02)
    torch.testing.assert_close(tuned(transfer_loss(lam), 0.02 / (1 - lam)), apart)
    assert (tuned(transfer_loss(lam), 0.02) - apart).abs().max() > 1e-3


def test_the_source_gets_no_gradient_and_stays_as_it_is(source):
    """θ_s is a constant, whatever the objective."""
    before = parameters(source)
    for parameter in source.parameters():
        parameter.grad = None
    for objective in (plain, transfer_loss(0.5), l2_sp(0.1, 0.1)):
        fine_tune(source.body, BITS, PX, objective, steps=5)
    assert torch.equal(parameters(source), before)
    assert all(parameter.grad is None for parameter in source.parameters())


def test_a_stronger_pull_keeps_the_body_nearer(source):
    """The distance falls from λ = 0 to 1, and by L2-SP as well."""
    start = parameters(source.body)

    def moved(objective):
        tuned = fine_tune(source.body, BITS, PX, objective)
        return (parameters(tuned.body) - start).norm().item()

    by_lambda = [moved(transfer_loss(lam)) for lam in (0, 0.1, 0.5, 0.9, 1)]
    assert by_lambda == sorted(by_lambda, reverse=True)
    assert by_lambda[-1] == 0
    assert moved(l2_sp(1.0, 0.0)) < moved(l2_sp(0.01, 0.0)) < by_lambda[0]


def test_l2_sp_is_the_documents_loss_with_another_scale_when_the_head_is_left_alone():
    """α/2 = λ/(1 − λ): the two differ by the factor 1 − λ."""
    loss, distance, head = torch.tensor([4.0, 10.0, 7.0])
    lam = 0.2
    same = l2_sp(2 * lam / (1 - lam), 0.0)(loss, distance, head) * (1 - lam)
    assert transfer_loss(lam)(loss, distance, head).item() == pytest.approx(same.item())
    assert l2_sp(0.0, 2.0)(loss, distance, head).item() == 4 + 7


@pytest.mark.parametrize("frozen", [0, 1, 2])
def test_frozen_layers_stay_and_the_others_move(source, frozen):
    """Two frozen layers make a linear probe: the head alone learns."""
    tuned = fine_tune(source.body, BITS, PX, frozen=frozen)
    same = [
        torch.equal(own.weight, theirs.weight) and torch.equal(own.bias, theirs.bias)
        for own, theirs in zip(tuned.body, source.body, strict=True)
        if isinstance(own, nn.Linear)
    ]
    assert same == [True] * frozen + [False] * (2 - frozen)


def test_what_the_source_learned_helps_where_the_cause_is_the_same(source):
    """Ten labels: the probe on the source's body ranks better than training from scratch."""
    fresh = seeded(0, lambda: MultiTask(["none"], 64)).body
    rank = {
        name: np.corrcoef(fine_tune(body, BITS[:10], PX[:10]).predict(BITS[10:]), PX[10:])[0, 1]
        for name, body in {"source": source.body, "scratch": fresh}.items()
    }
    assert rank["source"] > rank["scratch"] + 0.1


def test_predictions_come_in_pX_and_repeat_with_the_seed(source):
    """In the unit and range of the labels; the same seed gives the same numbers."""
    first, again, other = (
        fine_tune(source.body, BITS, PX, seed=seed, steps=300).predict(BITS) for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    assert np.abs(first - PX).mean() < 0.2


@pytest.mark.parametrize(
    ("bits", "values", "message"),
    [
        (BITS[:, :32], PX, r"fingerprints \(40, 32\) for a body that takes 64 bits"),
        (BITS, PX[:-1], "40 fingerprints need as many finite labels"),
        (BITS[:3], np.array([6.0, 6.0, 6.0]), "not all equal"),
        (BITS[:3], np.array([6.0, np.nan, 7.0]), "finite labels"),
        (BITS[:3], np.array([[6.0], [7.0], [8.0]]), r"got shape \(3, 1\)"),  # a table's column
        (BITS[:0], np.array([]), "0 fingerprints need"),
    ],
)
def test_what_cannot_be_fitted_is_refused(source, bits, values, message):
    """Fingerprints of another size, and labels that say nothing."""
    with pytest.raises(ValueError, match=message):
        fine_tune(source.body, bits, values)


def test_a_tuned_model_refuses_fingerprints_of_another_size(source):
    """A screen with the wrong number of bits is one clear error."""
    tuned = fine_tune(source.body, BITS, PX, steps=1)
    with pytest.raises(ValueError, match="takes 64 bits"):
        tuned.predict(BITS[:, :32])


def test_settings_out_of_range_are_refused(source):
    """λ beyond 0 to 1, a negative α, a third layer to be frozen."""
    for lam in (-0.1, 1.1):
        with pytest.raises(ValueError, match=f"λ must lie between 0 and 1, got {lam}"):
            transfer_loss(lam)
    for alpha in (-1, np.nan):
        with pytest.raises(ValueError, match=f"α and β must be at least 0, got {alpha}"):
            l2_sp(alpha, 0)
    with pytest.raises(ValueError, match="has 2 layers, 3 cannot be frozen"):
        fine_tune(source.body, BITS, PX, frozen=3)


def test_pretraining_learns_each_task_and_repeats_with_the_seed(source):
    """Both heads predict their task on new molecules; the global generator is left alone."""
    bits = (np.random.default_rng(2).random((200, 64)) < 0.3).astype(np.uint8)
    cause = bits[:, :8].sum(axis=1) / 2 - bits[:, 8:16].sum(axis=1) / 3
    with torch.no_grad():
        output = source(torch.from_numpy(bits).float()).numpy()
    assert source.tasks == ("even", "odd")
    assert np.corrcoef(output[:, 1], cause)[0, 1] > 0.8
    assert np.corrcoef(output[:, 0], cause)[0, 1] < -0.8
    state = torch.random.get_rng_state()
    models = [pretrain(BITS, ["one"] * 40, PX, seed=5, epochs=2) for _ in range(2)]
    assert torch.equal(parameters(models[0]), parameters(models[1]))
    assert torch.equal(torch.random.get_rng_state(), state)


def test_pretraining_refuses_lengths_that_differ_and_tasks_without_spread():
    """The task is named."""
    with pytest.raises(ValueError, match="got 40, 39 and 40"):
        pretrain(BITS, ["a"] * 39, PX, seed=0)
    with pytest.raises(ValueError, match="got 0, 0 and 0"):
        pretrain(BITS[:0], [], [], seed=0)
    flat = np.r_[PX[:-2], 6.0, 6.0]
    with pytest.raises(ValueError, match="task 'b' has no two different values"):
        pretrain(BITS, ["a"] * 38 + ["b"] * 2, flat, seed=0)
