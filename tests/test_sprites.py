"""The generated sprites: a full grid, each factor visible in the pixels as the docstring says."""

import numpy as np
import pytest

from gencourse.datasets import sprites


@pytest.fixture(scope="module")
def default():
    return sprites.generate()


def test_default_grid_is_full_binary_and_without_twins(default):
    images, factors = default
    assert images.shape == (6144, 32, 32, 1)
    assert images.dtype == np.float32
    assert set(np.unique(images)) == {0.0, 1.0}
    assert factors.dtype == np.int32
    assert len(np.unique(factors, axis=0)) == 6144
    assert factors.max(axis=0).tolist() == [size - 1 for size in sprites.SIZES]
    assert len(np.unique(images.reshape(6144, -1), axis=0)) == 6144, "two combinations of factors look the same"


def test_same_arguments_give_the_same_images_in_the_order_of_the_grid():
    (one, factors), (other, _) = (sprites.generate((2, 3, 1, 2, 2), side=16) for _ in range(2))
    np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(factors, list(np.ndindex(2, 3, 1, 2, 2)))


def test_centroid_is_the_place(default):
    """Shapes have their centroid in their centre; sampling at pixel centres moves it by a fraction of a pixel."""
    images, factors = default
    weights = images[..., 0] / images.sum(axis=(1, 2, 3))[:, None, None]
    pixel = np.arange(32) + 0.5
    across, down = (weights * pixel).sum(axis=(1, 2)), (weights * pixel[:, None]).sum(axis=(1, 2))
    place = 32 * np.linspace(0.3, 0.7, 8)
    assert abs(across - place[factors[:, 0]]).max() < 0.5
    assert abs(down - place[factors[:, 1]]).max() < 0.5


def test_area_depends_on_the_scale_alone(default):
    """Each shape has the area π r²; counting pixel centres is right on average over places and rotations, here within
    2 %, where neighbouring scales differ by a third."""
    images, factors = default
    radius = 32 * np.linspace(0.1, 0.17, 4)
    for shape in range(3):
        for scale in range(4):
            chosen = (factors[:, 3] == shape) & (factors[:, 2] == scale)
            assert images[chosen].sum(axis=(1, 2, 3)).mean() == pytest.approx(np.pi * radius[scale] ** 2, rel=0.02)


def test_rotation_is_a_quarter_turn():
    """In the middle of the image, the last rotation is the first one turned by 90 degrees, the way x turns to y."""
    images, factors = sprites.generate((3, 3, 2, 3, 4))
    middle = (factors[:, 0] == 1) & (factors[:, 1] == 1)
    first, last = (images[middle & (factors[:, 4] == index)] for index in (0, 3))
    assert np.mean(np.rot90(first, k=-1, axes=(1, 2)) != last) < 0.002  # rounding on the border of a shape
    assert (first != last).any(axis=(1, 2, 3)).all()


@pytest.mark.parametrize("sizes", [(2, 2, 2, 4, 2), (2, 2, 2, 2), (2, 0, 2, 2, 2), (2, 2.0, 2, 2, 2)])
def test_bad_sizes_are_refused(sizes):
    with pytest.raises(ValueError, match="accepted"):
        sprites.generate(sizes)


@pytest.mark.parametrize("side", [7, 16.0])
def test_bad_side_is_refused(side):
    with pytest.raises(ValueError, match="whole number >= 8"):
        sprites.generate((1, 1, 1, 1, 1), side)
