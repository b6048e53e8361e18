"""A training run does what it says, twice the same, and survives being killed."""

import os
import signal
import subprocess
import sys
import warnings

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score
from torch import nn

from medml.diagnosis.model import LungCancerClassifier, SmallCNN
from medml.diagnosis.nodules import NoduleDataset, random_view
from medml.diagnosis.run import Run
from medml.diagnosis.training import Settings, fit, hold_out_patients, predict, split_patients

DEVICES = ["cpu"]
DEVICES += ["cuda"] if torch.cuda.is_available() else []
DEVICES += ["mps"] if torch.backends.mps.is_available() else []


def add_noise(image, generator):
    """Augment with noise: any draw that is not repeated shows."""
    return image + generator.normal(0, 0.1, image.shape).astype(np.float32)


def dots(count, seed, *, augment=None, contrast=1.0):
    """Return images of 4 x 4 pixels; those with label 1 are brighter. Two items a patient."""
    generator = np.random.default_rng(seed)
    labels = np.arange(count) % 2
    images = generator.normal(0, 1, (count, 1, 4, 4)) + contrast * labels[:, None, None, None]
    patients = [f"{seed}-{i // 2}" for i in range(count)]
    return NoduleDataset(images, labels, patients, augment=augment, seed=seed)


def network(seed=0):
    """Return a network with every layer that could betray a run: normalisation and dropout."""
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Dropout(0.5),
        nn.Linear(16, 8), nn.BatchNorm1d(8), nn.Linear(8, 2),
    )  # fmt: skip


def linear(seed=0):
    """Return a softmax regression on the 16 pixels."""
    torch.manual_seed(seed)
    return nn.Sequential(nn.Flatten(), nn.Linear(16, 2))


def same_weights(one, other):
    """Tell whether two networks agree in every bit."""
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


# --- splitting by patient ---


def test_a_split_is_a_partition_by_patient_with_both_classes_in_each_set():
    """400 nodules of 250 patients: 3/5, 1/5, 1/5, class shares within 3 percentage points."""
    generator = np.random.default_rng(0)
    patients, labels = generator.integers(250, size=400), generator.random(400) < 0.4
    sets = split_patients(labels, patients, seed=1)
    assert sorted(np.concatenate(sets)) == list(range(400))
    assert sum(len(set(patients[rows])) for rows in sets) == len(set(patients))
    np.testing.assert_allclose([len(rows) for rows in sets], [240, 80, 80], atol=4)
    np.testing.assert_allclose([labels[rows].mean() for rows in sets], labels.mean(), atol=0.03)


