#!/usr/bin/env python3
"""A-GEM over the tasks of a folder of reference runs, in float64.

  usage: agem_reference.py FOLDER        (config.json, init.safetensors, plan.json; writes FOLDER/agem)

The gradient g of a step on new data loses its part along r, the gradient of the mean loss over the targets of all
that is kept of earlier tasks, where g.r < 0 (Chaudhry et al. 2019, Eq. 11); AdamW, clipping and weightings as the
folder's README has them. The same loop without r is seqft, and is compared with FOLDER/seqft first.
"""
import json
import pathlib
import sys

import torch
from safetensors.torch import load_file, save_file

TOLERANCE = dict(scalar=dict(relative=2e-5, absolute=2e-7), tensor=dict(of_largest=5e-5))
FLOAT32_NEEDS = 1.0


class Llama:
    """A LLaMA of one sequence at a time: transformers rounds norms, softmax and rotations to float32 on the way."""

    def __init__(self, folder):
        self.config = json.loads((folder / "config.json").read_text())
        self.weights = {k: v.double().requires_grad_() for k, v in load_file(folder / "init.safetensors").items()}

    def norm(self, x, name):
        return x * (x.square().mean(-1, keepdim=True) + self.config["rms_norm_eps"]).rsqrt() * self.weights[name]

    def heads(self, x, name, n):
        y = (x @ self.weights[name].T).unflatten(-1, (n, -1)).transpose(0, 1)
        return y.repeat_interleave(self.config["num_attention_heads"] // n, 0)

    def turn(self, x):
        T, d = x.shape[1:]
        angle = torch.arange(T)[:, None] * self.config["rope_theta"] ** (-torch.arange(0, d, 2).double() / d)
        a, b = x.chunk(2, -1)
        return torch.cat([a * angle.cos() - b * angle.sin(), b * angle.cos() + a * angle.sin()], -1)

    def logits(self, tokens):
        c, w, T = self.config, self.weights, len(tokens)
        x = w["model.embed_tokens.weight"][tokens]
        later = torch.ones(T, T, dtype=torch.bool).triu(1)
        for l in range(c["num_hidden_layers"]):
            at = f"model.layers.{l}."
            y = self.norm(x, at + "input_layernorm.weight")
            q = self.turn(self.heads(y, at + "self_attn.q_proj.weight", c["num_attention_heads"]))
            k = self.turn(self.heads(y, at + "self_attn.k_proj.weight", c["num_key_value_heads"]))
            v = self.heads(y, at + "self_attn.v_proj.weight", c["num_key_value_heads"])
            scores = (q @ k.transpose(1, 2) / q.shape[-1] ** 0.5).masked_fill(later, -torch.inf)
            y = (scores.softmax(-1) @ v).transpose(0, 1).flatten(1)
            x = x + y @ w[at + "self_attn.o_proj.weight"].T
            y = self.norm(x, at + "post_attention_layernorm.weight")
            gate, up = (y @ w[at + f"mlp.{p}_proj.weight"].T for p in ("gate", "up"))
            x = x + (torch.nn.functional.silu(gate) * up) @ w[at + "mlp.down_proj.weight"].T
        head = "model.embed_tokens.weight" if c["tie_word_embeddings"] else "lm_head.weight"
        return self.norm(x, "model.norm.weight") @ w[head].T


def nll(model, samples):
    """Sum over the targets of the samples, and how many there are."""
    total, targets = 0.0, 0
    for sample in samples:
        tokens, answer = sample["tokens"], sample["answer_start"]
        wanted = torch.tensor(tokens[answer:])
        rows = model.logits(tokens)[answer - 1:-1]
        total = total + torch.nn.functional.cross_entropy(rows, wanted, reduction="sum")
        targets += len(wanted)
    return total, targets


def gradient(loss, weights):
    return torch.autograd.grad(loss, weights)


def dot(a, b):
    return sum((x * y).sum() for x, y in zip(a, b)).item()


def run(folder, plan, weighting, agem):
    h, model = plan["hyper"], Llama(folder)
    names, weights = zip(*model.weights.items())
    optimizer = torch.optim.AdamW(weights, lr=h["lr"], betas=h["betas"], eps=h["adam_eps"], weight_decay=0)
    kept, steps, tensors, turned = [], [], {}, 0
    for k, stage in enumerate(plan["steps"]):
        for i, micros in enumerate(stage):
            fresh = [[plan["tasks"][t][s] for t, s in m["samples"]] for m in micros if m["kind"] == "new"]
            if not fresh:
                continue
            sums = [nll(model, samples) for samples in fresh]
            if weighting == "authors":
                loss = sum(total / n for total, n in sums) / len(sums)
            else:
                loss = sum(total for total, _ in sums) / sum(n for _, n in sums)
            terms = dict(task=loss.item())
            g = gradient(loss, weights)
            if agem and kept:
                total, n = nll(model, kept)
                terms["reference"] = total.item() / n
                r = gradient(total / n, weights)
                along = dot(g, r)
                if along < 0:
                    turned += 1
                    g = [x - along / dot(r, r) * y for x, y in zip(g, r)]
            norm = dot(g, g) ** 0.5
            steps.append(dict(task=k, step=i, total=loss.item(), norm=norm, terms=terms,
                              micro=[dict(task=total.item() / n) for total, n in sums]))
            factor = h["clip"] / (norm + 1e-6) if norm > h["clip"] else 1.0
            for w, x in zip(weights, g):
                w.grad = factor * x
            optimizer.step()
        kept += [plan["tasks"][k][s] for s in plan["kept"][k]]
    for name, w in zip(names, weights):
        tensors[f"{weighting}.task{k}.{name}"] = w.detach().float().contiguous()
    return steps, tensors, turned


def main(folder):
    folder = pathlib.Path(folder)
    plan = json.loads((folder / "plan.json").read_text())
    expected, tensors = dict(tolerance=TOLERANCE), {}
    for weighting in ("by_kind", "authors"):
        same, _, _ = run(folder, plan, weighting, False)
        theirs = json.loads((folder / "seqft" / "expected.json").read_text())[weighting]["steps"]
        apart = max(abs(a[x] - b[x]) for a, b in zip(same, theirs, strict=True) for x in ("total", "norm"))
        steps, after, turned = run(folder, plan, weighting, True)
        expected[weighting] = dict(float32_needs=FLOAT32_NEEDS, steps=steps)
        tensors |= after
        print(f"{weighting}: {turned} of {len(steps)} steps turned; seqft is {apart:.1e} from {folder}/seqft")
    (folder / "agem").mkdir(exist_ok=True)
    (folder / "agem" / "expected.json").write_text(json.dumps(expected))
    save_file(tensors, folder / "agem" / "expected.safetensors", metadata=dict(format="pt"))


main(sys.argv[1])
