"""The toy sources against quadrature, scipy.stats, Monte Carlo and a brute-force list of sentences."""

from collections import Counter
from math import exp, log, pi, sqrt

import numpy as np
import pytest
from scipy import integrate, stats

from gencourse.datasets.grammar import GRAMMAR
from gencourse.datasets.toy import Checkerboard, EightGaussians, GaussianGrid, GrammarText, Spiral, TwoMoons

# Bins a side. Each is at most 5 standard deviations wide, and no bin of the board is cut by the edge of a square.
BINS = {EightGaussians: 20, GaussianGrid: 40, TwoMoons: 16, Checkerboard: 20, Spiral: 16}
DRAWS = 20_000


@pytest.fixture(scope="module", params=BINS, ids=lambda source: source.__name__)
def density(request):
    return request.param()


@pytest.fixture(scope="module")
def bins(density):
    """Edges in x and y, and ∫ p and -∫ p ln p in each bin by 10 x 10 Gauss-Legendre nodes: (b, b) arrays."""
    b = BINS[type(density)]
    x0, x1, y0, y1 = density.extent
    x_edges, y_edges = np.linspace(x0, x1, b + 1), np.linspace(y0, y1, b + 1)
    node, weight = np.polynomial.legendre.leggauss(10)
    dx, dy = (x1 - x0) / b, (y1 - y0) / b
    x = (x_edges[:-1, None] + dx * (node + 1) / 2).ravel()
    y = (y_edges[:-1, None] + dy * (node + 1) / 2).ravel()
    log_p = density.log_prob(np.stack(np.meshgrid(x, y, indexing="ij"), axis=-1).reshape(-1, 2))
    p = np.exp(log_p)
    surprise = -p * np.where(p > 0, log_p, 0)
    p, surprise = (
        np.einsum("iajb,a,b->ij", f.reshape(b, 10, b, 10), weight, weight) * dx * dy / 4 for f in (p, surprise)
    )
    return x_edges, y_edges, p, surprise


def test_density_integrates_to_one(bins):
    assert bins[2].sum() == pytest.approx(1, abs=1e-6)


def test_entropy_is_the_integral_of_minus_p_log_p(density, bins):
    assert density.entropy() == pytest.approx(bins[3].sum(), abs=1e-5)


def test_entropy_is_the_mean_surprise_of_samples(density):
    surprise = -density.log_prob(density.sample(DRAWS, seed=1))
    assert abs(surprise.mean() - density.entropy()) <= 4 * surprise.std() / sqrt(DRAWS) + 1e-12


def test_samples_fill_the_bins_as_the_density_says(density, bins):
    x_edges, y_edges, p, _ = bins
    counts, _, _ = np.histogram2d(*density.sample(DRAWS, seed=2).T, bins=(x_edges, y_edges))
    assert chi_square_p_value(counts.ravel(), DRAWS * p.ravel()) > 1e-3


def chi_square_p_value(counts, expected):
    """Pearson's test of counts that add up to DRAWS, with all cells expected below 5 pooled into one."""
    rare = expected < 5
    counts = np.append(counts[~rare], DRAWS - counts[~rare].sum())
    expected = np.append(expected[~rare], DRAWS - expected[~rare].sum())
    keep = expected > 1e-3  # an empty pool is no cell
    assert counts[~keep].sum() == 0
    return stats.chi2.sf(((counts - expected)[keep] ** 2 / expected[keep]).sum(), keep.sum() - 1)


def test_planar_samples_are_float32_and_follow_the_seed(density):
    x = density.sample(100, seed=3)
    assert x.shape == (100, 2)
    assert x.dtype == np.float32
    np.testing.assert_array_equal(x, density.sample(np.int64(100), seed=np.int64(3)))
    assert not np.array_equal(x, density.sample(100, seed=4))