def test_a_split_depends_on_its_seed_alone():
    """The same seed gives the same rows, another seed others."""
    labels, patients = np.arange(100) % 2, np.arange(100) // 2
    first, again, other = (split_patients(labels, patients, seed)[2] for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert first.tolist() != other.tolist()


def test_the_patient_with_most_nodules_is_held_out_as_often_as_any_other():
    """In 100 seeds about 20 times of 5 parts; the splitter's first part would hold it always."""
    labels = np.r_[np.ones(6, int), np.arange(94) % 2]
    patients = np.r_[np.zeros(6, int), np.arange(1, 95)]
    often = sum(0 in hold_out_patients(labels, patients, seed)[1] for seed in range(100))
    assert 8 <= often <= 35


@given(st.lists(st.tuples(st.integers(0, 9), st.booleans()), min_size=1, max_size=60))
def test_any_cohort_is_split_properly_or_refused(items):
    """Each set holds both classes and nobody else's patients, or the error says what is short."""
    patients, labels = np.array(items).T
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            sets = split_patients(labels, patients, seed=0, parts=3)
        except ValueError as error:
            assert "take more patients" in str(error) or "another seed" in str(error)
            return
    assert sorted(np.concatenate(sets)) == list(range(len(items)))
    assert all(set(labels[rows]) == {0, 1} for rows in sets)
    assert sum(len(set(patients[rows])) for rows in sets) == len(set(patients))


@pytest.mark.parametrize(
    "labels, patients, message",
    [
        ([0, 1] * 10, ["p"] * 20, "got 1 and 1 among 1 patients: take more patients"),
        ([0] * 20, range(20), "got 20 and 0 among 20 patients"),
        ([0, 1, 2] * 10, range(30), "label 0 and with label 1, got 10 and 10 among 30"),
        ([0, 1], range(3), r"labels \(2,\) and patients \(3,\)"),
    ],
)
def test_a_cohort_that_cannot_be_split_is_refused_by_name(labels, patients, message):
    """One patient, one class, three classes, or lengths that differ."""
    with pytest.raises(ValueError, match=message):
        split_patients(labels, patients, seed=0)


def test_too_few_parts_are_refused():
    """Three sets need three parts."""
    with pytest.raises(ValueError, match="expected 2 for two sets and 3 for three"):
        split_patients(np.arange(20) % 2, range(20), seed=0, parts=2)


# --- loss, step, best epoch ---


def softmax_regression_step(images, labels, weights, bias, class_weight, rate, decay):
    """Return loss and weights after the first step of Adam, in float64 NumPy."""
    x = images.reshape(len(images), -1).astype(np.float64)
    z = x @ weights.T + bias
    p = np.exp(z - z.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    w = class_weight[labels]
    loss = (w * -np.log(p[np.arange(len(x)), labels])).sum() / w.sum()
    error = (p - np.eye(2)[labels]) * w[:, None] / w.sum()
    new = []
    for value, gradient in ((weights, error.T @ x), (bias, error.sum(axis=0))):
        g = gradient + decay * value
        m, v = 0.1 * g, 0.001 * g**2  # β₁ 0.9, β₂ 0.999, moments from 0
        new.append(value - rate * (m / 0.1) / (np.sqrt(v / 0.001) + 1e-8))
    return loss, *new


@pytest.mark.parametrize("class_weights, decay", [(False, 0.0), (True, 0.1)])
def test_an_epoch_of_one_batch_is_one_step_of_adam_on_the_cross_entropy(class_weights, decay):
    """Loss, weights and validation figures equal a hand-written computation."""
    train, validation = dots(10, 1), dots(8, 2)
    train = train.subset([0, 1, 2, 4, 6, 8])  # five benign, one malignant
    model = linear()
    before = [p.detach().numpy().astype(np.float64) for p in model.parameters()]
    settings = Settings(
        epochs=1, batch_size=6, learning_rate=0.05, weight_decay=decay, class_weights=class_weights
    )
    result = fit(model, train, validation, settings)
    weight = np.array([6 / 10, 6 / 2]) if class_weights else np.ones(2)
    images, labels = train.images, train.labels
    loss, *after = softmax_regression_step(images, labels, *before, weight, 0.05, decay)
    for parameter, expected in zip(model.parameters(), after, strict=True):
        np.testing.assert_allclose(parameter.detach().numpy(), expected, atol=1e-6)
    row = result.history.loc[0]
    assert row["epoch"] == 1
    assert row["train_loss"] == pytest.approx(loss, abs=1e-6)
    images, labels = validation.images, validation.labels
    loss, *_ = softmax_regression_step(images, labels, *after, weight, 0, 0)
    assert row["validation_loss"] == pytest.approx(loss, abs=1e-6)
    assert row["validation_auroc"] == roc_auc_score(labels, predict(model, validation))


def test_the_model_ends_with_the_weights_of_the_best_validation_epoch():
    """Trained on turned labels it gets worse: the first epoch wins, and its weights are kept."""
    train, validation = dots(40, 1, contrast=2), dots(40, 2, contrast=2)
    train.labels = 1 - train.labels
    model = linear()
    with torch.no_grad():
        model[1].weight.copy_(torch.tensor([-1.0, 1.0])[:, None].expand(2, 16) / 4)
    settings = Settings(epochs=6, learning_rate=0.1, patience=6)
    result = fit(model, train, validation, settings)
    auroc = result.history["validation_auroc"]
    assert result.best_epoch == 1 + auroc.argmax() < 6
    assert auroc.iloc[-1] < 0.5 < auroc.max()
    assert roc_auc_score(validation.labels, predict(model, validation)) == auroc.max()


def test_of_epochs_with_equal_auroc_the_one_with_the_lowest_loss_is_best():
    """Well separated classes: AUROC 1 from the first epoch on, while the loss still falls."""
    train, validation = dots(40, 1, contrast=9), dots(40, 2, contrast=9)
    model = linear()
    with torch.no_grad():
        model[1].weight.copy_(torch.tensor([-1.0, 1.0])[:, None].expand(2, 16) / 100)
    result = fit(model, train, validation, Settings(epochs=4))
    assert (result.history["validation_auroc"] == 1).all()
    assert result.best_epoch == 4


def test_auroc_comes_before_loss_and_the_first_of_equal_epochs_wins():
    """Five epochs by hand: the lowest loss has not the highest AUROC."""
    run = Run(linear(), dots(8, 1), dots(8, 2), Settings())
    for auroc, loss in [(0.8, 0.5), (0.9, 0.7), (0.9, 0.6), (0.9, 0.6), (0.85, 0.1)]:
        run.history.append({"validation_auroc": auroc, "validation_loss": loss})
    assert run.best_epoch == 3


def test_every_epoch_takes_all_images_in_an_order_of_its_own():
    """The brightness of the first pixel tells which image it is."""
    seen = []
    model, train = linear(), dots(20, 1)
    model.register_forward_pre_hook(
        lambda _, inputs: seen.extend(inputs[0][:, 0, 0, 0].tolist()) if model.training else None
    )
    fit(model, train, dots(8, 2), Settings(epochs=3, batch_size=6))
    epochs = [tuple(seen[i : i + 20]) for i in (0, 20, 40)]
    assert len(set(epochs)) == 3
    assert {tuple(sorted(epoch)) for epoch in epochs} == {tuple(sorted(train.images[:, 0, 0, 0]))}


def test_validation_sees_no_augmentation():
    """A validation set that would turn its images into noise gives what a plain one gives."""
    history = []
    for augment in (None, lambda image, generator: generator.random(image.shape, np.float32)):
        validation = dots(20, 2, augment=augment)
        history.append(fit(linear(), dots(20, 1), validation, Settings(epochs=2)).history)
    pd.testing.assert_frame_equal(*history, check_exact=True)


def test_training_stops_when_the_patience_is_used_up():
    """A model that cannot change is best at once; two more epochs, then the end."""
    model = linear().requires_grad_(False)
    model.append(nn.BatchNorm1d(2, momentum=0.0))
    model[2].bias.requires_grad_(False)
    result = fit(model, dots(20, 1), dots(20, 2), Settings(learning_rate=1e-12, patience=2))
    assert len(result.history) == result.best_epoch + 2 < 30


def test_a_lone_last_image_is_trained_on_with_the_batch_before_it():
    """Nine images in batches of four: BatchNorm never sees one image alone."""
    seen = []
    model = network()
    model.register_forward_hook(lambda *call: seen.append(len(call[2])) if model.training else None)
    fit(model, dots(9, 1), dots(8, 2), Settings(epochs=1, batch_size=4))
    assert seen == [4, 5]
    assert not model.training


def test_the_run_has_the_threads_it_was_given():
    """One unless told otherwise: more would add up in another order."""
    for threads in (1, 3):
        seen = set()
        model = linear()
        model.register_forward_hook(lambda *_, seen=seen: seen.add(torch.get_num_threads()))
        fit(model, dots(8, 1), dots(8, 2), Settings(epochs=1, threads=threads))
        assert seen == {threads}


# --- the same again ---


@pytest.mark.parametrize("device", DEVICES)
def test_it_learns_on_every_device_that_is_here(device):
    """Noisy bright dots: AUROC above 0.9 on new patients, on the CPU and on an accelerator."""
    model = network()
    settings = Settings(epochs=8, learning_rate=0.02, device=device)
    fit(model, dots(200, 1, augment=add_noise), dots(60, 2), settings)
    test = dots(200, 3)
    assert next(model.parameters()).device.type == device
    on_device = predict(model, test, device=device)
    assert roc_auc_score(test.labels, on_device) > 0.9
    np.testing.assert_allclose(predict(model, test), on_device, atol=1e-4)


def test_the_same_seed_gives_identical_predictions_and_leaves_the_caller_alone():
    """Whatever the global random state and threads are; another seed gives others."""
    predictions = []
    for seed in (5, 5, 6):
        model = network()
        torch.manual_seed(len(predictions))
        state, threads = torch.get_rng_state(), torch.get_num_threads()
        settings = Settings(epochs=2, seed=seed)
        fit(model, dots(60, 1, augment=add_noise), dots(20, 2), settings)
        assert torch.equal(torch.get_rng_state(), state)
        assert torch.get_num_threads() == threads
        predictions.append(predict(model, dots(50, 3)))
    assert predictions[0].tolist() == predictions[1].tolist() != predictions[2].tolist()


def test_a_prediction_is_a_softmax_without_dropout_augmentation_or_a_trace():
    """Equal for every batch size up to rounding, by hand too; the modes stay as they were."""
    model, items = network(), dots(23, 1, augment=add_noise)
    model.train()
    model[1].eval()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    probability = predict(model, items)
    assert probability.dtype == np.float64 and probability.shape == (23,)
    np.testing.assert_allclose(predict(model, items, batch_size=2), probability, atol=1e-6)
    assert model.training and model[4].training and not model[1].training
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    logits = model.eval()(torch.tensor(items.images)).detach().double().numpy()
    expected = np.exp(logits[:, 1]) / np.exp(logits).sum(axis=1)
    np.testing.assert_allclose(probability, expected, atol=1e-6)


# --- killed and resumed ---

SETTINGS = Settings(epochs=5, batch_size=8, learning_rate=0.02, class_weights=True, seed=3)


def run(checkpoint=None, *, train=None, validation=None, settings=SETTINGS):
    """Train the network of these tests from its beginning or from a checkpoint."""
    model = network()
    train = train or dots(33, 1, augment=add_noise)
    result = fit(model, train, validation or dots(20, 2), settings, checkpoint)
    return model, result


class Stop(Exception):
    """Stands for whatever ends a run."""


def interrupted(epoch, item, end):
    """Return the training set of `run`, which ends the run at an item of an epoch."""

    class Interrupted(NoduleDataset):
        served = 0

        def set_epoch(self, epoch):
            self.served = 0
            super().set_epoch(epoch)

        def __getitem__(self, index):
            self.served += 1
            if (self.epoch, self.served) == (epoch, item):
                end()
            return super().__getitem__(index)

    whole = dots(33, 1, augment=add_noise)
    return Interrupted(
        whole.images, whole.labels, whole.patients, augment=add_noise, seed=whole.seed
    )


def raise_stop():
    """End a run within the process."""
    raise Stop


def kill():
    """End this process as an operator or the kernel would: nothing is cleaned up."""
    os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))


