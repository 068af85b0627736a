"""What of the contracts no test has run, by the lcov file that `forge coverage` has written.

Coverage is measured on code that is compiled by way of the IR, whose source map has no lines for inline assembly and none for
some of what it inlines. So lines of assembly are left out; a line that only calls a function of the contracts counts as run where
every line of that function has been run, and one that returns a variable where the line before it has. Branches likewise.

    python3 contracts/coverage.py lcov.info
"""

import re
import sys
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RETURN = re.compile(r"^return \w+;$")
CALL = re.compile(r"^(?:return |if \()?(_?[a-z]\w*)\(.*\)\)?;?( \{)?$")
ASSEMBLY = re.compile(r"assembly( \(.*\))? \{")
BRANCH = re.compile(r"^if \(.*\) (_?[a-z]\w*)\(\);$")
FUNCTION = re.compile(r"^\s*function (\w+)\(")
# Calls of functions that are assembly alone, and where a test sees that they are made.
ASSEMBLY_ALONE = {"_checkOwner": "Roles.t.sol, where everybody else is refused"}


def read(lcov):
    """Runs of each line, and lines with a branch that no test takes, by source of ours."""
    runs, untaken, source = defaultdict(dict), defaultdict(set), None
    for entry in lcov.read_text().splitlines():
        key, _, value = entry.partition(":")
        if key == "SF":
            source = value if value.startswith("contracts/src/") else None
        elif key == "DA" and source:
            line, count = value.split(",")[:2]
            runs[source][int(line)] = max(int(count), runs[source].get(int(line), 0))
        elif key == "BRDA" and source and value.split(",")[3] in "0-":
            untaken[source].add(int(value.split(",")[0]))
    return runs, untaken


def blocks(text, opening):
    """Line numbers of each block whose first line matches, with the match."""
    lines = text.splitlines()
    for number, line in enumerate(lines):
        found = opening.search(line)
        if not found:
            continue
        depth, end = 0, number
        while end < len(lines):
            depth += lines[end].count("{") - lines[end].count("}")
            if depth <= 0 and ("{" in lines[end] or "}" in lines[end] or lines[end].rstrip().endswith(";")):
                break
            end += 1
        yield found, range(number + 1, end + 2)


def main():
    runs, untaken = read(Path(sys.argv[1]))
    texts = {source: (ROOT / source).read_text() for source in runs}
    assembly = {
        source: {line for _, block in blocks(text, ASSEMBLY) for line in block} for source, text in texts.items()
    }
    covered = {}
    for source, text in texts.items():
        for found, block in blocks(text, FUNCTION):
            body = [runs[source][line] for line in list(block)[1:] if line in runs[source] and line not in assembly[source]]
            covered[found.group(1)] = covered.get(found.group(1), True) and bool(body) and all(body)
    missing = total = 0
    for source in sorted(runs):
        lines = texts[source].splitlines()
        for line, count in sorted(runs[source].items()):
            if line in assembly[source]:
                continue
            total += 1
            code = lines[line - 1].strip()
            call = CALL.match(code)
            inlined = RETURN.match(code) and runs[source].get(line - 1, 0) or call and covered.get(call.group(1))
            if count == 0 and not inlined:
                missing += 1
                print(f"{source}:{line}: {code}")
        for line in sorted(untaken[source] - assembly[source]):
            code = lines[line - 1].strip()
            call = BRANCH.match(code)
            if not (call and (covered.get(call.group(1)) or call.group(1) in ASSEMBLY_ALONE)):
                missing += 1
                print(f"{source}:{line}: a branch of {code}")
    print(f"{missing} lines and branches have not been run, of {total} lines in {len(runs)} files")
    return 1 if missing or not runs else 0


if __name__ == "__main__":
    sys.exit(main())
