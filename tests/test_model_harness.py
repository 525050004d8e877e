"""The harness itself: two correct models pass every check, and each broken one is caught by the check for it."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops
from model_harness import (
    CHECKS,
    Case,
    case_name,
    check_adversarial_networks_both_learn,
    check_bad_input_is_refused,
    check_every_form_of_data,
    check_fit_learns_one_batch,
    check_mixed_precision,
    check_name,
    check_saved_model_is_the_same,
    check_seeded_samples,
    check_short_last_batch,
    run_under_jax,
    runnable,
)

LATENT = 2
register = keras.saving.register_keras_serializable(package="gencourse-tests")


def refuse_pixels(x: np.ndarray) -> None:
    """Refuse what is not eight pixels in [0, 1]."""
    if x.shape[1:] != (8,) or not (x.min() >= 0 and x.max() <= 1):
        raise ValueError(f"Pixels of shape {x.shape} span [{x.min()}, {x.max()}]; accepted are (n, 8) in [0, 1].")


def draw_noise(n: int, seed: int | None, generator: keras.random.SeedGenerator):
    """Latent noise (n, LATENT), of the integer seed or of the model's own generator."""
    return keras.random.normal((n, LATENT), seed=generator if seed is None else seed)


def save_seeds(model: keras.Model, store: dict) -> None:
    """Store the variables that Keras leaves out: those of `model.variables` that are no weights."""
    weights = {id(weight) for weight in model.weights}
    for index, variable in enumerate(v for v in model.variables if id(v) not in weights):
        store[str(index)] = variable


def load_seeds(model: keras.Model, store: dict) -> None:
    weights = {id(weight) for weight in model.weights}
    for index, variable in enumerate(v for v in model.variables if id(v) not in weights):
        variable.assign(store[str(index)])


class Networked(keras.Model):
    """A model of two nested networks: config, seeds and the check of what enters."""

    first, second = "encoder", "decoder"

    def __init__(self, *networks, **kwargs):
        super().__init__(**kwargs)
        for name, network in zip((self.first, self.second), networks, strict=True):
            setattr(self, name, network)
        self.noise = keras.random.SeedGenerator(0)
        self.built = True

    def get_config(self):
        networks = {name: getattr(self, name) for name in (self.first, self.second)}
        return {
            "name": self.name,
            **{name: keras.saving.serialize_keras_object(network) for name, network in networks.items()},
        }

    @classmethod
    def from_config(cls, config):
        networks = [keras.saving.deserialize_keras_object(config.pop(name)) for name in (cls.first, cls.second)]
        return cls(*networks, **config)

    def save_own_variables(self, store):
        save_seeds(self, store)

    def load_own_variables(self, store):
        load_seeds(self, store)

    def fit(self, x=None, *args, **kwargs):
        refuse_pixels(x)
        return super().fit(x, *args, **kwargs)

    def evaluate(self, x=None, *args, **kwargs):
        refuse_pixels(x)
        return super().evaluate(x, *args, **kwargs)


@register
class TinyVAE(Networked):
    """A variational autoencoder on eight pixels."""

    def __init__(self, encoder, decoder, **kwargs):
        super().__init__(encoder, decoder, **kwargs)
        self.kl = keras.metrics.Mean(name="kl")

    def call(self, x, training=None):
        mean, log_var = ops.split(self.encoder(x, training=training), 2, axis=-1)  # (n, LATENT) each
        noise = keras.random.normal(ops.shape(mean), dtype=mean.dtype, seed=self.noise)
        return self.decoder(mean + ops.exp(log_var / 2) * noise, training=training), mean, log_var

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        x, logits, mean, log_var = (ops.cast(value, "float32") for value in (x, *y_pred))
        reconstruction = ops.sum(ops.softplus(logits) - x * logits, axis=-1)
        kl = ops.sum(ops.square(mean) + ops.exp(log_var) - 1 - log_var, axis=-1) / 2
        self.kl.update_state(kl)
        return ops.mean(reconstruction + kl)

    def encode(self, x):
        return self.encoder(x)[:, :LATENT]

    def sample(self, n, seed=None):
        return ops.sigmoid(ops.cast(self.decoder(draw_noise(n, seed, self.noise)), "float32"))


