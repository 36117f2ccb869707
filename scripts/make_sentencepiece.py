#!/usr/bin/env python3
"""A small SentencePiece model as LLaMA has it, and the ids that the slow tokenizer gives to texts.

  usage: make_sentencepiece.py TASKS OUT        (needs sentencepiece, protobuf and transformers)

TASKS is a folder of tasks, each with train.json: prompts of all of them, in pieces of some hundred characters,
are the texts, and some that are made up: blanks, tabs, line ends, emoji, special tokens, repeated letters.
OUT/tokenizer.model is trained on them; OUT/old and OUT/new hold the files beside it, in the older and the newer
form; OUT/texts.jsonl.gz has a line a text: text, ids with the files in old, and ids with those in new.
"""
import gzip
import json
import pathlib
import random
import shutil
import sys
import tempfile

import sentencepiece
from transformers import LlamaTokenizer

tasks, out = map(pathlib.Path, sys.argv[1:])
rng = random.Random(1)
VOCABULARY, TEXTS, MADE = 1000, 2000, 400


def pieces():
    """TEXTS pieces of prompts, from all tasks alike."""
    found = []
    files = sorted(tasks.rglob("train.json"))
    for file in files:
        prompts = [r["prompt"] for r in json.loads(file.read_text())]
        for prompt in rng.sample(prompts, -(-TEXTS // len(files))):
            start = rng.randrange(max(1, len(prompt) - 100))
            found.append(prompt[start:start + rng.randint(20, 110)])
    return found[:TEXTS]


def made(real):
    parts = ["<s>", "</s>", "<unk>", "<pad>", "<|user|>", " ", "  ", "     ", "\t", "\n", "\r\n", "\n\n", "\u00a0", "\u3000",
             "😀", "👩‍👩‍👧", "🇨🇳", "你好", "世界", "é", "e\u0301", "<0x0A>", "a" * 7, "ha" * 5, "the the", "--" * 4,
             "=" * 9, "\ufeff", "\u0000", "ﬁ", "1234567", "s", "."]
    yield from ["", " ", "   ", "\n", "\u2581", "x\u2581 y", "</s>", " </s>", "</s> x", "<s> a </s>b", "x <pad> y", "x <|user|> y"]
    yield from [" " * n for n in range(4, 40)]
    yield from ["\t" * n + "x" + " " * n for n in range(1, 12)]
    while True:
        words = [rng.choice(parts) if rng.random() < .6 else rng.choice(real)[:rng.randint(1, 12)] for _ in range(rng.randint(1, 9))]
        # LlamaTokenizer puts a blank before a token that is not special; in a tokenizer.json nothing can.
        if words[0] != "<|user|>":
            yield "".join(words)


def train(texts):
    with tempfile.TemporaryDirectory() as work:
        corpus = pathlib.Path(work) / "corpus"
        runs = [letter * rng.randint(2, 16) + word for letter in (" ", " ", " ", "a", "=", "-", "ha") for word in texts[:40]]
        corpus.write_text("\n".join(t.replace("\n", " ") for t in texts + runs))
        sentencepiece.SentencePieceTrainer.train(
            input=str(corpus), model_prefix=str(pathlib.Path(work) / "tokenizer"), model_type="bpe",
            vocab_size=VOCABULARY, byte_fallback=True, normalization_rule_name="identity",
            remove_extra_whitespaces=False, add_dummy_prefix=True, split_digits=True,
            allow_whitespace_only_pieces=True, character_coverage=.98, num_threads=1, minloglevel=2)
        out.mkdir(parents=True, exist_ok=True)
        shutil.copy(pathlib.Path(work) / "tokenizer.model", out)


def tokenizer(name, **files):
    folder = out / name
    folder.mkdir(exist_ok=True)
    for file, content in files.items():
        (folder / f"{file}.json").write_text(json.dumps(content, indent=1) + "\n")
    with tempfile.TemporaryDirectory() as whole:
        shutil.copytree(folder, whole, dirs_exist_ok=True)
        shutil.copy(out / "tokenizer.model", whole)
        return LlamaTokenizer.from_pretrained(whole)


def token(content, **flags):
    return dict(content=content, lstrip=False, rstrip=False, normalized=False, single_word=False, special=True) | flags


real = pieces()
train(real)
old = tokenizer("old", special_tokens_map={"bos_token": token("<s>"), "eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"},
                added_tokens={"<pad>": VOCABULARY, "<|user|>": VOCABULARY + 1})
new = tokenizer("new", tokenizer_config={
    "tokenizer_class": "LlamaTokenizer", "legacy": False, "bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>",
    "added_tokens_decoder": {"0": token("<unk>"), "1": token("<s>"), "2": token("</s>"),
                             str(VOCABULARY): token("<pad>", lstrip=True, rstrip=True),
                             str(VOCABULARY + 1): token("<|user|>", special=False, normalized=True)}})
generator = made(real)
texts = real + [next(generator) for _ in range(MADE)]
assert old.legacy and not new.legacy
with gzip.GzipFile(out / "texts.jsonl.gz", "wb", mtime=0) as file:
    for text in texts:
        row = dict(text=text, old=old.encode(text, add_special_tokens=False), new=new.encode(text, add_special_tokens=False))
        file.write((json.dumps(row, ensure_ascii=False) + "\n").encode())
