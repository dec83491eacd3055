"""The suite reaches nothing but this machine, and says who tried."""

import socket

import httpx
import pytest
import requests
from _pytest.outcomes import Failed


@pytest.mark.parametrize("address", ["https://exemple.fr/", "http://10.0.0.1/", "http://[2001:db8::1]/"])
@pytest.mark.parametrize("get", [requests.get, httpx.get], ids=["requests", "httpx"])
def test_a_call_to_the_outside_fails_its_test(get: object, address: str) -> None:
    with pytest.raises(Failed, match="a test tried to reach"):
        get(address, timeout=1)  # type: ignore[operator]  # one of the two above


def test_so_does_a_datagram() -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as sender, pytest.raises(Failed):
        sender.sendto(b"hello", ("192.0.2.1", 53))


def test_this_machine_may_be_called() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        socket.create_connection(listener.getsockname(), timeout=5).close()
