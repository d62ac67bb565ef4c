"""Files in a dict."""

from collections.abc import Iterator
from io import BytesIO

from chalicelib.errors import NotFound

#: A longer line comes in pieces of this length.
LINE_BYTES = 65_536


class MemoryFiles:
    """The port Files in memory."""

    def __init__(self) -> None:
        self.bodies: dict[str, bytes] = {}

    def put(self, name: str, body: bytes) -> None:
        self.bodies[name] = body

    def get(self, name: str) -> bytes:
        if name not in self.bodies:
            raise NotFound("File", name)
        return self.bodies[name]

    def lines(self, name: str, offset: int) -> Iterator[bytes]:
        body = BytesIO(self.get(name)[offset:])
        while line := body.readline(LINE_BYTES):
            yield line

    def link(self, name: str, seconds: int) -> str:
        return f"memory://{name}?expires={seconds}"
