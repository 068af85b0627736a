"""What of the contracts no test has run, by the lcov file that `forge coverage` has written.

    python3 contracts/coverage.py lcov.info
"""

import sys
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


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


def main():
    runs, untaken = read(Path(sys.argv[1]))
    missing = 0
    for source in sorted(runs):
        lines = (ROOT / source).read_text().splitlines()
        not_run = {line for line, count in runs[source].items() if count == 0}
        for line in sorted(not_run | untaken[source]):
            missing += 1
            print(f"{source}:{line}: {'' if line in not_run else 'a branch of '}{lines[line - 1].strip()}")
    total = sum(len(counts) for counts in runs.values())
    print(f"{missing} lines and branches have not been run, of {total} lines in {len(runs)} files")
    return 1 if missing or not runs else 0


if __name__ == "__main__":
    sys.exit(main())
