"""Flows as a whole: inverse, log-determinant, normalization, the bound of discrete images, and learning."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import stats
from test_flow_layers import log_det_by_autodiff, shaken

from gencourse.flows import Flow, Glow, RealNVP
from gencourse.layers import ActNorm, AffineCoupling
from gencourse.metrics import BitsPerDimension, bits_per_dimension

SHAPE = (4, 4, 1)

FLOWS = {
    "points": lambda: RealNVP((3,), couplings=4, width=8),
    "images": lambda: RealNVP(SHAPE, couplings=2, width=4, scales=2, levels=4),
    "variational": lambda: RealNVP(SHAPE, couplings=1, width=4, scales=1, levels=4, variational=True),
    "glow": lambda: Glow(SHAPE, scales=2, steps=2, width=4, levels=4),
}


def make(name: str) -> Flow:
    keras.utils.set_random_seed(0)
    model = FLOWS[name]()
    return shaken(model)


def items(model: Flow, n: int = 5) -> np.ndarray:
    generator = np.random.default_rng(0)
    if model.dequantization is None:
        return generator.normal(size=(n, *model.shape)).astype("float32")
    return (generator.integers(0, model.levels, (n, *model.shape)) / (model.levels - 1)).astype("float32")


@pytest.mark.parametrize("name", FLOWS)
def test_decode_undoes_encode(name):
    model = make(name)
    x = items(model)
    z = model.encode(x)
    assert z.shape == (5, model.latent_size)
    np.testing.assert_allclose(model.decode(z), x, atol=1e-5)
    if model.dequantization is None:
        z = np.random.default_rng(1).normal(size=(5, 3)).astype("float32")
        np.testing.assert_allclose(model.encode(np.array(model.decode(z))), z, atol=1e-4)


@pytest.mark.parametrize("name", FLOWS)
def test_log_determinant_of_the_whole_is_autodiffs(name):
    model = make(name)
    x = tf.constant(np.random.default_rng(0).normal(size=(1, *model.shape)), "float32")
    z, log_det = model._forward(x, 0.0)
    expected = log_det_by_autodiff(lambda v: model._forward(v, 0.0)[0], x)
    assert float(log_det[0]) == pytest.approx(expected, abs=1e-3)
    if name == "points":
        exact = stats.norm.logpdf(z).sum() + expected
        assert model.log_prob(np.array(x))[0] == pytest.approx(exact, abs=1e-3)


def test_density_integrates_to_one():
    keras.utils.set_random_seed(0)
    model = RealNVP((2,), couplings=4, width=8)
    shaken(model, scale=0.1)
    axis = np.linspace(-15, 15, 301, dtype="float32")
    grid = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    density = np.exp(model.log_prob(grid))
    far = np.abs(grid).max(axis=1) > 14
    assert density[far].max() < 1e-6  # the grid holds it all
    # the trapezoid rule converges faster than any power of the spacing for a smooth density that vanishes at the ends
    assert density.sum() * (axis[1] - axis[0]) ** 2 == pytest.approx(1, abs=2e-3)


def banana(n: int, seed: int):
    """Points x_1 ~ N(0, 1), x_2 = x_1² / 2 + exp(x_1 / 4) ε, which one coupling can give exactly, and their log p."""
    x, noise = np.random.default_rng(seed).normal(size=(2, n))
    log_p = stats.norm.logpdf(x) + stats.norm.logpdf(noise) - x / 4
    return np.stack([x, x**2 / 2 + np.exp(x / 4) * noise], axis=1).astype("float32"), log_p


def test_banana_is_learnt_to_its_entropy():
    keras.utils.set_random_seed(0)
    model = RealNVP((2,), couplings=2, width=32)
    model.compile(keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(0.02, 300)))
    model.fit(banana(300 * 200, seed=0)[0], batch_size=200, verbose=0)
    x, log_p = banana(10_000, seed=1)
    gap = log_p - model.log_prob(x)  # its mean estimates KL(data || model) >= 0
    assert -5 * gap.std() / 100 < gap.mean() < 0.1


def test_bound_of_all_binary_images_is_the_mass_that_the_density_puts_on_them():
    """With many noises P(x) is unbiased, and the 16 sum to the density's mass inside the logit's range, at most 1."""
    keras.utils.set_random_seed(0)
    model = Glow((2, 2, 1), scales=1, steps=2, width=4, levels=2)
    shaken(model)
    images = np.float32(list(itertools.product([0, 1], repeat=4))).reshape(16, 2, 2, 1)
    repeats = 1000  # of one noise each: the mean of exp(bound) is P(x)
    estimates = np.exp(model.log_prob(images.repeat(repeats, axis=0), seed=0)).reshape(16, repeats).mean(axis=1)
    z = model.prior.draw((20_000, 4), seed=0)
    y = tf.reshape(z, (-1, 1, 1, 4))
    for transform in reversed(model.transforms):
        y, _ = transform.inverse(y)
    inside = np.all(np.abs(y) < np.log(0.95 / 0.05), axis=(1, 2, 3))
    assert inside.mean() < 1
    x = np.array(model.sample(20_000, seed=0))[inside]
    counts = np.bincount((x.reshape(-1, 4) @ [8, 4, 2, 1]).astype(int), minlength=16) / len(inside)
    np.testing.assert_allclose(estimates, counts, atol=0.02)
    assert estimates.sum() == pytest.approx(inside.mean(), abs=0.02)


def test_more_noises_tighten_the_bound():
    model = make("glow")
    x = items(model, 200)
    one, many = (model.log_prob(x, samples=k).mean() for k in (1, 30))
    assert one < many


def test_samples_are_images_on_the_grid_and_follow_the_temperature():
    model = make("glow")
    x = np.array(model.sample(20, seed=0))
    model.check(x)
    frozen = np.array(model.sample(20, seed=0, temperature=0))
    np.testing.assert_array_equal(frozen, np.repeat(model.decode(np.zeros((1, 16))), 20, axis=0))
    points = make("points")
    latents = points.encode(np.array(points.sample(20_000, seed=0, temperature=0.5)))
    np.testing.assert_allclose(np.std(latents, axis=0), 0.5, atol=5 * 0.5 / np.sqrt(40_000))


def test_scales_leave_the_flow_one_after_the_other():
    """A multiscale flow's z holds half of the values after the first scale: they do not depend on later layers."""
    model = make("glow")
    x = items(model)
    before = np.array(model.encode(x))
    shaken(model.transforms[-1], seed=5)
    after = np.array(model.encode(x))
    np.testing.assert_array_equal(after[:, :8], before[:, :8])
    assert not np.array_equal(after[:, 8:], before[:, 8:])


