"""What the package is built for: Lambda's platform, or this machine for a trial in the embedded AWS."""

import sys
from dataclasses import dataclass

#: The runtime and the processor that the functions declare (Graviton: a fifth cheaper a second).
RUNTIME = "python3.13"
PYTHON = (3, 13)


class Unbuildable(Exception):
    """The package cannot be made, or is not as it has to be; the message is for the person at the terminal."""


@dataclass(frozen=True, slots=True)
class Target:
    """`platforms` are pip's names, newest first. Empty: use the installed packages of this machine."""

    name: str
    python: tuple[int, int]
    platforms: tuple[str, ...]


#: Amazon Linux 2023 has glibc 2.34.
LAMBDA = Target("lambda", PYTHON, ("manylinux_2_34_aarch64", "manylinux_2_28_aarch64", "manylinux2014_aarch64"))
THIS_MACHINE = Target("this-machine", (sys.version_info.major, sys.version_info.minor), ())
TARGETS = {target.name: target for target in (LAMBDA, THIS_MACHINE)}
