#!/usr/bin/env python3
"""The first steps of full fine-tuning on one fixed batch, as PyTorch and transformers take them in float32.

  usage: steps_reference.py MODEL_FOLDER OUT.json

Writes the batch, the optimizer's settings, and of each step the loss before it and the gradient norm before
clipping. Sequence s is token 7919 (31 s + i) mod min(V, 40000) at place i; its first third is a prompt, whose
tokens are no targets. Loss: the mean over all targets. AdamW; norms and biases do not decay.
"""
import json
import sys

import torch
from transformers import AutoModelForCausalLM

LENGTHS, STEPS = [33, 17, 64, 5], 10
SETTINGS = dict(lr=1e-4, beta1=0.9, beta2=0.95, eps=1e-8, weight_decay=0.1, clip=1.0)


def main(folder, out):
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager")
    model.train()
    model.get_input_embeddings().padding_idx = None  # else the pad token's row has no gradient, wherever it stands
    V = min(model.config.vocab_size, 40000)
    tokens = [[7919 * (31 * s + i) % V for i in range(n)] for s, n in enumerate(LENGTHS)]
    answers = [n // 3 for n in LENGTHS]
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
            logits = model(ids).logits[0, answer - 1:-1].double()
            loss = torch.nn.functional.cross_entropy(logits, ids[0, answer:], reduction="sum") / targets
            loss.backward()
            total += loss.item()
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), SETTINGS["clip"]).item()
        steps.append(dict(loss=total, norm=norm))
        optimizer.step()
    record = dict(settings=SETTINGS, tokens=tokens, answers=answers, steps=steps)
    with open(out, "w") as f:
        f.write("{\n" + ",\n".join(f"  {json.dumps(k)}: {json.dumps(v)}" for k, v in record.items()) + "\n}\n")
    print(f"{out}: {steps[0]} to {steps[-1]}")


main(*sys.argv[1:])
