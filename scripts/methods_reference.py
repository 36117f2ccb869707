#!/usr/bin/env python3
"""A-GEM, and LwF on adapters, over the tasks of a folder of reference runs, in float64.

  usage: methods_reference.py FOLDER        (config.json, init and start.safetensors, plan.json; writes FOLDER/agem and lwf-lora)

agem: the gradient g of a step on new data loses its part along r, the gradient of the mean loss over the targets of
all that is kept of earlier tasks, where g.r < 0 (Chaudhry et al. 2019, Eq. 11). lwf-lora: the loss of lwf, with an
adapter a task in place of the weights, as in lora; what was before the task is the model without its adapter. AdamW,
clipping and weightings as the folder's README has them. The same loops without r and without LwF's term are seqft
and lora, and are compared with FOLDER/seqft and FOLDER/lora first.
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
        self.adapters = {}  # A, B and scale by the weight that they stand beside

    def norm(self, x, name):
        return x * (x.square().mean(-1, keepdim=True) + self.config["rms_norm_eps"]).rsqrt() * self.weights[name]

    def heads(self, x, name, n):
        y = x @ self.weights[name].T
        if name in self.adapters:
            a, b, scale = self.adapters[name]
            y = y + scale * (x @ a.T) @ b.T
        y = y.unflatten(-1, (n, -1)).transpose(0, 1)
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


def total_of(sums, weighting):
    """One loss of (sum, targets) of each micro-batch of new samples."""
    if weighting == "authors":
        return sum(total / n for total, n in sums) / len(sums)
    return sum(total for total, _ in sums) / sum(n for _, n in sums)


def step(optimizer, weights, g, h):
    """One step on the clipped gradient; its norm before that."""
    norm = dot(g, g) ** 0.5
    factor = h["clip"] / (norm + 1e-6) if norm > h["clip"] else 1.0
    for w, x in zip(weights, g):
        w.grad = factor * x
    optimizer.step()
    return norm


def adamw(weights, lr, h):
    return torch.optim.AdamW(weights, lr=lr, betas=h["betas"], eps=h["adam_eps"], weight_decay=0)


def fresh(plan, stage):
    """New samples of each micro-batch, of the steps that have any."""
    for i, micros in enumerate(stage):
        samples = [[plan["tasks"][t][s] for t, s in m["samples"]] for m in micros if m["kind"] == "new"]
        if samples:
            yield i, samples


def agem(folder, plan, weighting, on):
    h, model = plan["hyper"], Llama(folder)
    names, weights = zip(*model.weights.items())
    optimizer = adamw(weights, h["lr"], h)
    kept, steps = [], []
    for k, stage in enumerate(plan["steps"]):
        for i, micros in fresh(plan, stage):
            sums = [nll(model, samples) for samples in micros]
            loss = total_of(sums, weighting)
            terms = dict(task=loss.item())
            g = gradient(loss, weights)
            if on and kept:
                total, n = nll(model, kept)
                terms["reference"] = total.item() / n
                r = gradient(total / n, weights)
                along = dot(g, r)
                if along < 0:
                    g = [x - along / dot(r, r) * y for x, y in zip(g, r)]
            norm = step(optimizer, weights, g, h)
            steps.append(dict(task=k, step=i, total=loss.item(), norm=norm, terms=terms,
                              micro=[dict(task=total.item() / n) for total, n in sums]))
        kept += [plan["tasks"][k][s] for s in plan["kept"][k]]
    return steps, {f"{weighting}.task{k}.{name}": w for name, w in zip(names, weights)}


def kl(model, samples):
    """Sum over the rows that predict the samples' answers of KL(without adapters || now), and how many there are."""
    total, rows, now = 0.0, 0, model.adapters
    for sample in samples:
        tokens, at = sample["tokens"], slice(sample["answer_start"] - 1, -1)
        model.adapters = {}
        before = model.logits(tokens)[at].detach().log_softmax(-1)
        model.adapters = now
        total = total + (before.exp() * (before - model.logits(tokens)[at].log_softmax(-1))).sum()
        rows += len(before)
    return total, rows


def lwf_lora(folder, plan, weighting, on):
    h, model, start = plan["hyper"], Llama(folder), load_file(folder / "start.safetensors")
    steps, tensors, scale = [], {}, h["lora_alpha"] / h["rank"]
    for w in model.weights.values():
        w.requires_grad_(False)
    for k, stage in enumerate(plan["steps"]):
        for name, w in model.weights.items():
            if name.split(".")[-2] not in h["targets"]:
                continue
            a = start[f"lora.task{k}.{name.removesuffix('.weight')}.lora_A"].double().requires_grad_()
            b = torch.zeros(w.shape[0], h["rank"], dtype=torch.float64, requires_grad=True)
            model.adapters[name] = a, b, scale
        weights = [x for a, b, _ in model.adapters.values() for x in (a, b)]
        optimizer = adamw(weights, h["adapter_lr"], h)
        for i, micros in fresh(plan, stage):
            sums = [nll(model, samples) for samples in micros]
            loss = total_of(sums, weighting)
            terms, alone = dict(task=loss.item()), [dict(task=total.item() / n) for total, n in sums]
            if on and k > 0:
                changes = [kl(model, samples) for samples in micros]
                lwf = total_of(changes, weighting)
                terms["lwf"] = lwf.item()
                for micro, (total, n) in zip(alone, changes):
                    micro["lwf"] = total.item() / n
                loss = loss + h["lwf_lambda"] * lwf
            norm = step(optimizer, weights, gradient(loss, weights), h)
            steps.append(dict(task=k, step=i, total=loss.item(), norm=norm, terms=terms, micro=alone))
        at = f"{weighting}.task{k}."
        for name, (a, b, _) in model.adapters.items():
            plain = name.removesuffix(".weight")
            tensors |= {f"{at}{plain}.lora_A": a, f"{at}{plain}.lora_B": b}
            model.weights[name] = model.weights[name] + scale * (b @ a).detach()
            tensors[f"{at}merged.{name}"] = model.weights[name]
        model.adapters = {}
    return steps, tensors


def main(folder):
    folder = pathlib.Path(folder)
    plan = json.loads((folder / "plan.json").read_text())
    for name, method, like in (("agem", agem, "seqft"), ("lwf-lora", lwf_lora, "lora")):
        expected, tensors = dict(tolerance=TOLERANCE), {}
        for weighting in ("by_kind", "authors"):
            same, _ = method(folder, plan, weighting, False)
            theirs = json.loads((folder / like / "expected.json").read_text())[weighting]["steps"]
            apart = max(abs(a[x] - b[x]) for a, b in zip(same, theirs, strict=True) for x in ("total", "norm"))
            steps, after = method(folder, plan, weighting, True)
            expected[weighting] = dict(float32_needs=FLOAT32_NEEDS, steps=steps)
            tensors |= {key: w.detach().float().contiguous() for key, w in after.items()}
            print(f"{name} {weighting}: {len(steps)} steps; {like} is {apart:.1e} from {folder / like}")
        (folder / name).mkdir(exist_ok=True)
        (folder / name / "expected.json").write_text(json.dumps(expected))
        save_file(tensors, folder / name / "expected.safetensors", metadata=dict(format="pt"))


main(sys.argv[1])