@register
class TinyGAN(Networked):
    """A generator against a critic on eight pixels, with the losses of DCGAN."""

    first, second = "generator", "discriminator"

    def compile(self, optimizer, d_optimizer, **kwargs):
        super().compile(optimizer=optimizer, **kwargs)
        self.d_optimizer = d_optimizer
        if self.compute_dtype == "float16":
            self.d_optimizer = keras.optimizers.LossScaleOptimizer(d_optimizer)
        self.optimizer.build(self.generator.trainable_variables)
        self.d_optimizer.build(self.discriminator.trainable_variables)
        self.g_loss, self.d_loss = keras.metrics.Mean(name="g_loss"), keras.metrics.Mean(name="d_loss")

    def get_compile_config(self):
        optimizers = {"optimizer": self.optimizer, "d_optimizer": self.d_optimizer}
        return {name: keras.saving.serialize_keras_object(value) for name, value in optimizers.items()}

    def compile_from_config(self, config):
        self.compile(**{name: keras.saving.deserialize_keras_object(value) for name, value in config.items()})

    def losses_of(self, x, fake, training):
        real_logits, fake_logits = (
            ops.cast(self.discriminator(image, training=training), "float32") for image in (x, fake)
        )
        return ops.mean(ops.softplus(-fake_logits)), ops.mean(ops.softplus(-real_logits) + ops.softplus(fake_logits))

    def train_step(self, data):
        x, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        noise = keras.random.normal((ops.shape(x)[0], LATENT), seed=self.noise)
        with tf.GradientTape(persistent=True) as tape:
            g_loss, d_loss = self.losses_of(x, ops.sigmoid(self.generator(noise, training=True)), training=True)
            scaled_g, scaled_d = self.optimizer.scale_loss(g_loss), self.d_optimizer.scale_loss(d_loss)
        for optimizer, loss, network in (
            (self.optimizer, scaled_g, self.generator),
            (self.d_optimizer, scaled_d, self.discriminator),
        ):
            optimizer.apply(tape.gradient(loss, network.trainable_variables), network.trainable_variables)
        return self.track(ops.shape(x)[0], g_loss, d_loss)

    def test_step(self, data):
        x, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        noise = keras.random.normal((ops.shape(x)[0], LATENT), seed=self.noise)
        g_loss, d_loss = self.losses_of(x, ops.sigmoid(self.generator(noise)), training=False)
        return self.track(ops.shape(x)[0], g_loss, d_loss)

    def track(self, n, g_loss, d_loss):
        self.g_loss.update_state(g_loss, sample_weight=n)
        self.d_loss.update_state(d_loss, sample_weight=n)
        return {"g_loss": self.g_loss.result(), "d_loss": self.d_loss.result()}

    def sample(self, n, seed=None):
        return ops.sigmoid(ops.cast(self.generator(draw_noise(n, seed, self.noise)), "float32"))


def dense(inputs: int, outputs: int) -> keras.Model:
    return keras.Sequential([keras.Input((inputs,)), layers.Dense(16, activation="tanh"), layers.Dense(outputs)])


def build_vae(cls=TinyVAE) -> keras.Model:
    model = cls(dense(8, 2 * LATENT), dense(LATENT, 8))
    model.compile(optimizer=keras.optimizers.Adam(0.01))
    return model


def build_gan(cls=TinyGAN) -> keras.Model:
    model = cls(dense(LATENT, 8), dense(8, 1))
    model.compile(keras.optimizers.Adam(0.01), keras.optimizers.Adam(0.01))
    return model


def pixels() -> np.ndarray:
    return (np.random.default_rng(0).random((8, 8)) < 0.5).astype("float32")


def draw(model, n, seed):
    return model.sample(n, seed=seed)


BAD = {"pixels in [0, 255]": pixels() * 255, "seven pixels": pixels()[:, :7]}


def vae_case(cls=TinyVAE) -> Case:
    return Case(
        cls.__name__,
        lambda: build_vae(cls),
        pixels,
        networks=("encoder", "decoder"),
        deterministic=("encode",),
        sample=draw,
        bad=BAD,
    )


def gan_case(cls=TinyGAN) -> Case:
    return Case(
        cls.__name__,
        lambda: build_gan(cls),
        pixels,
        networks=("generator", "discriminator"),
        adversarial=True,
        sample=draw,
        bad=BAD,
    )


CASES = [vae_case(), gan_case()]


@pytest.mark.parametrize("check", CHECKS, ids=check_name)
@pytest.mark.parametrize("case", runnable(CASES), ids=case_name)
def test_model(case, check):
    check(case)


def test_single_loss_models_under_jax():
    run_under_jax(__file__)


class UntrackedLoss(TinyGAN):
    def track(self, n, g_loss, d_loss):
        return {"g_loss": self.g_loss.result(), "d_loss": self.d_loss.result()}


class UnweightedLoss(TinyGAN):
    def track(self, n, g_loss, d_loss):
        return super().track(1, g_loss, d_loss)


