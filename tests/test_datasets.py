"""The loaders: shapes, ranges, counts, splits, and what they refuse."""

import numpy as np
import pytest

from gencourse.datasets import bach_chorales, emoji_pairs, fashion_mnist, mnist, shakespeare, source
from tools.data.bach_chorales import opening
from tools.data.emoji_pairs import concept

MNIST_TRAIN_COUNTS = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
MNIST_TEST_COUNTS = [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
LOADERS = (mnist, fashion_mnist, emoji_pairs, bach_chorales, shakespeare)


def labels_of(data):
    return np.concatenate([labels for _, labels in data.as_numpy_iterator()])


@pytest.mark.parametrize(("split", "counts"), [("train", MNIST_TRAIN_COUNTS), ("test", MNIST_TEST_COUNTS)])
def test_mnist_has_the_known_number_of_each_digit(split, counts):
    labels = labels_of(mnist.load(split, batch_size=1000))
    assert labels.dtype == np.int32
    assert np.bincount(labels).tolist() == counts


def test_fashion_mnist_is_the_stated_subset():
    assert len(fashion_mnist.load("train")) == 12_000
    counts = np.bincount(labels_of(fashion_mnist.load("test", batch_size=500)))
    assert counts.sum() == 2_000
    # 2,000 drawn from 10,000 with 1,000 a class: hypergeometric, standard deviation 12; five of them either way
    assert len(counts) == len(fashion_mnist.CLASSES)
    assert abs(counts - 200).max() < 60


@pytest.mark.parametrize("module", [mnist, fashion_mnist])
def test_images_are_float32_in_the_unit_interval(module):
    images = next(module.load("train[:256]", batch_size=256, labels=False).as_numpy_iterator())
    assert images.shape == (256, 28, 28, 1)
    assert images.dtype == np.float32
    assert images.min() == 0
    assert images.max() == 1
    np.testing.assert_allclose(images * 255, np.round(images * 255), atol=1e-4)


def images_of(data):
    return np.concatenate([batch.numpy() for batch in data])


def test_binary_test_digits_are_one_draw_whose_beginning_is_the_beginning():
    many, few = (images_of(mnist.load_binary(f"test[:{n}]", batch_size=64)) for n in (200, 50))
    assert set(np.unique(many)) == {0, 1}
    np.testing.assert_array_equal(many[:50], few)
    grey, _ = mnist.load_arrays("test[:200]")
    np.testing.assert_array_equal(many[(grey == 0) | (grey == 1)], grey[(grey == 0) | (grey == 1)])
    error = np.sqrt((grey * (1 - grey)).sum())  # the deviation of the number of ones
    assert abs(many.sum() - grey.sum()) < 5 * error


def test_binary_training_digits_are_drawn_anew_each_epoch_and_repeat_with_the_seed():
    def epochs(seed):
        data = mnist.load_binary("train[:64]", batch_size=64, shuffle_seed=seed)
        return [images_of(data) for _ in range(2)]

    one, again, other = epochs(0), epochs(0), epochs(1)
    np.testing.assert_array_equal(one, again)
    assert not np.array_equal(one, other)
    grey, _ = mnist.load_arrays("train[:64]")
    first, second = (np.sort(images.reshape(64, -1).sum(axis=1)) for images in one)
    assert not np.array_equal(first, second), "the order alone changes, the draws do not"
    assert abs(one[0].sum() - grey.sum()) < 5 * np.sqrt((grey * (1 - grey)).sum())


def test_items_come_singly_without_a_batch_size():
    image, label = next(iter(mnist.load("test[:1]")))
    assert image.shape == (28, 28, 1)
    assert label.shape == ()


def test_the_last_batch_is_short_and_nothing_is_lost():
    sizes = [len(batch) for batch in mnist.load("test[:10]", batch_size=4, labels=False)]
    assert sizes == [4, 4, 2]


def test_shuffling_changes_each_epoch_and_repeats_with_the_seed():
    def epochs(seed):
        data = mnist.load("test[:100]", batch_size=100, shuffle_seed=seed)
        return [labels_of(data).tolist() for _ in range(2)]

    stored = labels_of(mnist.load("test[:100]", batch_size=100)).tolist()
    first, second = epochs(0)
    assert sorted(first) == sorted(second) == sorted(stored)
    assert len({tuple(order) for order in (stored, first, second)}) == 3  # by chance: about 1 in 100!
    assert epochs(0) == [first, second]
    assert epochs(1) != [first, second]


def test_slices_join_up():
    whole, low, high = (labels_of(mnist.load(f"test[{part}]", 50)) for part in (":200", ":100", "100:200"))
    np.testing.assert_array_equal(whole, np.concatenate([low, high]))


def emoji_of(split):
    return list(emoji_pairs.load(split).as_numpy_iterator())


def test_emoji_pairs_have_two_styles_and_their_words():
    splits = {split: emoji_of(split) for split in ("train", "test", "flags")}
    assert {split: len(found) for split, found in splits.items()} == {"train": 1461, "test": 175, "flags": 270}
    for emoji in splits["test"]:
        for style in ("noto", "twemoji"):
            assert emoji[style].shape == (64, 64, 3)
            assert emoji[style].dtype == np.float32
            assert 0 <= emoji[style].min() < emoji[style].max() <= 1
        assert not np.allclose(emoji["noto"], emoji["twemoji"], atol=0.1)
        assert emoji["name"]
        assert emoji["keywords"]
        assert 0 <= emoji["category"] < len(emoji_pairs.CATEGORIES)
    assert {emoji_pairs.CATEGORIES[emoji["category"]] for emoji in splits["flags"]} == {"Flags"}


def test_emoji_lie_on_white():
    circle = next(emoji for emoji in emoji_of("train") if emoji["name"] == b"red circle")
    for style in ("noto", "twemoji"):
        np.testing.assert_array_equal(circle[style][0, 0], 1)  # the corner is clear
        red, green, blue = circle[style][32, 32]
        assert red > 0.7 > 0.4 > max(green, blue)


def test_variants_of_a_concept_share_a_split():
    train, test = ({concept(emoji["name"].decode()) for emoji in emoji_of(split)} for split in ("train", "test"))
    assert not train & test
    assert concept("woman cook") == concept("man cook") == concept("cook") != concept("judge")


def chorales_of(split):
    return list(bach_chorales.load(split).as_numpy_iterator())


def test_chorales_are_four_voices_that_start_their_notes():
    for chorale in chorales_of("train") + chorales_of("validation") + chorales_of("test"):
        pitch, onset = chorale["pitch"], chorale["onset"]
        assert pitch.shape == onset.shape == (len(pitch), len(bach_chorales.VOICES))
        assert pitch.dtype == onset.dtype == np.int32
        assert set(np.unique(onset)) == {0, 1}
        assert (pitch[onset == 1] > 0).all()
        before = np.vstack([np.zeros((1, 4), int), pitch[:-1]])
        assert (onset[(pitch != before) & (pitch > 0)] == 1).all()  # a new pitch without an onset cannot be restored
        assert pitch[pitch > 0].min() >= 36  # the bass's low C
        assert pitch.max() <= 84
        assert chorale["key"].decode().split()[1] in ("major", "minor")


def test_a_chorale_known_by_heart():
    """BWV 66.6, in F sharp minor, begins on C sharp, an eighth, then B."""
    chorale = next(chorale for chorale in chorales_of("train") if chorale["bwv"] == b"66.6")
    assert chorale["key"] == b"f# minor"
    soprano, starts = chorale["pitch"][:, 0], chorale["onset"][:, 0]
    assert soprano[:4].tolist() == [73, 73, 71, 71]
    assert starts[:4].tolist() == [1, 0, 1, 0]


def test_a_tune_stands_in_one_split():
    splits = [chorales_of(split) for split in ("train", "validation", "test")]
    tunes = [{opening(chorale["pitch"], chorale["onset"] == 1) for chorale in found} for found in splits]
    assert sum(map(len, tunes)) == len(set.union(*tunes))
    assert [len(found) for found in splits] == [32, 5, 5]


def test_shorter_chorales_end_in_rests():
    batch = next(bach_chorales.load("test", batch_size=5).as_numpy_iterator())
    lengths = [len(chorale["pitch"]) for chorale in chorales_of("test")]
    assert batch["pitch"].shape == (5, max(lengths), 4)
    for pitch, length in zip(batch["pitch"], lengths, strict=True):
        assert pitch[:length].any()
        assert not pitch[length:].any()


def test_the_plays_are_whole_and_apart():
    texts = {split: shakespeare.text(split) for split in ("train", "validation", "test")}
    assert sum(map(len, texts.values())) == 1_127_796
    assert set("".join(texts.values())) == set(shakespeare.CHARACTERS)
    assert "To be, or not to be: that is the question" in texts["train"]
    assert "We are such stuff" in texts["validation"]
    assert "All the world's a stage" in texts["test"]
    speeches = [{speech for speech in text.split("\n\n") if len(speech) > 100} for text in texts.values()]
    assert len(set.union(*speeches)) == sum(map(len, speeches))


def test_text_windows_follow_one_another():
    start = shakespeare.text("test")[: 3 * 20]
    windows = list(shakespeare.load("test", context=20).take(3).as_numpy_iterator())
    assert [window.dtype for window in windows] == [np.int32] * 3
    assert "".join(shakespeare.decode(window) for window in windows) == start
    assert next(iter(shakespeare.load("test", context=20, batch_size=7))).shape == (7, 20)


def test_characters_are_refused_outside_of_the_plays():
    assert shakespeare.decode(shakespeare.encode("Who's there?\n")) == "Who's there?\n"
    with pytest.raises(ValueError, match="'7' is not in the plays"):
        shakespeare.encode("Sonnet 7")
    with pytest.raises(ValueError, match="ids run from 0 to 63: use 0 to 62"):
        shakespeare.decode([0, 63])


@pytest.mark.parametrize("context", [0, 10**9])
def test_an_impossible_context_is_refused(context):
    with pytest.raises(ValueError, match=r"context is \d+: use 1 to 118"):
        shakespeare.load("test", context=context)


@pytest.mark.parametrize("module", LOADERS)
@pytest.mark.parametrize("split", ["valid", "train[:10000000]", "train[3:3]", "train[", ""])
def test_a_wrong_split_is_refused(module, split):
    with pytest.raises(ValueError, match=r"has no examples in split .*: use train.* or \w+, or a slice"):
        module.load(split)


@pytest.mark.parametrize("module", LOADERS)
def test_a_batch_size_below_one_is_refused(module):
    with pytest.raises(ValueError, match="batch_size is 0: use 1 or more"):
        module.load(batch_size=0)


def test_sets_are_read_by_plain_tfds():
    import tensorflow_datasets as tfds

    for module in LOADERS:
        name = module.__name__.rsplit(".", 1)[1]
        assert tfds.load(name, data_dir=source.folder(), download=False, split="train[:1]").cardinality() == 1
