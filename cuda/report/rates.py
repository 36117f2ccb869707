"""How much of each instruction a streaming multiprocessor does in a clock cycle, and what that makes of a loop."""
from collections import namedtuple

# clocks an SM needs for one instruction of a warp, by the unit that runs it. Sources: CUDA C++ Programming Guide, "Arithmetic Instructions",
# results per clock and SM for compute capability 8.0 and 9.0 (32 lanes / results per clock); A100 and H100 white papers for tensor cores
# and L2; latency_kib: the memory's bytes a second (2.04e12, 3.35e12) times 600 ns, over its SMs. An mma.m16n8k16 of 16-bit elements is 2048 multiply-adds, an m16n8k8 of TF32 1024.
Gpu = namedtuple("Gpu", "name hmma fp32 alu mufu issue shared l2 max_shared sm_shared latency_kib")
GPUS = {
    # 1024 multiply-adds a clock: 2048 / 1024. 64 floats, 64 integers, 16 special functions; 4 schedulers; 128 bytes of shared memory;
    # 5120 bytes of L2 a clock / 108 SMs.
    "sm_80": Gpu("A100", 2.0, 32 / 64, 32 / 64, 32 / 16, 1 / 4, 1 / 128, 108 / 5120, 163 << 10, 164 << 10, 11),
    # 2048 a clock, of which mma.sync is taken to reach 62 % (the rest is wgmma's): 1 / 0.62. Twice the floats. L2 as the A100's,
    # for NVIDIA does not say: 5120 / 132.
    "sm_90": Gpu("H100", 1 / 0.62, 32 / 128, 32 / 64, 32 / 16, 1 / 4, 1 / 128, 132 / 5120, 227 << 10, 228 << 10, 15),
}
FLOAT = {"FFMA", "FADD", "FMUL"}
NOT_ALU = {"BRA", "BAR", "BSSY", "BSYNC", "EXIT", "NOP", "WARPSYNC", "DEPBAR", "LDGDEPBAR", "S2R", "S2UR", "R2UR", "LDC", "LDG", "STG", "ULDC",
           "LDL", "STL", "SHFL", "DADD", "DFMA", "DMUL", "F2F", "CALL", "RET"}


def shared_bytes(opcode):
    """What an instruction of a warp moves to or from shared memory."""
    name = opcode.split(".")[0]
    if name == "LDSM":
        return 128 * (4 if opcode.endswith(".4") else 2 if opcode.endswith(".2") else 1)
    if name in ("LDS", "STS", "LDGSTS"):
        return 32 * (16 if ".128" in opcode else 8 if ".64" in opcode else 4)
    return 0


def clocks(gpu, counts):
    """{unit: clocks} for {opcode: how often a warp issues it}."""
    unit = dict.fromkeys(("tensor", "issue", "float", "integer", "exp", "shared", "L2"), 0.0)
    for opcode, n in counts.items():
        name = opcode.split(".")[0]
        unit["issue"] += n * gpu.issue
        unit["shared"] += n * shared_bytes(opcode) * gpu.shared
        if name == "HMMA":
            unit["tensor"] += n * gpu.hmma
        elif name in FLOAT:
            unit["float"] += n * gpu.fp32
        elif name == "MUFU":
            unit["exp"] += n * gpu.mufu
        elif name == "LDGSTS":
            unit["L2"] += n * shared_bytes(opcode) * gpu.l2
        elif not (name in NOT_ALU or name.startswith("U") or shared_bytes(opcode)):
            unit["integer"] += n * gpu.alu
    return unit


def occupancy(gpu, registers, threads, shared):
    """(blocks an SM holds, what limits them). Registers are given out to warps in units of 256, shared memory with 1 KiB for the system."""
    warps = -(-threads // 32)
    of = {
        "registers": 65536 // (-(-registers * 32 // 256) * 256 * warps),
        "shared memory": gpu.sm_shared // (shared + 1024),
        "threads": 64 // warps,
        "blocks": 32,
    }
    limit = min(of, key=of.get)
    return (of[limit] if shared <= gpu.max_shared else 0), limit
