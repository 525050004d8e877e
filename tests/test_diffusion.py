"""The diffusion models, with networks whose answer is known, and once with one that learns."""

import keras
import numpy as np
import pytest
from keras import layers, ops

from gencourse.diffusion import (
    AncestralSampler,
    ConditionalDiffusionModel,
    CosineSchedule,
    DDIMSampler,
    DiffusionModel,
    HeunSampler,
    KarrasSigmas,
    LinearSchedule,
    walk,
)
from gencourse.diffusion.objectives import OBJECTIVES, split, target
from gencourse.layers import SinusoidalPositionEmbedding

SHAPE = (4, 4, 1)
STD = 0.2  # of the Gaussian images in [-1, 1]: five deviations fit
SAMPLERS = [AncestralSampler(), DDIMSampler(), DDIMSampler(eta=0.5), HeunSampler()]


class ExactGaussian(layers.Layer):
    """What an ideal network predicts for x = cos(angle) x_0 + sin(angle) ε with x_0 ~ N(0, STD² I)."""

    def __init__(self, objective):
        super().__init__()
        self.objective = objective
        self.traces = 0

    def call(self, x, angle):
        self.traces += 1
        signal, noise = (ops.reshape(wave(angle), (-1, 1, 1, 1)) for wave in (ops.cos, ops.sin))
        variance = signal**2 * STD**2 + noise**2
        return target(self.objective, signal * STD**2 / variance * x, noise / variance * x, signal, noise)


def exact_model(objective: str = "noise", **arguments) -> DiffusionModel:
    image, angle = keras.Input(SHAPE, name="image"), keras.Input((), name="angle")
    network = keras.Model({"image": image, "angle": angle}, ExactGaussian(objective)(image, angle))
    model = DiffusionModel(network, objective=objective, **arguments)
    model.compile()
    return model


@pytest.fixture(scope="module")
def model():
    return exact_model()


def gaussian_images(n: int, seed: int = 0) -> np.ndarray:
    x = np.random.default_rng(seed).normal(0, STD, (n, *SHAPE))
    return np.clip((x + 1) / 2, 0, 1).astype("float32")


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_predictions_are_split_into_what_they_were_made_of(objective):
    image, noise = np.random.default_rng(0).normal(size=(2, 3, *SHAPE))
    for angle in (0.1, 0.8, 1.5):
        rates = np.cos(angle), np.sin(angle)
        x = rates[0] * image + rates[1] * noise
        both = split(objective, target(objective, image, noise, *rates), x, *rates)
        np.testing.assert_allclose(both, (image, noise), rtol=1e-9)


def test_velocity_is_the_change_with_the_angle():
    image, noise = np.random.default_rng(0).normal(size=(2, 5))
    x = [np.cos(angle) * image + np.sin(angle) * noise for angle in (0.7 - 1e-5, 0.7 + 1e-5)]
    np.testing.assert_allclose(
        target("velocity", image, noise, np.cos(0.7), np.sin(0.7)), np.subtract(x[1], x[0]) / 2e-5, rtol=1e-6
    )


@pytest.mark.parametrize("schedule", [LinearSchedule(), CosineSchedule(20)], ids=["linear", "cosine"])
def test_loss_of_the_ideal_network_is_what_cannot_be_known(schedule):
    """Var[ε | x_t] = signal² STD² / (signal² STD² + noise²), averaged over the times."""
    signal, noise = schedule.signal_rates[1:], schedule.noise_rates[1:]
    unknown = signal**2 * STD**2 / (signal**2 * STD**2 + noise**2)
    model, n = exact_model(schedule=schedule), 4096
    loss = model.evaluate(gaussian_images(n), batch_size=n, verbose=0)
    # a squared error e² of variance u has the variance 2 u²; each image draws one time, and 16 errors
    error = np.sqrt((np.var(unknown) + np.mean(2 * unknown**2) / 16) / n)
    assert loss == pytest.approx(np.mean(unknown), abs=5 * error)