@pytest.mark.parametrize("epoch", range(1, 6))
def test_a_run_stopped_in_any_epoch_and_resumed_is_the_uninterrupted_run(epoch, tmp_path):
    """Weights, history and best epoch agree in every bit, wherever it stopped."""
    path = tmp_path / "run.pt"
    with pytest.raises(Stop):
        run(path, train=interrupted(epoch, 20, raise_stop))
    assert path.exists() == (epoch > 1)
    model, result = run(path)
    expected, uninterrupted = run()
    assert same_weights(model, expected)
    pd.testing.assert_frame_equal(result.history, uninterrupted.history, check_exact=True)
    assert result.best_epoch == uninterrupted.best_epoch


def test_a_process_killed_in_mid_epoch_and_started_again_ends_the_same(tmp_path):
    """SIGKILL in epoch 3: the file holds two whole epochs, and the next run ends as if nothing."""
    path = tmp_path / "run.pt"
    code = (
        "import sys; sys.path[:0] = sys.argv[2:]; import test_training as t; "
        "t.run(sys.argv[1], train=t.interrupted(3, 20, t.kill))"
    )
    folders = [os.path.dirname(__file__), os.getcwd()]
    done = subprocess.run([sys.executable, "-c", code, str(path), *folders], capture_output=True)
    killed = -signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM
    assert done.returncode == killed, done.stderr.decode()
    epochs = []
    model, result = run(path, train=counting(epochs))
    assert epochs == [0, 3, 4, 5]
    expected, uninterrupted = run()
    assert same_weights(model, expected)
    pd.testing.assert_frame_equal(result.history, uninterrupted.history, check_exact=True)


