"""Bach chorales: the four voices on a grid of sixteenth notes, from the corpus of music21.

Most encodings of that corpus carry a copyright line, with no licence to pass them on; only those without any are used.
"""

import hashlib
import re
import zipfile
from pathlib import Path

import numpy as np
import tensorflow_datasets as tfds

VERSION = "10.5.1"  # of music21
# of the names and contents of the files in corpus/bach
CORPUS_SHA256 = "7af09fc0d44723d07c438031936d74da8003e65f814163f41f4fb8ecf23a4db7"
CLAIM = re.compile("©|copyright|permission|licen[cs]e|rights|greentree", re.IGNORECASE)
VOICES = ("Soprano", "Alto", "Tenor", "Bass")
STEPS = 4  # a quarter note
OPENING = 8  # soprano notes that tell a tune
HELD_OUT = {"validation": 5, "test": 5}


def scores():
    """Yield (name, path) for each score in the corpus without a claim of rights."""
    try:
        import music21
    except ImportError:
        raise OSError(f"the chorales come from the Python package music21 {VERSION}, which is not installed") from None
    folder = Path(music21.__file__).parent / "corpus/bach"
    paths = sorted(folder.glob("bwv*.mxl"))
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.name.encode() + path.read_bytes())
    if digest.hexdigest() != CORPUS_SHA256:
        raise OSError(f"the chorales of music21 {music21.__version__} are not those of {VERSION}: install that version")
    for path in paths:
        with zipfile.ZipFile(path) as packed:
            content = b"".join(packed.read(member) for member in packed.namelist())
        if not CLAIM.search(content.decode("utf-8", "replace")):
            yield path.stem, path


def grid(score):
    """Return pitch and onset of the four voices, each (time, 4), or None where that is not what the score holds."""
    parts = {(part.partName or "").split("\r")[0].split("\n")[0]: part for part in score.parts}
    if not set(VOICES) <= set(parts):
        return None
    steps = round(float(score.highestTime) * STEPS)
    pitch, onset = np.zeros((steps, 4), "uint8"), np.zeros((steps, 4), bool)
    for voice, name in enumerate(VOICES):
        for note in parts[name].stripTies().flatten().notes:
            start, end = (float(time) * STEPS for time in (note.offset, note.offset + note.quarterLength))
            if note.isChord or start != int(start) or end != int(end):  # two notes a voice, or off the grid
                return None
            pitch[int(start) : int(end), voice] = note.pitch.midi
            onset[int(start), voice] = True
    return pitch, onset


def opening(pitch, onset):
    """Return the first intervals of the soprano, which are the same for a tune in any key."""
    soprano = pitch[onset[:, 0], 0][: OPENING + 1].astype(int)
    return tuple(np.diff(soprano).tolist())


def chorales():
    """Return the usable chorales, each once, as a list of examples with their tune."""
    from music21 import converter

    found, seen = [], set()
    for name, path in scores():
        score = converter.parse(path, forceSource=True)
        voices = grid(score)
        if voices is None or voices[0].tobytes() in seen:  # some stand in the corpus with and without instruments
            continue
        seen.add(voices[0].tobytes())
        key = str(score.recurse().getElementsByClass("KeySignature").first()).replace("-", "b")
        bwv = re.match(r"bwv(\d+(\.\d+)?)", name)[1]
        found.append({"name": name, "bwv": bwv, "key": key, "pitch": voices[0], "onset": voices[1]})
    return found


def split(found):
    """Return {split: chorales}: whole tunes, held out in the order of their hash."""
    tunes = {}
    for chorale in found:
        tunes.setdefault(opening(chorale["pitch"], chorale["onset"]), []).append(chorale)
    ranked = sorted(tunes, key=lambda tune: hashlib.sha256(repr(tune).encode()).hexdigest())
    splits = {"train": [], "validation": [], "test": []}
    for tune in ranked:
        name = next((s for s, size in HELD_OUT.items() if len(splits[s]) + len(tunes[tune]) <= size), "train")
        splits[name] += tunes[tune]
    return splits


class BachChorales(tfds.core.GeneratorBasedBuilder):
    """The TFDS builder."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        text = tfds.features.Text()
        features = {
            "pitch": tfds.features.Tensor(shape=(None, 4), dtype=np.uint8, doc="MIDI pitch, 0 for a rest"),
            "onset": tfds.features.Tensor(shape=(None, 4), dtype=np.bool_, doc="whether a note starts here"),
            "bwv": text,
            "key": text,
        }
        return self.dataset_info_from_configs(
            features=tfds.features.FeaturesDict(features),
            description="Bach chorales on a grid of sixteenth notes; soprano, alto, tenor, bass.",
        )

    def _split_generators(self, dl_manager):
        return {name: self._generate_examples(found) for name, found in split(chorales()).items()}

    def _generate_examples(self, found):
        for chorale in found:
            yield chorale["name"], {key: value for key, value in chorale.items() if key != "name"}


def build(target, cache):
    """Prepare bach_chorales in target from the Python package music21."""
    BachChorales(data_dir=target).download_and_prepare(file_format="tfrecord")
