#!/usr/bin/env python3
"""What the machine code says of the CUDA kernels: registers, memory, instructions, and what bounds the loops of attention.

Fails, naming the kernel, where one has local memory (a stack, or spilled registers), and where one of attention's tiles in 16 bits has no
tensor-core instructions or asynchronous copies. Run by: make -C cuda report
"""
import argparse
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import rates
import sass

WIDE = re.compile(r"x[48]$")
TILED = re.compile(r"attention_(fwd|bwd_q|bwd_kv|diff)_(f32|bf16|f16)_(\d+)$")
SMALL = 2080  # bytes: the most that launchers without shared_bytes() ask for, (8 + 4 HS) floats at HS = 128 (attention_decode)

# Parts of a loop, by the source functions their instructions come from. The first row's run once for every tile; of the warps of bwd_kv half
# run one of its two parts, half the other.
ALWAYS, HALF = "loop", {"probabilities", "gradients"}
PARTS = {
    "hide": "edge", "hide_transposed": "edge", "hide_gradients": "edge",
    "rescale": "rescale", "copy_elements": "unaligned", "sum_of_squares": "sensitivity",
    "distil": "distillation", "diverge": "distillation",
}


def part_of(instruction):
    return next((PARTS[f] for f in instruction.functions if f in PARTS), ALWAYS)


def counts_of(loop):
    """{part: {opcode: times a warp issues it for one tile}}"""
    parts = {}
    for x in loop:
        weight = 0.5 if any(f in HALF for f in x.functions) else 1.0
        counts = parts.setdefault(part_of(x), Counter())
        counts[x.opcode] += weight
    return parts


def total(counts, *names):
    return sum(n for opcode, n in counts.items() if not names or opcode.split(".")[0] in names)


def kernel_rows(found, launches):
    for arch, (code, usage) in found.items():
        gpu = rates.GPUS[arch]
        for name in sorted(code):
            registers, local = usage[name]["REG"], usage[name]["STACK"] + usage[name].get("LOCAL", 0)
            local = local or 4 * sass.count(code[name], "STL", "LDL")
            threads, shared = launches[name]
            blocks, limit = rates.occupancy(gpu, registers, threads, SMALL if shared < 0 else shared)
            warps = blocks * threads // 32
            loads = sass.wide_loads(code[name])
            yield arch, name, registers, threads, shared, blocks, warps, limit, local, sass.count(
                code[name], "HMMA"), sass.count(code[name], "LDGSTS"), loads * 16 * 32 * warps // 1024 if WIDE.search(name) else ""


def failures(rows):
    for arch, name, _, _, _, blocks, _, _, local, hmma, copies, flying in rows:
        tiled = TILED.match(name)
        if local:
            yield f"{name} on {arch}: {local} bytes of local memory"
        if not blocks:
            yield f"{name} on {arch}: a block has more shared memory than there is"
        if tiled and tiled.group(2) != "f32" and not (hmma and copies):
            yield f"{name} on {arch}: {hmma} tensor-core instructions, {copies} asynchronous copies"
        if WIDE.search(name) and flying < rates.GPUS[arch].latency_kib:
            yield f"{name} on {arch}: {flying} KiB in flight, fewer than {rates.GPUS[arch].latency_kib} that hide the memory's latency"


def table(head, rows):
    yield "| " + " | ".join(head) + " |"
    yield "|" + " --- |" * len(head)
    for row in rows:
        yield "| " + " | ".join(str(x) for x in row) + " |"


def loops(found):
    """(arch, kernel, parts) of the tiled kernels for heads of 64 and 128."""
    for arch, (code, _) in found.items():
        for name in sorted(code, key=lambda n: [int(p) if p.isdigit() else p for p in n.split("_")]):
            tiled = TILED.match(name)
            if tiled and tiled.group(3) in ("64", "128"):
                yield arch, name, counts_of(sass.main_loop(code[name]))


def mix_rows(found):
    for arch, name, parts in loops(found):
        c = parts[ALWAYS]
        extra = [f"{total(parts.get(p, Counter())):.0f}" for p in ("edge", "rescale", "sensitivity", "distillation")]
        yield [arch, name, f"{total(c, 'HMMA'):.0f}", f"{total(c):.0f}", f"**{total(c) / total(c, 'HMMA'):.2f}**"] + [
            f"{total(c, *names):.0f}" for names in (("LDSM",), ("LDS",), ("STS",), ("LDGSTS",), ("LDG",), ("MUFU",), ("FFMA", "FADD", "FMUL"))] + extra


def bound_rows(found):
    for arch, name, parts in loops(found):
        gpu, hmma = rates.GPUS[arch], total(parts[ALWAYS], "HMMA")
        for what, counts in (("", parts[ALWAYS]), (" + sensitivity", parts[ALWAYS] + parts.get("sensitivity", Counter()))):
            if what and "sensitivity" not in parts:
                continue
            unit = {u: c / hmma for u, c in rates.clocks(gpu, counts).items()}
            bound = max(unit, key=unit.get)
            yield [gpu.name, name + what] + [f"{c:.2f}" for c in unit.values()] + [f"**{bound}**", f"{100 * unit['tensor'] / unit[bound]:.0f} %"]


