"""Emoji pairs: each emoji in Noto's and in Twemoji's drawing, with its name, keywords and category."""

import hashlib
import json
import re
from itertools import groupby

import tensorflow_datasets as tfds

from tools.data import sources

NOTO = ("emoji-datasource-google", "16.0.0", "fb5fd131b362aab7a55542d2a147a79708cce0a8b1c1bbacd470172708b5c438")
TWEMOJI = ("emoji-datasource-twitter", "16.0.0", "f64a530c63bca463bd8317fdc4615ce63a53a0c65018e4ce2d848aaba7a28877")
NAMES = ("emojibase-data", "17.0.0", "d01d0e2ca4e22cb402679532155342c71e2e871f25c32223c013b8b166ebdf5a")
TEST_SIZE = 175
CATEGORIES = [
    "Smileys & Emotion", "People & Body", "Animals & Nature", "Food & Drink",
    "Travel & Places", "Activities", "Objects", "Symbols", "Flags",
]  # fmt: skip

# Words that tell variants of one concept apart: "woman cook" and "man cook", "red heart" and "blue heart".
SAME_PERSON = {"prince": "person with crown", "princess": "person with crown", "merman": "merperson"}
SAME_PERSON |= {"mermaid": "merperson", "Santa Claus": "Claus", "Mrs. Claus": "Claus", "Mx Claus": "Claus"}
SAME_PERSON |= {"old man": "older person", "old woman": "older person", "ballet dancer": "person dancing"}
SAME_PERSON |= {"woman with headscarf": "person with skullcap", "breast-feeding": "person feeding baby"}
SAME_PERSON |= {"boy": "child", "girl": "child", "woman and man holding hands": "people holding hands"}
SAME_PERSON |= {"rightwards pushing hand": "pushing hand", "leftwards pushing hand": "pushing hand"}
SAME_PERSON |= {"men’s room": "room", "women’s room": "room"}
PERSON = re.compile(r"^(person|man|men|woman|women|people)\b:? ?|\b(man|woman|person)$")
COLOUR = re.compile(r"\b(red|pink|orange|yellow|green|light blue|blue|purple|brown|black|grey|white)\b")
SIZE = re.compile(r"\b(large|medium-small|medium|small)\b")
CLOCK = re.compile(r"(o’clock|-thirty)$")


def concept(name):
    """Return what all the variants of an emoji share: its name without person, colour, size, time and direction."""
    name = SAME_PERSON.get(name, name)
    if CLOCK.search(name):
        return "clock"
    if re.match(r"(keycap|kiss|couple with heart|family)\b: ", name):
        return name.split(":")[0]
    name = name.removesuffix(": facing right")
    name = SIZE.sub("", COLOUR.sub("", PERSON.sub("", name)))
    return " ".join(name.split()) or "person"


def code(unified):
    """Return a code-point sequence without the selector that asks for the coloured form."""
    return unified.replace("-FE0F", "")


def examples(cache):
    """Return every emoji of the three packages, without skin tones, in the order of Unicode's list."""
    noto, twemoji, names = (sources.npm(*package, cache) for package in (NOTO, TWEMOJI, NAMES))
    labels = {code(entry["hexcode"]): entry for entry in json.loads((names / "en/data.json").read_text("utf-8"))}
    found = []
    for entry in json.loads((noto / "emoji.json").read_text("utf-8")):
        if entry["category"] == "Component":  # bare skin tones
            continue
        label = labels[code(entry["unified"])]
        found.append(
            {
                "code": entry["unified"],
                "noto": noto / "img/google/64" / entry["image"],
                "twemoji": twemoji / "img/twitter/64" / entry["image"],
                "name": label["label"],
                "keywords": ", ".join(label["tags"]),
                "category": entry["category"],
                "order": entry["sort_order"],
            }
        )
    found.sort(key=lambda example: example.pop("order"))
    return found


def split(found):
    """Return {split: examples}: flags apart, then whole concepts to the test split in the order of their hash."""

    def rank(example):
        return hashlib.sha256(concept(example["name"]).encode()).hexdigest()

    splits = {"train": [], "test": [], "flags": [e for e in found if e["category"] == "Flags"]}
    others = sorted((e for e in found if e["category"] != "Flags"), key=rank)
    for _, variants in groupby(others, key=rank):
        variants = list(variants)
        fits = len(splits["test"]) + len(variants) <= TEST_SIZE
        splits["test" if fits and len(splits["test"]) < TEST_SIZE else "train"] += variants
    return splits


class EmojiPairs(tfds.core.GeneratorBasedBuilder):
    """The TFDS builder; the pictures are stored as the PNG files they come as."""

    VERSION = tfds.core.Version("1.0.0")
    downloads = None  # a folder, set by build()

    def _info(self):
        picture = tfds.features.Image(shape=(64, 64, 4), doc="RGBA")
        text, category = tfds.features.Text(), tfds.features.ClassLabel(names=CATEGORIES)
        features = {"noto": picture, "twemoji": picture, "code": text, "name": text, "keywords": text}
        return self.dataset_info_from_configs(
            features=tfds.features.FeaturesDict(features | {"category": category}),
            description="Each emoji in the drawings of Noto Emoji and of Twemoji. Licences: see data/README.md.",
        )

    def _split_generators(self, dl_manager):
        splits = split(examples(self.downloads))
        return {name: self._generate_examples(found) for name, found in splits.items()}

    def _generate_examples(self, found):
        for example in found:
            yield example["code"], example | {key: str(example[key]) for key in ("noto", "twemoji")}


def build(target, cache):
    """Prepare emoji_pairs in target from three npm packages."""
    builder = EmojiPairs(data_dir=target)
    builder.downloads = cache
    builder.download_and_prepare(file_format="tfrecord")
