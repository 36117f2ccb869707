"""One epoch of fine-tuning on a task's samples by transformers, batches padded to their longest sample, as bench/compare_run.sh times it.

usage: peer_run.py MODEL_DIR TRAIN_JSON SAMPLES BATCH
Prints steps, tokens that are not padding, seconds of the steps, and tokens/s.
"""
import json
import random
import sys
import time

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

folder, file, samples, batch = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
torch.manual_seed(0)
torch.set_num_threads(2)
tokenizer = AutoTokenizer.from_pretrained(folder)
model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="sdpa").train()
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5, betas=(0.9, 0.95), weight_decay=0.0)

rows = []
for record in json.load(open(file))[:samples]:
    prompt = tokenizer(record["prompt"], add_special_tokens=False)["input_ids"]
    answer = tokenizer(record["answer"], add_special_tokens=False)["input_ids"] + [tokenizer.eos_token_id]
    rows.append(([tokenizer.bos_token_id] + prompt[-1023:], answer[:512]))
random.Random(1).shuffle(rows)

tokens, seconds, steps = 0, 0.0, 0
for at in range(0, len(rows), batch):
    chunk = rows[at : at + batch]
    width = max(len(p) + len(a) for p, a in chunk)
    ids = torch.full((len(chunk), width), tokenizer.eos_token_id)
    labels, mask = torch.full_like(ids, -100), torch.zeros_like(ids)
    for i, (p, a) in enumerate(chunk):
        n = len(p) + len(a)
        ids[i, :n], mask[i, :n] = torch.tensor(p + a), 1
        labels[i, len(p) : n] = torch.tensor(a)
        tokens += n
    start = time.perf_counter()
    model(input_ids=ids, attention_mask=mask, labels=labels, use_cache=False).loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    optimizer.zero_grad()
    seconds += time.perf_counter() - start
    steps += 1
print(f"peer: {steps} steps, {tokens} tokens, {seconds:.1f} s, {tokens / seconds:.1f} tokens/s")
