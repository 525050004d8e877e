"""Draw data/preview.png: a strip of each data set."""

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from gencourse.datasets import bach_chorales, emoji_pairs, fashion_mnist, mnist, shakespeare

COLUMNS, SIDE, GAP = 16, 56, 20
VOICE_COLOURS = ((0, 114, 178), (0, 158, 115), (230, 159, 0), (213, 94, 0))


def strip(images):
    """Return images (n, h, w, c) in [0, 1] side by side, as one RGB picture of n squares."""
    pictures = [np.broadcast_to(image, (*image.shape[:2], 3)) for image in images]
    picture = Image.fromarray(np.uint8(255 * np.concatenate(pictures, axis=1)))
    return picture.resize((len(images) * SIDE, SIDE), Image.Resampling.BOX)


def piano_roll(pitch, onset):
    """Return the notes of a chorale, pitch (time, 4), as bars: one colour a voice, a gap before each onset."""
    width, step = COLUMNS * SIDE, COLUMNS * SIDE // 128
    picture = Image.new("RGB", (width, 2 * SIDE), "white")
    draw = ImageDraw.Draw(picture)
    for time, voice in np.argwhere(pitch[:128] > 0):
        left, top = time * step + 2 * onset[time, voice], 2 * (84 - pitch[time, voice])
        draw.rectangle((left, top, (time + 1) * step - 1, top + 2), fill=VOICE_COLOURS[voice])
    return picture


def draw(path):
    """Draw and save the picture."""
    digits, clothes = (list(s.load("test[:16]", labels=False).as_numpy_iterator()) for s in (mnist, fashion_mnist))
    emoji = list(emoji_pairs.load(f"test[:{COLUMNS}]").as_numpy_iterator())
    chorale = next(iter(bach_chorales.load().as_numpy_iterator()))
    strips = {
        "mnist": strip(digits),
        "fashion_mnist": strip(clothes),
        "emoji_pairs: noto": strip([pair["noto"] for pair in emoji]),
        "emoji_pairs: twemoji": strip([pair["twemoji"] for pair in emoji]),
        "bach_chorales: BWV " + chorale["bwv"].decode(): piano_roll(chorale["pitch"], chorale["onset"]),
        "shakespeare": Image.new("RGB", (COLUMNS * SIDE, SIDE), "white"),
    }
    font = ImageFont.load_default(13)
    plays = shakespeare.text()
    lines = plays[plays.index("To be, or not to be") :].splitlines()[:3]
    ImageDraw.Draw(strips["shakespeare"]).text((4, 2), "\n".join(lines), "black", font)
    height = sum(picture.height + GAP for picture in strips.values())
    page = Image.new("RGB", (COLUMNS * SIDE, height), "white")
    top = 0
    for name, picture in strips.items():
        ImageDraw.Draw(page).text((0, top + 2), name, (90, 90, 90), font)
        page.paste(picture, (0, top + GAP))
        top += picture.height + GAP
    page.quantize(128).save(path, optimize=True)
