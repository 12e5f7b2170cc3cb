"""Laws of augmentation, each against a loop over single images."""

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from edgenes_core.augment import crop_and_flip, cut_out
from edgenes_core.config import AugmentConfig
from edgenes_core.data import Part

BLACK = {torch.uint8: 0.0, torch.float32: -1.5}


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def images(count, channels, height, width, kind):
    """Images in which no two pixels of a channel are alike, so that a crop tells where it was cut."""
    flat = torch.stack([torch.randperm(height * width, generator=seeded(i)) for i in range(count * channels)])
    return (1 + flat.reshape(count, channels, height, width)).to(kind)


def black(channels, kind):
    return torch.full((channels, 1, 1), BLACK[kind])


def crops(image, shift, flip, value):
    """All places a crop of an image (c, H, W) can come from, by hand."""
    height, width = image.shape[1:]
    padded = np.pad(image, [(0, 0), (shift, shift), (shift, shift)], constant_values=value)
    for top in range(2 * shift + 1):
        for left in range(2 * shift + 1):
            crop = padded[:, top : top + height, left : left + width]
            yield crop
            if flip:
                yield crop[:, :, ::-1]


@given(
    st.sampled_from([1, 3]),
    st.integers(4, 7),
    st.integers(4, 7),
    st.integers(0, 3),
    st.booleans(),
    st.sampled_from(list(BLACK)),
    st.integers(0, 99),
)
def test_each_image_of_a_batch_is_a_crop_of_its_own_padded_image(channels, height, width, shift, flip, kind, seed):
    stock, rows = images(5, channels, height, width, kind), torch.tensor([4, 0, 0, 2])
    batch = crop_and_flip(stock, rows, shift, flip, black(channels, kind), seeded(seed))
    assert batch.dtype == kind
    assert batch.shape == (4, channels, height, width)
    for row, found in zip(rows, batch.numpy(), strict=True):
        assert any(np.array_equal(found, crop) for crop in crops(stock[row].numpy(), shift, flip, BLACK[kind]))


def test_every_place_and_both_directions_occur_about_equally_often():
    stock, count = images(1, 1, 5, 5, torch.uint8), 5000
    batch = crop_and_flip(
        stock, torch.zeros(count, dtype=torch.long), 2, True, black(1, torch.uint8), seeded()
    ).flatten(1)
    possible = torch.from_numpy(np.stack([c.copy() for c in crops(stock[0].numpy(), 2, True, 0)])).flatten(1)
    times = (batch[:, None] == possible).all(-1).sum(0)
    assert len(times) == 50
    assert times.sum() == count
    assert times.min() > 60  # 100 expected, standard deviation 10
    assert times.max() < 140


def test_without_shift_and_flip_it_is_the_identity_and_draws_nothing():
    stock, generator = images(6, 3, 4, 5, torch.uint8), seeded()
    before, rows = generator.get_state(), torch.tensor([5, 1])
    assert torch.equal(crop_and_flip(stock, rows, 0, False, black(3, torch.uint8), generator), stock[rows])
    assert torch.equal(cut_out(stock.float(), 0, generator), stock.float())
    assert torch.equal(generator.get_state(), before)


@given(st.integers(1, 12), st.integers(4, 9), st.integers(4, 9), st.integers(0, 99))
def test_cutout_is_the_part_of_a_square_that_lies_in_the_image(side, height, width, seed):
    batch = 1 + torch.rand(8, 3, height, width)
    cut = cut_out(batch, side, seeded(seed))
    for before, after in zip(batch, cut, strict=True):
        gone = (after == 0).all(0)
        assert torch.equal(after[:, ~gone], before[:, ~gone])
        rows, columns = gone.any(1), gone.any(0)
        assert torch.equal(gone, rows[:, None] & columns)
        for covered, size in ((rows, height), (columns, width)):
            squares = [range(max(0, c - side // 2), min(size, c - side // 2 + side)) for c in range(size)]
            assert covered.nonzero().flatten().tolist() in [list(square) for square in squares]


def test_a_square_inside_the_image_has_exactly_its_area():
    gone = (cut_out(torch.ones(400, 1, 32, 32), 16, seeded()) == 0).sum((1, 2, 3))
    assert gone.max() == 256
    assert gone.min() >= 64  # its centre lies in the image


@given(st.integers(0, 9))
def test_the_generator_decides(seed):
    part = Part(images(20, 3, 8, 8, torch.uint8), torch.arange(20), augment=AugmentConfig(3, True, 4))
    first, again, other = (part.draw(torch.arange(20), seeded(s))[0] for s in (seed, seed, seed + 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_padding_is_black_and_the_square_the_mean_pixel():
    mean, std = torch.full((3, 1, 1), 100.0), torch.full((3, 1, 1), 50.0)
    part = Part(torch.full((400, 3, 8, 8), 200, dtype=torch.uint8), torch.zeros(400, dtype=torch.long), mean, std)
    seen = part.augmented(AugmentConfig(shift=4)).draw(torch.arange(400), seeded())[0]
    assert set(seen.unique().tolist()) == {-2.0, 2.0}  # (0 − 100) / 50 and (200 − 100) / 50
    seen = part.augmented(AugmentConfig(cutout=4)).draw(torch.arange(400), seeded())[0]
    assert set(seen.unique().tolist()) == {0.0, 2.0}
    floats = Part(part.x, part.y, mean, std, AugmentConfig(shift=4)).draw(torch.arange(400), seeded())[0]
    assert set(floats.unique().tolist()) == {-2.0, 2.0}


def test_drawing_without_augmentation_is_taking():
    part, rows, generator = Part(images(9, 1, 6, 6, torch.uint8), torch.arange(9)), torch.tensor([3, 3, 8]), seeded()
    before = generator.get_state()
    (x, y), (drawn, labels) = part.take(rows), part.draw(rows, generator)
    assert torch.equal(x, drawn)
    assert torch.equal(x, part.x[rows])
    assert y.tolist() == labels.tolist() == [3, 3, 8]
    assert torch.equal(generator.get_state(), before)
