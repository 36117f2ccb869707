"""Draws rows "x y z …" from standard input as an SVG: y and z over x, both axes logarithmic, each against a scale of its own that begins
where the other's does, so that curves which grow alike lie on each other.

usage: plot.py TITLE X Y Z
"""
import math
import sys

W, H, LEFT, RIGHT, TOP, BOTTOM = 640, 400, 70, 70, 50, 50
title, x_name, *names = sys.argv[1:5]
rows = [tuple(float(v) for v in line.split()[:3]) for line in sys.stdin]
if len(rows) < 2 or any(not math.isfinite(v) or v <= 0 for row in rows for v in row):
    sys.exit("plot.py: expected two rows of positive numbers or more")
xs = [r[0] for r in rows]
grown = max(r[i] / rows[0][i] for r in rows for i in (1, 2)) * 1.15


def at_x(x):
    return LEFT + (W - LEFT - RIGHT) * math.log(x / xs[0]) / math.log(xs[-1] / xs[0])


def at_y(ratio):
    return H - BOTTOM - (H - TOP - BOTTOM) * math.log(ratio / 0.9) / math.log(grown / 0.9)


def text(x, y, words, anchor="middle", color="#333"):
    print(f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}" fill="{color}">{words}</text>')


print(f'<svg xmlns="http://www.w3.org/2000/svg" width="{W}" height="{H}" font-family="sans-serif" font-size="12">')
print(f'<rect width="{W}" height="{H}" fill="white"/>')
text(W / 2, 24, title)
for x in xs:
    print(f'<line x1="{at_x(x):.0f}" x2="{at_x(x):.0f}" y1="{TOP}" y2="{H - BOTTOM}" stroke="#ddd"/>')
    text(at_x(x), H - BOTTOM + 18, f"{x:g}")
text(W / 2, H - 10, x_name)
for i, (color, edge, anchor) in enumerate([("#1f6fb4", LEFT - 8, "end"), ("#d9701a", W - RIGHT + 8, "start")], start=1):
    first = rows[0][i]
    points = " ".join(f"{at_x(r[0]):.1f},{at_y(r[i] / first):.1f}" for r in rows)
    dash = ' stroke-dasharray="6 4"' if i == 2 else ""
    print(f'<polyline points="{points}" fill="none" stroke="{color}" stroke-width="2"{dash}/>')
    for r in rows:
        print(f'<circle cx="{at_x(r[0]):.1f}" cy="{at_y(r[i] / first):.1f}" r="3" fill="{color}"/>')
    for ratio in (1, 1.25, 1.5, 2, 3, 4, 6, 8):
        if ratio <= grown:
            text(edge, at_y(ratio) + 4, f"{first * ratio:.4g}", anchor, color)
    text(edge, TOP - 10, names[i - 1], "start" if i == 1 else "end", color)
print("</svg>")
