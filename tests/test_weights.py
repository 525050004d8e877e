"""Saved weights: the same model comes back, damage is named with its remedy, nothing is run on loading."""

import json
import zipfile

import keras
import numpy as np
import pytest

from gencourse import weights


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("GENCOURSE_WEIGHTS", str(tmp_path))
    return tmp_path


def small_model(**changes) -> keras.Model:
    """Two nested networks whose layers share a name, one with running statistics."""
    keras.utils.set_random_seed(0)
    body = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(3, name="dense"), keras.layers.BatchNormalization(name="norm")],
        name="body",
    )
    head = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name="dense", **changes)], name="body_2")
    image = keras.Input((4,))
    model = keras.Model(image, head(body(image)))
    model.compile("adam", "mse")
    return model


def x() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(5, 4)).astype("float32")


def test_loaded_model_equals_the_rounded_one(folder):
    model = small_model()
    before = model.get_weights()
    weights.round_to_float16(model)
    for rounded, exact in zip(model.get_weights(), before, strict=True):
        # float16 has 11 significant bits: a relative error of at most 2^-11, absolute 2^-25 among subnormals
        np.testing.assert_allclose(rounded, exact, rtol=2**-11, atol=2**-25)
    weights.save(model, "small", {"seed": 0})
    copy = weights.load("small")
    np.testing.assert_array_equal(copy.predict_on_batch(x()), model.predict_on_batch(x()))
    assert not copy.compiled


def test_card_holds_what_was_given_and_what_checks_it(folder):
    model = small_model()
    card = json.loads(weights.save(model, "small", {"seed": 0, "purpose": "A test – in Unicode."}).read_text("utf-8"))
    assert (card["seed"], card["purpose"]) == (0, "A test – in Unicode.")
    assert card["parameters"] == 4 * 3 + 3 + 4 * 3 + 3 * 2 + 2
    assert "compile_config" not in card["architecture"]
    assert weights.verify() == []


def test_architecture_leaves_out_what_an_older_keras_may_not_know(folder):
    text = weights.save(small_model(), "small", {}).read_text()
    assert '"axis"' not in text, "an argument at its default"
    assert "renorm" not in text
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, use_bias=False, activation="tanh")])
    weights.round_to_float16(model)
    weights.save(model, "line", {})
    np.testing.assert_array_equal(weights.load("line").predict_on_batch(x()), model.predict_on_batch(x()))


def test_layer_that_asks_for_its_defaults_gets_them_back(folder):
    scaled = keras.Sequential([keras.Input((4,)), keras.layers.Rescaling(0.5), keras.layers.Dense(2)])
    weights.round_to_float16(scaled)
    assert "offset" not in weights.save(scaled, "scaled", {}).read_text()
    np.testing.assert_array_equal(weights.load("scaled").predict_on_batch(x()), scaled.predict_on_batch(x()))


def test_equal_weights_give_equal_bytes(folder):
    for name in ("one", "two"):
        weights.save(small_model(), name, {})
    assert (folder / "one.npz").read_bytes() == (folder / "two.npz").read_bytes()
    with zipfile.ZipFile(folder / "one.npz") as file:
        assert {entry.date_time for entry in file.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    with np.load(folder / "one.npz", allow_pickle=False) as arrays:
        assert {arrays[name].dtype.name for name in arrays} == {"float16"}
    assert sorted(path.name for path in folder.iterdir()) == ["one.json", "one.npz", "two.json", "two.npz"]


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        (lambda npz, card: npz.write_bytes(npz.read_bytes()[:-1] + b"\x01"), "small.npz is damaged"),
        (lambda npz, card: npz.unlink(), "small.npz is missing"),
        (lambda npz, card: card.write_text("{"), "small.json is damaged"),
        (lambda npz, card: card.write_text('{"seed": 0}'), "small.json is damaged"),
    ],
    ids=["one byte", "no file", "half a card", "no checksum"],
)
def test_damage_is_named_with_its_remedy(folder, damage, complaint):
    weights.save(small_model(), "small", {})
    damage(folder / "small.npz", folder / "small.json")
    with pytest.raises(ValueError, match=complaint) as caught:
        weights.load("small")
    assert "git checkout -- weights/small.npz" in str(caught.value)
    assert "gencourse train small" in str(caught.value)
    assert weights.verify() == [str(caught.value)]


def test_card_is_what_was_saved_and_what_was_added(folder):
    weights.save(small_model(), "small", {"seed": 3})
    card = weights.card("small")
    assert card["seed"] == 3
    assert card["parameters"] == small_model().count_params()
    with pytest.raises(FileNotFoundError, match="no weights 'large'; there are: small"):
        weights.card("large")


def test_orphaned_weights_are_reported(folder):
    weights.save(small_model(), "small", {})
    (folder / "small.json").unlink()
    (problem,) = weights.verify()
    assert "small.json is missing" in problem


def test_weights_of_another_architecture_are_refused(folder):
    weights.save(small_model(), "small", {})
    card = json.loads((folder / "small.json").read_text())
    wider = keras.Sequential([keras.Input((4,)), keras.layers.Dense(7)])
    card["architecture"] = keras.saving.serialize_keras_object(wider)
    (folder / "small.json").write_text(json.dumps(card))
    with pytest.raises(ValueError, match="does not fit the model"):
        weights.load("small")


def test_code_in_a_card_is_not_run(folder):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Lambda(lambda value: value)])
    weights.save(model, "code", {})
    with pytest.raises(ValueError, match=r"[Ll]ambda"):
        weights.load("code")


def test_unknown_weights_name_those_there_are(folder):
    weights.save(small_model(), "small", {})
    with pytest.raises(FileNotFoundError, match="no weights 'large'; there are: small"):
        weights.load("large")


@pytest.mark.parametrize("value", [np.nan, 7e4])
def test_weights_beyond_float16_are_refused(folder, value):
    model = small_model(bias_initializer=keras.initializers.Constant(value))
    with pytest.raises(ValueError, match=r"body_2/dense/bias is not finite in float16"):
        weights.save(model, "small", {})
    assert not list(folder.iterdir())


def test_name_that_leaves_the_folder_is_refused(folder):
    with pytest.raises(ValueError, match="letters, digits"):
        weights.save(small_model(), "../small", {})
