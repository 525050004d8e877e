"""GANs: their losses, penalties and conditions, where theory gives the answer."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from gencourse.gans import DCGAN, WGAN, ConditionalGAN
from gencourse.gans.conditional_gan import (
    build_concatenation_discriminator,
    build_conditional_generator,
    build_projection_discriminator,
)
from gencourse.gans.dcgan import build_discriminator, build_generator, discriminator_loss, generator_loss
from gencourse.gans.wgan import gradient_penalty

SHAPE = (8, 8, 1)


def kernels(model: keras.Model) -> list[np.ndarray]:
    return [np.array(w) for w in model.trainable_weights if w.path.endswith("kernel")]


def compiled(model, rate=2e-3):
    model.compile(keras.optimizers.Adam(rate, beta_1=0.5), keras.optimizers.Adam(rate, beta_1=0.5))
    return model


def test_losses_where_the_discriminator_knows_nothing():
    assert float(discriminator_loss(np.zeros((4, 1)), np.zeros((4, 1)))) == pytest.approx(2 * np.log(2))
    assert float(generator_loss(np.zeros((4, 1)))) == pytest.approx(np.log(2))


def test_losses_are_cross_entropies():
    generator = np.random.default_rng(0)
    real, fake = generator.normal(0, 2, (2, 9, 1)).astype("float32")
    entropy = keras.losses.BinaryCrossentropy(from_logits=True)
    expected = entropy(np.ones((9, 1)), real) + entropy(np.zeros((9, 1)), fake)
    assert float(discriminator_loss(real, fake)) == pytest.approx(float(expected), rel=1e-5)
    assert float(generator_loss(fake)) == pytest.approx(float(entropy(np.ones((9, 1)), fake)), rel=1e-5)


@pytest.mark.parametrize("build", [build_generator, build_discriminator])
def test_kernels_are_drawn_from_the_papers_normal(build):
    keras.utils.set_random_seed(0)
    for kernel in kernels(build()):
        # the standard error of a deviation is 0.02 / sqrt(2 n); five of them
        assert abs(kernel.std() - 0.02) < 5 * 0.02 / np.sqrt(2 * kernel.size), kernel.shape


def test_discriminator_leaks_a_fifth():
    leaky = [layer for layer in build_discriminator(SHAPE, 4).layers if isinstance(layer, layers.LeakyReLU)]
    assert len(leaky) == 3
    for layer in leaky:
        np.testing.assert_allclose(layer(np.float32([-3.0, 3.0])), [-0.6, 3.0], rtol=1e-6)


@pytest.mark.parametrize("shape", [(28, 28, 1), (32, 32, 3)])
def test_networks_fit_each_other_and_fill_the_range(shape):
    generator, discriminator = build_generator(shape, 5, 4), build_discriminator(shape, 4)
    images = np.array(generator(100 * np.random.default_rng(0).normal(size=(3, 5))))
    assert images.shape == (3, *shape)
    assert images.min() >= 0
    assert images.max() <= 1
    assert discriminator(images).shape == (3, 1)


def test_generator_needs_sides_of_multiples_of_four():
    with pytest.raises(ValueError, match="accepted are sides that are multiples of 4"):
        build_generator((30, 28, 1))


def test_a_short_batch_meets_as_many_fakes():
    model = compiled(DCGAN(build_generator(SHAPE, 4, 4), build_discriminator(SHAPE, 4)))
    rows = []
    generate = model._generate
    model._generate = lambda z, x, training: rows.append(z.shape[0]) or generate(z, x, training)
    model.train_step(np.zeros((3, *SHAPE), "float32"))
    assert rows == [3]


def test_average_of_the_generator_moves_as_its_momentum_says():
    model = compiled(DCGAN(build_generator(SHAPE, 4, 4), build_discriminator(SHAPE, 4), ema_momentum=0.26))
    average = model.ema_generator.get_weights()
    for momentum in (2 / 11, 3 / 12, 0.26, 0.26):  # (1 + t) / (10 + t) until the largest is reached
        model.train_step(np.random.default_rng(0).random((4, *SHAPE)).astype("float32"))
        weights = model.generator.get_weights()
        average = [momentum * old + (1 - momentum) * new for old, new in zip(average, weights, strict=True)]
    for ours, expected in zip(model.ema_generator.get_weights(), average, strict=True):
        np.testing.assert_allclose(ours, expected, rtol=1e-5, atol=1e-7)


def test_networks_may_be_sequential():
    generator = keras.Sequential([keras.Input((3,)), layers.Dense(64, "sigmoid"), layers.Reshape(SHAPE)])
    model = compiled(DCGAN(generator, linear_critic(np.ones(64, "float32"))))
    model.fit(np.zeros((4, *SHAPE), "float32"), verbose=0)
    assert model.sample(2, seed=0).shape == (2, *SHAPE)


def test_momentum_outside_the_unit_interval_is_refused():
    with pytest.raises(ValueError, match=r"ema_momentum is 1; accepted is a number in \[0, 1\)"):
        DCGAN(build_generator(SHAPE, 4, 4), build_discriminator(SHAPE, 4), ema_momentum=1)


def linear_critic(weight: np.ndarray, shape=SHAPE) -> keras.Model:
    critic = keras.Sequential([keras.Input(shape), layers.Flatten(), layers.Dense(1, use_bias=False)])
    critic.set_weights([weight.reshape(-1, 1)])
    return critic


def test_penalty_of_a_linear_critic_is_its_slope():
    weight = np.random.default_rng(0).normal(size=64).astype("float32")
    real, fake, mix = (np.random.default_rng(seed).random((5, *SHAPE), "float32") for seed in range(3))
    value = gradient_penalty(linear_critic(weight), tf.constant(real), tf.constant(fake), mix[:, :1, :1])
    assert float(value) == pytest.approx((np.linalg.norm(weight) - 1) ** 2, rel=1e-5)


def test_flat_critic_keeps_finite_gradients():
    critic = linear_critic(np.zeros(64, "float32"))
    x = tf.random.stateless_uniform((5, *SHAPE), [0, 1])
    with tf.GradientTape() as tape:
        value = gradient_penalty(critic, x, 1 - x, tf.fill((5, 1, 1, 1), 0.5))
    (gradient,) = tape.gradient(value, critic.trainable_variables)
    assert float(value) == pytest.approx(1, rel=1e-5)
    assert np.isfinite(gradient).all()


@pytest.mark.parametrize("penalty", [1.0, 10.0])
def test_critic_of_two_point_masses_overshoots_by_the_penalty(penalty):
    """Between points at distance d, s d - λ (s - 1)² is largest at the slope s = 1 + d / 2λ, where s d is the value."""
    d, shape = 7.0, (1, 1, 1)
    critic = linear_critic(np.ones(1, "float32"), shape)
    model = WGAN(build_generator((4, 4, 1), 2, 2), critic, penalty=penalty)
    real, fake = tf.fill((2, 1, 1, 1), d), tf.zeros((2, 1, 1, 1))
    optimizer = keras.optimizers.SGD(0.2 / penalty)
    for _ in range(40):  # a parabola of curvature 2λ: each step leaves 1 - 0.4 of the error
        with tf.GradientTape() as tape:
            loss, _ = model._both_losses(real, fake, training=True)
        optimizer.apply(tape.gradient(loss, critic.trainable_variables), critic.trainable_variables)
    estimate = float(critic(real)[0, 0] - critic(fake)[0, 0])
    assert estimate == pytest.approx(d * (1 + d / (2 * penalty)), rel=1e-3)


def test_critic_takes_its_steps_between_two_of_the_generator():
    model = compiled(WGAN(build_generator(SHAPE, 4, 4), build_discriminator(SHAPE, 4, normalize=False), critic_steps=3))
    step, x = tf.function(model.train_step), tf.constant(np.random.default_rng(0).random((4, *SHAPE), "float32"))
    moved = []
    for _ in range(7):
        before = kernels(model.generator)[0]
        step(x)
        moved.append(not np.array_equal(before, kernels(model.generator)[0]))
    assert moved == [True, False, False, True, False, False, True]


@pytest.mark.parametrize("change", [{"critic_steps": 0}, {"critic_steps": 1.5}, {"penalty": -1.0}])
def test_wgan_refuses_impossible_settings(change):
    with pytest.raises(ValueError, match="accepted is"):
        WGAN(build_generator(SHAPE, 4, 4), build_discriminator(SHAPE, 4, normalize=False), **change)


def labelled(n: int = 8) -> dict:
    return {"image": np.random.default_rng(0).random((n, *SHAPE), "float32"), "label": np.arange(n, dtype="int32") % 3}


def tiny_cgan(build=build_projection_discriminator) -> ConditionalGAN:
    return compiled(ConditionalGAN(build_conditional_generator(SHAPE, 3, 4, 4), build(SHAPE, 3, 4), classes=3))


def test_generator_hears_the_label():
    """In ±0.05, as Keras draws embeddings, a label of 50 numbers moves a first layer by a hundredth of the noise."""
    keras.utils.set_random_seed(0)
    generator = build_conditional_generator(SHAPE, classes=10, latent_size=100, channels=4)
    (dense,) = [layer for layer in generator.layers if isinstance(layer, layers.Dense)]
    first = keras.Model(generator.input, dense.output)
    z = np.random.default_rng(0).normal(size=(10, 100)).astype("float32")
    labels = np.arange(10, dtype="int32")
    one_noise, one_label = (
        first({"latent": z[:1].repeat(10, 0), "label": labels}),
        first({"latent": z, "label": 0 * labels}),
    )
    # a one-hot label has the variance 1 - 1/10, beside 100 numbers of variance 1: 0.095 of the deviation
    assert 0.05 < np.std(one_noise, axis=0).mean() / np.std(one_label, axis=0).mean() < 0.2


@pytest.mark.parametrize("build", [build_projection_discriminator, build_concatenation_discriminator])
def test_discriminators_hear_the_label(build):
    keras.utils.set_random_seed(0)
    model = tiny_cgan(build)
    x = labelled()
    other = {**x, "label": (x["label"] + 1) % 3}
    assert not np.allclose(model(x), model(other), atol=1e-7)


def test_two_brightnesses_are_drawn_as_asked():
    """Label 0 is dark (0.2), label 1 bright (0.8): a generator that ignores the label gives both the same mean."""
    keras.utils.set_random_seed(0)
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 2, 512).astype("int32")
    noise = generator.normal(0, 0.05, (512, *SHAPE))
    images = np.clip(0.2 + 0.6 * labels[:, None, None, None] + noise, 0, 1).astype("float32")
    model = ConditionalGAN(
        build_conditional_generator(SHAPE, 2, 8, 8), build_projection_discriminator(SHAPE, 2, 8), classes=2
    )
    compiled(model, 2e-3)
    model.fit({"image": images, "label": labels}, batch_size=64, epochs=100, verbose=0)
    dark, bright = (np.mean(model.sample(64, seed=0, label=label)) for label in (0, 1))
    assert bright - dark == pytest.approx(0.6, abs=0.15)


def test_each_label_keeps_its_variety():
    """Label 0 is a horizontal bar, label 1 a vertical one, at one of eight places: a place is the noise's to choose.

    In three seeds the smaller of the two spreads is 0.81 to 1.02; with an embedding of 32 normal numbers in place of
    the one-hot label it is at most 0.34.
    """
    keras.utils.set_random_seed(0)
    generator = np.random.default_rng(0)
    labels, places = np.arange(512, dtype="int32") % 2, generator.integers(0, 8, 512)
    images = np.full((512, *SHAPE), 0.1)
    images[np.arange(512), places] = 0.9
    images[labels == 1] = images[labels == 1].swapaxes(1, 2)
    images = np.clip(images + generator.normal(0, 0.1, images.shape), 0, 1).astype("float32")
    model = ConditionalGAN(
        build_conditional_generator(SHAPE, 2, 16, 16), build_projection_discriminator(SHAPE, 2, 4), classes=2
    )
    compiled(model, 1e-3)
    model.fit({"image": images, "label": labels}, batch_size=64, epochs=60, verbose=0)
    for label in (0, 1):
        drawn = np.array(model.sample(64, seed=0, label=label))
        spread = drawn.std(axis=0).mean() / images[labels == label].std(axis=0).mean()
        assert spread > 0.75, "one picture a label"
        across, down = drawn.mean(axis=2).std(axis=(1, 2)), drawn.mean(axis=1).std(axis=(1, 2))
        assert np.mean((down > across) == label) > 0.75


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m: m.sample(2, label=3), r"span 3\.\.3; accepted are integers in 0\.\.2"),
        (lambda m: m.sample(2, label=[0, 1, 2]), "3 labels for n = 2"),
        (lambda m: m.sample(2, label=0.5), "float"),
        (lambda m: m.sample(0, label=0), "n is 0"),
        (lambda m: m.fit(labelled()["image"]), "accepted is one dict of 'image' and 'label'"),
        (lambda m: m.evaluate({**labelled(), "label": np.arange(8)}), r"span 0\.\.7"),
        (lambda m: m({"image": labelled()["image"]}), r"\['image'\]; accepted is one dict"),
        (lambda m: m({**labelled(), "label": np.zeros(3, "int32")}), "3 labels for 8 images"),
    ],
)
def test_conditional_gan_refuses_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call(tiny_cgan())


def test_each_sample_may_have_its_own_label():
    model = tiny_cgan()
    mixed = np.array(model.sample(3, seed=1, label=[2, 0, 2]))
    np.testing.assert_allclose(mixed[0], model.sample(3, seed=1, label=2)[0], atol=1e-6)
    np.testing.assert_allclose(mixed[1], model.sample(3, seed=1, label=0)[1], atol=1e-6)
