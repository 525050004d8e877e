"""One harness for every model: what a model of the course must do, whatever it models.

A test module lists its cases and calls every check on each:

    CASES = [Case("vae", build=tiny_vae, data=digits, deterministic=("encode",), sample=draw)]

    @pytest.mark.parametrize("check", CHECKS, ids=check_name)
    @pytest.mark.parametrize("case", runnable(CASES), ids=case_name)
    def test_model(case, check):
        check(case)

    def test_models_under_jax():
        run_under_jax(__file__)
"""

import functools
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import keras
import numpy as np
from keras import tree

from gencourse.callbacks.checkpoint import training_state


@dataclass(frozen=True, eq=False)
class Case:
    """One model, tiny, and what it promises.

    Attributes:
        name: the test's id.
        build: () → the built and compiled model, of a size that trains in milliseconds.
        data: () → one batch of 8 NumPy rows as `fit` takes it: `x`, the tuple `(x, y)`, or the dict of a conditional
            model.
        inputs: the forms of `data` the model takes: ("x", "xy"), or one of them, or ("dict",).
        networks: attributes of the nested networks, each of which a training must change; for adversarial models both.
        adversarial: the losses need not fall, and the model runs on TensorFlow only.
        deterministic: methods of one batch that depend on nothing but it, such as ("encode", "log_prob").
        sample: (model, n, seed) → n samples, or None where the model has no sampling.
        bad: {what is wrong: data that `fit` and `evaluate` must refuse with a ValueError}.
        epochs: passes over the one batch within which the loss must fall.
    """

    name: str
    build: Callable[[], keras.Model]
    data: Callable[[], object]
    inputs: tuple[str, ...] = ("x", "xy")
    networks: tuple[str, ...] = ()
    adversarial: bool = False
    deterministic: tuple[str, ...] = ()
    sample: Callable[[keras.Model, int, int | None], object] | None = None
    bad: dict[str, object] = field(default_factory=dict)
    epochs: int = 20

    def fresh(self) -> keras.Model:
        """A new model, the same each time."""
        keras.utils.set_random_seed(0)
        return self.build()

    @functools.cached_property
    def model(self) -> keras.Model:
        """The model that the checks share, so that its training is compiled once; they leave its state as it was."""
        return self.fresh()

    def feed(self, form: str) -> tuple:
        """The positional arguments of `fit` for one of `inputs`."""
        data = self.data()
        x, y = data if isinstance(data, tuple) else (data, np.zeros(len(first(data)), "int32"))
        return (x, y) if form == "xy" else (x,)


def check_fit_learns_one_batch(case: Case) -> None:
    """Every loss is tracked and finite, it falls (not adversarial), and every trainable variable moves."""
    model = case.model
    with unchanged(model):
        before = {key: array(variable) for key, variable in training_state(model).items()}
        history = fit(model, case.feed(case.inputs[0]), epochs=case.epochs).history
        after = training_state(model)
        still = [
            v.path for key, v in after.items() if key.startswith("model/") and np.array_equal(array(v), before[key])
        ]
        trainable = {variable.path for variable in model.trainable_variables}
    assert history, "fit reports nothing"
    for key, values in history.items():
        assert np.isfinite(values).all(), f"{key} is not finite: {values}"
        if "loss" in key:
            assert np.any(values), f"{key} is 0.0 in every epoch: no tracker holds it"
    assert any("loss" in key for key in history), f"fit reports no loss, only {sorted(history)}"
    if not case.adversarial:
        loss = history["loss"]
        assert np.mean(loss[-3:]) < loss[0], f"the loss on one batch did not fall: {loss}"
    stuck = sorted(trainable & set(still))
    assert not stuck, f"training never changes {stuck}"


def check_adversarial_networks_both_learn(case: Case) -> None:
    """Each nested network has trainable variables and one epoch changes them."""
    model = case.model
    assert len(case.networks) >= 2 * case.adversarial, "an adversarial case names its networks"
    with unchanged(model):
        before = {name: [array(v) for v in getattr(model, name).trainable_variables] for name in case.networks}
        fit(model, case.feed(case.inputs[0]))
        for name, values in before.items():
            now = getattr(model, name).trainable_variables
            assert any(not np.array_equal(array(v), old) for v, old in zip(now, values, strict=True)), (
                f"{name} never learns"
            )


def check_every_form_of_data(case: Case) -> None:
    """`fit` and `evaluate` take each of `inputs` and report the same keys."""
    model = case.model
    keys = set()
    with unchanged(model):
        for form in case.inputs:
            history = fit(model, case.feed(form)).history
            scores = evaluate(model, case.feed(form))
            assert np.isfinite([*scores.values()]).all(), f"evaluate on {form} gives {scores}"
            assert any("loss" in key and value for key, value in scores.items()), f"evaluate reports no loss: {scores}"
            keys.add(tuple(sorted(history)))
    assert len(keys) == 1, f"the reported keys depend on the form of the data: {keys}"


