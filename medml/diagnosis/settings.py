"""What a training run may choose."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """The choices of a training run.

    Attributes
    ----------
    epochs : int
        Passes over the training set, at most.
    batch_size : int
        Images in one step, at least 2: batch normalisation compares images.
    learning_rate : float
        Step length of Adam, above 0.
    weight_decay : float
        Adam's L2 penalty on the weights, 0 or more.
    patience : int
        Stop after so many epochs without a new best one; `epochs` or more never stops early.
    class_weights : bool
        Weigh each class by its inverse frequency in the training set, n / (2 · n of the class).
    seed : int
        Seed of the order of the images and of dropout, 0 or more. The first weights are the
        model's own: call ``torch.manual_seed`` before making it.
    device : str
        "cpu", "cuda" or "mps".
    threads : int
        Threads of PyTorch on the CPU during `fit`. More are faster, and round sums differently.

    Raises
    ------
    ValueError
        If a number is out of its range.
    """

    epochs: int = 30
    batch_size: int = 32
    learning_rate: float = 1e-3
    weight_decay: float = 0.0
    patience: int = 10
    class_weights: bool = False
    seed: int = 0
    device: str = "cpu"
    threads: int = 1

    def __post_init__(self):
        """Refuse numbers that cannot work."""
        least = {"epochs": 1, "batch_size": 2, "patience": 1, "seed": 0, "threads": 1}
        for name, smallest in (least | {"weight_decay": 0, "learning_rate": 0}).items():
            value = getattr(self, name)
            if not smallest <= value < math.inf:
                raise ValueError(f"{name} {value}: expected at least {smallest}")
        if self.learning_rate == 0:
            raise ValueError("learning_rate 0: expected more than 0, such as 0.001")
