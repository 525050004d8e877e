"""The checker of notebook 51 accepts right solutions of any style and names the typical mistakes."""

import pytest

from gencourse.exercises.fast_sampling import check_ddim_step, check_encode_step, check_heun_step
from gencourse.exercises.harness import NotYet


def stub(*arguments):
    raise NotImplementedError()


def ddim_step(x, epsilon, a_t, b_t, a_s, b_s):
    return a_s * (x - b_t * epsilon) / a_t + b_s * epsilon


def euler_in_sigma(x, epsilon, a_t, b_t, a_s, b_s):
    return a_s * (x / a_t + (b_s / a_s - b_t / a_t) * epsilon)


def no_noise(x, epsilon, a_t, b_t, a_s, b_s):
    return (x - b_t * epsilon) / a_t


def undivided(x, epsilon, a_t, b_t, a_s, b_s):
    return a_s * (x - b_t * epsilon) + b_s * epsilon


def old_noise_rate(x, epsilon, a_t, b_t, a_s, b_s):
    return a_s * no_noise(x, epsilon, a_t, b_t, a_s, b_s) + b_t * epsilon


def old_signal_rate(x, epsilon, a_t, b_t, a_s, b_s):
    return a_t * no_noise(x, epsilon, a_t, b_t, a_s, b_s) + b_s * epsilon


def unscaled(x, epsilon, a_t, b_t, a_s, b_s):
    return x + (b_s / a_s - b_t / a_t) * epsilon


def scaled(x, epsilon, a_t, b_t, a_s, b_s):
    return ddim_step(x, epsilon, a_t, b_t, a_s, b_s) / a_s


def heun_step(x, sigma_t, sigma_s, noise_at):
    first = noise_at(x, sigma_t)
    return x + (sigma_s - sigma_t) * (first + noise_at(x + (sigma_s - sigma_t) * first, sigma_s)) / 2


def corrected_euler(x, sigma_t, sigma_s, noise_at):
    h, first = sigma_s - sigma_t, noise_at(x, sigma_t)
    euler = x + h * first
    return euler + h / 2 * (noise_at(euler, sigma_s) - first)


def euler(x, sigma_t, sigma_s, noise_at):
    return x + (sigma_s - sigma_t) * noise_at(x, sigma_t)


def away(x, sigma_t, sigma_s, noise_at):
    return 2 * x - heun_step(x, sigma_t, sigma_s, noise_at)


def second_at_x(x, sigma_t, sigma_s, noise_at):
    return x + (sigma_s - sigma_t) * (noise_at(x, sigma_t) + noise_at(x, sigma_s)) / 2


def second_at_sigma_t(x, sigma_t, sigma_s, noise_at):
    first = noise_at(x, sigma_t)
    return x + (sigma_s - sigma_t) * (first + noise_at(x + (sigma_s - sigma_t) * first, sigma_t)) / 2


def from_euler(x, sigma_t, sigma_s, noise_at):
    return heun_step(x, sigma_t, sigma_s, noise_at) + euler(x, sigma_t, sigma_s, noise_at) - x


def second_alone(x, sigma_t, sigma_s, noise_at):
    return 2 * heun_step(x, sigma_t, sigma_s, noise_at) - euler(x, sigma_t, sigma_s, noise_at)


def summed(x, sigma_t, sigma_s, noise_at):
    return 2 * heun_step(x, sigma_t, sigma_s, noise_at) - x


def midpoint(x, sigma_t, sigma_s, noise_at):
    half = (sigma_s - sigma_t) / 2
    return x + 2 * half * noise_at(x + half * noise_at(x, sigma_t), sigma_t + half)


def asks_four_times(x, sigma_t, sigma_s, noise_at):
    return (heun_step(x, sigma_t, sigma_s, noise_at) + corrected_euler(x, sigma_t, sigma_s, noise_at)) / 2


def encode_step(x_s, noise_of, a_t, b_t, a_s, b_s, iterations):
    x = x_s
    for _ in range(iterations):
        x = a_t / a_s * x_s + (b_t - b_s * a_t / a_s) * noise_of(x)
    return x


def in_sigma(x_s, noise_of, a_t, b_t, a_s, b_s, iterations):
    x = x_s
    for _ in range(iterations):
        x = a_t * (x_s / a_s + (b_t / a_t - b_s / a_s) * noise_of(x))
    return x


def one_iteration(x_s, noise_of, a_t, b_t, a_s, b_s, iterations):
    return encode_step(x_s, noise_of, a_t, b_t, a_s, b_s, 1)


def once_more(x_s, noise_of, a_t, b_t, a_s, b_s, iterations):
    return encode_step(x_s, noise_of, a_t, b_t, a_s, b_s, iterations + 1)


def from_zero(x_s, noise_of, a_t, b_t, a_s, b_s, iterations):
    x = 0 * x_s
    for _ in range(iterations):
        x = a_t / a_s * x_s + (b_t - b_s * a_t / a_s) * noise_of(x)
    return x


def down(x_s, noise_of, a_t, b_t, a_s, b_s, iterations):
    return ddim_step(x_s, noise_of(x_s), a_t, b_t, a_s, b_s)


def moving_start(x_s, noise_of, a_t, b_t, a_s, b_s, iterations):
    for _ in range(iterations):
        x_s = a_t / a_s * x_s + (b_t - b_s * a_t / a_s) * noise_of(x_s)
    return x_s


@pytest.mark.parametrize(
    ("check", "right"),
    [
        (check_ddim_step, ddim_step),
        (check_ddim_step, euler_in_sigma),
        (check_heun_step, heun_step),
        (check_heun_step, corrected_euler),
        (check_encode_step, encode_step),
        (check_encode_step, in_sigma),
    ],
)
def test_a_right_solution_passes(check, right, capsys):
    check(right)
    assert "✓" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("check", "wrong", "sentence"),
    [
        (check_ddim_step, stub, "still a stub"),
        (check_ddim_step, no_noise, "wants the noise of the next level"),
        (check_ddim_step, undivided, "not divided by a_t"),
        (check_ddim_step, old_noise_rate, "old noise rate"),
        (check_ddim_step, old_signal_rate, "old signal rate"),
        (check_ddim_step, unscaled, "it is x / a that moves"),
        (check_ddim_step, scaled, "multiply by a_s"),
        (check_heun_step, stub, "still a stub"),
        (check_heun_step, euler, "Euler's step alone"),
        (check_heun_step, away, "away from the image"),
        (check_heun_step, second_at_x, "at the Euler step's end"),
        (check_heun_step, second_at_sigma_t, "at σ_s, the noise level"),
        (check_heun_step, from_euler, "go from x again"),
        (check_heun_step, second_alone, "second estimate alone"),
        (check_heun_step, summed, "take their mean"),
        (check_heun_step, midpoint, "midpoint method"),
        (check_heun_step, asks_four_times, "4 times: twice is enough"),
        (check_encode_step, stub, "still a stub"),
        (check_encode_step, one_iteration, "one iteration, whatever was asked"),
        (check_encode_step, once_more, "once too often"),
        (check_encode_step, from_zero, "your first guess is 0"),
        (check_encode_step, down, "towards the image"),
        (check_encode_step, moving_start, "x_s stays in the equation"),
    ],
)
def test_a_wrong_solution_is_refused_with_the_telling_sentence(check, wrong, sentence):
    with pytest.raises(NotYet, match=sentence):
        check(wrong)