def check_short_last_batch(case: Case) -> None:
    """The history of batches of 5 and 3 is the mean over items: (5 a + 3 b) / 8, in `fit` and in `evaluate`."""
    model = case.model
    whole = case.feed(case.inputs[0])
    head, tail = (
        tree.map_structure(lambda array, rows=rows: array[rows], whole) for rows in (slice(5), slice(5, None))
    )
    for run in (
        lambda data: {k: v[-1] for k, v in fit(model, data, 5).history.items()},
        lambda data: evaluate(model, data, 5),
    ):
        with unchanged(model):
            together = run(whole)
        with unchanged(model):  # the same weights and the same noise, one batch a call
            a, b = run(head), run(tail)
        for key, value in together.items():
            expected = (5 * a[key] + 3 * b[key]) / 8
            assert np.isclose(value, expected, rtol=1e-4, atol=1e-6), (
                f"{key} over a short last batch is {value}, where the mean over items is {expected}"
            )


def check_evaluate_changes_nothing(case: Case) -> None:
    """`evaluate` moves no weight."""
    model = case.model
    before = [array(weight) for weight in model.weights]
    with unchanged(model):
        evaluate(model, case.feed(case.inputs[0]))
        moved = [w.path for w, old in zip(model.weights, before, strict=True) if not np.array_equal(array(w), old)]
    assert not moved, f"evaluate changed {moved}"


def check_saved_model_is_the_same(case: Case) -> None:
    """A reloaded model has the same state, encodes, scores and samples bit for bit alike, and trains on alike."""
    model = case.model
    data = case.feed(case.inputs[0])
    with unchanged(model), tempfile.TemporaryDirectory() as folder:
        fit(model, data, epochs=2)
        model.save(Path(folder) / "model.keras")
        copy = keras.saving.load_model(Path(folder) / "model.keras")
        assert getattr(copy, "optimizer", None), "the reloaded model has no optimizer: the compile config is lost"
        for name in case.deterministic:
            assert same(getattr(model, name)(data[0]), getattr(model, name)(data[0])), f"{name} is not deterministic"
            assert same(getattr(model, name)(data[0]), getattr(copy, name)(data[0])), f"{name} differs after a reload"
        if case.sample:
            assert same(case.sample(model, 2, 7), case.sample(copy, 2, 7)), "a seeded sample differs after a reload"
            assert same(case.sample(model, 2, None), case.sample(copy, 2, None)), (
                "the next unseeded sample differs after a reload: the state of a seed generator is not saved"
            )
        states = training_state(model), training_state(copy)
        assert states[0].keys() == states[1].keys(), "the reloaded model has other variables"
        before = {key: array(variable) for key, variable in states[0].items()}
        for key, variable in states[1].items():
            assert same(variable, before[key]), f"the reloaded model has another {key} {variable.path}"
        for one in (model, copy):
            fit(one, data)
        for key, variable in states[0].items():
            assert moved_alike(before[key], array(variable), array(states[1][key])), (
                f"training goes on differently after a reload: {key} {variable.path}"
            )


def check_seeded_samples(case: Case) -> None:
    """The same seed gives the same samples whatever was drawn before, another seed gives others, n gives n."""
    if case.sample is None:
        return
    model = case.model
    with unchanged(model):
        one = case.sample(model, 3, 1)
        other = case.sample(model, 3, 2)
        case.sample(model, 3, None)
        again = case.sample(model, 3, 1)
        single = case.sample(model, 1, 1)
        free = case.sample(model, 3, None), case.sample(model, 3, None)
    for value in tree.flatten(one):
        assert len(array(value)) == 3, f"sample(3) returned {len(array(value))} items"
        assert np.isfinite(array(value)).all(), "a sample is not finite"
    assert len(first(single)) == 1, "sample(1) did not return one item"
    assert same(one, again), "the same seed gave another sample"
    assert not same(one, other), "another seed gave the same sample"
    assert not same(*free), "without a seed, two calls gave the same sample"


