"""What lm-evaluation-harness 0.4.9 says of general ability, for `seekr verify --general`.

usage: general_reference.py requests DATA OUT
           digests of the requests for the first questions of every benchmark in DATA; no model is run
       general_reference.py answers DATA OUT MODEL OFFSET SUBJECTS,... TASKS,... [BATCH]
           log-likelihoods, texts and scores of a model, in float32: 40 questions with choices and 4 others
           of each benchmark, from OFFSET on, for these subjects of MMLU and tasks of BBH

DATA is laid out as docs/general.md says. Needs lm_eval 0.4.9, datasets, and for answers torch and transformers.
"""

import csv
import hashlib
import json
import logging
import pathlib
import sys
import tempfile
import time

import lm_eval.tasks
from lm_eval.api.task import ConfigurableTask
from lm_eval.utils import load_yaml_config

DIGESTED, CHOICES, ANSWERS, MAX_NEW = 50, 40, 4, 192
ANSWER = list("0123ABCD")
HOME = pathlib.Path(lm_eval.tasks.__file__).parent
data, out = pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
folder = tempfile.TemporaryDirectory()
scratch = pathlib.Path(folder.name)


def lines(path):
    return [json.loads(line) for line in open(path, encoding="utf-8") if line.strip()]


def mmlu(path):
    """As csv reads them; a row that this makes other than six fields of, by the quotes between them."""
    text = open(path, newline="", encoding="utf-8").read().splitlines(keepends=True)
    reader, rows, done = csv.reader(text), [], 0
    for r in reader:
        raw, done = "".join(text[done : reader.line_num]).rstrip("\r\n"), reader.line_num
        if r[-1] != "answer" and (len(r) != 6 or r[5] not in ANSWER):
            body, answer = raw[1:].rsplit('",', 1)
            r = [*body.split('","'), answer]
        if r[5] != "answer":
            rows.append({"question": r[0], "choices": r[1:5], "answer": ANSWER.index(r[5]) % 4})
    return rows


def boolq():
    return [
        {"passage": r["passage"], "question": r["question"], "label": int(r["answer"])}
        for r in lines(data / "boolq/dev.jsonl")
    ]


def piqa():
    labels = (data / "piqa/valid-labels.lst").read_text().split()
    return [{**r, "label": int(label)} for r, label in zip(lines(data / "piqa/valid.jsonl"), labels)]


def task(name, yaml, records, fewshot=None, examples=None):
    """The harness's own task, on these records."""
    config = load_yaml_config(str(HOME / yaml))
    files = {"test": records, **({"train": fewshot} if fewshot else {})}
    for split, rows in files.items():
        with open(scratch / f"{name}-{split}.jsonl", "w", encoding="utf-8") as f:
            f.writelines(json.dumps(r) + "\n" for r in rows)
    for key in ("dataset_name", "training_split", "validation_split", "fewshot_split", "tag", "task_alias"):
        config.pop(key, None)
    config.update(
        task=name,
        dataset_path="json",
        dataset_kwargs={"data_files": {s: str(scratch / f"{name}-{s}.jsonl") for s in files}},
        test_split="test",
    )
    if fewshot:
        config.update(training_split="train", fewshot_split="train", fewshot_config={"sampler": "first_n"})
    if examples is not None:
        config["num_fewshot"] = examples
    return ConfigurableTask(config=config)


def tasks(offset, choices, answers, subjects=None, bbh=None):
    """All parts by name; choices and answers: how many questions of either kind."""
    cut = lambda rows, n: rows[offset : offset + n]
    made = {
        "piqa": task("piqa", "piqa/piqa.yaml", cut(piqa(), choices)),
        "boolq": task("boolq", "super_glue/boolq/default.yaml", cut(boolq(), choices)),
        "gsm8k": task(
            "gsm8k",
            "gsm8k/gsm8k.yaml",
            cut(lines(data / "gsm8k/test.jsonl"), answers),
            lines(data / "gsm8k/train-head.jsonl"),
        ),
    }
    for path in sorted((data / "mmlu/test").glob("*_test.csv")):
        subject = path.name.removesuffix("_test.csv")
        if subjects is None or subject in subjects:
            name = "mmlu_" + subject
            dev = data / f"mmlu/dev/{subject}_dev.csv"
            few = mmlu(dev) if dev.exists() else None
            records = cut(mmlu(path), choices)
            made[name] = task(name, f"mmlu/default/{name}.yaml", records, few, 5 if few else 0)
    for path in sorted((data / "bbh/tasks").glob("*.json")):
        if bbh is None or path.stem in bbh:
            records = cut(json.load(open(path, encoding="utf-8"))["examples"], answers)
            made["bbh_" + path.stem] = task("bbh_" + path.stem, f"bbh/cot_fewshot/{path.stem}.yaml", records)
    return made


def digest(made):
    """Of each request: the prompt, then what else there is of the text, a zero after each."""
    made.build_all_requests()
    hash = hashlib.sha256()
    docs = sorted(made.instances, key=lambda i: (i.doc_id, i.idx))
    for instance in docs:
        prompt, rest = instance.args
        for text in (prompt, rest if isinstance(rest, str) else ""):
            hash.update(text.encode() + b"\0")
    return {"count": len({i.doc_id for i in docs}), "sha256": hash.hexdigest()}


def samples(made, evaluated):
    found = []
    for s in evaluated:
        choice = made.OUTPUT_TYPE == "multiple_choice"
        sample = {"id": s["doc_id"], "target": s["target"]}
        if choice:
            sample["loglikelihoods"] = [float(r[0]) for r in s["filtered_resps"]]
            sample["greedy"] = [str(r[1]) == "True" for r in s["filtered_resps"]]
            sample.update(acc=s["acc"], acc_norm=s.get("acc_norm"))
        else:
            sample.update(text=s["resps"][0][0], answer=s["filtered_resps"][0])
            sample.update(filter=s["filter"], exact_match=s["exact_match"])
        found.append(sample)
    return found


logging.disable(logging.WARNING)
if sys.argv[1] == "requests":
    found = {name: {"requests": digest(t)} for name, t in tasks(0, DIGESTED, DIGESTED).items()}
    result = {"lm_eval": "0.4.9", "offset": 0, "tasks": found}
else:
    model, offset = sys.argv[4], int(sys.argv[5])
    made = tasks(offset, CHOICES, ANSWERS, sys.argv[6].split(","), sys.argv[7].split(","))
    for t in made.values():
        if t.OUTPUT_TYPE != "multiple_choice":
            t.config.generation_kwargs["max_gen_toks"] = MAX_NEW
    from lm_eval.evaluator import evaluate
    from lm_eval.models.huggingface import HFLM

    lm = HFLM(pretrained=model, dtype="float32", device="cpu", batch_size=int((sys.argv[8:] or ["8"])[0]))
    evaluated = {"results": {}, "samples": {}}
    for kind in ("choices", "open"):
        some = {n: t for n, t in made.items() if (t.OUTPUT_TYPE == "multiple_choice") == (kind == "choices")}
        start = time.perf_counter()
        one = evaluate(lm, some, log_samples=True, bootstrap_iters=0)
        print(f"{kind} {time.perf_counter() - start:.2f} s", flush=True)
        for key in evaluated:
            evaluated[key].update(one[key])
    found = {}
    for name, t in made.items():
        metrics = {k: v for k, v in evaluated["results"][name].items() if "," in k and "stderr" not in k}
        found[name] = {"metrics": metrics, "samples": samples(t, evaluated["samples"][name])}
    result = {"lm_eval": "0.4.9", "offset": offset, "max_new_tokens": MAX_NEW, "tasks": found}
out.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
