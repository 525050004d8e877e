"""Kernel distance, precision and recall, inception score and mode coverage, where the answer is known."""

import keras
import numpy as np
import pytest
from scipy.spatial.distance import cdist
from scipy.stats import chi2, entropy

from gencourse.datasets import mnist
from gencourse.datasets.toy import GaussianGrid
from gencourse.metrics import (
    FrechetDistance,
    InceptionScore,
    KernelDistance,
    ModeCoverage,
    PrecisionRecall,
    score_digits,
)
from gencourse.metrics.kernel_distance import polynomial_kernel, squared_mmd
from gencourse.metrics.precision_recall import share_covered


def flat(size: int) -> keras.Model:
    """A network that gives the pixels themselves."""
    return keras.Sequential([keras.Input((1, size, 1)), keras.layers.Flatten()])


def as_images(points) -> np.ndarray:
    return np.asarray(points, "float32")[:, None, :, None]


def cloud(n: int, seed: int, centre: float = 0.5) -> np.ndarray:
    return np.random.default_rng(seed).uniform(centre - 0.1, centre + 0.1, (n, 3))


def test_kernel_is_scikit_learns():
    from sklearn.metrics.pairwise import polynomial_kernel as expected

    x, y = cloud(5, 0), cloud(7, 1)
    np.testing.assert_allclose(polynomial_kernel(x, y), expected(x, y, degree=3, gamma=1 / 3, coef0=1))


def test_mmd_is_the_double_sum():
    x, y = cloud(4, 0), cloud(5, 1, 0.7)

    def k(a, b):
        return (np.dot(a, b) / 3 + 1) ** 3

    expected = (
        sum(k(x[i], x[j]) for i in range(4) for j in range(4) if i != j) / 12
        + sum(k(y[i], y[j]) for i in range(5) for j in range(5) if i != j) / 20
        - 2 * sum(k(a, b) for a in x for b in y) / 20
    )
    assert squared_mmd(x, y) == pytest.approx(expected, rel=1e-9)


def test_kernel_distance_is_unbiased_for_few_and_for_equal_distributions():
    values = [squared_mmd(cloud(5, seed), cloud(5, 10_000 + seed)) for seed in range(2000)]
    assert abs(np.mean(values)) < 5 * np.std(values) / np.sqrt(len(values))
    assert min(values) < 0 < max(values)


def test_kernel_distance_streams_and_grows_with_the_difference():
    metric = KernelDistance(flat(3))
    results = []
    for centre in (0.5, 0.6, 0.8):
        metric.reset_state()
        metric.update_state(real=as_images(cloud(60, 0)))
        for batch in np.array_split(as_images(cloud(50, 1, centre)), 3):
            metric.update_state(generated=batch)
        results.append(metric.result())
        assert metric.result() == pytest.approx(squared_mmd(cloud(60, 0), cloud(50, 1, centre)), abs=1e-6)
    assert results == sorted(results)


def test_region_is_the_union_of_balls_to_the_kth_neighbour():
    points, reference = cloud(40, 0) * 1.3, cloud(30, 1)
    distances = cdist(reference, reference)
    radii = np.sort(distances, axis=1)[:, 3]
    inside = [any(np.linalg.norm(p - r) <= radius for r, radius in zip(reference, radii, strict=True)) for p in points]
    assert 0 < np.mean(inside) < 1
    assert share_covered(points, reference, neighbours=3) == np.mean(inside)


@pytest.mark.parametrize(
    ("generated", "precision", "recall"),
    [
        (np.concatenate([cloud(50, 1, 0.2), cloud(50, 2, 0.8)]), 1.0, 1.0),  # all of it
        (cloud(100, 1, 0.2), 1.0, 0.5),  # half of the modes, nothing else
        (np.concatenate([cloud(50, 1, 0.2), cloud(50, 2, 0.5)]), 0.5, 0.5),  # a mode, and one that is not there
        (cloud(100, 1, 0.5), 0.0, 0.0),  # nothing right
    ],
)
def test_precision_and_recall_of_constructed_sets(generated, precision, recall):
    real = np.concatenate([cloud(50, 3, 0.2), cloud(50, 4, 0.8)])
    metric = PrecisionRecall(flat(3), neighbours=20)  # regions wide enough to close the gaps inside a mode
    metric.update_state(as_images(real), as_images(generated))
    scores = metric.result()
    # points at the rim of a mode may lie outside of the other sample's balls: a few of a hundred
    assert scores.precision == pytest.approx(precision, abs=0.05)
    assert scores.recall == pytest.approx(recall, abs=0.05)


