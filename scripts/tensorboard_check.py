"""Reads a run's files for TensorBoard with TensorBoard's reader and compares them with the run's log."""

import json
import math
import sys
from pathlib import Path

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

run = Path(sys.argv[1])
events = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
steps = [e for e in events if e["event"] == "step"]
read = EventAccumulator(str(run / "events"), size_guidance={"scalars": 0, "tensors": 0}).Reload()
files = sorted((run / "events").iterdir())


def series(tag):
    return [(s.step, s.value) for s in read.Scalars(tag)]


def same(tag, expected):
    found = series(tag)
    assert [step for step, _ in found] == [step for step, _ in expected], (tag, found)
    for (step, value), (_, want) in zip(found, expected):
        assert math.isclose(value, want, rel_tol=1e-6), (tag, step, value, want)


assert len(files) == 3, f"one an attempt: {files}"
assert len(steps) > 10 and any(e["event"] == "resumed" for e in events)
same("loss/total", [(i + 1, s["loss"]) for i, s in enumerate(steps)])
same("train/lr", [(i + 1, s["lr"]) for i, s in enumerate(steps)])
same("train/grad_norm", [(i + 1, s["grad_norm"]) for i, s in enumerate(steps)])
same("loss/replay", [(i + 1, s["losses"]["replay"]) for i, s in enumerate(steps) if "replay" in s["losses"]])
for task in ("task363", "task1687"):
    scores = [e["score"] for e in events if e["event"] == "evaluation" and e["task"] == task]
    assert [value for _, value in series("score/" + task)] == [float(s) for s in scores] or all(
        math.isclose(a, b, rel_tol=1e-6) for (_, a), b in zip(series("score/" + task), scores, strict=True)
    ), task
end = events[-1]
same("result/OP", [(len(steps), end["op"])])
same("result/FWT", [(len(steps), end["fwt"])])
text = read.Tensors("configuration")[0].tensor_proto.string_val[0].decode()
assert "max_prompt: 64" in text and "tensorboard: true" in text, text
assert read.SummaryMetadata("configuration").plugin_data.plugin_name == "text"
print(f"TensorBoard reads {len(read.Tags()['scalars'])} series of {len(steps)} steps as the log has them")