@pytest.mark.parametrize("sampler", SAMPLERS, ids=str)
def test_samples_have_the_deviation_of_the_data(model, sampler):
    images = np.array(model.sample(600, seed=0, steps=200, sampler=sampler, schedule=KarrasSigmas(highest=20.0)))
    assert images.shape == (600, *SHAPE)
    # 9,600 values: five standard errors are 0.036 of the deviation; the steps cost another 0.03
    assert images.std() == pytest.approx(STD / 2, rel=0.06)
    assert images.mean() == pytest.approx(0.5, abs=5 * STD / 2 / np.sqrt(9600))


@pytest.mark.parametrize("sampler", SAMPLERS, ids=str)
@pytest.mark.parametrize("steps", [1, 2, 3, 1000])
def test_any_number_of_steps_gives_images(model, sampler, steps):
    images = np.array(model.sample(2, seed=0, steps=steps, sampler=sampler))
    assert np.isfinite(images).all()
    assert images.min() >= 0
    assert images.max() <= 1


def test_what_the_network_predicts_makes_no_difference_to_an_ideal_one(model):
    samples = [exact_model(o).sample(3, seed=1, steps=20, schedule=LinearSchedule()) for o in OBJECTIVES]
    np.testing.assert_allclose(samples[1], samples[0], atol=1e-4)
    np.testing.assert_allclose(samples[2], samples[0], atol=1e-4)


def test_far_out_estimates_are_clipped_and_the_parts_still_add_up():
    """A network that finds no noise takes x / 0.01 for the image."""
    image, angle = keras.Input(SHAPE, name="image"), keras.Input((), name="angle")
    model = DiffusionModel(keras.Model({"image": image, "angle": angle}, layers.Rescaling(0.0)(image) + 0 * angle[0]))
    x = ops.convert_to_tensor(np.random.default_rng(0).normal(size=(3, *SHAPE)), "float32")
    rates = 0.01, (1 - 0.01**2) ** 0.5
    for clip, largest in ((True, 1), (False, 100 * np.abs(np.array(x)).max())):
        found = [np.array(part) for part in model.denoise(x, *rates, clip=clip)]
        assert np.abs(found[0]).max() == pytest.approx(largest, rel=1e-5)
        np.testing.assert_allclose(rates[0] * found[0] + rates[1] * found[1], x, atol=1e-5)


@pytest.mark.parametrize("sampler", SAMPLERS, ids=str)
def test_sampling_is_traced_once(sampler):
    model = exact_model()
    counter = model.network.layers[-1]
    before = counter.traces
    model.sample(2, seed=0, steps=30, sampler=sampler)
    traced = counter.traces - before
    assert traced <= 3  # in the loop, twice for Heun, and at its end; not once a step
    model.sample(2, seed=1, steps=30, sampler=sampler)
    model.sample(2, steps=30, sampler=type(sampler)(*vars(sampler).values()))
    assert counter.traces - before == traced


def test_large_samples_are_made_in_parts(model, monkeypatch):
    monkeypatch.setattr(walk, "NUMBERS_AT_ONCE", 3 * 16 * 10)  # two images an walk of ten levels
    images = np.array(model.sample(5, seed=0, steps=10, sampler=AncestralSampler()))
    assert len(np.unique(images[:, 0, 0, 0])) == 5
    other = np.array(model.sample(5, seed=1, steps=10, sampler=AncestralSampler()))
    assert not np.isin(images, other).any()


@pytest.mark.parametrize("sampler", SAMPLERS, ids=str)
def test_inpainting_keeps_the_known_pixels_bit_for_bit(model, sampler):
    images = np.random.default_rng(0).random((3, *SHAPE), "float32")
    mask = np.zeros((4, 4))
    mask[1:3, 2:] = 1
    painted = np.array(model.inpaint(images, mask, seed=0, steps=10, sampler=sampler))
    np.testing.assert_array_equal(painted[:, mask == 0], images[:, mask == 0])
    assert not np.isclose(painted[:, mask == 1], images[:, mask == 1], atol=1e-4).any()
    each = np.array(model.inpaint(images, np.stack([mask, 0 * mask, mask]), seed=0, steps=10, sampler=sampler))
    np.testing.assert_array_equal(each[1], images[1])
    np.testing.assert_array_equal(each[0], painted[0])


