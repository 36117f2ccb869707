#!/usr/bin/env python3
"""Draws docs/forgetting.svg from runs and docs/speed.svg from the table of docs/speed.md ('make pictures').

usage: scripts/pictures.py RUNS   (a folder of runs, each with config.yaml and scores.json)
"""
import json
import re
import statistics
import sys
from html import escape
from pathlib import Path

DOCS = Path(__file__).parent.parent / "docs"

# Colours follow the reader's system; so does the ground below them, whatever the page around it does.
STYLE = """
svg { --ink: #1b1f24; --dim: #57606a; --paper: #fff; --rule: #d5dae0;
      --c0: #0f766e; --c1: #0b62c4; --c2: #c2410c; --c3: #a21caf; --c4: #7a5d00; --c5: #3f6f0b; }
@media (prefers-color-scheme: dark) {
  svg { --ink: #e6e8eb; --dim: #a3abb4; --paper: #14171a; --rule: #363c44;
        --c0: #45d0bd; --c1: #6cb0ff; --c2: #ff9d5c; --c3: #e48bf0; --c4: #e0c04a; --c5: #a4d65e; }
}
text { font: 14px system-ui, sans-serif; fill: var(--ink); stroke: var(--paper); stroke-width: 4px; paint-order: stroke; }
.title { font-weight: 600; font-size: 16px; }
.dim { fill: var(--dim); font-size: 13px; }
.end { text-anchor: end; } .mid { text-anchor: middle; }
.paper { fill: var(--paper); }
path { fill: none; stroke-width: 2; }
.rule { stroke: var(--rule); } .zero { stroke: var(--dim); } .rule, .zero, .spread { stroke-width: 1; }
"""
STYLE += "".join(
    f".l{i} {{ stroke: var(--c{i}); }} .f{i} {{ fill: var(--c{i}); }} .w{i} {{ fill: var(--c{i}); font-weight: 600; }}\n"
    for i in range(6))


class Picture:
    """Lines, texts and boxes of an SVG, in the order in which they are drawn."""

    def __init__(self, width, height, title, below):
        self.width, self.height, self.title, self.parts = width, height, title, []
        self.box(0, 0, width, height, "paper")
        self.text(16, 28, title, "title")
        self.text(16, 49, below, "dim")

    def text(self, x, y, text, kind=""):
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}">{escape(text)}</text>')

    def path(self, d, kind):
        self.parts.append(f'<path d="{d}" class="{kind}"/>')

    def dot(self, x, y, kind):
        self.parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" class="{kind}"/>')

    def box(self, x, y, width, height, kind):
        self.parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" class="{kind}"/>')

    def write(self, file):
        head = (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height}" '
                f'width="{self.width}" height="{self.height}" role="img">')
        file.write_text("\n".join(
            [head, f"<title>{escape(self.title)}</title>", f"<style>{STYLE}</style>", *self.parts, "</svg>\n"]))
        print(f"wrote {file.relative_to(DOCS.parent)}")


NAMES = {"seekr": "SEEKR", "derpp": "DER++", "replay": "replay", "seqft": "plain fine-tuning"}


def lost(scores):
    """Mean change of the earlier tasks' scores since they were learnt, after each task; None if a score is missing."""
    changes = [0.0]
    for j in range(1, len(scores)):
        earlier = [(scores[j][i], scores[i][i]) for i in range(j)]
        if any(None in pair for pair in earlier):
            return None
        changes.append(statistics.mean(now - then for now, then in earlier))
    return changes


