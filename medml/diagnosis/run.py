"""One training run: epochs of Adam on the cross entropy, and the best of them by validation."""

import math

import numpy as np
import torch
from sklearn.metrics import roc_auc_score
from torch import nn


class Run:
    """The state of a training run between two epochs.

    Parameters
    ----------
    model, train, validation, settings
        As `training.fit` takes them; `validation` without augmentation.

    Attributes
    ----------
    history : list of dict
        A row for each epoch, see `training.Fit`.
    best : dict or None
        Weights of the best epoch so far, on the CPU.
    """

    def __init__(self, model, train, validation, settings):
        self.device = available(settings.device)
        self.model = model.to(self.device)
        self.train, self.validation, self.settings = train, validation, settings
        self.optimizer = torch.optim.Adam(
            model.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
        )
        self.weight = class_weights(train.labels) if settings.class_weights else None
        self.history, self.best = [], None

    @property
    def best_epoch(self) -> int:
        """The epoch of the highest AUROC, then the lowest loss, then the first."""
        rank = [(-row["validation_auroc"], row["validation_loss"]) for row in self.history]
        return 1 + rank.index(min(rank))

    @property
    def finished(self) -> bool:
        """Whether all epochs are done or the patience is used up."""
        done = len(self.history)
        if done in (0, self.settings.epochs):
            return done > 0
        return done - self.best_epoch >= self.settings.patience

    def one_epoch(self, epoch: int) -> None:
        """Train for one epoch, validate, and keep the weights if they are the best so far."""
        row = {"epoch": epoch, "train_loss": self._train(epoch)}
        self.history.append(row | self._validate(epoch))
        if self.best_epoch == epoch:
            self.best = _copy(self.model.state_dict())

    def _train(self, epoch):
        """Take one step of Adam for each batch; return the mean loss of the images."""
        order = np.random.default_rng([self.settings.seed, epoch])
        torch.manual_seed(int(order.integers(2**63)))  # for dropout, on every device
        self.train.set_epoch(epoch)
        self.model.train()
        weight = None if self.weight is None else self.weight.to(self.device)
        total = 0.0
        rows = order.permutation(len(self.train))
        for number, batch in enumerate(batches(rows, self.settings.batch_size), 1):
            images, labels = _stack(self.train, batch, self.device)
            self.optimizer.zero_grad()
            loss = nn.functional.cross_entropy(self.model(images), labels, weight)
            self._check(loss.item(), f"training loss in epoch {epoch}, batch {number}")
            loss.backward()
            self.optimizer.step()
            total += loss.item() * len(batch)
        return total / len(self.train)

    def _validate(self, epoch):
        """Return loss and AUROC of the validation set."""
        output = logits(self.model, self.validation, self.settings.batch_size, self.device)
        labels = torch.as_tensor(np.asarray(self.validation.labels, np.int64))
        weight = None if self.weight is None else self.weight.double()
        loss = nn.functional.cross_entropy(output, labels, weight).item()
        self._check(loss, f"validation loss after epoch {epoch}")
        auroc = roc_auc_score(labels.numpy(), output.softmax(1)[:, 1].numpy())
        return {"validation_loss": loss, "validation_auroc": float(auroc)}

    def _check(self, loss, where):
        """Stop a run that has diverged, before it spoils the weights of the last epoch."""
        if not math.isfinite(loss):
            msg = (
                f"{where} is {loss}: lower the learning rate {self.settings.learning_rate} "
                "or look for NaN in the images; a checkpoint still holds the epoch before"
            )
            raise FloatingPointError(msg)

    def state_dict(self) -> dict:
        """Return all that the next epoch depends on: tensors and plain values."""
        return {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "best": self.best,
            "history": self.history,
        }

    def load_state_dict(self, state: dict) -> None:
        """Go on from a state that `state_dict` gave."""
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.best, self.history = state["best"], state["history"]


def available(device: str) -> torch.device:
    """Return the device, or say that this machine lacks it.

    Raises
    ------
    ValueError
        If PyTorch does not know the device or cannot use it here.
    """
    try:
        return torch.empty(0, device=device).device
    except (RuntimeError, AssertionError) as error:
        msg = f"device {device!r} cannot be used here: take 'cpu' ({str(error).splitlines()[0]})"
        raise ValueError(msg) from error


def class_weights(labels) -> torch.Tensor:
    """Return the inverse frequency of each class, n / (2 · n of the class), float32, shape (2,).

    Examples
    --------
    >>> class_weights([0, 0, 0, 1]).tolist()
    [0.6666666865348816, 2.0]
    """
    count = np.bincount(labels, minlength=2)
    return torch.as_tensor(len(labels) / (2 * count), dtype=torch.float32)


def batches(rows: np.ndarray, size: int) -> list[np.ndarray]:
    """Cut row numbers into batches; a lone last one joins the batch before it.

    Batch normalisation cannot learn from one image alone.

    Examples
    --------
    >>> [batch.tolist() for batch in batches(np.arange(5), 2)]
    [[0, 1], [2, 3, 4]]
    """
    starts = np.arange(size, len(rows), size)
    if len(rows) > size and len(rows) % size == 1:
        starts = starts[:-1]
    return np.split(rows, starts)


def logits(model: nn.Module, dataset, batch_size: int, device: torch.device) -> torch.Tensor:
    """Return the model's output for each item, float64 on the CPU, shape (n, 2).

    The model is moved to the device, works in evaluation mode, and gets its mode back.

    Raises
    ------
    ValueError
        If the model does not return two numbers an item.
    """
    modes = [(module, module.training) for module in model.modules()]
    model.to(device).eval()
    try:
        with torch.inference_mode():
            output = [
                model(_stack(dataset, rows, device)[0]).cpu().double()
                for rows in batches(np.arange(len(dataset)), batch_size)
            ]
    finally:
        for module, mode in modes:
            module.training = mode
    output = torch.cat(output)
    if output.shape != (len(dataset), 2):
        msg = f"the model returns {tuple(output.shape)} for {len(dataset)} images: expected (n, 2)"
        raise ValueError(msg)
    return output


def _stack(dataset, rows, device):
    """Return the images and labels of some items on the device."""
    images, labels = zip(*(dataset[int(row)] for row in rows), strict=True)
    return torch.stack(images).to(device), torch.tensor([int(x) for x in labels], device=device)


def _copy(state):
    """Return the tensors of a state as they are now, on the CPU."""
    return {name: tensor.detach().cpu().clone() for name, tensor in state.items()}
