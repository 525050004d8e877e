"""Checks of notebook 12: backward through a sigmoid layer, a Nesterov step, a cross-entropy that does not overflow."""

from collections.abc import Callable

import numpy as np
from scipy.special import logsumexp

from gencourse.exercises.harness import call, expect, expect_close, passed


def check_sigmoid_layer_backward(sigmoid_layer_backward: Callable) -> None:
    """Check `sigmoid_layer_backward(x, W, b, dh) -> (dx, dW, db)` against complex-step derivatives of Σ dh ⊙ h.

    Args:
        sigmoid_layer_backward: from x (n, d), W (d, k), b (k,) and dh = ∂L/∂h (n, k), with h = σ(x W + b), to the
            gradients of L in the shapes of x, W and b.

    Raises:
        NotYet: a gradient is wrong.
    """
    shown = "sigmoid_layer_backward(x, W, b, dh)"
    rng = np.random.default_rng(12)
    for n, d, k in [(1, 2, 1), (5, 3, 4), (2, 6, 3)]:
        x, W, b, dh = (rng.normal(size=shape) for shape in [(n, d), (d, k), (k,), (n, k)])
        value = call(sigmoid_layer_backward, x, W, b, dh, shown=shown)
        expect(isinstance(value, tuple) and len(value) == 3, f"`{shown}` must return three arrays: dx, dW, db.")
        dx, dW, db = value
        expect(
            np.shape(db) != (k,) or not np.allclose(db, dh.sum(axis=0)),
            "db has the slope of the sigmoid left out: δ = dh ⊙ h (1 - h) comes first, then the sums.",
        )
        expected = _complex_step(lambda x, W, b, dh=dh: np.sum(dh * _sigmoid(x @ W + b)), x, W, b)
        hints = (
            "dx = δ Wᵀ: each input collects from every unit it feeds.",
            "dW = xᵀ δ, with δ = dh ⊙ h (1 - h).",
            "db is the sum of δ over the examples; a mean, if there is one, is already inside dh.",
        )
        for name, actual, wanted, hint in zip(("dx", "dW", "db"), (dx, dW, db), expected, hints, strict=True):
            expect_close(actual, wanted, shown=f"{name} of {shown}", hint=hint)
    passed("The sigmoid layer passes its gradients back.")


def _sigmoid(z):
    return 1 / (1 + np.exp(-z))  # for complex z too, which scipy.special.expit refuses


def _complex_step(loss, *arguments, h=1e-30):
    """∂L/∂a = Im L(a + i h) / h: no subtraction, so exact to rounding."""
    gradients = []
    for place, argument in enumerate(arguments):
        gradient = np.zeros_like(argument)
        for index in np.ndindex(argument.shape):
            shifted = [value.astype("complex128") for value in arguments]
            shifted[place][index] += 1j * h
            gradient[index] = loss(*shifted).imag / h
        gradients.append(gradient)
    return gradients


def check_nesterov_step(nesterov_step: Callable) -> None:
    """Check `nesterov_step(theta, v, gradient, lr, beta) -> (theta, v)` over ten steps on quadratics ½ θᵀ A θ.

    There, eliminating v leaves θ_{t+1} = (I - lr A)(θ_t + beta (θ_t - θ_{t-1})).

    Args:
        nesterov_step: from theta (d,), v (d,), the function gradient(theta) -> (d,), lr > 0 and beta in [0, 1) to
            the next theta and v.

    Raises:
        NotYet: the path leaves the recurrence.
    """
    shown = "nesterov_step(theta, v, gradient, lr, beta)"
    rng = np.random.default_rng(12)
    for d, lr, beta in [(1, 0.1, 0.9), (3, 0.05, 0.9), (2, 0.2, 0.0)]:
        root = rng.normal(size=(d, d))
        A = root @ root.T / d + np.eye(d)
        theta, v = rng.normal(size=d), np.zeros(d)
        last, current, plain = theta, theta, (theta, theta)
        for step in range(1, 11):
            value = call(nesterov_step, theta, v, lambda theta, A=A: A @ theta, lr, beta, shown=shown)
            expect(isinstance(value, tuple) and len(value) == 2, f"`{shown}` must return two arrays: theta, v.")
            theta, v = (np.asarray(part) for part in value)
            ahead = current + beta * (current - last)
            last, current = current, ahead - lr * A @ ahead
            plain = plain[1], plain[1] + beta * (plain[1] - plain[0]) - lr * A @ plain[1]
            expect(
                beta == 0 or step == 1 or theta.shape != (d,) or not np.allclose(theta, plain[1]),
                "This is plain momentum: Nesterov takes the gradient at theta + beta * v, where the velocity leads.",
            )
            expect_close(
                theta,
                current,
                shown=f"theta after step {step} of {shown}",
                hint="v ← beta v - lr gradient(theta + beta v), then theta ← theta + v.",
            )
    passed("Nesterov's momentum looks ahead before it steps.")


def check_cross_entropy(cross_entropy: Callable) -> None:
    """Check `cross_entropy(logits, labels) -> float` against `scipy.special.logsumexp`, with logits up to 10,000.

    Args:
        cross_entropy: from logits (n, k) and labels (n,) in 0 ... k - 1 to the mean of -log softmax(logits)[label],
            in nats.

    Raises:
        NotYet: a value is wrong, infinite or not a number.
    """
    shown = "cross_entropy(logits, labels)"
    rng = np.random.default_rng(12)
    with np.errstate(all="ignore"):
        for n, k in [(1, 2), (6, 10), (40, 3)]:
            logits, labels = rng.normal(size=(n, k)), rng.integers(k, size=n)
            total = np.sum(logsumexp(logits, axis=1) - logits[np.arange(n), labels])
            value = call(cross_entropy, logits, labels, shown=shown)
            expect(np.size(value) == 1, f"`{shown}` must return one number, the mean over the examples.")
            expect(n == 1 or not np.allclose(value, total), "This is the sum over the examples; the mean is wanted.")
            expect_close(value, total / n, shown=shown, hint="The loss of one example is logsumexp(s) - s[label].")
        for size in (1e2, 1e3, 1e4):
            logits, labels = np.array([[size, 0.0, -size], [-size, size, 0.0]]), np.array([0, 2])
            expect_close(
                call(cross_entropy, logits, labels, shown=shown),
                size / 2,  # the first row costs nothing, the second size: one row right, one wrong
                shown=f"{shown} with logits of ±{size:g}",
                hint="exp overflows, or log meets 0: subtract each row's maximum, and never form log(softmax).",
            )
    passed("The cross-entropy is right, and stays finite for large logits.")