def forgetting(folder):
    curves, tasks = {}, []
    for file in sorted(folder.glob("*/scores.json")):
        name = re.search(r"^method:\n(?:  .*\n)*?  name: (\w+)", file.with_name("config.yaml").read_text(), re.M)[1]
        run = json.loads(file.read_text())
        changes = lost(run["scores"])
        if changes:
            if tasks and run["tasks"] != tasks:
                sys.exit(f"pictures: {file}: tasks {run['tasks']}, but {tasks} in other runs; a picture is of one order of tasks")
            curves.setdefault(name, []).append(changes)
            tasks = run["tasks"]
    if not curves:
        sys.exit(f"pictures: {folder}: no runs that learn tasks in turn")
    counts = sorted({len(runs) for runs in curves.values()})
    seeds = " to ".join(map(str, counts[:: max(1, len(counts) - 1)]))
    picture = Picture(
        720, 370, "Forgetting: earlier tasks as more are learnt",
        f"change of their scores since learnt, in points: mean of {seeds} seeds ± standard deviation")
    means = {n: [statistics.mean(at) for at in zip(*runs)] for n, runs in curves.items()}
    spread = {n: [statistics.stdev(at) if len(at) > 1 else 0 for at in zip(*runs)] for n, runs in curves.items()}
    ends = [m + sign * s for n in curves for m, s in zip(means[n], spread[n]) for sign in (-1, 1)]
    low, high = min(-1, *ends) * 1.03, max(0, *ends)
    at_x = lambda j: 70 + 440 * j / (len(tasks) - 1)
    at_y = lambda points: 80 + 220 * (high - points) / (high - low)
    for points in range(int(high // 10) * 10, int(low) - 1, -10):
        picture.path(f"M58 {at_y(points):.1f}H524", "zero" if points == 0 else "rule")
        picture.text(50, at_y(points) + 5, f"{points}".replace("-", "−"), "dim end")
    for j, task in enumerate(tasks):
        picture.text(at_x(j), 330, task, "mid")
    picture.text(at_x((len(tasks) - 1) / 2), 354, "after learning …", "dim mid")
    ranked = sorted(curves, key=lambda n: -means[n][-1])
    below = 0
    for rank, name in enumerate(ranked):
        aside = 5 * (rank - (len(ranked) - 1) / 2)  # bars beside each other, not over each other
        xs = [at_x(j) + (aside if j else 0) for j in range(len(tasks))]
        ys = [at_y(m) for m in means[name]]
        picture.path("M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in zip(xs, ys)), f"l{rank % 6}")
        for x, y, m, s in zip(xs, ys, means[name], spread[name]):
            if s:
                picture.path(f"M{x:.1f} {at_y(m - s):.1f}V{at_y(m + s):.1f}", f"spread l{rank % 6}")
            picture.dot(x, y, f"f{rank % 6}")
        below = max(below + 19, ys[-1] + 5)  # labels below each other
        picture.text(536, below, NAMES.get(name, name), f"w{rank % 6}")
    picture.write(DOCS / "forgetting.svg")


STEPS = {"plain": "fine-tuning step", "plain, `train.state=bf16`": "all state in bf16", "SEEKR": "SEEKR step", "importance": "importance pass"}


def speed_table(text):
    """The first table that has both sides' speed and memory: its section's name and its rows, a list of cells each."""
    heading, lines = "", iter(text.splitlines())
    cells = lambda line: [cell.strip(" *") for cell in line.strip().strip("|").split("|")]
    for line in lines:
        if line.startswith("#"):
            heading = line.lstrip("# ")
        if cells(line)[2:6] == ["Seekr", "PyTorch", "compiled", "times the best"]:
            header, rows = cells(line), []
            next(lines)
            for row in lines:
                if not row.startswith("|"):
                    break
                rows.append(cells(row))
            memory = next((i for i, name in enumerate(header) if name.startswith("memory")), None)
            if memory is not None:
                return heading, memory, rows
    sys.exit("pictures: docs/speed.md: no table of | step | | Seekr | PyTorch | compiled | times the best | memory, Seekr | PyTorch |")


def speed(file):
    heading, memory, rows = speed_table(file.read_text())
    number = lambda cell: float(cell.split()[0].replace(",", ""))
    times = lambda row: number(row[5])
    height = 112 + 27 * len(rows) + 10 * len({row[0] for row in rows})
    picture = Picture(760, height, "Speed and memory, compared with the fastest PyTorch", heading)
    left, right, full = 210, 520, 180
    unit = 210 / max(times(row) for row in rows)
    picture.text(left, 78, "tokens/s; PyTorch = 1", "dim")
    picture.text(right, 78, "peak memory; PyTorch = 100 %", "dim")
    y, step, texts = 84, None, []
    for row in rows:
        if row[0] != step:
            y, step = y + 10, row[0]
            picture.text(16, y + 16, STEPS.get(step, step))
        kind = 0 if row[1] == "f32" else 1
        picture.text(left - 10, y + 16, row[1], f"w{kind} end")
        share = number(row[memory]) / number(row[memory + 1])
        picture.box(left, y + 1, unit * times(row), 20, f"f{kind}")
        picture.box(right, y + 1, full * share, 20, f"f{kind}")
        texts.append((left + unit * times(row) + 6, y + 16, f"{times(row):.2f} ×"))
        texts.append((right + full * share + 6, y + 16, f"{100 * share:.0f} %"))
        y += 27
    for x in (left + unit, right + full):
        picture.path(f"M{x:.1f} 86V{y + 4}", "zero")
    for text in texts:
        picture.text(*text)
    picture.write(DOCS / "speed.svg")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    forgetting(Path(sys.argv[1]))
    speed(DOCS / "speed.md")
