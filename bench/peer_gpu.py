"""What PyTorch does on this GPU, beside cuda_bench and `seekr bench step`: the rates of the device (a large product, a copy),
its fused attention in cuda_bench's shapes, and a training step of a LLaMA from random weights.

    peer_gpu.py rates
    peer_gpu.py step CONFIG_FOLDER plain|seekr|importance SEQUENCES TOKENS STEPS

A step is bfloat16 by autocast over float32 weights, SDPA, AdamW (fused); loss on the last quarter of each sequence. SEEKR's KL
is on the sampled rows of the selected heads alone; importance is made of dO V^T in chunks: no attention map, as here.
"""
import statistics
import sys

import torch


def microseconds(call, repeats=20):
    times = []
    for i in range(repeats + 3):
        begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        begin.record()
        call()
        end.record()
        end.synchronize()
        if i >= 3:
            times.append(1e3 * begin.elapsed_time(end))
    return statistics.median(times)


def rates():
    n = 8192
    a, b = (torch.randn(n, n, device="cuda", dtype=torch.bfloat16) for _ in range(2))
    us = microseconds(lambda: a @ b)
    print(f"torch_matmul,bf16,{n}x{n}x{n},{us:.1f},{2 * n**3 / us * 1e-3:.1f},GFLOP/s")
    x, y = torch.randn(1 << 28, device="cuda"), torch.empty(1 << 28, device="cuda")
    us = microseconds(lambda: y.copy_(x))
    print(f"torch_copy,f32,{1 << 28},{us:.1f},{2 * x.numel() * 4 / us * 1e-3:.1f},GB/s")
    del a, b, x, y
    for hs in 64, 128:
        for length in 512, 2048, 8192, 16384:
            s, heads = 16384 // length, 4096 // hs
            q, k, v = (torch.randn(s, heads, length, hs, device="cuda", dtype=torch.bfloat16, requires_grad=True) for _ in range(3))
            attend = lambda: torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
            out = attend()
            d = torch.randn_like(out)
            product = 2 * hs * s * heads * length * (length + 1) / 2
            forward = microseconds(attend, 10)
            backward = microseconds(lambda: torch.autograd.grad(out, (q, k, v), d, retain_graph=True), 10)
            shape = f"{s}x{length}x{heads}x{hs}"
            print(f"torch_sdpa_fwd,bf16,{shape},{forward:.1f},{2 * product / forward * 1e-3:.1f},GFLOP/s")
            print(f"torch_sdpa_bwd,bf16,{shape},{backward:.1f},{5 * product / backward * 1e-3:.1f},GFLOP/s", flush=True)
            del q, k, v, out, d


def step(folder, mode, B, T, steps):
    from transformers import LlamaConfig, LlamaForCausalLM
    from transformers.integrations.sdpa_attention import repeat_kv, sdpa_attention_forward
    from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

    tap = {}

    def attention(module, q, k, v, mask, **kw):
        tap[module.layer_idx] = (q, k, v)
        o, w = sdpa_attention_forward(module, q, k, v, mask, **kw)
        if mode == "importance" and o.requires_grad:
            o.retain_grad()
            tap[module.layer_idx] = (v, o)
        return o, w

    ALL_ATTENTION_FUNCTIONS["tapped"] = attention
    torch.manual_seed(0)
    config = LlamaConfig.from_pretrained(folder, attn_implementation="sdpa" if mode == "plain" else "tapped")
    with torch.device("cuda"):
        m = LlamaForCausalLM(config)
    m.train()
    optimizer = torch.optim.AdamW(m.parameters(), lr=1e-5, betas=(0.9, 0.95), weight_decay=0.0, fused=True)
    L, H, KV, V = config.num_hidden_layers, config.num_attention_heads, config.num_key_value_heads, config.vocab_size
    scale = (config.hidden_size // H) ** -0.5
    ids = torch.randint(5, V, (B, T), device="cuda")
    answers = torch.arange(T * 3 // 4 - 1, T, device="cuda")
    g = torch.Generator().manual_seed(1)
    layers = sorted(torch.randperm(L, generator=g)[:24].tolist())
    heads = [(l, h) for l in layers for h in range(H)]
    selected = {}
    for p in sorted(torch.randperm(len(heads), generator=g)[:128].tolist()):
        selected.setdefault(heads[p][0], []).append(heads[p][1])
    rows = torch.stack([torch.randperm(T, generator=g)[:100].sort()[0] for _ in range(B)]).cuda()
    causal = torch.where(torch.arange(T, device="cuda")[None, None] <= rows[:, :, None], 0.0, float("-inf"))[:, None]

    def log_rows(l):
        q, k, _ = tap[l]
        hs = torch.tensor(selected[l], device="cuda")
        qs, ks = torch.stack([q[b, hs][:, rows[b]] for b in range(B)]), k[:, hs // (H // KV)]
        return torch.log_softmax((qs @ ks.transpose(-1, -2)).float() * scale + causal, -1)

    def forward():
        with torch.autocast("cuda", dtype=torch.bfloat16):
            return m(ids, use_cache=False, logits_to_keep=answers).logits[:, :-1].float()

    teacher, teacher_rows = None, {}
    if mode == "seekr":
        with torch.no_grad():
            teacher = forward()
            teacher = (teacher + 0.1 * torch.randn_like(teacher)).log_softmax(-1).flatten(0, 1)
            teacher_rows = {l: log_rows(l).exp() for l in selected}

    def once():
        logits = forward()
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), ids[:, answers[1:]].flatten())
        if mode == "seekr":
            kl = torch.nn.functional.kl_div(logits.log_softmax(-1).flatten(0, 1), teacher, reduction="batchmean", log_target=True)
            maps = sum(
                (torch.xlogy(teacher_rows[l], teacher_rows[l]) - teacher_rows[l] * log_rows(l).clamp_min(-80)).sum(-1).mean()
                for l in selected
            )
            loss = 0.5 * loss + 0.5 * kl + 1e3 * maps / len(selected)
        loss.backward()
        if mode == "importance":
            with torch.no_grad():
                for l in range(L):
                    v, o = tap[l]
                    do, v = o.grad.transpose(1, 2), repeat_kv(v, H // KV)
                    squares = torch.zeros(B, H, device="cuda")
                    for c in range(0, T, 256):
                        da = do[:, :, c : c + 256] @ v[:, :, : c + 256].transpose(-1, -2)
                        squares += torch.tril(da, diagonal=c).float().pow(2).sum((-1, -2))
                    squares.sqrt()
            m.zero_grad()
        else:
            torch.nn.utils.clip_grad_norm_(m.parameters(), 1.0, foreach=True)
            optimizer.step()
            optimizer.zero_grad()
        tap.clear()

    us = microseconds(once, steps)
    print(f"torch_step_{mode},bf16,{L} layers {B}x{T},{us:.1f},{B * T / us * 1e6:.1f},tokens/s, peak {torch.cuda.max_memory_allocated() >> 20} MiB", flush=True)


if __name__ == "__main__":
    if sys.argv[1:] == ["rates"]:
        rates()
    elif len(sys.argv) == 7 and sys.argv[1] == "step":
        step(sys.argv[2], sys.argv[3], *map(int, sys.argv[4:]))
    else:
        sys.exit(__doc__)