def test_precision_needs_more_images_than_neighbours():
    metric = PrecisionRecall(flat(3))
    metric.update_state(as_images(cloud(3, 0)), as_images(cloud(9, 0)))
    with pytest.raises(ValueError, match="3 real and 9 generated images; accepted are 4 of each"):
        metric.result()
    with pytest.raises(ValueError, match="neighbours is 0; accepted is a whole number >= 1"):
        PrecisionRecall(flat(3), neighbours=0)


def inception_score(posteriors) -> float:
    metric = InceptionScore(flat(np.shape(posteriors)[1]))
    for batch in np.array_split(as_images(posteriors), 3):
        if len(batch):
            metric.update_state(batch)
    return metric.result()


def test_inception_score_of_known_posteriors():
    assert inception_score(np.eye(5).repeat(4, axis=0)) == pytest.approx(5)  # sure, and of all classes
    assert inception_score(np.eye(5)[[2] * 20]) == pytest.approx(1)  # sure, and of one class
    assert inception_score(np.full((20, 5), 0.2)) == pytest.approx(1)  # never sure
    p = np.random.default_rng(0).dirichlet(np.ones(5), 30)
    expected = np.exp(np.mean([entropy(row, p.mean(axis=0)) for row in p]))
    assert inception_score(p) == pytest.approx(expected, rel=1e-4)


def test_inception_score_refuses_what_is_no_probability():
    with pytest.raises(ValueError, match="no probabilities"):
        inception_score(np.full((3, 5), 0.9))
    with pytest.raises(ValueError, match="0 images; accepted is 1 and more"):
        InceptionScore(flat(5)).result()


def test_judge_gives_real_digits_a_score_near_ten():
    metric = InceptionScore()
    metric.update_state(mnist.load_arrays("test[:500]")[0])
    assert 9 < metric.result() <= 10


def test_coverage_of_the_grid_itself():
    grid = GaussianGrid()
    metric = ModeCoverage(grid.modes, grid.std)
    for seed in range(3):
        metric.update_state(grid.sample(2500, seed))
    # the share within 3 deviations of a planar normal is 1 - e^{-9/2}; five standard errors of 7,500 points
    expected = chi2.cdf(9, df=2)
    error = np.sqrt(expected * (1 - expected) / 7500)
    assert metric.result().modes == 25
    assert abs(metric.result().high_quality - expected) < 5 * error


def test_coverage_counts_modes_and_strays():
    metric = ModeCoverage([[0.0, 0.0], [1.0, 0.0], [2.0, 0.0]], std=0.1)
    metric.update_state([[0.05, 0.0], [0.0, 0.29], [1.0, 0.31], [0.5, 0.0]])
    assert metric.result() == (1, 0.5)
    metric.update_state([[2.0, 0.0]])
    assert metric.result() == (2, 0.6)
    metric.reset_state()
    with pytest.raises(ValueError, match="0 points"):
        metric.result()
    with pytest.raises(ValueError, match=r"accepted are finite points \(n, 2\)"):
        metric.update_state([[np.nan, 0.0]])
    with pytest.raises(ValueError, match="accepted are numbers > 0"):
        ModeCoverage([[0.0]], std=0)


def test_digits_get_the_scores_of_each_metric():
    digits = mnist.load_arrays("test[:1200]")[0]
    real, generated = digits[:600], digits[600:]  # more than one batch
    scores = score_digits(generated, real)
    for metric, expected in ((FrechetDistance(), scores.frechet), (PrecisionRecall(), scores[2:])):
        metric.update_state(real=real, generated=generated)
        np.testing.assert_allclose(metric.result(), expected, rtol=1e-4)
    inception = InceptionScore()
    inception.update_state(generated)
    assert scores.inception == pytest.approx(inception.result(), rel=1e-4)


def test_digits_are_scored_beside_equally_many():
    with pytest.raises(ValueError, match="4 generated and 5 real digits; accepted are equally many"):
        score_digits(np.zeros((4, 28, 28, 1)), np.zeros((5, 28, 28, 1)))
