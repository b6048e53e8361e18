"""Networks that tell malignant from benign nodules, as readers see it.

Three of them: the ResNet-18 of the document, a small network that fits the size of the data, and a
network trained on photographs whose features are used as they are. None is a medical device.
"""

from pathlib import Path

import numpy as np
import torch
from efficientnet_lite_pytorch import EfficientNet
from numpy.typing import ArrayLike
from torch import nn
from torch.nn import functional
from torchvision.models import ResNet18_Weights, resnet18

from medml import MedmlError
from medml.data.catalogue import locate

# Channel means and standard deviations of ImageNet's photographs in [0, 1], red, green and blue.
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


class WeightsError(MedmlError):
    """Weights cannot be had or do not fit; the message is one sentence with the cure."""


class LungCancerClassifier(nn.Module):
    """ResNet-18 with a last layer of its own: He K et al. (2016), doi:10.1109/CVPR.2016.90.

    With one grey channel, the first layer's weights are summed over red, green and blue: the
    network then answers as the original does to three equal channels. (With k channels other than
    three, each gets a k-th of that sum.)

    Weights that are not given are drawn from torch's global generator: call `torch.manual_seed`
    before.

    Parameters
    ----------
    num_classes : int
    channels : int
        1 for CT.
    weights : ResNet18_Weights, optional
        One of torchvision's sets of weights, for example `ResNet18_Weights.IMAGENET1K_V1`; they
        come from the network, once. None starts from random weights.

    Raises
    ------
    WeightsError
        If the weights cannot be downloaded or the downloaded file is damaged.
    TypeError
        If `weights` is anything else, such as the True of old code.

    Examples
    --------
    >>> LungCancerClassifier()(torch.zeros(1, 1, 64, 64)).shape
    torch.Size([1, 2])
    """

    def __init__(
        self, num_classes: int = 2, channels: int = 1, weights: ResNet18_Weights | None = None
    ):
        super().__init__()
        self.resnet = resnet18(weights=None)
        if weights is not None:
            _download(weights, self.resnet)
        if channels != 3:
            self.resnet.conv1 = _stem(self.resnet.conv1, channels)
        self.resnet.fc = nn.Linear(self.resnet.fc.in_features, num_classes)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return the logits (n, num_classes) of images (n, channels, rows, columns)."""
        return self.resnet(images)


class SmallCNN(nn.Module):
    """A network of some 61,000 parameters for patches of 28 to 64 pixels.

    Four blocks of convolution, batch normalisation and ReLU, each halving the image by its
    maximum. Then the mean of each channel over the image, which grows with a nodule's area, and
    its maximum, which does not.

    Weights are drawn from torch's global generator: call `torch.manual_seed` before.

    Parameters
    ----------
    num_classes, channels : int

    Examples
    --------
    >>> SmallCNN()(torch.zeros(1, 1, 64, 64)).shape
    torch.Size([1, 2])
    """

    WIDTHS = (16, 32, 48, 96)

    def __init__(self, num_classes: int = 2, channels: int = 1):
        super().__init__()
        layers, before = [], channels
        for width in self.WIDTHS:
            layers += [
                nn.Conv2d(before, width, 3, padding=1, bias=False),
                nn.BatchNorm2d(width),
                nn.ReLU(inplace=True),
                nn.MaxPool2d(2),
            ]
            before = width
        self.features = nn.Sequential(*layers)
        self.head = nn.Linear(2 * before, num_classes)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return the logits (n, num_classes) of images (n, channels, rows, columns)."""
        maps = self.features(images)
        return self.head(torch.cat([maps.mean(dim=(2, 3)), maps.amax(dim=(2, 3))], dim=1))


