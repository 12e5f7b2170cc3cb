"""One augmented batch from images that live on the device, against torch's DataLoader with torchvision's transforms.

Both give a float batch: random crop of 32 from 40, mirror with probability 1/2, standardise. The loader works as the releases'
does, image by image through PIL (`num_workers=0`; worker processes cost more than they bring on two cores). Both run in this
process, in turns A B A B, on the same random bytes; the ratio of their medians is what counts, since machines differ.

    python benchmarks/input_pipeline.py --json
"""

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from edgenes_core.config import AugmentConfig
from edgenes_core.data import Part
from edgenes_core.torchvision_compat import import_torchvision

IMAGES, BATCH, SIDE, SHIFT = 10_000, 64, 32, 4
MEAN, STD = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)
TARGET = 10.0


def resident(images: Tensor, channels: int, cutout: int) -> Callable[[], Tensor]:
    """Ours: draw rows, crop, mirror, standardise (and cut out) a whole batch."""
    constants = (255 * torch.tensor(value[:channels])[:, None, None] for value in (MEAN, STD))
    part = Part(images, torch.zeros(IMAGES, dtype=torch.long), *constants, AugmentConfig(SHIFT, True, cutout))
    generator = torch.Generator().manual_seed(0)
    return lambda: part.draw(torch.randint(IMAGES, (BATCH,), generator=generator), generator)[0]


def loader(images: Tensor, channels: int) -> Callable[[], Tensor]:
    """Theirs: an epoch of a DataLoader over PIL images, begun anew when it ends."""
    vision = import_torchvision()
    how = vision.transforms.Compose(
        [
            vision.transforms.RandomCrop(SIDE, SHIFT),
            vision.transforms.RandomHorizontalFlip(),
            vision.transforms.ToTensor(),
            vision.transforms.Normalize(MEAN[:channels], STD[:channels]),
        ]
    )

    class Pictures(torch.utils.data.Dataset):
        """As torchvision's CIFAR and MNIST sets: an array, one PIL image at a time."""

        array = images.permute(0, 2, 3, 1).contiguous().numpy()

        def __len__(self) -> int:
            return IMAGES

        def __getitem__(self, row: int) -> Tensor:
            from PIL import Image

            image = self.array[row]
            return how(Image.fromarray(image if channels == 3 else image[..., 0]))

    def endless() -> Iterator[Tensor]:
        while True:
            yield from torch.utils.data.DataLoader(Pictures(), BATCH, shuffle=True, drop_last=True, num_workers=0)

    batches = endless()
    return lambda: next(batches)


def case(channels: int, cutout: int, repeats: int) -> dict[str, object]:
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (IMAGES, channels, SIDE, SIDE), generator=generator, dtype=torch.uint8)
    sides = (resident(images, channels, cutout), loader(images, channels))
    times: list[list[float]] = [[], []]
    for turn in range(repeats + 2):
        for side, taken in zip(sides, times, strict=True):
            start = time.perf_counter()
            batch = side()
            if turn > 1:  # the first turns warm up
                taken.append(1e3 * (time.perf_counter() - start))
            assert batch.shape == (BATCH, channels, SIDE, SIDE)
            assert batch.dtype == torch.float32
    fast, slow = (statistics.median(t) for t in times)
    return {
        "name": f"batch of {BATCH}, {SIDE}×{SIDE}×{channels}, crop + flip{f' + cutout {cutout}' if cutout else ''}",
        "ours_ms": round(fast, 3),
        "reference_ms": round(slow, 2),
        "ratio": round(slow / fast, 1),
        "target": TARGET,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=200)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print(f"torch {torch.__version__}, {options.threads} threads, load {os.getloadavg()[0]:.1f}", file=sys.stderr)
    cases = []
    for channels, cutout in ((3, 0), (3, 16), (1, 0)):
        cases.append(case(channels, cutout, options.repeats))
        print(cases[-1], file=sys.stderr, flush=True)
    if options.json:
        print(json.dumps({"cases": cases}, ensure_ascii=False))


if __name__ == "__main__":
    main()