class Copies(layers.Layer):
    """The ideal prediction of the image, for images whose pixels are all one value v ~ N(0, STD²)."""

    def call(self, x, angle):
        signal, noise = (ops.reshape(wave(angle), (-1, 1, 1, 1)) for wave in (ops.cos, ops.sin))
        size = 16 * signal**2  # v + noise / signal · N(0, 1) is seen 16 times
        return ops.ones_like(x) * signal * 16 * STD**2 / (size * STD**2 + noise**2) * ops.mean(x, (1, 2), keepdims=True)


def test_inpainted_pixels_fit_the_known_ones():
    image, angle = keras.Input(SHAPE, name="image"), keras.Input((), name="angle")
    network = keras.Model({"image": image, "angle": angle}, Copies()(image, angle))
    model = DiffusionModel(network, objective="image")
    grey = np.linspace(0.3, 0.7, 8, dtype="float32").reshape(8, 1, 1, 1) * np.ones(SHAPE, "float32")
    mask = np.zeros((4, 4), bool)
    mask[:, 2:] = True
    painted = np.array(model.inpaint(grey, mask, seed=0, steps=100, sampler=AncestralSampler()))
    # the known half pulls the other towards it at each level, the more the less noise there is
    error = np.abs(painted - grey)[:, :, 2:].mean()
    assert error < 0.25 * np.abs(np.array(model.sample(8, seed=0, steps=100)) - grey).mean()


def test_editing_keeps_what_the_noise_leaves(model):
    images = gaussian_images(200)
    free = np.array(model.sample(200, seed=3, steps=100))
    distances = [
        np.abs(np.array(model.edit(images, strength, seed=3, steps=100)) - images).mean() for strength in (0.01, 0.3, 1)
    ]
    assert distances == sorted(distances)
    # one level: ε σ_1 at most is left in it, and at the last level nothing of the image
    assert distances[0] < model.schedule.noise_rates[10]
    assert distances[2] == pytest.approx(np.abs(free - images).mean(), rel=1e-2)


@pytest.mark.parametrize("n", [3, 5])
def test_decoding_undoes_encoding(model, n, monkeypatch):
    images = gaussian_images(n)
    noise = model.encode(images, steps=50)
    assert 0.5 < np.std(noise) < 1.5
    np.testing.assert_allclose(model.decode(noise, steps=50), images, atol=2e-3)