@pytest.mark.parametrize("source", [Checkerboard, EightGaussians, GrammarText])
@pytest.mark.parametrize(
    ("n", "seed", "wrong"), [(0, 0, "n"), (2.5, 0, "n"), ("3", 0, "n"), (3, -1, "seed"), (3, None, "seed")]
)
def test_sample_refuses_bad_sizes_and_seeds(source, n, seed, wrong):
    with pytest.raises(ValueError, match=f"^{wrong} must be a whole number of at least"):
        source().sample(n, seed)


@pytest.mark.parametrize("shape", [(2,), (4, 3), (1, 4, 2)])
def test_log_prob_refuses_other_shapes(density, shape):
    with pytest.raises(ValueError, match=r"shape \(n, 2\)"):
        density.log_prob(np.zeros(shape))


def test_log_prob_refuses_points_that_are_not_finite(density):
    with pytest.raises(ValueError, match="finite"):
        density.log_prob([[0.0, np.nan]])


def test_log_prob_does_not_depend_on_the_number_of_points(density):
    x = density.sample(4097, seed=5)
    np.testing.assert_array_equal(density.log_prob(x)[[0, 4096]], density.log_prob(x[[0, 4096]]))
    assert density.log_prob(np.zeros((0, 2))).shape == (0,)


@pytest.mark.parametrize(("source", "std"), [(EightGaussians, 0.1), (GaussianGrid, 0.05)])
def test_gaussian_mixture_equals_scipy(source, std):
    mixture = source()
    x = np.concatenate([mixture.sample(50, seed=6), [[0.3, 0.4], [1.0, 1.0]]])
    density = sum(stats.multivariate_normal(mode, std**2).pdf(x) for mode in mixture.modes) / len(mixture.modes)
    assert mixture.std == std
    np.testing.assert_allclose(np.exp(mixture.log_prob(x)), density, rtol=1e-9)


def test_modes_of_the_gaussian_mixtures():
    np.testing.assert_allclose(np.linalg.norm(EightGaussians().modes, axis=1), 2)
    assert {tuple(mode) for mode in GaussianGrid().modes} == {(x, y) for x in range(-4, 5, 2) for y in range(-4, 5, 2)}


def test_closed_entropy_of_separated_gaussians():
    gaussian = stats.multivariate_normal([0, 0], 0.05**2).entropy()
    assert GaussianGrid().entropy() == pytest.approx(log(25) + gaussian, abs=1e-12)
    gaussian = stats.multivariate_normal([0, 0], 0.1**2).entropy()
    assert EightGaussians().entropy() == pytest.approx(log(8) + gaussian, abs=1e-12)


def test_checkerboard_is_uniform_on_eight_unit_squares():
    board = Checkerboard()
    assert board.entropy() == log(8)
    x = board.sample(200_000, seed=7)
    assert (board.log_prob(x) == -log(8)).all()
    assert (x * 2**23 % 2 == 1).all()  # so none can be rounded onto an edge, where x * 2^23 is even
    assert len(np.unique(np.floor(x), axis=0)) == 8
    np.testing.assert_array_equal(board.log_prob([[-1.5, -0.5], [2.5, 2.5], [-3.5, 0.5]]), -np.inf)


def normal(x, centre):
    return exp(-np.sum((x - centre) ** 2) / (2 * 0.1**2)) / (2 * pi * 0.1**2)


@pytest.mark.parametrize("x", [[0.0, 1.1], [1.2, -0.4], [0.5, 0.25], [-1.3, -0.4], [2.5, 1.0]])
def test_two_moons_density_is_the_integral_along_the_half_circles(x):
    def integrand(t):
        upper, lower = [np.cos(t), np.sin(t)], [1 - np.cos(t), 0.5 - np.sin(t)]
        return (normal(x, np.array(upper)) + normal(x, np.array(lower))) / (2 * pi)

    value, _ = integrate.quad(integrand, 0, pi, epsabs=0, epsrel=1e-11, limit=200)
    assert TwoMoons().log_prob([x])[0] == pytest.approx(log(value), abs=1e-9)


