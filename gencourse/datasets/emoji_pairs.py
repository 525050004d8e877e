"""Emoji pairs: 1,906 emoji, each in the drawing styles of Noto Emoji and of Twemoji, with names and keywords."""

from gencourse.datasets import source

CATEGORIES = (
    "Smileys & Emotion", "People & Body", "Animals & Nature", "Food & Drink",
    "Travel & Places", "Activities", "Objects", "Symbols", "Flags",
)  # fmt: skip


def load(split="train", batch_size=None, shuffle_seed=None):
    """Load emoji in two styles, laid on white.

    Variants of one concept (a man and a woman cooking, the coloured hearts) stand in the same split.

    Args:
        split: "train", "test", "flags" (which are in neither of the two), or a slice such as "train[:500]".
        batch_size: Items in a batch, at least 1; None gives single items.
        shuffle_seed: Reshuffles at each epoch, in an order that the seed fixes; None keeps the stored order.

    Returns:
        A `tf.data.Dataset` of dicts: `noto` and `twemoji`, images (64, 64, 3), float32 in [0, 1]; `name` and
        `keywords`, strings, the latter separated by ", "; `category`, int32, a position in `CATEGORIES`.

    Raises:
        ValueError: If there is no such split, or the batch size is below 1.
        OSError: If a data file is missing or damaged.
    """
    import tensorflow as tf

    def on_white(rgba):
        rgba = tf.cast(rgba, tf.float32) / 255
        colour, alpha = rgba[..., :3], rgba[..., 3:]
        return alpha * colour + (1 - alpha)

    def transform(emoji):
        return {
            "noto": on_white(emoji["noto"]),
            "twemoji": on_white(emoji["twemoji"]),
            "name": emoji["name"],
            "keywords": emoji["keywords"],
            "category": tf.cast(emoji["category"], tf.int32),
        }

    return source.pipeline(source.read("emoji_pairs", split), transform, batch_size, shuffle_seed)
