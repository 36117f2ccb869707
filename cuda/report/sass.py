"""What nvcc made of the kernels: instructions with the source functions they come from, and the loops they form."""
import re
import subprocess
import tempfile
from collections import namedtuple
from pathlib import Path

# `functions`: names of the source functions an instruction was inlined from, innermost first.
Instruction = namedtuple("Instruction", "address opcode text target functions")

_FUNCTION = re.compile(r"SK_DEVICE\b.*?\b(operator\(\)|\w+)\(")
_INSTRUCTION = re.compile(r"^\s*/\*([0-9a-f]+)\*/\s+(?:\{\s*)?(?:@!?U?P\w+\s+)?([A-Z][\w.]*)(.*?);")
_LINE = re.compile(r'//## File "([^"]+)", line (\d+)')
_enclosing = {}


def _function_at(path, line):
    """The SK_DEVICE function whose body has the line: the last that began before it."""
    if path not in _enclosing:
        names, name = [""], ""
        for text in Path(path).read_text().splitlines() if Path(path).exists() else []:
            found = _FUNCTION.search(text)
            name = found.group(1) if found else name
            names.append(name)
            if text.startswith("}"):
                name = ""
        _enclosing[path] = names
    names = _enclosing[path]
    return names[line] if line < len(names) else ""


def cubins(tool, fatbin, arch, folder):
    """The machine code for one target, as files in the folder."""
    subprocess.run([tool, "-arch", arch, "-xelf", "all", str(fatbin)], cwd=folder, check=True, capture_output=True)
    return sorted(Path(folder).glob(f"*{arch}*.cubin"))


def kernels(cuobjdump, nvdisasm, fatbin, arch):
    """{kernel: [Instruction]} and {kernel: {"registers", "stack", "local"}} of a fatbin."""
    code, usage = {}, {}
    with tempfile.TemporaryDirectory() as folder:
        for cubin in cubins(cuobjdump, Path(fatbin).resolve(), arch, folder):
            text = subprocess.run([nvdisasm, "-gi", "-c", str(cubin)], check=True, capture_output=True, text=True).stdout
            code.update(_parse(text))
            text = subprocess.run([cuobjdump, "-res-usage", str(cubin)], check=True, capture_output=True, text=True)
            for name, numbers in re.findall(r"Function (\w+):\s*\n\s*(REG.*)", text.stdout + text.stderr):
                values = dict(re.findall(r"(REG|STACK|LOCAL|SHARED):(\d+)", numbers))
                usage[name] = {k: int(v) for k, v in values.items()}
    return code, usage


def _parse(text):
    found, name, labels, pending, functions, fresh = {}, None, {}, [], (), False
    raw = {}
    for line in text.splitlines():
        section = re.match(r"^\.text\.(\w+):", line)
        if section:
            name = section.group(1)
            raw[name], labels[name], pending = [], {}, []
        elif name and re.match(r"^\.L\w+:", line):
            pending.append(line.rstrip(":"))
        elif "//## File" in line:
            path, number = _LINE.search(line).groups()
            functions = (() if fresh else functions) + (_function_at(path, int(number)),)
            fresh = False
        elif name:
            match = _INSTRUCTION.match(line)
            if match:
                address, opcode, rest = int(match.group(1), 16), match.group(2), match.group(0)
                opcode = "NOP" if "@!PT" in rest else opcode  # never done
                for label in pending:
                    labels[name][label] = address
                pending, fresh = [], True
                jump = re.search(r"`\((\.L\w+)\)", rest)
                raw[name].append((address, opcode, rest, jump.group(1) if jump and opcode.startswith("BRA") else None, functions))
    for name, instructions in raw.items():
        found[name] = [Instruction(a, o, t, labels[name].get(j), f) for a, o, t, j, f in instructions]
    return found


def main_loop(instructions):
    """The instructions of the loop that holds most HMMA: all that lie between its head and a jump back to it."""
    index = {x.address: i for i, x in enumerate(instructions)}
    before, after = [[] for _ in instructions], [[] for _ in instructions]
    for i, x in enumerate(instructions):
        conditional = "@" in x.text.split("*/", 1)[1].split(x.opcode)[0] or re.search(r"\bU?P\d", x.text.split(x.opcode, 1)[1])
        if x.target in index and x.opcode != "BRA.DIV":  # where lanes of a warp have parted, as they never do here
            before[index[x.target]].append(i), after[i].append(index[x.target])
        falls = x.opcode == "BRA.DIV" or not (x.opcode.split(".")[0] in ("EXIT", "RET", "BRA", "BRX") and not conditional)
        if falls and i + 1 < len(instructions):
            before[i + 1].append(i), after[i].append(i + 1)
    best = []
    heads = {index[x.target] for i, x in enumerate(instructions) if x.target in index and index[x.target] <= i}
    for head in heads:
        body = {head} | _reached(before, [i for i in before[head] if i >= head], head) & _reached(after, after[head], head)
        loop = [instructions[i] for i in sorted(body)]
        score = (count(loop, "HMMA"), -len(loop))
        if count(loop, "HMMA") and (not best or score > (count(best, "HMMA"), -len(best))):
            best = loop
    return best


def _reached(edges, begin, head):
    """All that the edges lead to from the beginning, without passing the head."""
    seen, left = set(), list(begin)
    while left:
        i = left.pop()
        if i != head and i not in seen:
            seen.add(i)
            left += edges[i]
    return seen


def wide_loads(code):
    """Most loads of 16 bytes that a thread has issued before an instruction needs what one of them brings."""
    most, waiting = 0, {}
    for x in code:
        registers = [int(r) for r in re.findall(r"\bR(\d+)\b", x.text)]
        if x.opcode.startswith("LDG.E.128"):
            waiting[len(waiting)] = range(registers[0], registers[0] + 4)
            most = max(most, len(waiting))
        elif any(r in loaded for r in registers for loaded in waiting.values()):
            waiting = {}
    return most


def count(instructions, *names):
    return sum(x.opcode.split(".")[0] in names for x in instructions)
