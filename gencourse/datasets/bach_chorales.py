"""Bach chorales: four voices on a grid of sixteenth notes."""

from gencourse.datasets import source

VOICES = ("soprano", "alto", "tenor", "bass")
STEPS_PER_QUARTER = 4


def load(split="train", batch_size=None, shuffle_seed=None):
    """Load chorales as pitches and onsets, from which the notes can be restored.

    A note lasts from its onset to the next onset or rest of its voice. Chorales on one tune stand in the same split.

    Args:
        split: "train", "validation", "test", or a slice such as "train[:10]".
        batch_size: Items in a batch, at least 1; the shorter ones end in rests. None gives single items.
        shuffle_seed: Reshuffles at each epoch, in an order that the seed fixes; None keeps the stored order.

    Returns:
        A `tf.data.Dataset` of dicts: `pitch` (time, 4), int32, the MIDI pitch that sounds in each of `VOICES`, 0 in a
        rest; `onset` (time, 4), int32, 1 where a note starts, else 0; `bwv`, the number in Bach's works, and `key`,
        such as "f# minor", strings.

    Raises:
        ValueError: If there is no such split, or the batch size is below 1.
        OSError: If a data file is missing or damaged.
    """
    import tensorflow as tf

    def transform(chorale):
        return chorale | {key: tf.cast(chorale[key], tf.int32) for key in ("pitch", "onset")}

    return source.pipeline(source.read("bach_chorales", split), transform, batch_size, shuffle_seed)
