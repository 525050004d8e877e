"""GPT with the weights of a Hugging Face GPT-2 gives the logits that Hugging Face's own program gave."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from gencourse.language import GPT

FIXTURES = Path(__file__).parent / "fixtures"


@pytest.mark.parametrize("gelu", ["tanh", "exact"])
def test_logits_are_those_of_hugging_face(gelu):
    folder = FIXTURES / f"gpt2_{gelu}"
    with np.load(folder / "expected.npz") as expected:
        logits = np.array(GPT.from_pretrained(folder).logits(expected["ids"]))
        assert np.abs(expected["logits"]).max() > 1  # else agreement to 1e-4 says little
        np.testing.assert_allclose(logits, expected["logits"], atol=1e-4)


def test_the_two_gelus_differ():
    exact = GPT.from_pretrained(FIXTURES / "gpt2_exact").transformer
    with np.load(FIXTURES / "gpt2_exact" / "expected.npz") as expected:
        ids = expected["ids"]
    hidden = np.array(exact(ids))
    for block in exact.blocks:
        block.feed_forward.approximate = True
    assert np.abs(np.array(exact(ids)) - hidden).max() > 1e-4  # so the fixture tells one from the other


@pytest.mark.parametrize("missing", ["config.json", "model.safetensors"])
def test_a_missing_file_is_named(missing, tmp_path):
    shutil.copytree(FIXTURES / "gpt2_tanh", tmp_path, dirs_exist_ok=True)
    (tmp_path / missing).unlink()
    with pytest.raises(FileNotFoundError, match=f"no {missing}"):
        GPT.from_pretrained(tmp_path)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("model_type", "llama", "accepted is 'gpt2'"),
        ("activation_function", "relu", "accepted are gelu_new"),
        ("tie_word_embeddings", False, "tie_word_embeddings = False"),
    ],
)
def test_another_model_is_refused(name, value, message, tmp_path):
    shutil.copytree(FIXTURES / "gpt2_tanh", tmp_path, dirs_exist_ok=True)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**config, name: value}))
    with pytest.raises(ValueError, match=message):
        GPT.from_pretrained(tmp_path)


def test_damage_and_wrong_sizes_are_refused(tmp_path):
    shutil.copytree(FIXTURES / "gpt2_tanh", tmp_path, dirs_exist_ok=True)
    config = json.loads((tmp_path / "config.json").read_text())
    for layers, message in ((1, "does not tell of"), (3, "has no array")):
        (tmp_path / "config.json").write_text(json.dumps({**config, "n_layer": layers}))
        with pytest.raises(ValueError, match=message):
            GPT.from_pretrained(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"no tensors")
    with pytest.raises(ValueError, match="is damaged"):
        GPT.from_pretrained(tmp_path)
