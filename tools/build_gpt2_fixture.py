"""Build tests/fixtures/gpt2_*: tiny GPT-2 checkpoints of Hugging Face Transformers, and the logits they give there.

It needs PyTorch and Transformers, which the course does not. In an environment of its own, from the repository's root:

    uv venv .cache/gpt2 --python 3.11
    uv pip install --python .cache/gpt2 torch==2.13.0 transformers==5.23.0
    .cache/gpt2/bin/python tools/build_gpt2_fixture.py

Each folder holds config.json and model.safetensors, as `save_pretrained` writes them (float32, the head tied to the
token embedding), and expected.npz: `ids` (3, 12), int32, and `logits` (3, 12, 41), which Transformers computes from
these weights in float64, in evaluation mode, and which are kept as float32.
"""

import sys
from pathlib import Path

import numpy as np

FIXTURES = Path(__file__).resolve().parents[1] / "tests" / "fixtures"
ACTIVATIONS = {"gpt2_tanh": "gelu_new", "gpt2_exact": "gelu"}  # folder: GPT2Config's activation_function
SEED = 0
SPREAD = 0.2  # standard deviation of the weights; at GPT-2's own 0.02 all logits would be nearly alike


def random_gpt2(activation):
    """Return a GPT-2 whose biases and norms are random too: those it begins with, 0 and 1, would hide mistakes."""
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(SEED)
    config = GPT2Config(
        vocab_size=41, n_positions=16, n_embd=16, n_layer=2, n_head=4, activation_function=activation,
        initializer_range=SPREAD, bos_token_id=0, eos_token_id=0,
    )  # fmt: skip
    model = GPT2LMHeadModel(config).eval()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if name.endswith(".bias") or ".ln_" in name:
                weight += SPREAD * torch.randn_like(weight)
    return model


def build(folder, activation):
    """Write one checkpoint with its ids and logits."""
    import torch

    model = random_gpt2(activation)
    model.save_pretrained(folder)
    (folder / "generation_config.json").unlink()
    ids = torch.randint(model.config.vocab_size, (3, 12))
    with torch.no_grad():
        logits = model.double()(ids).logits
    np.savez_compressed(folder / "expected.npz", ids=ids.int().numpy(), logits=logits.float().numpy())


def main():
    try:
        import torch  # noqa: F401
        import transformers  # noqa: F401
    except ModuleNotFoundError as error:
        sys.exit(f"build_gpt2_fixture: {error.name} is missing; the file's first lines say how to install it apart.")
    for name, activation in ACTIVATIONS.items():
        build(FIXTURES / name, activation)
        print(f"{name}: built")


if __name__ == "__main__":
    main()
