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


PAGE = """# Static analysis of the CUDA kernels

Registers, shared memory, occupancy and instruction counts of every CUDA kernel, and the hardware unit that limits the attention loops. All numbers come from the machine code;
no GPU was used. {compiler}. Generated by `make -C cuda report` (`cuda/report`), which fails if a kernel uses local memory, if a 16-bit attention kernel has no tensor-core
instructions or asynchronous copies, or if a kernel with 16-byte accesses has too few loads in flight.

## Main loops of attention

Instructions that a warp issues per tile, in the loop that contains the HMMA. Line tables attribute them to the source:

- `loop`: executed for every tile.
- `edge`: only in tiles that need the mask; `rescale`: only for a row whose maximum has grown.
- `sens`: only if the sensitivity is requested.
- `distil`: only in heads with sampled queries. This counts all of the code, in dq including the KL; a query that is not sampled leaves at the first test.

In bwd_kv each of two parts is executed by half of the warps and counted half.

{mix}

## Bounds

Clocks of an SM per HMMA (with the instructions that come with it), as if each unit worked alone. The largest limits the loop; `tensor` divided by it
is the share of the tensor cores' rate (on H100: of mma.sync's) that the loop can reach.

Assumed clocks of an A100's SM per warp instruction (H100 in parentheses where it differs):

- HMMA {a.hmma:.2f} ({h.hmma:.2f}). With 16-bit elements it is 16 x 8 x 16 = 2048 multiply-adds. The A100 does 1024 per clock. The H100 does 2048, but only with wgmma;
  mma.sync is assumed to reach 62 %, as published measurements report. An HMMA of TF32 has half the work at half the rate.
- Any issue slot 1/4; float add, multiply, FMA {a.fp32} ({h.fp32}); integer, compare, convert {a.alu}; MUFU (exponential) {a.mufu:.0f}.
- Shared memory 1/128 per byte (ldmatrix.x4, 512 bytes: 4; arriving copies count too). L2: {l2a:.0f} ({l2h:.0f}) bytes per clock and SM.

Sources: the arithmetic throughput table of the CUDA C++ Programming Guide (8.0, 9.0) and the white papers of A100 and H100. The
H100's L2 is assumed to have the A100's 5120 bytes per clock. Example: {example}.

{bounds}

## All kernels

Occupancy follows from registers (allocated by 256 per warp, 65536 per SM), shared memory (164 and 228 KiB per SM, of which the system takes 1 KiB per
block), 64 warps and 32 blocks. Shared memory is what launchers request; "small" depends on sizes, at most {small} bytes.

Kernels whose name ends in x4 or x8 access 16 bytes per thread. "KiB in flight" is what all warps of an SM load by such accesses before one of them needs the first.
Keeping a memory with about 600 ns latency busy takes {a.latency_kib} KiB per SM on an A100 and {h.latency_kib} on an H100 (bandwidth times latency, divided by the SMs). The report fails
below that.

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
    head = ["target", "kernel", "registers", "threads", "shared bytes", "blocks per SM", "warps per SM", "limited by", "local bytes", "HMMA", "LDGSTS", "KiB in flight"]
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