@pytest.mark.parametrize("kind", [SmallCNN, LungCancerClassifier])
def test_the_networks_of_this_course_resume_exactly(kind, tmp_path):
    """Stopped in the second of two epochs, on 17 augmented patches of 32 pixels."""
    generator = np.random.default_rng(0)
    images, labels = generator.random((25, 1, 32, 32)), np.arange(25) % 2
    items = NoduleDataset(images, labels, [str(i) for i in range(25)])
    train, validation = items.subset(range(17), augment=random_view), items.subset(range(17, 25))
    settings = Settings(epochs=2, batch_size=8)
    ends = []
    for stop in (None, 25):  # the 8th image of the second epoch
        torch.manual_seed(1)
        model = kind()
        if stop:
            with pytest.raises(Stop):
                fit(stopping(model, stop), train, validation, settings, tmp_path / "run.pt")
            model = kind()
        fit(model, train, validation, settings, (tmp_path / "run.pt") if stop else None)
        ends.append(model)
    assert same_weights(*ends)


def stopping(model, images):
    """Return the model, which raises Stop once it has been trained on so many images."""
    seen = []

    def count(_, inputs):
        seen.extend(inputs[0] if model.training else [])
        if len(seen) >= images:
            raise Stop

    model.register_forward_pre_hook(count)
    return model


