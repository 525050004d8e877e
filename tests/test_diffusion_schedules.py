"""The noise schedules, against the formulas of their papers and against one step after another."""

import keras
import numpy as np
import pytest

from gencourse.diffusion import CosineSchedule, KarrasSigmas, LinearSchedule

SCHEDULES = [LinearSchedule, CosineSchedule, KarrasSigmas]


@pytest.mark.parametrize("cls", SCHEDULES)
@pytest.mark.parametrize("steps", [2, 3, 10, 100, 1000, 4000])
def test_rates_fall_and_rise_and_keep_the_variance(cls, steps):
    schedule = cls(steps)
    signal, noise = schedule.signal_rates, schedule.noise_rates
    assert signal.shape == noise.shape == (steps + 1,)
    assert (signal[0], noise[0]) == (1, 0)
    assert np.all(np.diff(signal) < 0)
    assert np.all(np.diff(noise) > 0)
    assert signal[-1] > 0
    np.testing.assert_allclose(signal**2 + noise**2, 1, rtol=1e-12)


@pytest.mark.parametrize("cls", [LinearSchedule, CosineSchedule])
@pytest.mark.parametrize("steps", [2, 3, 10, 100, 1000, 4000])
def test_no_step_takes_the_whole_image(cls, steps):
    """Of 1,000 times the uncut cosine's β_T is 1: the first step back would divide by 0."""
    betas = cls(steps).betas
    assert betas.shape == (steps,)
    assert betas.min() > 0
    assert betas.max() <= 0.999 + 1e-12


@pytest.mark.parametrize("cls", SCHEDULES)
def test_rates_are_those_of_one_step_after_another(cls):
    """x_t = √(1 - β_t) x_{t-1} + √β_t ε carries a variance of 1/4 to (1 - β_t) v + β_t."""
    schedule, variance = cls(), 0.25
    for t, beta in enumerate(schedule.betas, start=1):
        variance = (1 - beta) * variance + beta
        expected = schedule.signal_rates[t] ** 2 / 4 + schedule.noise_rates[t] ** 2
        assert variance == pytest.approx(expected, rel=1e-9)


def test_linear_schedule_is_the_papers():
    schedule = LinearSchedule()
    np.testing.assert_allclose(schedule.betas, np.linspace(1e-4, 0.02, 1000), rtol=1e-9)
    # Π (1 - β) = exp(-Σ β - Σ β² / 2 - Σ β³ / 3 - ...)
    moments = [np.sum(schedule.betas**power) / power for power in (1, 2, 3, 4)]
    assert schedule.signal_rates[-1] ** 2 == pytest.approx(np.exp(-np.sum(moments)), rel=1e-5)


def test_linear_schedule_of_fewer_steps_ends_as_noisy():
    ends = [LinearSchedule(steps).signal_rates[-1] for steps in (50, 100, 4000)]
    # β = 1000/T β' adds as much of Σ β; the terms of higher order make short schedules end noisier
    assert all(end <= 1.1 * LinearSchedule().signal_rates[-1] for end in ends)


def test_cosine_schedule_is_the_papers_but_for_the_last_step():
    schedule, t = CosineSchedule(), np.arange(1000)
    expected = np.cos((t / 1000 + 0.008) / 1.008 * np.pi / 2) / np.cos(0.008 / 1.008 * np.pi / 2)
    np.testing.assert_allclose(schedule.signal_rates[:-1], expected, rtol=1e-9)
    assert schedule.betas[-1] == pytest.approx(0.999)


@pytest.mark.parametrize("steps", [2, 18, 1000])
def test_karras_sigmas_are_even_in_their_seventh_root(steps):
    signal, noise = KarrasSigmas().levels(steps)
    sigmas = noise / signal
    assert sigmas[0] == pytest.approx(80)
    assert sigmas[-1] == pytest.approx(0.002)
    gaps = np.diff(sigmas ** (1 / 7))
    np.testing.assert_allclose(gaps, gaps[0], rtol=1e-6)


@pytest.mark.parametrize("cls", SCHEDULES)
def test_levels_begin_with_the_noisiest(cls):
    schedule = cls(1000)
    for steps in (1, 2, 7, 50, 999, 1000):
        signal, noise = schedule.levels(steps)
        assert len(signal) == len(noise) == steps
        assert noise[0] == schedule.noise_rates[-1]
        assert np.all(np.diff(noise) < 0)
        assert noise[-1] > 0
    np.testing.assert_allclose(schedule.levels(1000)[0], schedule.signal_rates[:0:-1], rtol=1e-12)


@pytest.mark.parametrize("cls", [LinearSchedule, CosineSchedule])
def test_levels_are_evenly_spaced_times(cls):
    schedule = cls(1000)
    np.testing.assert_array_equal(schedule.levels(4)[1], schedule.noise_rates[[1000, 750, 500, 250]])


@pytest.mark.parametrize("cls", SCHEDULES)
@pytest.mark.parametrize("steps", [0, -1, 2.0, True, "20"])
def test_numbers_of_steps_are_whole_and_positive(cls, steps):
    for use in (cls, cls(100).levels):
        with pytest.raises(ValueError, match=r"steps is .*; accepted is a whole number"):
            use(steps)


@pytest.mark.parametrize("cls", [LinearSchedule, CosineSchedule])
def test_there_are_no_more_levels_than_times(cls):
    with pytest.raises(ValueError, match="steps is 101; accepted is at most 100"):
        cls(100).levels(101)


@pytest.mark.parametrize(
    "build",
    [
        lambda: LinearSchedule(1),
        lambda: LinearSchedule(first=0),
        lambda: LinearSchedule(first=0.02, last=0.01),
        lambda: LinearSchedule(last=1),
        lambda: CosineSchedule(offset=0),
        lambda: KarrasSigmas(lowest=0),
        lambda: KarrasSigmas(lowest=2, highest=1),
        lambda: KarrasSigmas(rho=0.5),
        lambda: KarrasSigmas(rho=float("nan")),
    ],
)
def test_impossible_schedules_are_refused(build):
    with pytest.raises(ValueError, match="accepted"):
        build()


@pytest.mark.parametrize(
    "schedule", [LinearSchedule(20, last=0.03), CosineSchedule(30, 0.01), KarrasSigmas(5, 0.01, 9.0, 3.0)]
)
def test_schedules_survive_saving(schedule):
    copy = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(schedule))
    assert type(copy) is type(schedule)
    np.testing.assert_array_equal(copy.noise_rates, schedule.noise_rates)
    np.testing.assert_array_equal(copy.levels(3), schedule.levels(3))
