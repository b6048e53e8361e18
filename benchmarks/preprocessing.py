"""CT slices made ready for a network: medml against torchvision v2, MONAI and scikit-image.

    python benchmarks/preprocessing.py [SLICES]

Every library gets the same simulated slices, 512 x 512 float32 HU, one at a time and in one thread,
and does with its own usual functions: windowing, antialiased resizing to 224 x 224, a turn of 7
degrees with a scale of 1.05, the mask of the lungs. Images per CPU-second, the best of five rounds
in turn. Exits with 1 if outputs differ: by more than 0.01 of the grey range (15 HU) on average in
the inner part of an image (no two libraries weigh pixels alike), or by a Dice coefficient of two
masks below 0.97.
"""

import os
import sys
import time

# One thread each, before NumPy and torch are loaded.
os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"

import cv2
import monai.data
import monai.transforms
import numpy as np
import scipy.ndimage
import skimage
import torch
import torchvision
from skimage import measure, morphology, segmentation, transform
from torchvision.transforms.v2 import functional

from medml.diagnosis.augmentation import placement
from medml.diagnosis.ct import AIR, OUTSIDE, WINDOWS, preprocess_ct_image, rescale
from medml.diagnosis.lungs import THRESHOLD_HU, segment_lungs
from medml.diagnosis.phantom import thorax

INPUT, SIZE, ROUNDS = 512, 224, 5
DEGREES, SCALE = 7.0, 1.05
CLOSING_MM = 10.0  # diameter of the disc, as in segment_lungs
LEVEL, WIDTH = WINDOWS["lung"]
LOW, HIGH = LEVEL - WIDTH / 2, LEVEL + WIDTH / 2
AIR_GREY = (AIR - LOW) / WIDTH
INNER = np.s_[32:-32, 32:-32]  # what no library fills from outside
LARGEST_DIFFERENCE, SMALLEST_DICE = 0.01, 0.97

cv2.setNumThreads(0)
torch.set_num_threads(1)
monai.data.set_track_meta(False)  # plain tensors: MONAI's fastest way

to_grey = monai.transforms.ScaleIntensityRange(LOW, HIGH, 0, 1, clip=True)
to_size = monai.transforms.Resize((SIZE, SIZE), mode="area")
to_place = monai.transforms.Affine(  # MONAI takes the way back
    rotate_params=np.radians(DEGREES),
    scale_params=(1 / SCALE, 1 / SCALE),
    padding_mode="zeros",
    image_only=True,
)


def resize_medml(p):
    """Return the windowed and resized slice, as every function of this group does."""
    return preprocess_ct_image(p.hu, p.pixel_mm, mask=None, field_mm=INPUT * p.pixel_mm)


def resize_torchvision(p):
    grey = torch.from_numpy(p.hu)[None].sub(LOW).mul_(1 / WIDTH).clamp_(0, 1)
    return functional.resize(grey, [SIZE, SIZE], antialias=True)


def resize_monai(p):
    return to_size(to_grey(torch.from_numpy(p.hu)[None]))


def resize_skimage(p):
    grey = np.clip((p.hu - np.float32(LOW)) * np.float32(1 / WIDTH), 0, 1)
    return transform.resize(grey, (SIZE, SIZE), order=1, anti_aliasing=True)


def turn_medml(p):
    """Return the slice windowed, resized, turned and enlarged, as every function of this group."""
    field = INPUT * p.pixel_mm
    matrix = placement((SIZE, SIZE), field / SIZE, DEGREES, SCALE, (0, 0))
    return preprocess_ct_image(p.hu, p.pixel_mm, mask=None, field_mm=field, placement=matrix)


def turn_torchvision(p):
    return functional.affine(
        resize_torchvision(p),
        angle=DEGREES,
        translate=[0, 0],
        scale=SCALE,
        shear=[0, 0],
        interpolation=functional.InterpolationMode.BILINEAR,
        fill=[AIR_GREY],
    )


def turn_monai(p):
    return to_place(resize_monai(p))


def turn_skimage(p):
    matrix = placement((SIZE, SIZE), 1, DEGREES, SCALE, (0, 0))
    back = np.linalg.inv(np.vstack([matrix, (0, 0, 1)]))
    return transform.warp(resize_skimage(p), back, order=1, cval=AIR_GREY)


def lungs_medml(p):
    """Return the mask of the lungs at 512 px, as every function of this group does."""
    return segment_lungs(p.hu, p.pixel_mm).mask


