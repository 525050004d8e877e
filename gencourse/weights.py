"""Trained weights: `NAME.npz` (float16, for inference) and `NAME.json`, the card that says how they were made."""

import hashlib
import inspect
import io
import json
import operator
import os
import re
from pathlib import Path

import numpy as np

from gencourse.course import course_root


def weights_folder() -> Path:
    """Return the folder of the trained weights: `GENCOURSE_WEIGHTS`, else `weights/` of the repository.

    Raises:
        FileNotFoundError: neither exists.
    """
    named = os.environ.get("GENCOURSE_WEIGHTS")
    return Path(named) if named else course_root() / "weights"


def round_to_float16(model) -> None:
    """Round the model's weights to the values that `save` writes, so that what is measured is what is saved.

    Args:
        model: a built `keras.Model`; integer weights stay as they are.

    Raises:
        ValueError: a weight is not finite in float16 (NaN, or beyond 65,504).
    """
    for weight, value in zip(model.weights, _arrays(model).values(), strict=True):
        weight.assign(value)


def save(model, name: str, card: dict) -> Path:
    """Write `NAME.npz` and `NAME.json`; each replaces its predecessor at once, and equal weights give equal bytes.

    Args:
        model: a built `keras.Model` that serializes.
        name: letters, digits, "-" and "_".
        card: how the weights were made and what they reach: JSON values. The checksum, the number of parameters and the
            architecture are added.

    Returns:
        The path of the card.

    Raises:
        ValueError: the name is no file name, or a weight is not finite in float16.
    """
    import keras

    if not re.fullmatch(r"[\w-]+", name, flags=re.ASCII):
        raise ValueError(f"The name {name!r} is not made of letters, digits, '-' and '_' alone.")
    buffer = io.BytesIO()
    np.savez(buffer, **_arrays(model))  # its time stamps are constant
    data = buffer.getvalue()
    architecture = _without_defaults(keras.saving.serialize_keras_object(model))
    architecture.pop("compile_config", None)  # for inference only
    facts = {"parameters": model.count_params(), "sha256": hashlib.sha256(data).hexdigest()}
    folder = weights_folder()
    folder.mkdir(parents=True, exist_ok=True)
    _replace(folder / f"{name}.npz", data)
    text = json.dumps({**card, **facts, "architecture": architecture}, indent=1, ensure_ascii=False)
    _replace(folder / f"{name}.json", f"{text}\n".encode())
    return folder / f"{name}.json"


def card(name: str) -> dict:
    """Return the card of saved weights: their recipe, seed, seconds, machine, metrics and architecture.

    Args:
        name: such as "judge".

    Raises:
        FileNotFoundError: there are no such weights; the message lists those there are.
        ValueError: the file or its card is damaged; the message names it and what mends it.
    """
    folder = weights_folder()
    if not (folder / f"{name}.json").is_file():
        known = ", ".join(sorted(path.stem for path in folder.glob("*.json"))) or "none"
        raise FileNotFoundError(
            f"There are no weights {name!r}; there are: {known}. `gencourse train {name}` makes them."
        )
    if problem := _problem(folder, name):
        raise ValueError(problem)
    return json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))


def load(name: str):
    """Return the saved model, for inference (not compiled), after checking its checksum.

    A model of the course's own classes needs their module imported first; one of Keras's layers alone needs nothing.

    Args:
        name: such as "judge".

    Raises:
        FileNotFoundError: there are no such weights; the message lists those there are.
        ValueError: the file or its card is damaged; the message names it and what mends it.
    """
    import keras

    model = keras.saving.deserialize_keras_object(_with_defaults(card(name)["architecture"]), safe_mode=True)
    with np.load(weights_folder() / f"{name}.npz", allow_pickle=False) as file:
        values = [file[key] for key in sorted(file)]
    if [value.shape for value in values] != [tuple(weight.shape) for weight in model.weights]:
        raise ValueError(f"{name}.npz does not fit the model in {name}.json. {_remedy(name)}")
    for weight, value in zip(model.weights, values, strict=True):
        weight.assign(value)
    return model


def verify() -> list[str]:
    """Check every weights file against its card, without loading any.

    Returns:
        One sentence a problem, with what mends it; empty when all is well.
    """
    folder = weights_folder()
    names = sorted({path.stem for path in (*folder.glob("*.json"), *folder.glob("*.npz"))})
    return [problem for name in names if (problem := _problem(folder, name))]


def _problem(folder: Path, name: str) -> str | None:
    """What is wrong with the weights `name`, and what mends them; None when nothing is."""
    card, data = folder / f"{name}.json", folder / f"{name}.npz"
    for path in (card, data):
        if not path.is_file():
            return f"{path} is missing. {_remedy(name)}"
    try:
        expected = json.loads(card.read_text(encoding="utf-8"))["sha256"]
    except (ValueError, KeyError, TypeError):
        return f"{card} is damaged: it is no card with a checksum. {_remedy(name)}"
    if hashlib.sha256(data.read_bytes()).hexdigest() != expected:
        return f"{data} is damaged: its checksum is not the one in {name}.json. {_remedy(name)}"
    return None


def _remedy(name: str) -> str:
    return f"Mend it with `git checkout -- weights/{name}.npz weights/{name}.json`, or with `gencourse train {name}`."


def _arrays(model) -> dict[str, np.ndarray]:
    """The weights in order, floating ones as finite float16, by position and path, such as "0003/features/kernel".

    The position comes first because paths can repeat between nested networks, and change when a model is rebuilt.
    """
    import keras

    arrays = {}
    for index, weight in enumerate(model.weights):
        value = keras.ops.convert_to_numpy(weight.value)
        if np.issubdtype(value.dtype, np.floating):
            with np.errstate(over="ignore"):
                value = value.astype("float16")
            if not np.isfinite(value).all():
                raise ValueError(f"The weight {weight.path} is not finite in float16, whose largest number is 65,504.")
        arrays[f"{index:04d}/{weight.path}"] = value
    return arrays


def _without_defaults(node):
    """A serialized model less every argument of its layers and initializers that has its default value.

    Each Keras release adds arguments, which an older one refuses even at their defaults.
    """
    return _each_config(
        node,
        lambda config, defaults: {key: v for key, v in config.items() if key not in defaults or v != defaults[key]},
    )


def _with_defaults(node):
    """What `_without_defaults` returned, with the defaults again: some of Keras's layers are not rebuilt without."""
    return _each_config(node, lambda config, defaults: {**defaults, **config})


def _each_config(node, change):
    """A serialized model with change(config, defaults) as the config of each of its layers and initializers."""
    import keras

    if isinstance(node, (list, tuple)):
        return [_each_config(item, change) for item in node]
    if not isinstance(node, dict):
        return node
    node = {key: _each_config(value, change) for key, value in node.items()}
    if node.get("module") in ("keras.layers", "keras.initializers"):
        built_in = operator.attrgetter(f"{node['module']}.{node['class_name']}".removeprefix("keras."))(keras)
        arguments = inspect.signature(built_in.__init__).parameters.values()
        defaults = {each.name: each.default for each in arguments if each.default is not inspect.Parameter.empty}
        node["config"] = change(node["config"], defaults)
    return node


def _replace(path: Path, data: bytes) -> None:
    temporary = path.with_name(f"{path.name}.part")
    temporary.write_bytes(data)
    temporary.replace(path)
