"""Exact resume, in one process: the second half of a training equals the second half of an uninterrupted one."""

import itertools

import keras
import numpy as np
import pytest

from gencourse.callbacks import Checkpoint
from gencourse.callbacks.checkpoint import training_state

EPOCHS = 4


def build(units: int = 8) -> keras.Model:
    """A model whose training state is more than weights: a random layer, running statistics, momenta, an average."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(units),
            keras.layers.BatchNormalization(),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(1),
        ]
    )
    model.compile(keras.optimizers.Adam(0.01, use_ema=True), "mse")
    return model


def batches(first_epoch: int):
    for epoch in itertools.count(first_epoch):
        x = np.random.default_rng(epoch).normal(size=(8, 4)).astype("float32")
        yield x[:5], x[:5].sum(1)
        yield x[5:], x[5:].sum(1)


def fit(model, checkpoint, epochs=EPOCHS, others=()):
    return model.fit(
        batches(checkpoint.first_epoch),
        steps_per_epoch=2,
        epochs=epochs,
        callbacks=[*others, checkpoint],
        shuffle=False,
        verbose=0,
    )


def values(model) -> dict[str, np.ndarray]:
    return {key: np.array(keras.ops.convert_to_numpy(v.value)) for key, v in training_state(model).items()}


class Crash(keras.callbacks.Callback):
    """Stop in the middle of an epoch."""

    def on_train_batch_end(self, batch, logs=None):
        if self.params["epochs"] and self.model.optimizer.iterations == 5:
            raise RuntimeError("crash")


def test_resumed_training_is_bit_identical(tmp_path):
    whole, crashed, resumed = build(), build(), build()
    fit(whole, Checkpoint(tmp_path / "whole"))
    with pytest.raises(RuntimeError, match="crash"):
        fit(crashed, Checkpoint(tmp_path / "crashed"), others=[Crash()])
    checkpoint = Checkpoint(tmp_path / "crashed")
    assert checkpoint.first_epoch == 2
    history = fit(resumed, checkpoint)
    assert history.epoch == [2, 3]
    expected = values(whole)
    for key, value in values(resumed).items():
        np.testing.assert_array_equal(value, expected[key], err_msg=key)


def test_finished_training_is_loaded_and_not_continued(tmp_path):
    whole, again = build(), build()
    fit(whole, Checkpoint(tmp_path))
    assert fit(again, Checkpoint(tmp_path)).epoch == []
    expected = values(whole)
    for key, value in values(again).items():
        np.testing.assert_array_equal(value, expected[key], err_msg=key)


def test_next_fit_of_a_resumed_model_starts_at_epoch_0(tmp_path):
    fit(build(), Checkpoint(tmp_path), epochs=2)
    model = build()
    fit(model, Checkpoint(tmp_path), epochs=3)
    assert model.fit(batches(0), steps_per_epoch=2, epochs=1, shuffle=False, verbose=0).epoch == [0]


def test_newest_saves_are_kept_and_time_adds_up(tmp_path):
    first = Checkpoint(tmp_path)
    fit(build(), first, epochs=3)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["epoch-0002.npz", "epoch-0003.npz"]
    second = Checkpoint(tmp_path)
    fit(build(), second)
    assert second.seconds > first.seconds > 0


def test_unfinished_save_is_ignored(tmp_path):
    fit(build(), Checkpoint(tmp_path), epochs=2)
    (tmp_path / "unfinished.npz").write_bytes(b"PK half a file")
    assert Checkpoint(tmp_path).first_epoch == 2


def test_damaged_save_is_named(tmp_path):
    fit(build(), Checkpoint(tmp_path), epochs=2)
    (tmp_path / "epoch-0002.npz").write_bytes(b"")
    with pytest.raises(ValueError, match=r"epoch-0002.npz is damaged .* resumes one epoch earlier"):
        fit(build(), Checkpoint(tmp_path))
    (tmp_path / "epoch-0002.npz").unlink()
    assert Checkpoint(tmp_path).first_epoch == 1


def test_save_of_another_model_is_refused(tmp_path):
    fit(build(), Checkpoint(tmp_path), epochs=1)
    with pytest.raises(ValueError, match="saved by another model"):
        fit(build(units=9), Checkpoint(tmp_path))


def test_state_without_variables_is_refused():
    with pytest.raises(ValueError, match="no weights yet"):
        training_state(keras.Sequential([keras.layers.Dense(1)]))
    model = build()
    model.d_optimizer = keras.optimizers.Adam()
    with pytest.raises(ValueError, match=r"model.d_optimizer has no variables yet"):
        training_state(model)