PAGE = """# What the machine code says of the CUDA kernels

Written by `make -C cuda report` (`cuda/report`), which fails where a kernel has local memory, or one of attention's in 16 bits no tensor-core
instructions or asynchronous copies, or one that takes 16 bytes a thread has too few loads under way. No GPU was asked: these are counts of instructions, and bounds that follow from them. {compiler}.

## Main loops of attention

Instructions that a warp issues for one tile, in the loop that holds the HMMA; their source is known by line tables. `loop` is what every tile
costs. Apart stand what only tiles at the edge of what queries see run (`edge`), what only a row whose maximum has grown runs (`rescale`), and the taps: `sens`
where the sensitivity is asked for, `distil` for heads with sampled queries (all of its code, in dq that of the KL too; a query that is not
sampled leaves at its first test). Of the two parts of bwd_kv that half the warps each run, half is counted.

{mix}

## Bounds

Clocks of an SM for one HMMA (with what comes with it), unit by unit, if that unit were all there is: the largest bounds the loop, and `tensor` over
it is the share of the tensor cores' rate (on H100: of mma.sync's) that the loop can reach.

For each instruction of a warp an A100's SM needs these clocks (an H100's, where it differs): HMMA {a.hmma:.2f} ({h.hmma:.2f}); any issue slot 1/4; float
add, multiply, FMA {a.fp32} ({h.fp32}); integer, compare, convert {a.alu}; MUFU, the exponential, {a.mufu:.0f}; shared memory 1/128 a byte (ldmatrix.x4, 512 bytes,
4; copies that arrive count too); L2 {l2a:.0f} ({l2h:.0f}) bytes a clock and SM. An HMMA of 16-bit elements is 16 x 8 x 16 = 2048 multiply-adds and the A100 does 1024
a clock; the H100 does 2048, but only for wgmma: mma.sync is taken to reach 62 %, as measurements others published have it. An HMMA of TF32 has half the
work at half the rate. From the CUDA C++ Programming Guide's table of arithmetic throughput (8.0, 9.0) and the A100's and H100's white papers; the
H100's L2 is assumed to be as wide as the A100's 5120 bytes a clock. As an example, {example}.

{bounds}

## All kernels

Occupancy from registers (given out by 256 to a warp, 65536 an SM), shared memory (164 and 228 KiB an SM, 1 KiB of it the system's for each
block), 64 warps and 32 blocks. Shared memory is what launchers ask for; "small" where it depends on sizes, at most {small} bytes.

Kernels whose name ends in x4 or x8 take 16 bytes a thread. In flight is what all warps of an SM load by such accesses before one of them needs the first:
memory that answers in about 600 ns is busy with {a.latency_kib} KiB an SM on an A100, {h.latency_kib} on an H100 (its bytes a second, times that, over its SMs). The report fails
where it is less.

{kernels}
"""


def example(found):
    arch, name = "sm_80", "attention_fwd_bf16_128"
    parts = counts_of(sass.main_loop(found[arch][0][name]))[ALWAYS]
    hmma, ldsm, copies = total(parts, "HMMA"), total(parts, "LDSM"), total(parts, "LDGSTS")
    return (f"shared memory for {name} on the A100: {ldsm:.0f} ldmatrix and {copies:.0f} copies of 512 bytes to {hmma:.0f} HMMA, "
            f"({ldsm:.0f} + {copies:.0f}) x 512 / 128 / {hmma:.0f} = {(ldsm + copies) * 4 / hmma:.2f} clocks")


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--tools", required=True, help="folder of nvcc, cuobjdump and nvdisasm")
    options.add_argument("--launches", required=True, help="the program made of launches.cpp")
    options.add_argument("--out", required=True)
    options.add_argument("fatbins", nargs="+")
    o = options.parse_args()
    launches = {n: (int(t), int(s)) for n, t, s in
                (line.split() for line in subprocess.run([o.launches], check=True, capture_output=True, text=True).stdout.splitlines())}
    found = {arch: ({}, {}) for arch in rates.GPUS}
    for arch in found:
        for fatbin in o.fatbins:
            code, usage = sass.kernels(f"{o.tools}/cuobjdump", f"{o.tools}/nvdisasm", fatbin, arch)
            found[arch][0].update(code), found[arch][1].update(usage)
        missing = set(launches) ^ set(found[arch][0])
        if missing:
            sys.exit(f"{arch}: {', '.join(sorted(missing))}: in the sources or in the modules, not in both")
    rows = list(kernel_rows(found, launches))
    compiler = subprocess.run([f"{o.tools}/nvcc", "--version"], check=True, capture_output=True, text=True).stdout
    a, h = rates.GPUS["sm_80"], rates.GPUS["sm_90"]
    mix_head = ["target", "kernel", "HMMA", "loop", "per HMMA", "LDSM", "LDS", "STS", "LDGSTS", "LDG", "MUFU", "float", "edge", "rescale", "sens", "distil"]
    bound_head = ["GPU", "kernel", "tensor", "issue", "float", "integer", "exp", "shared", "L2", "bound", "of tensor"]
    head = ["target", "kernel", "registers", "threads", "shared bytes", "blocks an SM", "warps an SM", "limited by", "local bytes", "HMMA", "LDGSTS", "KiB in flight"]
    shown = [[*r[:4], "small" if r[4] < 0 else r[4], *r[5:]] for r in rows]
    Path(o.out).write_text(PAGE.format(
        compiler="Compiled by nvcc " + re.search(r"release ([\d.]+)", compiler).group(1), a=a, h=h, l2a=1 / a.l2, l2h=1 / h.l2, small=SMALL,
        example=example(found), mix="\n".join(table(mix_head, mix_rows(found))), bounds="\n".join(table(bound_head, bound_rows(found))),
        kernels="\n".join(table(head, shown))))
    bad = list(failures(rows))
    print(f"{len(rows)} kernels and targets: {o.out}")
    if bad:
        sys.exit("\n".join(bad))


if __name__ == "__main__":
    main()