def lungs_skimage(p, decomposition=None):
    """The same without body mask, report and repair of dents: less work."""
    air = segmentation.clear_border(p.hu < THRESHOLD_HU)
    labels = measure.label(air, connectivity=1)
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    disk = morphology.disk(round(CLOSING_MM / p.pixel_mm / 2), decomposition=decomposition)
    closed = morphology.closing(np.isin(labels, np.argsort(sizes)[-2:]), disk)
    return scipy.ndimage.binary_fill_holes(closed)


def lungs_skimage_fast(p):
    """With a disk made of small steps: several times as fast, and a polygon."""
    return lungs_skimage(p, "sequence")


def chain(p, mask):
    """Return the lungs alone, windowed, resized, turned and enlarged."""
    field = INPUT * p.pixel_mm
    matrix = placement((SIZE, SIZE), field / SIZE, DEGREES, SCALE, (0, 0))
    return preprocess_ct_image(p.hu, p.pixel_mm, mask=mask, field_mm=field, placement=matrix)


def chain_512(p):
    return chain(p, lungs_medml(p))


def chain_256(p):
    """Find the lungs in a slice of half the size, then do the same."""
    half = segment_lungs(rescale(p.hu, (0.5, 0.5)), 2 * p.pixel_mm).mask
    mask = cv2.resize(half.view(np.uint8), (INPUT, INPUT), interpolation=cv2.INTER_NEAREST)
    return chain(p, mask)


def grey_difference(ours, theirs):
    """Return the mean absolute difference of the inner part, in shares of the grey range."""
    return np.abs(np.squeeze(np.asarray(theirs)) - ours)[INNER].mean()


def dice(ours, theirs):
    """Return the Dice coefficient of two masks."""
    return 2 * (ours & theirs).sum() / (ours.sum() + theirs.sum())


TORCHVISION = f"torchvision {torchvision.__version__.partition('+')[0]}"
MONAI, SKIMAGE = f"MONAI {monai.__version__}", f"scikit-image {skimage.__version__}"
GROUPS = {
    "window, resize": {
        "medml": resize_medml,
        TORCHVISION: resize_torchvision,
        MONAI: resize_monai,
        SKIMAGE: resize_skimage,
    },
    "window, resize, turn, scale": {
        "medml": turn_medml,
        TORCHVISION: turn_torchvision,
        MONAI: turn_monai,
        SKIMAGE: turn_skimage,
    },
    "mask of the lungs": {
        "medml": lungs_medml,
        SKIMAGE: lungs_skimage,
        f"{SKIMAGE}, decomposed disk": lungs_skimage_fast,
    },
    "all of it, masked": {"medml, mask at 512 px": chain_512, "medml, mask at 256 px": chain_256},
}


def speeds(functions, slices):
    """Return the images per CPU-second of each function, the best of some rounds in turn."""
    best = dict.fromkeys(functions, np.inf)
    for _ in range(ROUNDS):
        for name, function in functions.items():
            start = time.process_time()
            for p in slices:
                function(p)
            best[name] = min(best[name], time.process_time() - start)
    return {name: len(slices) / seconds for name, seconds in best.items()}


def agreement(functions, slices):
    """Return how each function's output compares with that of the first, and whether it agrees."""
    reference, *_ = functions.values()
    for name, function in functions.items():
        ours, theirs = zip(*((reference(p), function(p)) for p in slices), strict=True)
        if ours[0].dtype == bool:
            worst = min(map(dice, ours, theirs))
            yield name, f"Dice {worst:.4f}", worst >= SMALLEST_DICE
        elif ours[0].min() == OUTSIDE:
            worst = min(dice(a != OUTSIDE, b != OUTSIDE) for a, b in zip(ours, theirs, strict=True))
            yield name, f"Dice {worst:.4f}", worst >= SMALLEST_DICE
        else:
            worst = max(map(grey_difference, ours, theirs))
            yield name, f"{worst:.4f}", worst <= LARGEST_DIFFERENCE


def main(count):
    """Compare all libraries on `count` slices; return the exit status."""
    slices = [thorax(seed, INPUT) for seed in range(count)]
    print(f"{count} simulated slices of {INPUT} x {INPUT} px, one thread\n")
    print(f"{'':<38}{'images/CPU-s':>12}{'medml is':>12}{'difference':>16}")
    status = 0
    for group, functions in GROUPS.items():
        print(group)
        compared = list(agreement(functions, slices))  # warms up, too
        speed = speeds(functions, slices)
        first = next(iter(speed.values()))
        for name, difference, agrees in compared:
            ratio = f"{first / speed[name]:.1f} x"
            print(f"  {name:<36}{speed[name]:>12.0f}{ratio:>12}{difference:>16}", end="")
            print("" if agrees else "  DISAGREES")
            status |= not agrees
    return int(status)


if __name__ == "__main__":
    with torch.inference_mode():
        sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 24))
