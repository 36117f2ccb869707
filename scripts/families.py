#!/usr/bin/env python3
"""Tiny random models of the families that are read, and what transformers computes with them.

  usage: families.py make OUT [--seed N] [--width C]     with transformers 4: models, and their numbers
         families.py again OUT                           with transformers 5: the same models, as it saves them
         families.py check OUT TRAINED                   models that FamiliesTest trained and saved, in transformers
         families.py rope OUT.json                       cosines and sines of all kinds of rotary embeddings

Of each family OUT has FAMILY/v4 and FAMILY/v5, model folders as the two versions save them, and reference.json:
of some sequences the logits of the last place and the greedy continuation, in float32; then the losses and gradient
norms of two steps of AdamW and the logits after them. src/test/resources/families was made by the defaults.
Weights are rounded to bfloat16, so that folders are small and no reader rounds them again.
"""
import argparse
import json
import pathlib

import torch
import transformers
from safetensors.torch import load_file
from transformers import AutoConfig, AutoModelForCausalLM

V, F, L, HEADS, KV_HEADS, HEAD, POSITIONS = 131, 44, 4, 4, 2, 6, 256
LENGTHS, NEW, STEPS = [23, 5, 40], 12, 2
# eps: far above the noise of gradients that are nearly zero, as of the biases of keys.
SETTINGS = dict(lr=1e-2, beta1=0.9, beta2=0.95, eps=1e-5, weight_decay=0.1, clip=1.0)

# What is particular to each. Windows are shorter than the sequences; heads are none of C / NH channels.
FAMILIES = dict(
    llama=dict(
        head_dim=HEAD, rope_theta=500000.0, tie_word_embeddings=False,
        rope_scaling=dict(rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
                          original_max_position_embeddings=32)),
    mistral=dict(head_dim=HEAD, sliding_window=7, rope_theta=1000000.0, tie_word_embeddings=False),
    qwen2=dict(
        use_sliding_window=True, sliding_window=5, max_window_layers=2, tie_word_embeddings=True, rope_theta=1000000.0,
        rope_scaling=dict(rope_type="yarn", factor=4.0, original_max_position_embeddings=64)),
    qwen3=dict(
        head_dim=HEAD, use_sliding_window=True, sliding_window=9, tie_word_embeddings=False, rope_theta=1000000.0,
        layer_types=["sliding_attention", "full_attention", "full_attention", "sliding_attention"],
        rope_scaling=dict(rope_type="linear", factor=2.0)),
    smollm3=dict(use_sliding_window=True, sliding_window=6, no_rope_layer_interval=2, rope_theta=5000000.0),
)


def random_model(family, width, seed):
    config = AutoConfig.for_model(
        family, vocab_size=V, hidden_size=width, intermediate_size=F, num_hidden_layers=L, num_attention_heads=HEADS,
        num_key_value_heads=KV_HEADS, max_position_embeddings=POSITIONS, rms_norm_eps=1e-5, bos_token_id=1,
        eos_token_id=2, pad_token_id=0, **FAMILIES[family])
    torch.manual_seed(seed)
    model = AutoModelForCausalLM.from_config(config)
    with torch.no_grad():
        for p in model.parameters():
            # Larger than an initialisation: attention is far from uniform, and no term vanishes.
            p.add_(torch.randn_like(p) * (0.1 if p.dim() == 1 else 0.2))
    return model.to(torch.bfloat16)


def load(folder):
    model = AutoModelForCausalLM.from_pretrained(folder, torch_dtype=torch.float32, attn_implementation="eager")
    model.get_input_embeddings().padding_idx = None  # else the pad token's row has no gradient, wherever it stands
    return model


def sequences():
    return [[3 + 7919 * (31 * s + i) % (V - 3) for i in range(n)] for s, n in enumerate(LENGTHS)]


def logits(model):
    """Of the last place of each sequence."""
    with torch.no_grad():
        return [model(torch.tensor([s])).logits[0, -1].tolist() for s in sequences()]


def greedy(model):
    """By whole passes: no cache takes part."""
    answers = []
    for sequence in sequences():
        tokens = list(sequence)
        with torch.no_grad():
            for _ in range(NEW):
                tokens.append(int(model(torch.tensor([tokens])).logits[0, -1].argmax()))
        answers.append(tokens[len(sequence):])
    return answers


def train(model):
    """Two steps on all sequences, whose first third is a prompt; the loss is the mean over all targets."""
    model.train()
    tokens, answers = sequences(), [n // 3 for n in LENGTHS]
    decays = [p for p in model.parameters() if p.dim() > 1]
    others = [p for p in model.parameters() if p.dim() == 1]
    optimizer = torch.optim.AdamW(
        [dict(params=decays, weight_decay=SETTINGS["weight_decay"]), dict(params=others, weight_decay=0.0)],
        lr=SETTINGS["lr"], betas=(SETTINGS["beta1"], SETTINGS["beta2"]), eps=SETTINGS["eps"])
    targets = sum(n - a for n, a in zip(LENGTHS, answers))
    steps = []
    for _ in range(STEPS):
        optimizer.zero_grad()
        total = 0.0
        for sequence, answer in zip(tokens, answers):
            ids = torch.tensor([sequence])
            scores = model(ids).logits[0, answer - 1:-1].double()
            loss = torch.nn.functional.cross_entropy(scores, ids[0, answer:], reduction="sum") / targets
            loss.backward()
            total += loss.item()
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), SETTINGS["clip"]).item()
        steps.append(dict(loss=total, norm=norm))
        optimizer.step()
    model.eval()
    return dict(settings=SETTINGS, tokens=tokens, answers=answers, steps=steps)


