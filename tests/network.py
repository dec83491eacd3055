"""No test leaves this machine: a connection or a name that is not ours fails the test that asked for it."""

import ipaddress
import sys
from typing import Any

import pytest

_LOCAL_NAMES = frozenset({"", "localhost", "0.0.0.0", "::"})


def forbid() -> None:
    """From now on and for the life of this process (an audit hook cannot be bypassed, nor taken away)."""
    sys.addaudithook(_watch)


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        address = arguments[1]
        if isinstance(address, tuple):
            _check(address[0])
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        _check(arguments[0])


def _check(host: Any) -> None:
    name = host.decode() if isinstance(host, bytes) else host
    if name is None or name in _LOCAL_NAMES:
        return
    try:
        is_ours = ipaddress.ip_address(name.partition("%")[0]).is_loopback
    except ValueError:
        is_ours = False
    if not is_ours:
        # Not an Exception: code that expects a network to fail must not take this for one.
        pytest.fail(f"a test tried to reach {name!r}")