def test_average_of_the_weights_is_what_fit_ends_with():
    def train(**options):
        keras.utils.set_random_seed(0)
        image, angle = keras.Input(SHAPE, name="image"), keras.Input((), name="angle")
        model = DiffusionModel(keras.Model({"image": image, "angle": angle}, layers.Dense(1)(image) + 0 * angle[0]))
        model.compile(keras.optimizers.Adam(0.1, **options))
        path = []
        record = keras.callbacks.LambdaCallback(
            on_train_batch_end=lambda batch, logs: path.append(model.get_weights()[0])
        )
        model.fit(gaussian_images(12), batch_size=4, epochs=2, shuffle=False, verbose=0, callbacks=[record])
        return path, model.get_weights()[0]

    path, last = train()
    averaged_path, average = train(use_ema=True, ema_momentum=0.9)
    np.testing.assert_allclose(averaged_path, path, rtol=1e-5)
    np.testing.assert_allclose(path[-1], last, rtol=1e-6)
    expected = path[0]
    for weight in path[1:]:
        expected = 0.9 * expected + 0.1 * weight
    np.testing.assert_allclose(average, expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda m: m.sample(0), "n is 0"),
        (lambda m: m.sample(2, seed=-1), "seed is -1"),
        (lambda m: m.sample(2, steps=0), "steps is 0"),
        (lambda m: m.sample(2, steps=2.5), "steps is 2.5"),
        (lambda m: m.sample(2, steps=1001), "steps is 1001; accepted is at most 1000"),
        (lambda m: m.sample(2, label=1), r"conditions \['label'\] were given; this model takes none"),
        (lambda m: m.inpaint(gaussian_images(2) * 255, np.ones((4, 4))), "Images span"),
        (lambda m: m.inpaint(gaussian_images(2), np.ones((3, 4))), r"mask has shape \(3, 4\)"),
        (lambda m: m.inpaint(gaussian_images(2), np.ones((3, 4, 4))), r"accepted are 0 and 1 of shape \(4, 4\)"),
        (lambda m: m.inpaint(gaussian_images(2), np.full((4, 4), 0.5)), "accepted are 0 and 1"),
        (lambda m: m.edit(gaussian_images(2), 0), "strength is 0"),
        (lambda m: m.edit(gaussian_images(2), 1.5), "strength is 1.5"),
        (lambda m: m.edit(gaussian_images(2)[:, :3]), "Images have shape"),
        (lambda m: m.edit(gaussian_images(0)), "number of images is 0"),
        (lambda m: m.encode(gaussian_images(2), iterations=0), "iterations is 0"),
        (lambda m: m.decode(np.zeros((2, 3, 4, 1))), r"noise has shape \(2, 3, 4, 1\)"),
        (lambda m: DiffusionModel(m.network, objective="score"), "objective is 'score'; accepted are noise, image"),
        (lambda m: DiffusionModel(keras.Sequential([keras.Input(SHAPE)])), "accepted is a dict with 'image' and"),
    ],
)
def test_bad_requests_are_refused(model, call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call(model)


MEANS = {"label": [-0.4, 0.6, 0.1], "tone": [0.1, -0.1, 0.0]}  # what each label adds to the image; the last is null's


class Table(layers.Layer):
    """Predicts an image of one value: the sum of the labels' entries in MEANS."""

    def call(self, x, *labels):
        values = [ops.take(ops.convert_to_tensor(MEANS[name], "float32"), y) for name, y in zip(MEANS, labels)]  # noqa: B905
        return ops.reshape(sum(values), (-1, 1, 1, 1)) + 0 * x


def table_model(labels=("label",), **arguments) -> ConditionalDiffusionModel:
    inputs = {"image": keras.Input(SHAPE, name="image"), "angle": keras.Input((), name="angle")}
    given = {name: keras.Input((), dtype="int32", name=name) for name in labels}
    network = keras.Model({**inputs, **given}, Table()(inputs["image"], *given.values()))
    return ConditionalDiffusionModel(network, dict.fromkeys(labels, 2), objective="image", **arguments)


def value(model, n: int = 1, **condition) -> np.ndarray:
    """The one value of each sample, in [-1, 1]."""
    images = 2 * np.array(model.sample(n, seed=0, steps=2, **condition)) - 1
    assert np.ptp(images, axis=(1, 2, 3)).max() < 1e-6
    return images[:, 0, 0, 0]


@pytest.mark.parametrize(
    ("guidance", "expected"),
    [(1, 0.6), (0, 0.1), (1.5, 0.85), (2, 1.0)],  # 0.1 + w (0.6 - 0.1), kept below 1
)
def test_guidance_goes_from_the_null_label_through_the_label(guidance, expected):
    assert value(table_model(), label=1, guidance=guidance) == pytest.approx(expected, abs=1e-5)


def test_guidance_of_one_is_the_conditional_model():
    model = table_model()
    np.testing.assert_array_equal(model.sample(2, 0, 3, label=0, guidance=1.0), model.sample(2, 0, 3, label=0))
    assert value(model) == pytest.approx(0.1, abs=1e-5)  # no label is the null label
    np.testing.assert_allclose(value(model, 3, label=[0, 1, 0], guidance=[1, 0, 0.5]), [-0.4, 0.1, -0.15], atol=1e-5)


def test_each_label_may_be_left_out():
    model = table_model(("label", "tone"))
    assert value(model, label=0, tone=1) == pytest.approx(-0.5, abs=1e-5)
    assert value(model, tone=0) == pytest.approx(0.2, abs=1e-5)
    assert value(model, label=1, tone=0, guidance=0.5) == pytest.approx((0.7 + 0.1) / 2, abs=1e-5)


def test_labels_are_dropped_in_training_alone():
    model = table_model(("label", "tone"), drop_rate=0.3)
    n = 4000
    x = {"image": gaussian_images(n), "label": np.zeros(n, "int32"), "tone": np.zeros(n, "int32")}
    seen = np.array(model(x, training=True)[0])[:, 0, 0, 0]
    # -0.4 + 0.1, 0.1 + 0.1, -0.4 + 0 or 0.1 + 0: each label is dropped on its own
    shares = [np.isclose(seen, v, atol=1e-5).mean() for v in (-0.3, 0.2, -0.4, 0.1)]
    np.testing.assert_allclose(shares, [0.49, 0.21, 0.21, 0.09], atol=5 * 0.5 / np.sqrt(n))
    np.testing.assert_allclose(np.array(model(x)[0]), -0.3, atol=1e-5)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda m: m.sample(2, label=2), r"'label' span 2\.\.2; accepted are integers in 0\.\.1"),
        (lambda m: m.sample(2, label=-1), r"'label' span -1\.\.-1"),
        (lambda m: m.sample(2, label=0.0), "'label' are float"),
        (lambda m: m.sample(2, label=[0, 1, 0]), "3 values of 'label' for 2 images"),
        (lambda m: m.sample(2, name=1), r"conditions \['name'\] were given; accepted are \['label'\]"),
        (lambda m: m.sample(2, label=1, guidance=-1), "guidance is -1; accepted is a number >= 0"),
        (lambda m: m.sample(2, label=1, guidance=float("nan")), "guidance is nan"),
        (lambda m: m.sample(2, label=1, guidance="much"), "guidance is much"),
        (lambda m: m.sample(2, label=1, guidance=[1, 2, 3]), "3 values of 'guidance' for 2 images"),
        (lambda m: m({"image": gaussian_images(2)}), r"\['image'\]; accepted is one dict of \['image', 'label'\]"),
        (lambda m: m({"image": gaussian_images(2), "label": np.zeros(3, "int32")}), "3 labels for 2 images"),
        (lambda m: ConditionalDiffusionModel(m.network, {"class": 2}), r"for the labels \['class'\]"),
        (lambda m: ConditionalDiffusionModel(m.network, {"label": 0}), "number of classes of 'label' is 0"),
        (lambda m: ConditionalDiffusionModel(m.network, {"label": 2}, drop_rate=1), "drop_rate is 1"),
    ],
)
def test_conditional_model_refuses_bad_requests(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call(table_model())


def build_denoiser() -> keras.Model:
    """One hidden layer that sees each pixel's neighbours and is told the angle and the label."""
    image, angle = keras.Input((8, 8, 1), name="image"), keras.Input((), name="angle")
    label = keras.Input((), dtype="int32", name="label")
    told = layers.Concatenate()([SinusoidalPositionEmbedding(8)(angle), layers.Embedding(3, 8, "normal")(label)])
    x = layers.Conv2D(16, 3, padding="same")(image) + layers.Reshape((1, 1, 16))(layers.Dense(16)(told))
    x = layers.Conv2D(1, 3, padding="same")(layers.Activation("silu")(x))
    return keras.Model({"image": image, "angle": angle, "label": label}, x)


def test_two_brightnesses_are_learnt_and_drawn_as_asked():
    keras.utils.set_random_seed(0)
    labels = np.arange(256, dtype="int32") % 2
    brightness = np.where(labels, 0.8, 0.2)
    images = (brightness[:, None, None, None] * np.ones((1, 8, 8, 1))).astype("float32")
    model = ConditionalDiffusionModel(build_denoiser(), {"label": 2}, objective="image")
    model.compile(keras.optimizers.Adam(1e-2))
    model.fit({"image": images, "label": labels}, batch_size=32, epochs=25, verbose=0)
    drawn = np.array(model.sample(16, seed=0, steps=20, label=labels[:16])).mean(axis=(1, 2, 3))
    assert np.abs(drawn - brightness[:16]).max() < 0.1
