"""Greedy answers by Hugging Face transformers, to the prompts of `seekr bench generate`.

usage: peer_generate.py MODEL PROMPTS TOKENS NEW_TOKENS REPEATS
"""

import os
import resource
import statistics
import sys
import time

import torch
from transformers import AutoModelForCausalLM

model_dir = sys.argv[1]
B, T, new, repeats = (int(x) for x in sys.argv[2:6])
torch.set_num_threads(os.cpu_count())
model = AutoModelForCausalLM.from_pretrained(model_dir, dtype=torch.float32, attn_implementation="sdpa").eval()
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
    f"generate B={B} T={T}: {median:.3f} s, {B * new / median:.1f} tok/s, peak RSS {peak:.0f} MiB,"
    f" sum of new ids {int(out[:, T:].sum())}"
)
