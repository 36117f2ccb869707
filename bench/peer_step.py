"""A training step as fast as PyTorch takes it, to be held against `seekr bench step`.

usage: peer_step.py MODEL MODE TYPE SEQUENCES TOKENS STEPS [compile]
MODE plain: an AdamW step. seekr: a step on replayed samples, with the KL to stored logits and, of 128 heads in 24 layers, to 100
stored attention rows a sequence. importance: the norm of the gradient of all heads' attention maps.
TYPE f32, or bf16: autocast over float32 weights. compile: torch.compile.

No attention map is ever held: attention is SDPA, the rows that are distilled are made again from their queries and the keys, and of
the gradient of a map, dO V^T, a chunk of rows at a time. The last line ends in "X tok/s, peak RSS Y MiB".
"""

import os
import resource
import statistics
import sys
import time

import torch
import torch.nn.functional as F
from transformers import AutoModelForCausalLM
from transformers.integrations.sdpa_attention import repeat_kv, sdpa_attention_forward
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

LAYERS, HEADS, ROWS, CHUNK = 24, 128, 100, 256

folder, mode, element = sys.argv[1:4]
B, T, steps = (int(x) for x in sys.argv[4:7])
compiled = "compile" in sys.argv[7:]
if mode not in ("plain", "seekr", "importance") or element not in ("f32", "bf16"):
    sys.exit(__doc__)
torch.manual_seed(1)
torch.set_num_threads(len(os.sched_getaffinity(0)))

kept = {}  # layer: queries, keys, values and output of its attention


def attention(module, query, key, value, mask, **more):
    out, weights = sdpa_attention_forward(module, query, key, value, mask, **more)
    if mode == "importance" and out.requires_grad:
        out.retain_grad()
    kept[module.layer_idx] = query, key, value, out
    return out, weights


ALL_ATTENTION_FUNCTIONS["kept"] = attention
model = AutoModelForCausalLM.from_pretrained(
    folder, dtype=torch.float32, attn_implementation="sdpa" if mode == "plain" else "kept"
).train()
config = model.config
groups = config.num_attention_heads // config.num_key_value_heads
scale = (config.hidden_size // config.num_attention_heads) ** -0.5
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5, betas=(0.9, 0.95), weight_decay=0.0, fused=True)
ids = torch.randint(5, min(config.vocab_size, 40000), (B, T))
first = T * 3 // 4  # of the answer
labels = ids.masked_fill(torch.arange(T) < first, -100)

# Which heads of which layers, and which rows of each sequence.
layers = torch.randperm(config.num_hidden_layers)[:LAYERS].sort()[0].tolist()
every = [(layer, head) for layer in layers for head in range(config.num_attention_heads)]
heads = {}
for i in torch.randperm(len(every))[:HEADS].sort()[0].tolist():
    heads.setdefault(every[i][0], []).append(every[i][1])
heads = {layer: torch.tensor(some) for layer, some in heads.items()}
rows = torch.stack([torch.randperm(T)[:ROWS].sort()[0] for _ in range(B)])  # [B, ROWS]
unseen = (torch.arange(T) > rows[:, :, None])[:, None]  # [B, 1, ROWS, T]


def narrow():
    return torch.autocast("cpu", dtype=torch.bfloat16, enabled=element == "bf16")


def log_rows(layer):
    """Logarithms of the sampled attention rows of the layer's selected heads, [B, heads, ROWS, T]."""
    query, key, _, _ = kept[layer]
    chosen = heads[layer]
    at = rows[:, None, :, None].expand(B, len(chosen), rows.shape[1], query.shape[-1])
    scores = query[:, chosen].gather(2, at) @ key[:, chosen // groups].transpose(-1, -2)
    return (scores.float() * scale).masked_fill(unseen, float("-inf")).log_softmax(-1)


def answer_logits(run):
    """Logits of the positions that predict the answer, [B * answer, V]."""
    return run(ids, use_cache=False, logits_to_keep=torch.arange(first - 1, T - 1)).logits.float().flatten(0, 1)


def plain(run):
    return run(ids, labels=labels, use_cache=False).loss


def seekr(run):
    logits = answer_logits(run)
    now = logits.log_softmax(-1)
    loss = F.nll_loss(now, ids[:, first:].flatten())
    soft = F.kl_div(now, stored_logits, reduction="batchmean", log_target=True)
    apart = 0
    for layer, p in stored_rows.items():
        gap = torch.xlogy(p, p) - p * log_rows(layer).clamp_min(-80)
        apart = apart + gap.sum(-1).mean()
    return 0.5 * loss + 0.5 * soft + 1e3 * apart / len(stored_rows)


def importance(run):
    return F.cross_entropy(answer_logits(run), ids[:, first:].flatten())


@torch.no_grad()
def sensitivity():
    """The norms of dA over what rows see, [B, heads] a layer."""
    norms = []
    for _, _, value, out in kept.values():
        gradient, value = out.grad.transpose(1, 2), repeat_kv(value, groups)
        squares = 0
        for c in range(0, T, CHUNK):
            end = min(T, c + CHUNK)
            part = gradient[:, :, c:end] @ value[:, :, :end].transpose(-1, -2)
            squares = squares + part.tril(diagonal=c).float().square().sum((-1, -2))
        norms.append(squares.sqrt())
    return norms


if mode == "seekr":
    with torch.no_grad(), narrow():
        logits = answer_logits(model)
        stored_logits = (logits + 0.1 * torch.randn_like(logits)).log_softmax(-1)
        stored_rows = {layer: log_rows(layer).exp() for layer in heads}
    del logits

objective = {"plain": plain, "seekr": seekr, "importance": importance}[mode]
run = torch.compile(model) if compiled else model
times = []
for _ in range(steps + (2 if compiled else 1)):
    start = time.perf_counter()
    with narrow():
        loss = objective(run)
    loss.backward()
    if mode == "importance":
        sensitivity()
    else:
        optimizer.step()
    optimizer.zero_grad()
    kept.clear()
    times.append(time.perf_counter() - start)
median = statistics.median(times[2 if compiled else 1 :])
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(
    f"{mode} {element}{' compiled' if compiled else ''} B={B} T={T}: {median:.3f} s, loss {float(loss.detach()):.4f},"
    f" {B * T / median:.1f} tok/s, peak RSS {peak:.0f} MiB"
)
