"""What every model of the course shares: its configuration and the check of what comes into it."""

import inspect
from abc import ABC, abstractmethod

import keras

from gencourse.guard import guard, refusal


class GenerativeModel(keras.Model, ABC):
    """A Keras model that saves its constructor's arguments and refuses bad input in `fit`, `evaluate` and `predict`.

    A subclass keeps each argument of its constructor as an attribute of the same name, and says in `check` what it
    accepts.
    """

    @abstractmethod
    def check(self, x) -> None:
        """Refuse input that this model cannot take.

        Args:
            x: what `call` takes, as arrays or eager tensors.

        Raises:
            ValueError: what is wrong with it, and what is accepted.
        """

    def fit(self, x=None, y=None, *, validation_data=None, **options):
        """Train as `keras.Model.fit` does, on checked data.

        Raises:
            ValueError: a batch of training or validation data is refused by `check`.
        """
        if isinstance(validation_data, (tuple, list)):
            validation_data = (guard(validation_data[0], self.check), *validation_data[1:])
        elif validation_data is not None:
            validation_data = guard(validation_data, self.check)
        return self._run(super().fit, x, y, validation_data=validation_data, **options)

    def evaluate(self, x=None, y=None, **options):
        """Evaluate as `keras.Model.evaluate` does, on checked data.

        Raises:
            ValueError: a batch is refused by `check`.
        """
        if options.get("_use_cached_eval_dataset"):  # `fit` evaluates the validation data that it has checked
            return super().evaluate(x, y, **options)
        return self._run(super().evaluate, x, y, **options)

    def predict(self, x, **options):
        """Predict as `keras.Model.predict` does, on checked data.

        Raises:
            ValueError: a batch is refused by `check`.
        """
        return self._run(super().predict, x, **options)

    def _run(self, method, x, *targets, **options):
        try:
            return method(guard(x, self.check), *targets, **options)
        except Exception as error:
            sentence = refusal(error)
            if sentence is None:
                raise
            raise ValueError(sentence) from None

    def save_own_variables(self, store):
        """Save also the state of random layers such as dropout, which Keras leaves out."""
        super().save_own_variables(store)
        for i, state in enumerate(self._states()):
            store[f"state_{i}"] = state

    def load_own_variables(self, store):
        """Restore what `save_own_variables` saved."""
        own = {key: store[key] for key in store.keys() if not key.startswith("state_")}  # noqa: SIM118 (HDF5)
        super().load_own_variables(own)
        for i, state in enumerate(self._states()):
            state.assign(store[f"state_{i}"])

    def _states(self):
        """Return the variables that are no weights: the states of seed generators."""
        weights = {id(weight) for weight in self.weights}
        return [variable for variable in self.variables if id(variable) not in weights]

    def get_config(self):
        """Return the constructor's arguments, nested models and layers serialized."""
        config = {name: keras.saving.serialize_keras_object(getattr(self, name)) for name in self._arguments()}
        return {"name": self.name, **config}

    @classmethod
    def from_config(cls, config):
        """Build the model from what `get_config` returned."""
        return cls(**{name: keras.saving.deserialize_keras_object(value) for name, value in config.items()})

    @classmethod
    def _arguments(cls) -> list[str]:
        parameters = inspect.signature(cls.__init__).parameters.values()
        return [p.name for p in parameters if p.name != "self" and p.kind is not p.VAR_KEYWORD]
