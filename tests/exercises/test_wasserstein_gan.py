"""The checker of notebook 31 accepts right solutions of any style and names the typical mistakes."""

import numpy as np
import pytest

from gencourse.exercises.harness import NotYet
from gencourse.exercises.wasserstein_gan import check_earth_mover, check_penalty_of, check_slope_bound


def stub(*arguments):
    raise NotImplementedError()


def earth_mover(x, y):
    """Every point of x split into m parts and every point of y into n, sorted and paired."""
    return np.abs(np.sort(np.repeat(x, len(y))) - np.sort(np.repeat(y, len(x)))).mean()


def difference_of_means(x, y):
    return abs(x.mean() - y.mean())


def cumulative_gaps(x, y):
    """F - G after each point but the last, and the length of the piece that follows."""
    points = np.concatenate([x, y])
    steps = np.concatenate([np.full(len(x), 1 / len(x)), np.full(len(y), -1 / len(y))])
    order = np.argsort(points)
    return np.cumsum(steps[order])[:-1], np.diff(points[order])


def signed(x, y):
    return np.dot(*cumulative_gaps(x, y))


def counted(x, y):
    points = np.concatenate([x, y])
    order = np.argsort(points)
    steps = np.concatenate([np.ones(len(x)), -np.ones(len(y))])
    return np.abs(np.cumsum(steps[order])[:-1]) @ np.diff(points[order])


def squared(x, y):
    gap, length = cumulative_gaps(x, y)
    return gap**2 @ length


def without_lengths(x, y):
    return np.abs(cumulative_gaps(x, y)[0]).sum()


def unsorted(x, y):
    return np.abs(x - y).mean()


def heavy_points(x, y):
    return len(x) * earth_mover(x, y)


def penalty_of(gradients, weight):
    return weight * np.mean((np.sqrt(np.einsum("nhwc,nhwc->n", gradients, gradients)) - 1) ** 2)


def one_norm(gradients, weight):
    return weight * (np.sqrt(np.sum(gradients**2)) - 1) ** 2


def over_channels(gradients, weight):
    return weight * np.mean((np.sqrt(np.sum(gradients**2, axis=-1)) - 1) ** 2)


def no_root(gradients, weight):
    return weight * np.mean((np.sum(gradients**2, axis=(1, 2, 3)) - 1) ** 2)


def no_weight(gradients, weight):
    return penalty_of(gradients, 1.0)


def summed(gradients, weight):
    return penalty_of(gradients, weight) * len(gradients)


def towards_zero(gradients, weight):
    return weight * np.mean(np.sum(gradients**2, axis=(1, 2, 3)))


def averaged_first(gradients, weight):
    return weight * (np.mean(np.sqrt(np.sum(gradients**2, axis=(1, 2, 3)))) - 1) ** 2


def one_sided(gradients, weight):
    return weight * np.mean(np.maximum(np.sqrt(np.sum(gradients**2, axis=(1, 2, 3))) - 1, 0) ** 2)


def mean_square(gradients, weight):
    return weight * np.mean((np.sqrt(np.mean(gradients**2, axis=(1, 2, 3))) - 1) ** 2)


def slope_bound(kernels, clip):
    return np.prod([np.linalg.norm(np.clip(kernel, -clip, clip), 2) for kernel in kernels])


def unclipped(kernels, clip):
    return slope_bound(kernels, np.inf)


def clipped_above(kernels, clip):
    return np.prod([np.linalg.norm(np.minimum(kernel, clip), 2) for kernel in kernels])


def frobenius(kernels, clip):
    return np.prod([np.linalg.norm(np.clip(kernel, -clip, clip)) for kernel in kernels])


def added(kernels, clip):
    return sum(np.linalg.norm(np.clip(kernel, -clip, clip), 2) for kernel in kernels)


def largest_weight(kernels, clip):
    return np.prod([min(clip, np.abs(kernel).max()) for kernel in kernels])


def eigenvalues(kernels, clip):
    return slope_bound(kernels, clip) ** 2


@pytest.mark.parametrize(
    ("check", "right"),
    [
        (check_earth_mover, earth_mover),
        (check_penalty_of, penalty_of),
        (check_slope_bound, slope_bound),
    ],
)
def test_a_right_solution_passes(check, right, capsys):
    check(right)
    assert "✓" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("check", "wrong", "sentence"),
    [
        (check_earth_mover, stub, "still a stub"),
        (check_earth_mover, difference_of_means, "must not cancel"),
        (check_earth_mover, signed, "must not cancel"),
        (check_earth_mover, counted, "shares, not counts"),
        (check_earth_mover, squared, r"take \|F - G\|"),
        (check_earth_mover, without_lengths, "counts by its length"),
        (check_earth_mover, unsorted, "Sort both"),
        (check_earth_mover, heavy_points, "shares, not counts"),
        (check_penalty_of, stub, "still a stub"),
        (check_penalty_of, no_weight, "λ is missing"),
        (check_penalty_of, one_norm, "mixes the images"),
        (check_penalty_of, over_channels, "not over the channels alone"),
        (check_penalty_of, no_root, "Take the root"),
        (check_penalty_of, summed, "Average over the images"),
        (check_penalty_of, towards_zero, "not from 0"),
        (check_penalty_of, averaged_first, "before you average"),
        (check_penalty_of, one_sided, "two-sided"),
        (check_penalty_of, mean_square, "not of their mean"),
        (check_slope_bound, stub, "still a stub"),
        (check_slope_bound, unclipped, "Clip the kernels first"),
        (check_slope_bound, clipped_above, "from above only"),
        (check_slope_bound, frobenius, "Frobenius"),
        (check_slope_bound, added, "instead of adding"),
        (check_slope_bound, largest_weight, "not the largest weight"),
        (check_slope_bound, eigenvalues, "That is the square"),
    ],
)
def test_a_wrong_solution_is_refused_with_the_telling_sentence(check, wrong, sentence):
    with pytest.raises(NotYet, match=sentence):
        check(wrong)
