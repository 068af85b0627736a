"""The solver command of halmos: solve.py FILE.smt2

Two solvers race. Bitwuzla is good at bits, cvc5 on integers in place of bit vectors at products and quotients.
"""

import signal
import subprocess
import sys
import time

POLL_SECONDS = 0.02


def bitwuzla(path):
    import bitwuzla

    options = bitwuzla.Options()
    options.set(bitwuzla.Option.PRODUCE_MODELS, True)
    bitwuzla.Parser(bitwuzla.TermManager(), options).parse(path)


def cvc5(path):
    import cvc5

    solver = cvc5.Solver()
    solver.setOption("produce-models", "true")
    solver.setOption("solve-bv-as-int", "sum")
    parser = cvc5.InputParser(solver)
    parser.setFileInput(cvc5.InputLanguage.SMT_LIB_2_6, path)
    while not (command := parser.nextCommand()).isNull():
        print(command.invoke(solver, parser.getSymbolManager()), end="", flush=True)


def race(path):
    """Prints the first answer that is one."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    command = [sys.executable, __file__, path]
    runs = [subprocess.Popen([*command, name], stdout=subprocess.PIPE, text=True) for name in SOLVERS]
    try:
        waiting = list(runs)
        while waiting:
            for run in [run for run in waiting if run.poll() is not None]:
                waiting.remove(run)
                answer = run.stdout.read()
                if answer.startswith(("sat", "unsat")):
                    print(answer, end="")
                    return
            time.sleep(POLL_SECONDS)
        print("unknown")
    finally:
        for run in runs:
            run.kill()


SOLVERS = {"bitwuzla": bitwuzla, "cvc5": cvc5}

if __name__ == "__main__":
    if len(sys.argv) == 3:
        SOLVERS[sys.argv[2]](sys.argv[1])
    else:
        race(sys.argv[1])