def near(found, expected, what):
    found, expected = torch.tensor(found), torch.tensor(expected)
    error = ((found - expected).norm() / expected.norm()).item()
    print(f"{what}: {error:.1e}")
    if not error < 1e-4:
        raise SystemExit(f"{what} differ by {error:.1e}")


def make(out, width, seed):
    assert transformers.__version__.startswith("4."), transformers.__version__
    for family in FAMILIES:
        folder = out / family
        random_model(family, width, seed).save_pretrained(folder / "v4")
        model = load(folder / "v4")
        record = dict(logits=logits(model), greedy=greedy(model))
        record |= train(model)
        record["trained_logits"] = logits(model)
        lines = ",\n".join(f"  {json.dumps(k)}: {json.dumps(rounded(v))}" for k, v in record.items())
        (folder / "reference.json").write_text("{\n" + lines + "\n}\n")
        print(f"{folder}: {record['steps']}")


def rounded(value):
    if isinstance(value, float):
        return float(f"{value:.8g}")
    if isinstance(value, list):
        return [rounded(v) for v in value]
    return value


def again(out):
    assert transformers.__version__.startswith("5."), transformers.__version__
    for family in FAMILIES:
        old, new = out / family / "v4", out / family / "v5"
        AutoModelForCausalLM.from_pretrained(old).save_pretrained(new)
        a, b = load_file(old / "model.safetensors"), load_file(new / "model.safetensors")
        assert a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a), family
        near(logits(load(new)), json.loads((out / family / "reference.json").read_text())["logits"], f"{family} logits")


def check(out, trained):
    for family in FAMILIES:
        record = json.loads((out / family / "reference.json").read_text())
        for folder in sorted((trained / family).iterdir()):
            near(logits(load(folder)), record["trained_logits"], f"{family} {folder.name} trained, logits")


# Head size and what config.json says of the rotation.
ROPES = [
    (6, dict(rope_theta=10000.0)),
    (64, dict(rope_theta=500000.0)),
    (34, dict(rope_theta=1234567.0)),
    (32, dict(rope_theta=10000.0, rope_scaling=dict(type="linear", factor=3.0))),
    (64, dict(rope_theta=500000.0, rope_scaling=dict(
        rope_type="llama3", factor=32.0, low_freq_factor=1.0, high_freq_factor=4.0,
        original_max_position_embeddings=8192))),
    (10, dict(rope_theta=10000.0, rope_scaling=dict(
        rope_type="llama3", factor=8.0, low_freq_factor=1.5, high_freq_factor=4.0,
        original_max_position_embeddings=128))),
    (64, dict(rope_theta=1000000.0, rope_scaling=dict(
        rope_type="yarn", factor=4.0, original_max_position_embeddings=32768))),
    (18, dict(rope_theta=10000.0, rope_scaling=dict(rope_type="yarn", factor=16.0))),
    (32, dict(rope_theta=10000.0, rope_scaling=dict(
        rope_type="yarn", factor=8.0, original_max_position_embeddings=512, beta_fast=20.0, beta_slow=2.0,
        truncate=False, attention_factor=0.8))),
    (32, dict(rope_theta=150000.0, rope_scaling=dict(
        rope_type="yarn", factor=32.0, original_max_position_embeddings=4096, mscale=1.0, mscale_all_dim=0.707))),
]
PLACES = [0, 1, 2, 17, 64, 255, 1023, 4095, 8191, 32767]


def rope(out):
    from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding
    records = []
    for size, settings in ROPES:
        shape = dict(hidden_size=size, num_attention_heads=1, head_dim=size, max_position_embeddings=2048)
        rotary = LlamaRotaryEmbedding(AutoConfig.for_model("llama", **shape, **settings))
        cos, sin = rotary(torch.zeros(1), torch.tensor([PLACES]))
        half = [[rounded(row[:size // 2]) for row in table[0].tolist()] for table in (cos, sin)]
        records.append(dict(config=shape | settings, places=PLACES, cos=half[0], sin=half[1]))
    out.write_text("[\n" + ",\n".join(json.dumps(r) for r in records) + "\n]\n")


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("command", choices=["make", "again", "check", "rope"])
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("trained", type=pathlib.Path, nargs="?")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--width", type=int, default=32)
    args = parser.parse_args()
    if args.command == "make":
        make(args.out, args.width, args.seed)
    elif args.command == "again":
        again(args.out)
    elif args.command == "rope":
        rope(args.out)
    else:
        check(args.out, args.trained)


main()
