"""Train the nano model's byte-level BPE tokenizer (4096 tokens) and write tokenizer.json.

    python3 -m venv .venv && .venv/bin/pip install tokenizers==0.22.1
    .venv/bin/python examples/nano/make_tokenizer.py DATA OUT_DIR TASK...

DATA holds one folder a task with train.json; the prompts and answers of the tasks named are the text.
"""

import json
import sys
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

VOCABULARY = 4096
SPECIAL = ["<pad>", "<s>", "</s>"]


def text(root: Path, tasks: list[str]):
    for task in tasks:
        for record in json.loads((root / task / "train.json").read_text()):
            yield record["prompt"] + record["answer"]


def main(root: str, out: str, *tasks: str) -> None:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=SPECIAL,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(text(Path(root), list(tasks)), trainer)
    tokenizer.save(str(Path(out) / "tokenizer.json"), pretty=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