def pretrained_features(images: ArrayLike, *, side: int = 224, batch: int = 8) -> np.ndarray:
    """Return what EfficientNet-Lite0, trained on photographs, sees in images.

    The grey channel is repeated as red, green and blue, resized and normalised as ImageNet's
    photographs were. The network is frozen; its last layer is left out. One thread computes.

    Parameters
    ----------
    images : array_like of float32, shape (n, 1, rows, columns)
        Grey levels in [0, 1], as `nodules.to_network` gives them.
    side : int
        Rows and columns that the network sees, a multiple of 32. It was trained on 224; 128 is
        more than three times faster, and its features tell somewhat less.
    batch : int
        Images at a time.

    Returns
    -------
    numpy.ndarray of float32, shape (n, 1280)

    Raises
    ------
    ValueError
        If the images have another shape or leave [0, 1], or the side is no multiple of 32.
    DataError
        If the file of weights is missing or damaged.

    References
    ----------
    Tan M, Le Q (2019), arXiv:1905.11946.
    """
    images = _grey_levels(images)
    if side < 32 or side % 32:
        raise ValueError(f"expected a side that is a multiple of 32 pixels, got {side}")
    network = EfficientNet.from_name("efficientnet-lite0").eval()
    load_weights(network, locate("efficientnet-lite0", "efficientnet-lite0-57934424.pth"))
    mean, std = (torch.tensor(c).view(1, 3, 1, 1) for c in (IMAGENET_MEAN, IMAGENET_STD))
    features = []
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # sums in another order would change the last digits
    try:
        with torch.inference_mode():
            for grey in torch.from_numpy(images).split(batch):
                resized = functional.interpolate(
                    grey, (side, side), mode="bilinear", antialias=True
                )
                maps = network.extract_features((resized - mean) / std)
                features.append(maps.mean(dim=(2, 3)))
    finally:
        torch.set_num_threads(threads)
    return torch.cat(features).numpy()


def _grey_levels(images: ArrayLike) -> np.ndarray:
    """Return images as float32 after checking their shape (n, 1, rows, columns) and range."""
    images = np.asarray(images, np.float32)
    if images.ndim != 4 or images.shape[1] != 1 or not images.size:
        raise ValueError(f"expected images (n, 1, rows, columns), got shape {images.shape}")
    if not (images.min() >= 0 and images.max() <= 1):  # NaN fails too
        msg = (
            f"expected grey levels in [0, 1], got {images.min():g} to {images.max():g}: "
            "map HU with nodules.to_network"
        )
        raise ValueError(msg)
    return images


def load_weights(network: nn.Module, path: str | Path) -> None:
    """Load a file of weights into the network that they were saved from.

    Parameters
    ----------
    network : torch.nn.Module
    path : path of a file that `torch.save(network.state_dict(), path)` has written

    Raises
    ------
    WeightsError
        If the file cannot be read, holds more than plain weights, or fits another network.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # half a file can raise anything
        msg = f"cannot read weights from {path} ({_first_line(error)}): make or fetch it again"
        raise WeightsError(msg) from error
    _fill(network, state, path)


def _fill(network: nn.Module, state: dict[str, torch.Tensor], path: str | Path) -> None:
    """Load weights into a network, every one and no other."""
    try:
        network.load_state_dict(state)
    except (RuntimeError, TypeError, AttributeError) as error:
        name = type(network).__name__
        msg = f"{path} holds other weights than {name} has: load them into the network they fit"
        raise WeightsError(msg) from error


def _download(weights: ResNet18_Weights, network: nn.Module) -> None:
    """Load torchvision's weights, from its cache or from the internet."""
    if not isinstance(weights, ResNet18_Weights):
        msg = f"expected weights of torchvision.models.ResNet18_Weights or None, got {weights!r}"
        raise TypeError(msg)
    path = Path(torch.hub.get_dir()) / "checkpoints" / Path(weights.url).name
    try:
        state = weights.get_state_dict(check_hash=True, weights_only=True)
    except Exception as error:  # half a file can raise anything
        cure = (
            f"delete {path} and try again"
            if path.exists()
            else f"connect to the internet, or put {path.name} into {path.parent}"
        )
        msg = f"cannot get {weights} ({_first_line(error)}): {cure}, or use weights=None"
        raise WeightsError(msg) from error
    _fill(network, state, path)


def _first_line(error: Exception) -> str:
    """Return the first line of an error's message, or its kind where it has none."""
    return (str(error) or type(error).__name__).splitlines()[0]


def _stem(convolution: nn.Conv2d, channels: int) -> nn.Conv2d:
    """Return an RGB convolution for another number of channels, with the same response to grey."""
    like = {name: getattr(convolution, name) for name in ("kernel_size", "stride", "padding")}
    stem = nn.Conv2d(channels, convolution.out_channels, **like, bias=False)
    total = convolution.weight.detach().sum(dim=1, keepdim=True)
    stem.weight = nn.Parameter((total / channels).repeat(1, channels, 1, 1))
    return stem
