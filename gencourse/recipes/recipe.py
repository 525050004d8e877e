"""What every long training shares: batches that depend on their position alone, resuming, and the card."""

import importlib
import itertools
import pkgutil
import platform
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gencourse import weights
from gencourse.course import accelerator, course_root


@dataclass(frozen=True)
class Recipe:
    """A training that can be killed at any moment, continued, and repeated.

    Attributes:
        name: what `gencourse train NAME` calls it, and the name of its weights.
        purpose: one sentence for the card.
        seed: of the weights, of the order of the data and of `prepare`, an int >= 0.
        epochs: the length of the whole training.
        batch_size: rows a step; the last batch of an epoch may be shorter.
        arrays: () → NumPy arrays of equal length, the training set.
        prepare: (rows of each array..., generator) → the tuple that `fit` takes, such as (x, y). All its randomness
            comes from the generator.
        build: () → the compiled model.
        measure: model → {metric: {"value": ..., "unit": ..., "protocol": ...}}.
    """

    name: str
    purpose: str
    seed: int
    epochs: int
    batch_size: int
    arrays: Callable[[], tuple[np.ndarray, ...]]
    prepare: Callable[..., tuple]
    build: Callable
    measure: Callable[..., dict[str, dict]]

    @property
    def folder(self) -> Path:
        """Where an unfinished training is kept: `.cache/NAME` of the repository."""
        return course_root() / ".cache" / self.name

    def run(self, fresh: bool = False):
        """Train, or continue an interrupted training, then measure the model and write its weights and card.

        Args:
            fresh: forget an interrupted training and start at its beginning.

        Returns:
            The trained model, its weights rounded to float16 as they are saved.

        Raises:
            KeyboardInterrupt: after Ctrl-C, having said how to go on.
        """
        import keras

        from gencourse.callbacks.checkpoint import Checkpoint

        if fresh:
            shutil.rmtree(self.folder, ignore_errors=True)
        checkpoint = Checkpoint(self.folder)
        if checkpoint.first_epoch:
            print(f"Resuming after {checkpoint.first_epoch} of {self.epochs} epochs.")
        keras.utils.set_random_seed(self.seed)
        arrays = self.arrays()
        model = self.build()
        try:
            model.fit(
                self.batches(arrays, checkpoint.first_epoch),
                steps_per_epoch=-(-len(arrays[0]) // self.batch_size),
                epochs=self.epochs,
                callbacks=[checkpoint],
                shuffle=False,
            )
        except KeyboardInterrupt:
            print(
                f"\nStopped; {checkpoint.first_epoch} of {self.epochs} epochs are kept. "
                f"`gencourse train {self.name}` continues there."
            )
            raise
        weights.round_to_float16(model)
        weights.save(model, self.name, self.card(seconds=checkpoint.seconds, metrics=self.measure(model)))
        shutil.rmtree(self.folder)
        return model

    def batches(self, arrays: tuple[np.ndarray, ...], first_epoch: int = 0) -> Iterator[tuple]:
        """Yield prepared batches without end, each a function of (seed, epoch, position) only.

        Args:
            arrays: what `self.arrays()` returns.
            first_epoch: where to start, counted from 0.
        """
        count = len(arrays[0])
        for epoch in itertools.count(first_epoch):
            order = np.random.default_rng((self.seed, epoch, 0)).permutation(count)
            for position in range(0, count, self.batch_size):
                rows = order[position : position + self.batch_size]
                generator = np.random.default_rng((self.seed, epoch, position + 1))
                yield self.prepare(*(array[rows] for array in arrays), generator)

    def card(self, seconds: float, metrics: dict[str, dict]) -> dict:
        """Return what there is to say about the trained weights: how, on what and how well.

        Args:
            seconds: the training's time over all its runs.
            metrics: what `measure` returned for the weights as they are saved.
        """
        import keras

        backend = importlib.import_module(keras.backend.backend())
        return {
            "recipe": self.name,
            "purpose": self.purpose,
            "seed": self.seed,
            "epochs": self.epochs,
            "batch_size": self.batch_size,
            "seconds": round(seconds),
            "machine": accelerator(),
            "versions": {
                "python": platform.python_version(),
                "keras": keras.__version__,
                "numpy": np.__version__,
                backend.__name__: backend.__version__,
            },
            "metrics": metrics,
        }


def names() -> list[str]:
    """Return the names of the course's recipes, without importing any of them."""
    modules = pkgutil.iter_modules([str(Path(__file__).parent)])
    return sorted(module.name for module in modules if module.name != "recipe")


def train(name: str, fresh: bool = False):
    """Run the recipe `name`, continuing where an interrupted run of it stopped; see `Recipe.run`.

    Raises:
        LookupError: there is no such recipe; the message lists those there are.
    """
    return _module(name).recipe.run(fresh)


def sample(name: str, n: int, seed: int):
    """Return n items drawn with a seed from the model whose weights the recipe `name` made.

    Raises:
        LookupError: there is no such recipe, or its model draws nothing.
        FileNotFoundError: its weights are not there.
    """
    _module(name)  # registers the model's class
    model = weights.load(name)
    if not hasattr(model, "sample"):
        raise LookupError(f"The model {name!r} cannot be sampled: {weights.card(name)['purpose']}")
    return model.sample(n, seed=seed)


def _module(name: str):
    if name not in names():
        raise LookupError(f"There is no recipe {name!r}. The course has: {', '.join(names())}.")
    return importlib.import_module(f"gencourse.recipes.{name}")
