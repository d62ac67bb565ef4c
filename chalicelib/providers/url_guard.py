"""Guard user-supplied URLs: https, port 443, public addresses, and a connection to the checked address.

Allow-lists `host:port` lift all of that; they are the installation's, never a workspace's.
"""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable

#: Longest time of a DNS lookup, in s. The system's resolver has no reliable limit.
RESOLVE_SECONDS = 3.0
MAX_URL = 2_048
#: A label of a DNS name (RFC 1123).
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
#: Resolvers read a name that ends in such a label as an IPv4 address in short, octal or hexadecimal form.
_NUMERIC = re.compile(r"[0-9]+|0x[0-9a-f]*")
#: IANA's special-purpose registry, multicast and reserved blocks. `ipaddress.is_global` lets some of them pass.
_CLOSED_V4 = (
    *map(IPv4Network, ("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12")),
    *map(IPv4Network, ("192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24")),
    *map(IPv4Network, ("192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24")),
    *map(IPv4Network, ("224.0.0.0/4", "240.0.0.0/4")),
)
#: Global unicast (RFC 4291), without the blocks that lead elsewhere: Teredo, documentation, 6to4.
_OPEN_V6 = IPv6Network("2000::/3")
_CLOSED_V6 = tuple(map(IPv6Network, ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")))


class NotAllowed(ValueError):
    """The URL must not be called. The message says why."""


class NoAddress(OSError):
    """The host has no address, or its DNS servers do not respond. Nothing was sent."""


@dataclass(frozen=True, slots=True)
class Target:
    """A parsed URL. `is_trusted`: the allow-list of the installation names its host and port."""

    host: str
    port: int
    is_trusted: bool


def check_url(url: str, allowed: frozenset[str]) -> Target:
    """Parse and check a URL. Raises NotAllowed. The addresses of the host are checked by `resolve`."""
    if len(url) > MAX_URL or not url.isascii() or not url.isprintable() or set(url) & set(" \\\"'<>^`{|}"):
        raise NotAllowed(f"must be a URL of at most {MAX_URL} printable ASCII characters; write names as xn--…")
    try:
        parts = urlsplit(url)
        port = parts.port if parts.port is not None else {"https": 443, "http": 80}.get(parts.scheme, 0)
    except ValueError as error:
        raise NotAllowed("must be a valid URL") from error
    host = (parts.hostname or "").lower()
    # Brackets may also hold a future form of addresses (RFC 3986), which other programs read as a name.
    is_bracketed = "[" in parts.netloc
    if "@" in parts.netloc or "%" in parts.netloc or parts.fragment or not host or is_bracketed != (":" in host):
        raise NotAllowed("must have a host, and no user, password, zone or fragment")
    if f"{host}:{port}" in allowed and parts.scheme in {"http", "https"}:
        return Target(host, port, is_trusted=True)
    if parts.scheme != "https" or port != 443:
        raise NotAllowed("must begin with https:// and use port 443")
    _check_host(host)
    return Target(host, port, is_trusted=False)


def _check_host(host: str) -> None:
    labels = host.split(".")
    if ":" in host or _NUMERIC.fullmatch(labels[-1]):
        if not is_public(host):
            raise NotAllowed("must not lead to an address that is not public")
    elif len(labels) < 2 or len(host) > 253 or not all(map(_LABEL.fullmatch, labels)):
        raise NotAllowed("must have a full host name, such as hooks.example.com")


def is_public(address: str) -> bool:
    """Report whether an IP address in its plain form belongs to the public internet."""
    try:
        found = ip_address(address)
    except ValueError:
        return False
    if isinstance(found, IPv4Address):
        return not any(found in block for block in _CLOSED_V4)
    return _is_public_v6(found)


def _is_public_v6(address: IPv6Address) -> bool:
    """Report whether an IPv6 address is public. Those that embed an IPv4 address are outside of the global block."""
    return address.scope_id is None and address in _OPEN_V6 and not any(address in block for block in _CLOSED_V6)


def find_address(target: Target, resolve: Callable[[str, int], tuple[str, ...]]) -> str:
    """Return the address to connect to. Raises NotAllowed if any address is not public, NoAddress without one."""
    found = resolve(target.host, target.port)
    if not found:
        raise NoAddress(target.host)
    if not target.is_trusted and not all(map(is_public, found)):
        raise NotAllowed("must not lead to an address that is not public")
    # IPv4 first: a Lambda function has no IPv6 egress by default.
    return min(found, key=lambda address: ":" in address)


def resolve(host: str, port: int) -> tuple[str, ...]:
    """Return all addresses of a name by the system's resolver. None are returned after RESOLVE_SECONDS."""
    answers: SimpleQueue[tuple[str, ...]] = SimpleQueue()
    Thread(target=lambda: answers.put(_look_up(host, port)), daemon=True, name="resolve").start()
    try:
        return answers.get(timeout=RESOLVE_SECONDS)
    except Empty:
        return ()


def _look_up(host: str, port: int) -> tuple[str, ...]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return ()
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))
