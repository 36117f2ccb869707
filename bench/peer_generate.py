"""Greedy answers by Hugging Face transformers, to the prompts of `seekr bench generate`.

usage: peer_generate.py MODEL TYPE PROMPTS TOKENS NEW_TOKENS REPEATS
TYPE f32 or bf16: what weights and activations are held in.
"""

import os
import resource
import statistics
import sys
import time

import torch
from transformers import AutoModelForCausalLM

model_dir = sys.argv[1]
element = {"f32": torch.float32, "bf16": torch.bfloat16}[sys.argv[2]]
B, T, new, repeats = (int(x) for x in sys.argv[3:7])
torch.set_num_threads(len(os.sched_getaffinity(0)))
model = AutoModelForCausalLM.from_pretrained(model_dir, dtype=element, attn_implementation="sdpa").eval()
model.generation_config.eos_token_id = None  # neither side stops early
ids = torch.arange(B * T).reshape(B, T) * 7919 % min(model.config.vocab_size, 40000)
times = []
for _ in range(repeats + 1):
    start = time.perf_counter()
    with torch.no_grad():
        out = model.generate(
            ids,
            attention_mask=torch.ones_like(ids),
            do_sample=False,
            max_new_tokens=new,
            pad_token_id=0,
        )
    times.append(time.perf_counter() - start)
median = statistics.median(times[1:])
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(
    f"generate {sys.argv[2]} B={B} T={T}: {median:.3f} s, sum of new ids {int(out[:, T:].sum())},"
    f" {B * new / median:.1f} tok/s, peak RSS {peak:.0f} MiB"
)
