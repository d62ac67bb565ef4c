"""Files in a dict."""

from collections.abc import Iterator, Sequence
from io import BytesIO

from chalicelib.errors import NotFound

#: A longer line is cut into pieces of this length, in bytes.
LINE_BYTES = 65_536


class MemoryFiles:
    """Implements `ports.Files` and `ports.MultipartFiles` in memory."""

    def __init__(self) -> None:
        self.bodies: dict[str, bytes] = {}
        #: Token → parts of an unfinished file.
        self._parts: dict[str, dict[int, bytes]] = {}

    def put(self, name: str, body: bytes) -> None:
        self.bodies[name] = body

    def get(self, name: str) -> bytes:
        if name not in self.bodies:
            raise NotFound("File", name)
        return self.bodies[name]

    def size(self, name: str) -> int:
        return len(self.get(name))

    def lines(self, name: str, offset: int) -> Iterator[bytes]:
        body = BytesIO(self.get(name)[offset:])
        while line := body.readline(LINE_BYTES):
            yield line

    def link(self, name: str, seconds: int) -> str:
        return f"memory://{name}?expires={seconds}"

    def upload_link(self, name: str, seconds: int) -> str:
        return f"memory://{name}?put&expires={seconds}"

    def begin(self, name: str) -> str:
        token = f"{name}#{len(self._parts)}"
        self._parts[token] = {}
        return token

    def put_part(self, name: str, token: str, number: int, body: bytes) -> str:
        self._parts[token][number] = body
        return str(number)

    def finish(self, name: str, token: str, marks: Sequence[str]) -> None:
        parts = self._parts.pop(token, None)
        if parts is None:
            raise NotFound("Upload", name)
        self.bodies[name] = b"".join(parts[int(mark)] for mark in marks)