def counting(epochs):
    """Return the training set of `run`, which notes each epoch that is asked for."""
    dataset = dots(33, 1, augment=add_noise)
    choose = dataset.set_epoch
    dataset.set_epoch = lambda epoch: (epochs.append(epoch), choose(epoch))
    return dataset


def test_a_finished_run_is_read_and_not_trained_again(tmp_path):
    """All epochs done: the second call asks for the first items only, to compare them."""
    path = tmp_path / "run.pt"
    expected, first = run(path)
    epochs = []
    model, again = run(path, train=counting(epochs))
    assert epochs == [0]
    assert same_weights(model, expected)
    pd.testing.assert_frame_equal(again.history, first.history, check_exact=True)


def test_a_run_that_stopped_early_stays_stopped(tmp_path):
    """The patience that is used up is used up after a resume as well."""
    settings = Settings(epochs=30, patience=2, learning_rate=0.3)
    path = tmp_path / "run.pt"
    _, first = run(path, settings=settings)
    assert len(first.history) < 30
    _, again = run(path, settings=settings)
    assert len(again.history) == len(first.history)


# --- bad input ---


def test_one_class_alone_is_refused_before_training_begins():
    """For either set, by name, and no image is read."""
    both, one = dots(8, 1), dots(8, 2).subset([0, 2, 4])
    for pair, name in (((both, one), "validation"), ((one, both), "training")):
        with pytest.raises(ValueError, match=rf"the {name} set has the labels \[0\]"):
            fit(network(), *pair, Settings())


def test_a_patient_in_both_sets_is_refused():
    """The message names one."""
    with pytest.raises(ValueError, match=r"4 patients are in .* such as 1-0: split by patient"):
        fit(network(), dots(8, 1), dots(8, 1), Settings())


@pytest.mark.parametrize(
    "choice",
    [
        {"epochs": 0}, {"batch_size": 1}, {"learning_rate": 0}, {"learning_rate": float("nan")},
        {"weight_decay": -1}, {"patience": 0}, {"seed": -1}, {"threads": 0},
    ],
)  # fmt: skip
def test_settings_out_of_range_are_refused_by_name(choice):
    """The message names the setting and its value."""
    ((name, value),) = choice.items()
    with pytest.raises(ValueError, match=f"{name} {value}: expected"):
        Settings(**choice)


def test_a_device_that_is_not_here_is_refused():
    """The message says what to take instead."""
    for device in {"cuda", "mps", "abacus"} - set(DEVICES):
        with pytest.raises(ValueError, match=f"'{device}' cannot be used here: take 'cpu'"):
            predict(network(), dots(4, 1), device=device)


def test_a_model_with_one_output_is_refused():
    """Two logits are expected."""
    model = nn.Sequential(nn.Flatten(), nn.Linear(16, 1))
    with pytest.raises(ValueError, match=r"the model returns \(4, 1\) for 4 images"):
        predict(model, dots(4, 1))


def test_a_loss_that_is_not_a_number_stops_the_run_and_keeps_the_last_epoch(tmp_path):
    """The message names epoch and batch; resumed with sound images, the run ends as it should."""
    path = tmp_path / "run.pt"
    broken = interrupted(3, 12, lambda: None)
    good = broken.__class__.__getitem__

    def spoiled(self, index):
        image, label = good(self, index)
        return (
            (image * float("nan"), label)
            if (self.epoch, self.served) == (3, 12)
            else (image, label)
        )

    broken.__class__.__getitem__ = spoiled
    with pytest.raises(FloatingPointError, match="training loss in epoch 3, batch 2 is nan"):
        run(path, train=broken)
    model, result = run(path)
    expected, uninterrupted = run()
    assert same_weights(model, expected)
    assert result.best_epoch == uninterrupted.best_epoch


def test_a_last_step_that_overflows_is_noticed_in_validation():
    """An absurd learning rate: the loss before the step was finite, the weights after are not."""
    settings = Settings(epochs=1, learning_rate=1e30, batch_size=64)
    with pytest.raises(FloatingPointError, match=r"validation loss after epoch 1 is (nan|inf)"):
        fit(network(), dots(20, 1), dots(20, 2), settings)