def check_mixed_precision(case: Case) -> None:
    """Built under `mixed_float16`, the model computes in float16, keeps float32 weights, and trains without NaN."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = case.fresh()
        layers = [layer for layer in model._flatten_layers(include_self=False) if layer.weights]
        assert any(layer.compute_dtype == "float16" for layer in layers), "no layer computes in float16"
        assert {weight.dtype for weight in model.trainable_variables} == {"float32"}, "a weight is not float32"
        start = [array(v) for v in model.trainable_variables]
        history = fit(model, case.feed(case.inputs[0]), epochs=case.epochs).history
        assert np.isfinite([*history.values()]).all(), f"training in float16 is not finite: {history}"
        assert any(not same(v, old) for v, old in zip(model.trainable_variables, start, strict=True)), (
            "nothing is learnt"
        )
        assert all(np.isfinite(array(v)).all() for v in model.weights), "a weight is not finite after float16 training"
        if case.sample:
            for value in tree.flatten(case.sample(model, 2, 1)):
                assert array(value).dtype != np.float16, "a sample is float16: heads stay float32"
                assert np.isfinite(array(value)).all(), "a sample in float16 is not finite"
    finally:
        keras.config.set_dtype_policy(before)


def check_bad_input_is_refused(case: Case) -> None:
    """`fit` and `evaluate` refuse each bad input with a ValueError that says something, and change no weight."""
    model = case.model
    before = [array(weight) for weight in model.weights]
    for what, data in case.bad.items():
        for run in (fit, evaluate):
            with unchanged(model):
                try:
                    run(model, data if isinstance(data, tuple) else (data,))
                    message = None
                except ValueError as error:
                    message = str(error)
                assert message is not None, f"{run.__name__} accepts bad input: {what}"
                assert message.strip(), f"{what}: the error of {run.__name__} says nothing"
                moved = [
                    w.path for w, old in zip(model.weights, before, strict=True) if not np.array_equal(array(w), old)
                ]
                assert not moved, f"{what} was refused only after it changed {moved}"


CHECKS = [
    check_fit_learns_one_batch,
    check_adversarial_networks_both_learn,
    check_every_form_of_data,
    check_short_last_batch,
    check_evaluate_changes_nothing,
    check_saved_model_is_the_same,
    check_seeded_samples,
    check_mixed_precision,
    check_bad_input_is_refused,
]


def runnable(cases: list[Case]) -> list[Case]:
    """The cases this backend runs: all on TensorFlow, the single-loss ones elsewhere."""
    return [case for case in cases if keras.backend.backend() == "tensorflow" or not case.adversarial]


def case_name(case: Case) -> str:
    """The id of a case."""
    return case.name


def check_name(check: Callable) -> str:
    """The id of a check."""
    return check.__name__.removeprefix("check_")


def run_under_jax(test_file: str) -> None:
    """Run `test_model` of a test file again in a process of its own whose backend is JAX; all of it must pass.

    Left out are the checks of bookkeeping that Keras does alike on every backend: compiling for each of their batch
    sizes costs more than all others together.
    """
    left_out = (check_adversarial_networks_both_learn, check_every_form_of_data, check_short_last_batch)
    checks = " or ".join(check_name(check) for check in CHECKS if check not in left_out)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", checks, f"{test_file}::test_model"]
    with tempfile.TemporaryDirectory() as compiled:
        environment = {
            **os.environ,
            "KERAS_BACKEND": "jax",
            "JAX_PLATFORMS": "cpu",
            "JAX_DISABLE_MOST_OPTIMIZATIONS": "1",  # compiling is most of the time
            "JAX_COMPILATION_CACHE_DIR": compiled,  # a reloaded model is compiled like the one that was saved
            "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
            "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
        }
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr[-2000:]}"
    assert "skipped" not in done.stdout, done.stdout


@contextmanager
def unchanged(model: keras.Model) -> Iterator[None]:
    """Put every variable of the training back, seeds and optimizers included, when the block ends."""
    state = {key: (variable, array(variable)) for key, variable in training_state(model).items()}
    try:
        yield
    finally:
        for variable, value in state.values():
            variable.assign(value)


def fit(model: keras.Model, data: tuple, batch_size: int = 8, epochs: int = 1) -> keras.callbacks.History:
    """`model.fit`, quiet and in the given order."""
    return model.fit(*data, batch_size=batch_size, epochs=epochs, shuffle=False, verbose=0)


def evaluate(model: keras.Model, data: tuple, batch_size: int = 8) -> dict[str, float]:
    """`model.evaluate`, quiet, by name."""
    return model.evaluate(*data, batch_size=batch_size, verbose=0, return_dict=True)


def array(value) -> np.ndarray:
    """A tensor or variable as a NumPy copy."""
    return np.array(keras.ops.convert_to_numpy(keras.ops.convert_to_tensor(value)))


def first(data) -> np.ndarray:
    """The first array of a structure."""
    return array(tree.flatten(data)[0])


def same(one, other) -> bool:
    """Whether two structures of tensors are equal bit for bit."""
    pairs = zip(tree.flatten(one), tree.flatten(other), strict=True)
    return all(np.array_equal(array(a), array(b), equal_nan=True) for a, b in pairs)


def moved_alike(before: np.ndarray, one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two trainings made the same step from `before`, but for rounding.

    Threads sum gradients in an order that is not fixed: between 1 and 2 threads, and with and without XLA, a step
    differed by 1e-4 of its largest entry at most. Integers, such as the state of a seed generator, are equal.
    """
    if not np.issubdtype(before.dtype, np.floating):
        return np.array_equal(one, other)
    rounding = np.spacing(np.abs(before).max(initial=0))
    return np.allclose(one, other, rtol=0, atol=0.01 * np.abs(one - before).max(initial=0) + 4 * rounding)