@pytest.mark.parametrize("x", [[0.0, 0.3], [2.0, 0.1], [-1.4, 0.2], [1.5, 1.5], [0.0, 0.0]])
def test_spiral_density_is_the_integral_along_the_radius(x):
    def integrand(r):  # r² uniform on [1/16, 4], so r has the density 2 r / (4 - 1/16)
        return normal(x, r * np.array([np.cos(2 * pi * r), np.sin(2 * pi * r)])) * 2 * r / (4 - 1 / 16)

    value, _ = integrate.quad(integrand, 0.25, 2, epsabs=0, epsrel=1e-11, limit=200)
    assert Spiral().log_prob([x])[0] == pytest.approx(log(value), abs=1e-9)


@pytest.fixture(scope="module")
def sentences():
    """Every sentence of at most 28 steps with its probability; the rest has "very" 22 times or more: below 0.2^21."""
    found, partial = {}, [("", 1.0, "start")]
    for _ in range(28):
        longer = []
        for text, probability, state in partial:
            for piece, p, following in GRAMMAR[state]:
                if following:
                    longer.append((text + piece, probability * p, following))
                else:
                    assert text + piece not in found  # unambiguous
                    found[text + piece] = probability * p
        partial = longer
    return found


def test_grammar_is_proper_and_prefix_free():
    for steps in GRAMMAR.values():
        assert sum(p for _, p, _ in steps) == pytest.approx(1, abs=1e-15)
        texts = [text for text, _, _ in steps]
        assert not any(a.startswith(b) for a in texts for b in texts if a is not b)


def test_grammar_equals_its_brute_force_list(sentences):
    grammar = GrammarText()
    p, length = np.array(list(sentences.values())), np.array([len(sentence) for sentence in sentences])
    assert p.sum() == pytest.approx(1, abs=1e-12)
    assert grammar.entropy() == pytest.approx(-(p * np.log(p)).sum(), abs=1e-12)
    assert grammar.mean_length() == pytest.approx((p * length).sum(), abs=1e-12)
    assert grammar.entropy_rate() == grammar.entropy() / grammar.mean_length()
    np.testing.assert_allclose(grammar.log_prob(list(sentences)), np.log(p), rtol=1e-12)


def test_grammar_samples_follow_the_probabilities(sentences):
    drawn = GrammarText().sample(DRAWS, seed=9)
    count = Counter(drawn)
    counts = np.array([count[sentence] for sentence in sentences])
    assert chi_square_p_value(counts, DRAWS * np.array(list(sentences.values()))) > 1e-3
    surprise = -GrammarText().log_prob(drawn)
    assert abs(surprise.mean() - GrammarText().entropy()) <= 4 * surprise.std() / sqrt(DRAWS)


def test_grammar_samples_follow_the_seed_and_can_be_told_apart():
    drawn = GrammarText().sample(50, seed=10)
    assert drawn == GrammarText().sample(50, seed=np.int64(10))
    assert drawn != GrammarText().sample(50, seed=11)
    assert "".join(drawn).splitlines(keepends=True) == drawn


@pytest.mark.parametrize(
    "text", ["", "the hens sleep.\n", "two hen sleeps.\n", "the hen sleeps", "the hen sleeps.\n\n"]
)
def test_grammar_gives_other_texts_no_probability(text):
    grammatical = "the hen sleeps.\n"
    expected = log(0.4 * 0.2 * 0.2 * 0.5)
    np.testing.assert_allclose(GrammarText().log_prob([text, grammatical]), [-np.inf, expected])


@pytest.mark.parametrize("sentences", ["the hen sleeps.\n", 3, [b"the hen sleeps.\n"], None])
def test_grammar_log_prob_refuses_what_is_no_list_of_text(sentences):
    with pytest.raises(ValueError, match="log_prob takes a list of"):
        GrammarText().log_prob(sentences)
