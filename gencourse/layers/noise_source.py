"""The randomness of a model: a generator that is saved with it."""

import keras
from keras import ops

from gencourse.guard import check_whole


@keras.saving.register_keras_serializable(package="gencourse")
class NoiseSource(keras.layers.Layer):
    """Standard normal noise, from a generator of its own whose state is saved, or from a seed.

    Args:
        seed: of the generator, an int >= 0; None takes one from Keras's global seed.
    """

    def __init__(self, seed: int | None = None, **kwargs):
        super().__init__(**kwargs)
        self.seed = seed
        self.generator = keras.random.SeedGenerator(seed)
        self.built = True

    def call(self, like):
        """Return noise ~ N(0, I) of the shape and type of the tensor `like`; each call draws anew."""
        return keras.random.normal(ops.shape(like), dtype=like.dtype, seed=self.generator)

    def uniform(self, like):
        """Return noise uniform in [0, 1) of the shape and type of the tensor `like`; each call draws anew."""
        return keras.random.uniform(ops.shape(like), dtype=like.dtype, seed=self.generator)

    def draw(self, shape: tuple[int, ...], seed: int | None = None):
        """Return float32 noise ~ N(0, I), eagerly.

        Args:
            shape: of the noise; its first size, the number of items, is at least 1.
            seed: an int >= 0, which always gives the same noise; None goes on with the generator.

        Raises:
            ValueError: the number of items or the seed is no such whole number.
        """
        check_whole(shape[0], "n", least=1)
        if seed is None:
            return keras.random.normal(shape, dtype="float32", seed=self.generator)
        check_whole(seed, "seed", least=0)
        return keras.random.normal(shape, dtype="float32", seed=int(seed))

    def save_own_variables(self, store):
        """Save the generator's state, which Keras leaves out."""
        store["seed_state"] = self.generator.state

    def load_own_variables(self, store):
        """Restore the generator's state."""
        self.generator.state.assign(store["seed_state"])

    def get_config(self):
        """Return the constructor's arguments."""
        return {**super().get_config(), "seed": self.seed}
