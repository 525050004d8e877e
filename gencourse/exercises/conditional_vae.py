"""Checks of notebook 23: an exact conditional likelihood, classifying by drawing, the errors of several completions."""

from collections.abc import Callable

import numpy as np
from scipy.special import logsumexp
from scipy.stats import multivariate_normal

from gencourse.exercises.harness import call, expect_close, likely_mistake, passed

LINEAR_HINT = "x given y is normal with mean offsets[y] and covariance W Wᵀ + variance · I, over D numbers."
POSTERIOR_HINT = (
    "p(y | x) is prior[y] exp(log_prob[:, y]) over its sum over y. Since exp(-5000) is 0, subtract the "
    "largest entry of each row first."
)
ERRORS_HINT = "Sum squares over the D numbers of a picture; then take means or the minimum over k, and the mean over n."


def check_linear_log_prob(linear_log_prob: Callable) -> None:
    """Check log p(x | y) = log N(x; offsets[y], W Wᵀ + variance I).

    Args:
        linear_log_prob: `linear_log_prob(x, label, W, offsets, variance)` with x (n, D), label (n,), W (D, d),
            offsets (K, D) and the variance of the noise, returning (n,) nats.

    Raises:
        NotYet: with what is wrong.
    """
    rng = np.random.default_rng(0)
    for n, size, latent_size, classes, variance in ((4, 3, 2, 2, 0.25), (5, 6, 1, 3, 2.0), (1, 2, 2, 10, 0.01)):
        W, offsets = rng.standard_normal((size, latent_size)), 2 * rng.standard_normal((classes, size))
        label = rng.integers(0, classes, n)
        x = offsets[label] + rng.standard_normal((n, size))

        def log_normal(mean, covariance, x=x):
            rows = zip(x, np.broadcast_to(mean, x.shape), strict=True)
            return np.array([multivariate_normal(row_mean, covariance).logpdf(row) for row, row_mean in rows])

        covariance, noise = W @ W.T, variance * np.eye(size)
        wanted = log_normal(offsets[label], covariance + noise)
        shown = f"linear_log_prob(x {x.shape}, label, W {W.shape}, offsets, {variance})"
        ours = call(linear_log_prob, x, label, W, offsets, variance, shown=shown)
        mistakes = {
            "The label does nothing: the mean of row i is offsets[label[i]], not 0.": log_normal(0, covariance + noise),
            "The mean is that of all labels: take offsets[label].": log_normal(
                offsets.mean(axis=0), covariance + noise
            ),
            "That is log p(x | z = 0, y): z varies too, which adds W Wᵀ.": log_normal(offsets[label], noise),
            "variance is the noise's variance already: do not square it.": log_normal(
                offsets[label], covariance + variance * noise
            ),
            "The term -D/2 ln 2π is missing.": wanted + size / 2 * np.log(2 * np.pi),
            "Return one number a row, not their sum.": wanted.sum(),
        }
        expect_close(ours, wanted, shown=shown, hint=likely_mistake(ours, mistakes, LINEAR_HINT))
    passed("linear_log_prob agrees with SciPy's normal density for every label.")


def check_label_posterior(label_posterior: Callable) -> None:
    """Check Bayes' rule, p(y | x) = p(x | y) p(y) / Σ p(x | y') p(y').

    Args:
        label_posterior: `label_posterior(log_prob, prior)` with log p(x | y) (n, K) in nats and p(y) (K,), returning
            (n, K).

    Raises:
        NotYet: with what is wrong.
    """
    rng = np.random.default_rng(0)
    for n, classes, level in ((5, 3, -1.0), (3, 10, -90.0), (4, 2, -5000.0)):
        log_prob, prior = level + rng.standard_normal((n, classes)), rng.dirichlet(np.ones(classes))
        log_joint = log_prob + np.log(prior)
        wanted = _softmax(log_joint)
        shown = f"label_posterior(log_prob {log_prob.shape} near {level:.0f}, prior)"
        ours = call(label_posterior, log_prob, prior, shown=shown)
        mistakes = {
            "The prior is missing.": _softmax(log_prob),
            "Add the logarithm of the prior, not the prior.": _softmax(log_prob + prior),
            "Your columns sum to 1: normalise over the labels, which is axis 1.": _softmax(log_joint.T).T,
            "That is the logarithm of the posterior.": np.log(wanted),
        }
        expect_close(ours, wanted, shown=shown, hint=likely_mistake(ours, mistakes, POSTERIOR_HINT))
    passed("label_posterior is Bayes' rule, also where every likelihood underflows.")


def check_completion_errors(completion_errors: Callable) -> None:
    """Check the squared error of one completion, of the mean of all k, and of the best of k, each a mean over n.

    Args:
        completion_errors: `completion_errors(completions, truth)` with completions (k, n, D) and truth (n, D),
            returning three numbers.

    Raises:
        NotYet: with what is wrong.
    """
    rng = np.random.default_rng(0)
    for k, n, size in ((2, 3, 4), (10, 5, 1), (1, 4, 6)):
        truth = rng.random((n, size))
        completions = truth + rng.standard_normal((k, n, size))
        difference = completions - truth
        single = np.linalg.norm(difference, axis=-1) ** 2  # (k, n)
        of_mean = np.linalg.norm(difference.mean(axis=0), axis=-1) ** 2  # (n,)
        wanted = np.array([single.mean(), of_mean.mean(), single.min(axis=0).mean()])
        shown = f"completion_errors(completions {completions.shape}, truth)"
        ours = call(completion_errors, completions, truth, shown=shown)
        mistakes = {
            "You averaged over the D numbers of a picture: sum over them.": wanted / size,
            "You summed over the pictures: take their mean.": wanted * n,
            "The best completion is chosen for each picture, not the best of all pictures.": [
                *wanted[:2],
                single.min(),
            ],
            "The best completion is chosen for the whole picture, not number by number.": [
                *wanted[:2],
                np.square(difference).min(axis=0).sum(axis=-1).mean(),
            ],
            "Average the completions first, then square: the second number repeats the first.": wanted[[0, 0, 2]],
            "The order is: one completion, the mean of all, the best.": wanted[[1, 0, 2]],
            "Those are roots: return the squared errors.": np.sqrt(wanted),
        }
        expect_close(ours, wanted, shown=shown, hint=likely_mistake(ours, mistakes, ERRORS_HINT))
    passed("completion_errors tells one completion, their mean and the best of them apart.")


def _softmax(values):
    return np.exp(values - logsumexp(values, axis=1, keepdims=True))
