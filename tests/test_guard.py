"""What a model refuses, through every door that data comes in by."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from gencourse.generative_model import GenerativeModel
from gencourse.guard import check_images, check_labels, guard, is_eager, refusal

GOOD = np.full((6, 4, 4, 1), 0.5, "float32")
BAD = GOOD * 3


@keras.saving.register_keras_serializable(package="gencourse-tests")
class Brightness(GenerativeModel):
    """Learns one number: the mean pixel."""

    def __init__(self, start: float = 0.0, **kwargs):
        super().__init__(**kwargs)
        self.start = start
        self.level = self.add_weight(initializer=keras.initializers.Constant(start))
        self.built = True

    def check(self, x):
        check_images(x, (4, 4, 1))

    def call(self, x, training=None):
        return ops.zeros_like(x) + self.level

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        return ops.mean(ops.square(x - y_pred))


def brightness() -> Brightness:
    model = Brightness()
    model.compile(optimizer=keras.optimizers.SGD(0.1))
    return model


class Batches(keras.utils.PyDataset):
    def __init__(self, arrays):
        super().__init__()
        self.arrays = arrays

    def __len__(self):
        return len(self.arrays)

    def __getitem__(self, index):
        return (self.arrays[index],)


def as_array(*batches):
    return np.concatenate(batches)


def as_dataset(*batches):
    return tf.data.Dataset.from_generator(lambda: iter(batches), output_signature=tf.TensorSpec((None, 4, 4, 1)))


def as_labelled_dataset(*batches):
    return as_dataset(*batches).map(lambda x: (x, tf.zeros(tf.shape(x)[0], tf.int32)))


def as_generator(*batches):
    return ((batch,) for batch in batches)


def as_py_dataset(*batches):
    return Batches(batches)


DOORS = [as_array, as_dataset, as_labelled_dataset, as_generator, as_py_dataset]


@pytest.mark.parametrize("method", ["fit", "evaluate", "predict"])
@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.__name__)
def test_every_door_refuses_a_bad_batch_wherever_it_stands(door, method):
    for batches in ([BAD, GOOD], [GOOD, BAD]):
        model = brightness()
        with pytest.raises(ValueError, match=r"^Images span \[\S+, 1\.5\]; accepted are floats in \[0, 1\]"):
            run(model, method, door(*batches))
        assert np.isfinite(model.evaluate(GOOD, verbose=0)), "the refusal leaves the model unusable"


@pytest.mark.parametrize("method", ["fit", "evaluate", "predict"])
@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.__name__)
def test_every_door_lets_good_batches_through(door, method):
    run(brightness(), method, door(GOOD, GOOD))


def run(model, method, data):
    return getattr(model, method)(data, verbose=0)


@pytest.mark.parametrize("door", [as_array, as_dataset, as_py_dataset], ids=lambda door: door.__name__)
def test_validation_data_is_checked(door):
    validation = (BAD, None) if door is as_array else door(GOOD, BAD)
    with pytest.raises(ValueError, match=r"span \[1\.5"):
        brightness().fit(GOOD, validation_data=validation, verbose=0)


def test_validation_goes_on_over_epochs():
    history = brightness().fit(GOOD, validation_data=as_dataset(GOOD, GOOD), epochs=3, verbose=0).history
    assert len(history["val_loss"]) == 3
    assert history["val_loss"][-1] < history["val_loss"][0]


def test_unknown_form_of_data_is_refused():
    with pytest.raises(TypeError, match="Data of type str; accepted are arrays"):
        brightness().fit("images")


def test_error_of_another_origin_is_left_alone():
    def broken():
        yield (GOOD,)
        raise KeyError("lost file")

    with pytest.raises(Exception, match="lost file") as caught:
        brightness().fit(broken(), verbose=0)
    assert refusal(caught.value) is None


def test_dict_of_arrays_reaches_the_check_as_a_dict():
    seen = []
    guard({"image": GOOD, "label": np.arange(6)}, seen.append)
    dataset = tf.data.Dataset.from_tensor_slices({"image": GOOD, "label": np.arange(6)}).batch(6)
    list(guard(dataset, seen.append))
    assert len(seen) >= 2
    for x in seen:
        np.testing.assert_array_equal(x["image"], GOOD)
        np.testing.assert_array_equal(x["label"], np.arange(6))


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (GOOD[..., 0], r"shape \(6, 4, 4\); accepted .* \(n, 4, 4, 1\)"),
        (GOOD[:, :3], r"shape \(6, 3, 4, 1\)"),
        (np.ones((2, 4, 4, 1), "uint8"), "uint8.*divide bytes by 255"),
        (GOOD - 1, r"span \[-0\.5, -0\.5\]"),
        (GOOD * np.nan, r"span \[nan, nan\]"),
    ],
)
def test_check_images_says_what_is_wrong(images, message):
    with pytest.raises(ValueError, match=message):
        check_images(images, (4, 4, 1))


def test_check_images_takes_any_size_where_it_may():
    check_images(GOOD, (None, None, 1))
    check_images(GOOD[:0], (4, 4, 1))


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.array([0, 10]), r"span 0\.\.10; accepted are integers in 0\.\.9"),
        (np.array([-1]), r"span -1\.\.-1"),
        (np.array([[1], [2]]), r"shape \(2, 1\)"),
        (np.array([1.0]), "float64"),
    ],
)
def test_check_labels_says_what_is_wrong(labels, message):
    with pytest.raises(ValueError, match=message):
        check_labels(labels, 10)


def test_is_eager_tells_a_symbol_from_a_value():
    seen = []

    @tf.function
    def trace(x):
        seen.append(is_eager(x))
        return x

    trace(tf.zeros(2))
    assert seen == [False]
    assert is_eager({"image": tf.zeros(2), "label": np.zeros(2)})
    assert not is_eager(keras.Input((2,)))


def test_config_holds_the_constructor_arguments():
    model = Brightness(start=0.25, name="level")
    assert model.get_config() == {"name": "level", "start": 0.25}
    assert float(Brightness.from_config(model.get_config()).level) == 0.25
