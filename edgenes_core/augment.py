"""Random crops, mirror images and cutout for a whole batch at once, on the images' device.

    crop     pad each image with `shift` black pixels on every side, cut the old size out at a uniform place
    flip     mirror each image left to right with probability 1/2
    cutout   set a square of the given side around a uniform centre to 0, as far as it lies within the image
             (DeVries, Taylor 2017; as in the DARTS release)

Crop and flip work on pixels, before standardisation, so that padding is black; cutout works after it, so that the square is
the mean pixel. Random numbers come from a generator on the CPU: results do not depend on the device.
"""

from __future__ import annotations

import torch
from torch import Tensor


def crop_and_flip(
    images: Tensor, rows: Tensor, shift: int, flip: bool, black: Tensor, generator: torch.Generator
) -> Tensor:
    """Random crops (B, c, H, W) of `images` (n, c, H, W), any type, at `rows` (B,); `black` (c, 1, 1) is the padding.

    With shift 0 and no flip these are the images themselves and no random number is drawn.
    """
    taken = images.index_select(0, rows)
    if not shift and not flip:
        return taken
    count, channels, height, width = taken.shape
    down, right = _drawn(2 * shift + 1, (2, count, 1), generator, taken.device)
    line = torch.arange(width, device=taken.device)
    if flip:
        line = torch.where(_drawn(2, (count, 1), generator, taken.device) > 0, width - 1 - line, line)
    padded = _padded(taken, shift, black).flatten(2)
    y, x = down + torch.arange(height, device=taken.device), right + line  # (B, H), (B, W)
    place = (y[:, :, None] * (width + 2 * shift) + x[:, None, :]).flatten(1)  # (B, H·W), the same in each channel
    return padded.gather(2, place[:, None].expand(-1, channels, -1)).view_as(taken)


def cut_out(batch: Tensor, side: int, generator: torch.Generator) -> Tensor:
    """The batch (B, c, H, W) with a square of `side` pixels set to 0 in each image; side 0 returns it unchanged."""
    if not side:
        return batch
    covered = [_covered(len(batch), size, side, generator, batch.device) for size in batch.shape[2:]]
    return batch.masked_fill((covered[0][:, :, None] & covered[1][:, None, :])[:, None], 0.0)


def _covered(count: int, size: int, side: int, generator: torch.Generator, device: torch.device) -> Tensor:
    """Which positions (B, size) lie in a stretch of `side` around a uniform centre."""
    from_start = torch.arange(size, device=device) - _drawn(size, (count, 1), generator, device) + side // 2
    return (from_start >= 0) & (from_start < side)


def _padded(images: Tensor, shift: int, black: Tensor) -> Tensor:
    count, channels, height, width = images.shape
    padded = black.to(images.dtype).expand(count, channels, height + 2 * shift, width + 2 * shift).clone()
    padded[:, :, shift : shift + height, shift : shift + width] = images
    return padded


def _drawn(below: int, shape: tuple[int, ...], generator: torch.Generator, device: torch.device) -> Tensor:
    return torch.randint(below, shape, generator=generator).to(device, non_blocking=True)
