"""Exact resume: every variable of a training, written after each epoch and read back by the next run."""

import time
from pathlib import Path

import keras
import numpy as np

KEPT = 2  # the newest saves; the older one is there in case a power cut damages the newer


class Checkpoint(keras.callbacks.Callback):
    """Save a training after each epoch, and resume it from the newest save as if it had never stopped.

    A save is one file, `epoch-0007.npz` after seven epochs, and holds every variable of the model (weights, running
    statistics, the seeds of its random layers) and of its optimizers (moments, iterations, learning rate). It is
    written under another name and renamed when complete, so a kill at any moment leaves the previous one whole.

    A resumed run ends bit for bit where an uninterrupted one does if its batches are a function of (epoch, position):
    feed `fit` the batches from `first_epoch` on. Put this callback last, after those that change the model or a rate.

    Args:
        folder: where the saves live; made when missing.
    """

    def __init__(self, folder: str | Path):
        super().__init__()
        self.folder = Path(folder)
        self.seconds = 0.0

    @property
    def first_epoch(self) -> int:
        """The epoch a run starts with: the number of epochs already saved."""
        saves = self._saves()
        return int(saves[-1].stem.removeprefix("epoch-")) if saves else 0

    def on_train_begin(self, logs=None):
        """Load the newest save and make `fit` start at its epoch."""
        if saves := self._saves():
            self._load(saves[-1])
            self.model._initial_epoch = self.first_epoch
        self._began = time.perf_counter() - self.seconds

    def on_epoch_begin(self, epoch, logs=None):
        """Forget the first epoch: `fit` has read it, and the model's next `fit` starts at 0 again."""
        self.model._initial_epoch = None

    def on_epoch_end(self, epoch, logs=None):
        """Save everything, then delete all but the newest saves."""
        self.seconds = time.perf_counter() - self._began
        state = training_state(self.model)
        values = {key: keras.ops.convert_to_numpy(variable.value) for key, variable in state.items()}
        self.folder.mkdir(parents=True, exist_ok=True)
        temporary = self.folder / "unfinished.npz"
        np.savez(temporary, seconds=self.seconds, **values)
        temporary.replace(self.folder / f"epoch-{epoch + 1:04d}.npz")
        for old in self._saves()[:-KEPT]:
            old.unlink()

    def on_train_end(self, logs=None):
        """Forget the first epoch also where no epoch was left to run."""
        self.model._initial_epoch = None

    def _saves(self) -> list[Path]:
        return sorted(self.folder.glob("epoch-*.npz"))

    def _load(self, path: Path) -> None:
        state = training_state(self.model)
        try:
            with np.load(path, allow_pickle=False) as file:
                values = dict(file)
        except (OSError, ValueError, EOFError) as error:
            raise ValueError(
                f"{path} is damaged ({error}). Delete it: the run then resumes one epoch earlier."
            ) from None
        self.seconds = float(values.pop("seconds"))
        if {key: value.shape for key, value in values.items()} != {key: tuple(v.shape) for key, v in state.items()}:
            raise ValueError(f"{path} was saved by another model or optimizer. Delete the folder to start afresh.")
        for key, variable in state.items():
            variable.assign(values[key])


def training_state(model: keras.Model) -> dict[str, keras.Variable]:
    """Return every variable that decides how a training goes on, the model's own and its optimizers'.

    Args:
        model: built and compiled; `model.optimizer` is built here if need be, others (`model.d_optimizer`) must be.

    Returns:
        `{"model/0": ..., "optimizer/0": ...}`. Keys are positions: automatic layer names change from one build to the
        next.

    Raises:
        ValueError: the model or one of its further optimizers has no variables yet.
    """
    if not model.built:
        raise ValueError("The model has no weights yet: build it, or call it on one batch, before it is saved.")
    if model.optimizer is not None and not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)
    owners = {"model": model}
    for name, value in sorted(vars(model).items()):
        if isinstance(value, keras.optimizers.Optimizer):
            if not value.built:
                raise ValueError(f"model.{name} has no variables yet: build it in the model's compile().")
            owners[name] = value
    return {f"{name}/{i}": variable for name, owner in owners.items() for i, variable in enumerate(owner.variables)}