def test_a_flow_can_be_made_of_any_layers():
    """With one actnorm, -log p is that of the Gaussian whose moments are the first batch's."""
    x = np.random.default_rng(0).normal(3, 2, (1000, 1)).astype("float32")
    model = Flow((1,), [ActNorm(1)])
    model.compile(keras.optimizers.SGD(0.0))
    nll = model.fit(x, batch_size=1000, verbose=0).history["loss"][0]
    assert nll == pytest.approx(-stats.norm.logpdf(x, x.mean(), x.std()).mean(), abs=1e-3)


def test_variational_flow_of_images_learns_and_survives_saving(tmp_path):
    model = make("variational")
    x = items(model, 8)
    model.compile(keras.optimizers.Adam(0.01))
    losses = model.fit(x, epochs=20, verbose=0).history["loss"]
    assert np.mean(losses[-3:]) < losses[0]
    model.save(tmp_path / "model.keras")
    copy = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(copy.log_prob(x), model.log_prob(x))


def test_couplings_take_turns():
    swaps = [t.swap for t in RealNVP((2,), couplings=4, width=4).transforms if isinstance(t, AffineCoupling)]
    assert swaps == [False, True, False, True]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: RealNVP((1,)), "Vectors have 1 value; accepted are at least 2"),
        (lambda: RealNVP((30, 28, 1), scales=2), r"\(30, 28, 1\) for 2 scales; .* multiples of 4"),
        (lambda: Glow((28, 28, 1), scales=3), "multiples of 8"),
        (lambda: Glow((4, 4)), r"accepted is \(height, width, channels\)"),
        (lambda: Glow(SHAPE, levels=300), "levels is 300"),
        (lambda: Glow(SHAPE, steps=0), "steps is 0"),
        (lambda: make("glow").log_prob(items(make("glow")) * 0.9), "accepted are multiples of 1/3"),
        (lambda: make("glow").log_prob(items(make("glow")) * 255), r"span \[0, 255\]"),
        (lambda: make("glow").log_prob(items(make("glow")), samples=0), "samples is 0"),
        (lambda: make("glow").sample(2, temperature=-1), "temperature is -1"),
        (lambda: make("glow").sample(0), "n is 0"),
        (lambda: make("glow").decode(np.zeros((2, 4, 4, 1))), r"accepted is \(n, 16\)"),
        (lambda: make("points").log_prob(np.zeros((3, 2), "float32")), r"shape \(3, 2\); accepted .*\(n, 3\)"),
        (lambda: make("points")(np.full((3, 3), np.nan, "float32")), "9 values that are not finite"),
        (lambda: make("points").encode(np.zeros((3, 3), "int32")), "Vectors are int32"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_bits_per_dimension_of_even_bytes_is_eight():
    assert bits_per_dimension(-784 * np.log(256), 784) == pytest.approx(8)
    log_prob = np.float32([-100.0, -300.0, -50.0])
    metric = BitsPerDimension(10)
    for _ in range(2):
        metric.reset_state()
        metric.update_state(log_prob[:2])
        metric.update_state(log_prob[2:])
        assert float(metric.result()) == pytest.approx(15 / np.log(2))
    assert BitsPerDimension.from_config(metric.get_config()).dimensions == 10
