"""GPT-2's weights from a local Hugging Face checkpoint: which array is which."""

import json
from pathlib import Path

from gencourse.networks import Transformer

BUFFERS = (".attn.bias", ".attn.masked_bias", "lm_head.weight")  # masks, and the head that is the token embedding
GELUS = {"gelu_new": True, "gelu_pytorch_tanh": True, "gelu": False}  # whether approximate


def load_gpt2(folder: Path) -> Transformer:
    """Return a transformer with the weights of a GPT-2 that `save_pretrained` wrote; nothing is unpickled.

    Args:
        folder: with config.json and model.safetensors.

    Raises:
        FileNotFoundError: one of them is not there.
        ValueError: one of them is damaged, it is another model, or a variant that is not supported.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    for name in ("config.json", "model.safetensors"):
        if not (folder / name).is_file():
            raise FileNotFoundError(
                f"{folder} has no {name}: save a GPT-2 there by `model.save_pretrained(folder)` of Hugging Face "
                "Transformers (older files, pytorch_model.bin, are pickles and are not read)."
            )
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        arrays = load_file(folder / "model.safetensors")
    except (ValueError, SafetensorError) as error:
        raise ValueError(f"{folder} is damaged ({error}); accepted is what `save_pretrained` wrote.") from None
    arrays = {name.removeprefix("transformer."): array for name, array in arrays.items()}
    arrays = {name: array for name, array in arrays.items() if not name.endswith(BUFFERS)}
    transformer = Transformer(**_sizes(config))
    try:
        _assign(transformer, arrays)
    except KeyError as missing:
        raise ValueError(f"The checkpoint has no array {missing}; accepted is one of every layer it names.") from None
    if arrays:
        raise ValueError(f"The checkpoint has the arrays {sorted(arrays)[:3]} that its config.json does not tell of.")
    return transformer


def _sizes(config: dict) -> dict:
    """Return the constructor's arguments."""
    if config.get("model_type") != "gpt2":
        raise ValueError(f"The checkpoint is a {config.get('model_type')!r}; accepted is 'gpt2'.")
    gelu = config.get("activation_function", "gelu_new")
    if gelu not in GELUS:
        raise ValueError(f"The checkpoint's activation is {gelu!r}; accepted are {', '.join(GELUS)}.")
    others = {
        "scale_attn_weights": True,
        "scale_attn_by_inverse_layer_idx": False,
        "tie_word_embeddings": True,
        "layer_norm_epsilon": 1e-5,
    }
    for name, accepted in others.items():
        if config.get(name, accepted) != accepted:
            raise ValueError(f"The checkpoint has {name} = {config[name]}; accepted is {accepted}.")
    return {
        "vocabulary": config["vocab_size"],
        "context": config["n_positions"],
        "depth": config["n_layer"],
        "heads": config["n_head"],
        "width": config["n_embd"],
        "hidden": config.get("n_inner"),
        "approximate": GELUS[gelu],
    }


def _assign(transformer: Transformer, arrays: dict) -> None:
    """Give each weight its array, taken out of `arrays`; dense kernels are (inputs, outputs) in both."""

    def give(layer, name):
        layer.set_weights([arrays.pop(f"{name}.weight"), arrays.pop(f"{name}.bias")])

    transformer.token_embedding.set_weights([arrays.pop("wte.weight")])
    transformer.position_embedding.set_weights([arrays.pop("wpe.weight")])
    width = transformer.width
    for i, block in enumerate(transformer.blocks):
        give(block.attention_norm, f"h.{i}.ln_1")
        kernel, bias = (arrays.pop(f"h.{i}.attn.c_attn.{part}") for part in ("weight", "bias"))  # (w, 3 w), (3 w,)
        for j, layer in enumerate((block.attention.query, block.attention.key, block.attention.value)):
            part = slice(j * width, (j + 1) * width)
            layer.set_weights([kernel[:, part], bias[part]])
        give(block.attention.output_projection, f"h.{i}.attn.c_proj")
        give(block.feed_forward_norm, f"h.{i}.ln_2")
        give(block.feed_forward.widen, f"h.{i}.mlp.c_fc")
        give(block.feed_forward.narrow, f"h.{i}.mlp.c_proj")
    give(transformer.last_norm, "ln_f")
