"""`python -m tests.faults`: plays every tier and prints the figures; `replay` repeats one run, `hunt` one mutant."""

import sys

if __name__ == "__main__":
    if sys.argv[1:2] == ["hunt"]:
        # Before anything of the code under test is imported.
        from tests.faults.mutants import infect

        infect(sys.argv[2])
    from tests.faults.suites import main

    sys.exit(main(sys.argv[1:]))
