"""The solver bitwuzla as the command that halmos calls: bitwuzla.py FILE.smt2"""

import sys

import bitwuzla

options = bitwuzla.Options()
options.set(bitwuzla.Option.PRODUCE_MODELS, True)
bitwuzla.Parser(bitwuzla.TermManager(), options).parse(sys.argv[1])
