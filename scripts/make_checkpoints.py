#!/usr/bin/env python3
"""The small checkpoints that tests of `seekr convert` read, as PyTorch and PEFT write them.

  usage: make_checkpoints.py OUT        (needs torch, transformers, peft and safetensors)

OUT/config.json and model.safetensors are the model that all others hold in another form; adapters/NAME are
adapters of it, with merged.safetensors as PEFT merges them.
"""
import json
import pathlib
import sys

import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import save_file
from transformers import LlamaConfig, LlamaForCausalLM

out = pathlib.Path(sys.argv[1])


def model():
    torch.manual_seed(1)
    config = LlamaConfig(vocab_size=24, hidden_size=8, intermediate_size=12, num_hidden_layers=1,
                         num_attention_heads=2, num_key_value_heads=1, max_position_embeddings=64,
                         bos_token_id=1, eos_token_id=2)
    made = LlamaForCausalLM(config).half().float()  # every number is one of half precision
    for p in made.parameters():
        if p.dim() == 1:
            p.data = (p.data + torch.randn_like(p)).half().float()
    return made


def folder(name):
    (out / name).mkdir(parents=True, exist_ok=True)
    return out / name


def save(what, name, **options):
    torch.save(what, folder("bin") / f"{name}.bin", **options)


def strided(state):
    """The same numbers, none of them lying as a new tensor's do, all of them in one storage."""
    flat = torch.full((2 * sum(t.numel() for t in state.values()) + 3,), 7.0)
    views, at = {}, 3
    for i, (name, t) in enumerate(state.items()):
        if t.dim() == 2 and i % 2:  # columns of a matrix twice as wide
            view = flat[at:at + 2 * t.numel()].view(t.shape[0], 2 * t.shape[1])[:, 1::2]
        elif t.dim() == 2:  # transposed
            view = flat[at:at + t.numel()].view(t.shape[1], t.shape[0]).t()
        else:
            view = flat[at:at + 2 * t.numel():2]
        view.copy_(t)
        views[name] = view
        at += 2 * t.numel()
    return views


def checkpoints():
    made = model()
    state = made.state_dict()
    (folder(".") / "config.json").write_text(made.config.to_json_string())
    save_file({k: v.contiguous() for k, v in state.items()}, out / "model.safetensors", {"format": "pt"})
    for name, kind in dict(f32=torch.float32, f16=torch.float16, f64=torch.float64).items():
        save(made.to(kind).state_dict(), name)
    made.float()
    bf16 = {k: v.bfloat16() for k, v in state.items()}
    save(bf16, "bf16")
    for protocol in (4, 5):
        save(state, f"protocol{protocol}", pickle_protocol=protocol)
    save(strided(state), "strided")
    save(dict(made.named_parameters()), "parameters")
    tied = dict(state)
    tied["lm_head.weight"] = tied["model.embed_tokens.weight"]
    save(tied, "tied")
    wrapped = {f"module._orig_mod.{k.replace('layers.0.', 'layers.0._orig_mod.')}": v for k, v in state.items()}
    wrapped["module._orig_mod.model.layers.0.self_attn.rotary_emb.inv_freq"] = torch.ones(2)
    save({"state_dict": wrapped, "epoch": 3, "rate": 0.1, "betas": (0.9, 0.95)}, "wrapped")
    save({k: (v * 100).to(torch.int8) for k, v in state.items()}, "int8")
    save(made, "whole")
    save(state, "legacy", _use_new_zipfile_serialization=False)

    sharded, names = folder("sharded"), list(state)
    shards = {"pytorch_model-00001-of-00002.bin": names[:5], "pytorch_model-00002-of-00002.bin": names[5:]}
    for file, part in shards.items():
        torch.save({k: bf16[k] for k in part}, sharded / file)
    index = {"metadata": {"total_size": 2 * sum(v.numel() for v in state.values())},
             "weight_map": {k: file for file, part in shards.items() for k in part}}
    (sharded / "pytorch_model.bin.index.json").write_text(json.dumps(index, indent=1))


def adapter(name, bin=False, **options):
    peft = get_peft_model(model(), LoraConfig(task_type="CAUSAL_LM", **options))
    torch.manual_seed(2)
    for n, p in peft.named_parameters():
        if p.requires_grad:
            p.data += 0.3 * torch.randn_like(p)
    at = folder("adapters/" + name)
    peft.save_pretrained(at, safe_serialization=not bin)
    (at / "README.md").unlink(missing_ok=True)
    if options.get("use_dora"):
        return
    merged = peft.merge_and_unload().state_dict()
    save_file({k: v.contiguous() for k, v in merged.items()}, at / "merged.safetensors", {"format": "pt"})


checkpoints()
adapter("plain", r=2, lora_alpha=8, target_modules=["q_proj", "v_proj"])
adapter("patterns", bin=True, r=2, lora_alpha=3, use_rslora=True,
        target_modules=["k_proj", "o_proj", "up_proj", "down_proj"],
        rank_pattern={"mlp.up_proj": 3}, alpha_pattern={"down_proj": 5})
adapter("saved", r=1, lora_alpha=2, target_modules=["embed_tokens", "gate_proj"],
        modules_to_save=["lm_head", "norm"])
adapter("dora", r=1, use_dora=True, target_modules=["q_proj"])
