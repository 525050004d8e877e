"""Checks the exercises of notebook 51, fast sampling."""

from collections.abc import Callable

import numpy as np

from gencourse.exercises.harness import call, expect, expect_close, likely_mistake, passed

DDIM_HINT = "Estimate x_0 = (x - b_t ε) / a_t, then put a_s x_0 and b_s ε together."
HEUN_HINT = "Go an Euler step, ask for ε there at σ_s, and go again from the start with the mean of both."
ENCODE_HINT = "Begin with x_s, and put each guess into (a_t / a_s) x_s + (b_t - b_s a_t / a_s) ε(guess)."


def check_ddim_step(ddim_step: Callable) -> None:
    """Check one step of DDIM on sums of a known image and a known noise.

    Args:
        ddim_step: `ddim_step(x, epsilon, a_t, b_t, a_s, b_s)` with x and epsilon of one shape, returning x_s like x.

    Raises:
        NotYet: with what is wrong.
    """
    rng = np.random.default_rng(0)
    for shape, angle_t, angle_s in (((3,), 1.2, 0.9), ((2, 4, 4, 1), 1.5, 0.3), ((5, 2), 0.4, 0.0)):
        image, epsilon = rng.uniform(-1, 1, shape), rng.normal(size=shape)
        (a_t, b_t), (a_s, b_s) = ((np.cos(angle), np.sin(angle)) for angle in (angle_t, angle_s))
        x, wanted = a_t * image + b_t * epsilon, a_s * image + b_s * epsilon
        shown = f"ddim_step(x {shape}, epsilon, {a_t:.3f}, {b_t:.3f}, {a_s:.3f}, {b_s:.3f})"
        ours = call(ddim_step, x, epsilon, a_t, b_t, a_s, b_s, shown=shown)
        mistakes = {
            "That is the estimated image: it still wants the noise of the next level.": image,
            "The estimate of x_0 is not divided by a_t.": a_s * (x - b_t * epsilon) + b_s * epsilon,
            "You put the old noise rate b_t back: the next level has b_s.": a_s * image + b_t * epsilon,
            "You kept the old signal rate a_t: the next level has a_s.": a_t * image + b_s * epsilon,
            "That is Euler's step for x: it is x / a that moves by (σ_s - σ_t) ε.": x
            + (b_s / a_s - b_t / a_t) * epsilon,
            "That is x_s / a_s: multiply by a_s.": image + b_s / a_s * epsilon,
        }
        expect_close(ours, wanted, shown=shown, hint=likely_mistake(ours, mistakes, DDIM_HINT))
    passed("ddim_step puts the estimated image and the estimated noise together at the next level.")


def check_heun_step(heun_step: Callable) -> None:
    """Check one step of Heun's method, and that it asks twice.

    Args:
        heun_step: `heun_step(x, sigma_t, sigma_s, noise_at)` with x scaled by 1 / a (n, d), two numbers, and a function
            `noise_at(x, sigma)` returning ε like x; returns x_s like x.

    Raises:
        NotYet: with what is wrong.
    """
    rng = np.random.default_rng(1)
    for std, sigma_t, sigma_s in ((0.5, 2.0, 1.0), (0.2, 0.7, 0.1), (1.0, 5.0, 4.0)):
        calls = []

        def noise_at(x, sigma, std=std, calls=calls):
            calls.append(sigma)
            return sigma * np.asarray(x) / (std**2 + sigma**2)

        x, h = rng.normal(size=(4, 2)), sigma_s - sigma_t
        first = noise_at(x, sigma_t)
        euler = x + h * first
        second = noise_at(euler, sigma_s)
        wanted = x + h * (first + second) / 2
        middle = noise_at(x + h / 2 * first, sigma_t + h / 2)
        shown = f"heun_step(x {x.shape}, {sigma_t}, {sigma_s}, noise_at)"
        calls.clear()
        ours = call(heun_step, x, sigma_t, sigma_s, noise_at, shown=shown)
        asked = len(calls)
        mistakes = {
            "That is Euler's step alone, which is DDIM: look a second time.": euler,
            "Your step goes away from the image: it is σ_s - σ_t, which is negative.": x - h * (first + second) / 2,
            "The second look is at the Euler step's end, not at x.": x + h * (first + noise_at(x, sigma_s)) / 2,
            "The second look is at σ_s, the noise level it stands at.": x + h * (first + noise_at(euler, sigma_t)) / 2,
            "You go on from the Euler step: go from x again.": euler + h * (first + second) / 2,
            "You took the second estimate alone: take the mean of both.": x + h * second,
            "You took the sum of both estimates: take their mean.": x + h * (first + second),
            "That is the midpoint method, as accurate, and another one: look at the end.": x + h * middle,
        }
        expect_close(ours, wanted, shown=shown, hint=likely_mistake(ours, mistakes, HEUN_HINT))
        expect(asked <= 2, f"`{shown}` asked for the noise {asked} times: twice is enough.")
    passed("heun_step goes with the mean of the noise at both ends of the step.")


def check_encode_step(encode_step: Callable) -> None:
    """Check one step of the encoding on a linear ε(x) = k x, whose iteration is a geometric series.

    Args:
        encode_step: `encode_step(x_s, noise_of, a_t, b_t, a_s, b_s, iterations)` with a function
            `noise_of(x)` that gives the noise in x at the level t; returns x_t like x_s.

    Raises:
        NotYet: with what is wrong.
    """
    rng = np.random.default_rng(2)
    for iterations, angle_t, angle_s, k in (
        (1, 0.9, 0.6, 0.8),
        (2, 1.3, 1.0, 0.9),
        (4, 0.5, 0.2, 1.5),
        (60, 1.1, 0.8, 0.7),
    ):
        (a_t, b_t), (a_s, b_s) = ((np.cos(angle), np.sin(angle)) for angle in (angle_t, angle_s))
        x_s = rng.normal(size=(3, 2))
        ratio, c = a_t / a_s, b_t - b_s * a_t / a_s

        def noise_of(x, k=k):
            return k * np.asarray(x)

        def after(times, start, x_s=x_s, ratio=ratio, c=c, k=k):
            power = (c * k) ** times
            return power * start + ratio * x_s * (1 - power) / (1 - c * k)

        wanted = after(iterations, x_s)
        shown = f"encode_step(x_s {x_s.shape}, noise_of, ..., iterations={iterations})"
        ours = call(encode_step, x_s, noise_of, a_t, b_t, a_s, b_s, iterations, shown=shown)
        step_down = a_s / a_t * x_s + (b_s - b_t * a_s / a_t) * k * x_s
        mistakes = {
            "That is one iteration, whatever was asked: put each guess back in.": after(1, x_s),
            "You iterate once too often.": after(iterations + 1, x_s),
            "Begin with x_s: your first guess is 0.": after(iterations, 0 * x_s),
            "That is the step of DDIM, towards the image: this one goes towards the noise.": step_down,
            "x_s stays in the equation: only ε(guess) changes from one iteration to the next.": (ratio + c * k)
            ** iterations
            * x_s,
        }
        expect_close(ours, wanted, shown=shown, hint=likely_mistake(ours, mistakes, ENCODE_HINT))
    passed("encode_step finds where the step of DDIM came from.")