class LazyDiscriminator(TinyGAN):
    def compile(self, optimizer, d_optimizer, **kwargs):
        d_optimizer.learning_rate = 0.0
        super().compile(optimizer, d_optimizer, **kwargs)


@register
class LostCompileConfig(TinyGAN):
    get_compile_config = keras.Model.get_compile_config
    compile_from_config = keras.Model.compile_from_config


class UnscaledLoss(TinyGAN):
    """Scales the critic's loss up by hand where float16 cannot hold it."""

    def losses_of(self, x, fake, training):
        g_loss, d_loss = super().losses_of(x, fake, training)
        scale = ops.cast(ops.cast(1e5, self.compute_dtype), "float32")
        return g_loss, d_loss * scale


class IgnoredSeed(TinyVAE):
    def sample(self, n, seed=None):
        return super().sample(n, seed=None)


class FixedSeed(TinyVAE):
    def sample(self, n, seed=None):
        return super().sample(n, seed=0)


class LabelledOnly(TinyVAE):
    def compute_loss(self, x=None, y=None, **kwargs):
        return super().compute_loss(x=x, y=y, **kwargs) + 0 * ops.mean(ops.cast(y, "float32"))


class FullBatchesOnly(TinyVAE):
    def call(self, x, training=None):
        return super().call(ops.reshape(x, (8, 8)), training=training)


class ClippedInput(TinyVAE):
    def fit(self, x=None, *args, **kwargs):
        return super().fit(np.clip(x, 0, 1), *args, **kwargs)


class Deaf(TinyVAE):
    """The encoder gets no gradient."""

    def call(self, x, training=None):
        mean, log_var = ops.split(ops.stop_gradient(self.encoder(x)), 2, axis=-1)
        return self.decoder(mean), mean, log_var


@register
class LostConfig(TinyVAE):
    get_config = keras.Model.get_config


@register
class LostSeeds(TinyVAE):
    def save_own_variables(self, store):
        pass

    def load_own_variables(self, store):
        pass


@register
class LostMoments(TinyVAE):
    """Starts Adam at zero after a reload."""

    def compile_from_config(self, config):
        self.compile(optimizer=keras.optimizers.Adam(0.01))
        self.optimizer.build(self.trainable_variables)
        self.optimizer.load_own_variables = lambda store: None


@register
class ForgottenCount(TinyVAE):
    """Trains by a number that no variable holds."""

    def fit(self, *args, **options):
        self.fits = getattr(self, "fits", 0) + 1
        self.optimizer.learning_rate = 0.01 / self.fits
        return super().fit(*args, **options)


@register
class RandomCode(TinyVAE):
    def encode(self, x):
        code = super().encode(x)
        return code + keras.random.normal(ops.shape(code), seed=self.noise)


@pytest.mark.parametrize(
    ("case", "check", "complaint"),
    [
        (gan_case(UntrackedLoss), check_fit_learns_one_batch, "no tracker holds it"),
        (gan_case(UnweightedLoss), check_short_last_batch, "mean over items"),
        (gan_case(LazyDiscriminator), check_adversarial_networks_both_learn, "discriminator never learns"),
        (gan_case(LostCompileConfig), check_saved_model_is_the_same, "the compile config is lost"),
        (gan_case(UnscaledLoss), check_mixed_precision, "not finite"),
        (vae_case(Deaf), check_fit_learns_one_batch, "never changes"),
        (vae_case(IgnoredSeed), check_seeded_samples, "the same seed gave another sample"),
        (vae_case(FixedSeed), check_seeded_samples, "another seed gave the same sample"),
        (vae_case(LabelledOnly), check_every_form_of_data, ""),
        (vae_case(FullBatchesOnly), check_short_last_batch, ""),
        (vae_case(ClippedInput), check_bad_input_is_refused, "accepts bad input"),
        (vae_case(LostConfig), check_saved_model_is_the_same, ""),
        (vae_case(LostSeeds), check_saved_model_is_the_same, "seed generator is not saved"),
        (vae_case(LostMoments), check_saved_model_is_the_same, "the reloaded model has another optimizer"),
        (vae_case(ForgottenCount), check_saved_model_is_the_same, "training goes on differently"),
        (vae_case(RandomCode), check_saved_model_is_the_same, "encode is not deterministic"),
    ],
    ids=lambda value: value.name if isinstance(value, Case) else "",
)
def test_harness_catches(case, check, complaint):
    with pytest.raises(Exception, match=complaint or None) as caught:
        check(case)
    if complaint:
        assert isinstance(caught.value, AssertionError)
