"""Mutation test of the contracts: changes one thing at a time and expects a test to fail.

A mutant that survives is a missing test, unless the file beside this one says why it is none: each of its lines holds
`file:mutated line # reason`.

    python3 contracts/mutants.py FORGE [SOURCE ...] [--every N] [--list]
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCES = [
    "RiskOracle.sol",
    "ModelRegistry.sol",
    "libraries/RiskState.sol",
    "libraries/PolicyLib.sol",
    "libraries/Words.sol",
    "libraries/ModelLib.sol",
    "libraries/ForecastMath.sol",
    "libraries/UpdateLib.sol",
    "libraries/SequencerLib.sol",
    "base/Attestors.sol",
    "base/Governed.sol",
    "HedgeVault.sol",
    "libraries/HedgeMath.sol",
    "libraries/TwapLib.sol",
    "Feed.sol",
    "libraries/YieldMath.sol",
    "libraries/RealizedVolatility.sol",
    "consumers/RealizedVolatilityFeeHook.sol",
]
EQUIVALENT = Path(__file__).with_name("mutants-equivalent.txt")
# Tests of the core; those of most consumers would only repeat them, and real proofs only slow them down.
SKIPPED_TESTS = re.compile(r"Proof\.t\.sol|Deploy\.t\.sol")
# Tests of consumers that are mutated themselves.
KEPT_CONSUMERS = re.compile(r"RealizedVolatility|FeeManipulation")
# Only asked about what seems to survive.
SLOW_TESTS = "*ModelSpec.t.sol"
SWAPS = [
    ("==", "!="), ("!=", "=="), ("<=", "<"), (">=", ">"), (" < ", " <= "), (" > ", " >= "), ("&&", "||"), ("||", "&&"),
    (" + ", " - "), (" - ", " + "), (" * ", " / "), (" / ", " * "), ("true", "false"), ("false", "true"),
    ("max(", "min("), ("min(", "max("), (" onlyOwner", ""), (" onlyGuardian", ""), (" timelocked", ""), (" % ", " / "),
    ("~", ""), ("!", ""), (" & ", " | "), (" | ", " & "),
]
DECLARATION = re.compile(r"^\s*(//|/\*|\*|import|using|pragma|event|error|function .*;|@|\}|struct|mapping|\w+ \w+;$)")
STATEMENT = re.compile(r"^\s*(_\w+\(.*\);|\w+(\.\w+)*\(.*\);|emit .*;|delete .*;|if \(.*\) (revert|return) ?.*;|[\w.\[\]]+ = .*;)$")


def mutants(source):
    """All changes of one line of a source: (line number, new line)."""
    lines = source.split("\n")
    for number, line in enumerate(lines):
        if DECLARATION.match(line):
            continue
        if STATEMENT.match(line):
            yield number, "// removed: " + line.strip()
        code = line.split("//")[0]
        for old, new in SWAPS:
            for found in re.finditer(re.escape(old), code):
                at = found.start()
                if old == "!" and code[at : at + 2] == "!=":
                    continue
                changed = line[:at] + new + line[at + len(old) :]
                yield number, changed


def prepare(folder):
    """A copy of the contracts whose tests are the core's alone."""
    shutil.copytree(ROOT / "contracts", folder / "contracts")
    shutil.copy(ROOT / "foundry.toml", folder)
    for linked in ["node_modules", "models"]:
        os.symlink(ROOT / linked, folder / linked)
    tests = folder / "contracts/test"
    for other in ["facades", "invariants", "symbolic", "snippets"]:
        shutil.rmtree(tests / other, ignore_errors=True)
    for test in (tests / "consumers").glob("*.t.sol"):
        if not KEPT_CONSUMERS.search(test.name):
            test.unlink()
    for test in tests.glob("*.t.sol"):
        if SKIPPED_TESTS.search(test.name):
            test.unlink()


def run(forge, folder):
    """Whether the tests pass: a word, and the first failure.

    Tests linked to the contracts only when they run need no compiling for a mutant, which saves four fifths of the time;
    what seems to survive so is tried once more with everything compiled.
    """
    linked = test(forge, folder, {"FOUNDRY_DYNAMIC_TEST_LINKING": "true"}, "--no-match-path", SLOW_TESTS)
    if linked[0] == "killed":
        return linked
    return test(forge, folder, {"FOUNDRY_OUT": "out-whole", "FOUNDRY_CACHE_PATH": "cache-whole"})


def test(forge, folder, settings, *arguments):
    """One run of the tests: killed, survived or invalid, and the first failure."""
    environment = dict(os.environ, FOUNDRY_FUZZ_RUNS="48", FOUNDRY_SCRIPT="contracts/none", **settings)
    command = [forge, "test", "--fail-fast", "--color", "never", *arguments]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=1800)
    output = done.stdout + done.stderr
    if done.returncode == 0:
        return "survived", ""
    failures = [line for line in output.splitlines() if line.startswith("[FAIL")]
    return ("killed", failures[0]) if failures else ("invalid", output.strip()[-200:])


def main():
    parser = argparse.ArgumentParser(description="Mutation test of the contracts.")
    parser.add_argument("forge")
    parser.add_argument("sources", nargs="*", default=SOURCES, help="below contracts/src")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="take each Nth mutant")
    parser.add_argument("--list", action="store_true", help="show the mutants, run nothing")
    options = parser.parse_args()
    known = {line.split(" # ")[0].strip() for line in EQUIVALENT.read_text().splitlines() if " # " in line}
    work = [
        (source, number, line)
        for source in options.sources
        for number, line in mutants((ROOT / "contracts/src" / source).read_text())
        if f"{source}:{line.strip()}" not in known
    ][:: options.every]
    if options.list:
        for source, number, line in work:
            print(f"{source}:{number + 1}: {line.strip()}")
        print(f"{len(work)} mutants, {len(known)} known to change nothing")
        return 0
    counts = {"killed": 0, "survived": 0, "invalid": 0}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        prepare(folder)
        verdict, detail = run(options.forge, folder)
        if verdict != "survived":
            sys.exit(f"the tests fail without any mutant: {detail}")
        for source, number, line in work:
            path = folder / "contracts/src" / source
            original = path.read_text()
            lines = original.split("\n")
            lines[number] = line
            path.write_text("\n".join(lines))
            started = time.monotonic()
            try:
                verdict, detail = run(options.forge, folder)
            finally:
                path.write_text(original)
            counts[verdict] += 1
            seconds = round(time.monotonic() - started)
            print(f"{verdict:8} {source}:{number + 1}: {line.strip()}  [{seconds} s] {detail[-90:]}", flush=True)
    print(f"{counts['killed']} killed, {counts['survived']} survived, {counts['invalid']} did not compile or run")
    return 1 if counts["survived"] else 0


if __name__ == "__main__":
    sys.exit(main())
