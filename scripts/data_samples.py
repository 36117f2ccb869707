"""Writes small tasks in each format that Seekr reads, for its tests: data_samples.py OUT.

Needs pyarrow. Eight samples for training and four for testing a task; the texts are the same in all formats.
"""

import csv
import gzip
import json
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

COLOURS = ["red", "green", "blue"]


def samples(first, n):
    for i in range(first, first + n):
        yield f"Which colour?\nBox {i} is painted \"{COLOURS[i % 3]}\", not grey.", COLOURS[i % 3]


def json_lines(rows):
    return "".join(json.dumps(row) + "\n" for row in rows)


def table(rows):
    return pa.table({name: [row[name] for row in rows] for name in rows[0]})


def write_csv(path, rows, separator=","):
    with open(path, "w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter=separator)
        writer.writeheader()
        writer.writerows(rows)


def main(out):
    for split, first, n in (("train", 0, 8), ("test", 8, 4)):
        def at(task, kind):
            folder = out / task
            folder.mkdir(parents=True, exist_ok=True)
            return folder / f"{split}.{kind}"

        texts = list(samples(first, n))
        pairs = [{"id": i, "prompt": p, "answer": a} for i, (p, a) in enumerate(texts)]
        several = [{"prompt": p, "answer": [a, a.upper()], "confidence": float("nan")} for p, a in texts]
        numbers = [{"prompt": f"{i} + {i} =", "answer": 2 * i} for i in range(first, first + n)]
        alpaca = [{"instruction": p.split("\n")[0], "input": p.split("\n")[1], "output": a} for p, a in texts]
        alpaca[0]["input"] = ""
        gpt = [{"conversations": [{"from": "human", "value": p}, {"from": "gpt", "value": a}]} for p, a in texts]
        messages = [
            {"messages": [{"role": "system", "content": "Be short."}, {"role": "user", "content": p},
                          {"role": "assistant", "content": a}]}
            for p, a in texts
        ]
        named = [{"context": p.split("\n")[1], "question": p.split("\n")[0], "answers": {"text": [a], "start": [0]}}
                 for p, a in texts]
        superni = {
            "Definition": ["Name the colour of the box."],
            "Positive Examples": [{"input": "never read", "output": "never"}],
            "Instances": [{"id": f"t-{i}", "input": p, "output": [a, a.upper()]} for i, (p, a) in enumerate(texts)],
        }
        at("array", "json").write_text(json.dumps(several, indent=1))
        at("numbers", "json").write_text(json.dumps(numbers))
        at("lines", "jsonl").write_text(json_lines(pairs))
        at("lines_as_json", "json").write_text(json_lines(pairs))
        at("zipped", "jsonl.gz").write_bytes(gzip.compress(json_lines(pairs).encode(), mtime=0))
        at("alpaca", "json").write_text(json.dumps(alpaca))
        at("sharegpt", "json").write_text(json.dumps(gpt))
        at("messages", "jsonl").write_text(json_lines(messages))
        at("superni", "json").write_text(json.dumps(superni))
        at("named", "jsonl").write_text(json_lines(named))
        write_csv(at("csv", "csv"), pairs)
        write_csv(at("tsv", "tsv"), pairs, "\t")
        pq.write_table(table(pairs), at("parquet", "parquet"), compression="snappy")
        parts = out / "parts" / "data"
        parts.mkdir(parents=True, exist_ok=True)
        for part, compression in enumerate(("zstd", "gzip")):
            rows = messages[part * n // 2:(part + 1) * n // 2]
            pq.write_table(table(rows), parts / f"{split}-{part:05}-of-00002.parquet", compression=compression)
        folder = out / "folder" / split
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "a.jsonl").write_text(json_lines(pairs[:n // 2]))
        write_csv(folder / "b.csv", pairs[n // 2:])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
