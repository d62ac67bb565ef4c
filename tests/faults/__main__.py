"""`python -m tests.faults` runs every tier and prints figures; `replay` repeats one run, `hunt` tries one mutant."""

import sys

if __name__ == "__main__":
    if sys.argv[1:2] == ["hunt"]:
        # The mutant must be installed before the code under test is imported.
        from tests.faults.mutants import install_mutant

        install_mutant(sys.argv[2])
    from tests.faults.suites import main

    sys.exit(main(sys.argv[1:]))
