"""Checks for notebook 30: the losses from logits, the modes that were found, the ratio behind the discriminator."""

from collections.abc import Callable

import numpy as np
from scipy.spatial import cKDTree
from scipy.special import log_expit, logsumexp

from gencourse.exercises.harness import call, expect, expect_close, likely_mistake, passed


def check_gan_losses(gan_losses: Callable) -> None:
    """Check `gan_losses(real_logits, fake_logits)` against SciPy's log-sigmoid, up to logits of ±1000."""
    rng = np.random.default_rng(0)
    for scale in (1.0, 5.0, 1000.0):
        real, fake = rng.normal(0, scale, size=(2, 50, 1))
        shown = f"gan_losses(real_logits, fake_logits) with logits near ±{scale:.0f}"
        with np.errstate(all="ignore"):
            value = call(gan_losses, real, fake, shown=shown)
        expect(isinstance(value, tuple) and len(value) == 2, f"`{shown}` must return two numbers.")
        of_real, of_fake, missed = (-log_expit(a).mean() for a in (real, -fake, fake))
        hint = likely_mistake(
            value[0],
            {
                "Add the two means; do not average them.": (of_real + of_fake) / 2,
                "A fake is right when D is 0: its term is ln(1 - D), the logarithm of sigmoid(-a).": of_real + missed,
            },
            otherwise="-ln sigmoid(a) = ln(1 + e^-a), and -ln(1 - sigmoid(a)) = ln(1 + e^a).",
        )
        expect_close(value[0], of_real + of_fake, shown=f"{shown}[0]", hint=hint)
        hint = likely_mistake(
            value[1],
            {"That is the minimax loss; the non-saturating one is -ln D of the fakes.": -of_fake},
            otherwise="The generator's loss is the mean of -ln sigmoid(a) over the fakes alone.",
        )
        expect_close(value[1], missed, shown=f"{shown}[1]", hint=hint)
    passed("both losses are right and finite")


def check_mode_coverage(mode_coverage: Callable) -> None:
    """Check `mode_coverage(points, modes, std)` against a nearest-neighbour search."""
    rng = np.random.default_rng(1)
    for modes, std in ((rng.uniform(-1, 1, (12, 2)), 0.05), (rng.uniform(-1, 1, (4, 3)), 0.2)):
        points = np.concatenate(
            [modes[0] + std * rng.normal(size=(30, modes.shape[1])), rng.uniform(-1, 1, (40, modes.shape[1]))]
        )
        shown = f"mode_coverage(points {points.shape}, modes {modes.shape}, std={std})"
        value = call(mode_coverage, points, modes, std, shown=shown)
        expect(isinstance(value, tuple) and len(value) == 2, f"`{shown}` must return two numbers.")
        distance, nearest = cKDTree(modes).query(points)
        reached = (cKDTree(points).query(modes)[0] <= 3 * std).sum()
        within_one = (cKDTree(points).query(modes)[0] <= std).sum()
        hint = likely_mistake(
            value[0],
            {
                "Points may lie three deviations away, not one.": within_one,
                "A mode counts only if a point is close to it, not if it is some point's nearest.": len(set(nearest)),
            },
            otherwise="Count the modes with at least one point within 3 * std.",
        )
        expect_close(value[0], reached, shown=f"{shown}[0]", hint=hint)
        hint = "The share is taken of the points: those within 3 * std of any mode, over all of them."
        expect_close(value[1], (distance <= 3 * std).mean(), shown=f"{shown}[1]", hint=hint)
    passed("modes and high-quality points are counted")


def check_mean_over_real(mean_over_real: Callable) -> None:
    """Check `mean_over_real(logits, values)` against weights p / q from SciPy, also for logits near 1000."""
    rng = np.random.default_rng(2)
    for offset in (0.0, 1000.0, -1000.0):
        logits, values = rng.normal(offset, 1, 40), rng.normal(size=40)
        shown = f"mean_over_real(logits near {offset:.0f}, values)"
        with np.errstate(all="ignore"):
            value = call(mean_over_real, logits, values, shown=shown)
        weight = np.exp(logits - logsumexp(logits))
        probability = np.exp(log_expit(logits))
        hint = likely_mistake(
            value,
            {
                "The weight is p / q = D / (1 - D), which is e^a; D itself is p / (p + q).": (
                    np.sum(probability * values) / probability.sum() if offset == 0 else np.nan
                ),
                "Divide by the sum of the weights.": np.sum(np.exp(np.minimum(logits, 700)) * values),
                "That is the plain mean over fakes: weight each by p / q.": values.mean(),
            },
            otherwise="D = sigmoid(a) gives D / (1 - D) = e^a. Subtract the largest logit before you exponentiate.",
        )
        expect_close(value, weight @ values, shown=shown, hint=hint)
    passed("fakes, weighted, stand for real items")
