"""No address that people type leads the portal inside, whatever its clothes, unless an operator named the host."""

import socket
from collections.abc import Iterator
from dataclasses import replace

import pytest
import requests

from portal.gateways import Refused, Unavailable, UnsupportedUrl, his, reach
from portal.gateways.confined import confine
from portal.gateways.door import Door
from portal.gateways.his.mllp import MllpSystem
from portal.gateways.mssante.line import Line
from portal.gateways.mssante.url import Host
from portal.gateways.reach import Inside, Reach
from services.documents.mailboxes import operators

HOSTS = (
    "127.0.0.1", "localhost", "a.localhost", "10.0.0.1", "192.168.1.1", "172.16.0.9", "169.254.169.254", "0.0.0.0",
    "100.64.0.1", "224.0.0.1", "127.1", "2130706433", "0x7f000001", "0x7f.1", "::1", "[::1]", "::ffff:10.0.0.1",
    "fd00::1", "fe80::1", "64:ff9b::a00:1", "2002:a00:1::", "redis", "db.internal", "sih.local", "metadata.internal.",
)  # fmt: skip
PLACES = (["127.0.0.1"], ["93.184.216.34", "10.0.0.8"], ["::ffff:169.254.169.254"], ["fe80::1%eth0"])


def answering(*addresses: str, named: str = "") -> Reach:
    return replace(reach.read(named), resolve=lambda _host, _port: addresses)


@pytest.fixture
def production() -> Iterator[None]:
    before = reach.current()
    reach.configure(answering("10.0.0.8"))
    yield
    reach.configure(before)


@pytest.mark.parametrize("host", HOSTS)
def test_a_host_inside_is_refused_as_it_is_written(host: str) -> None:
    with pytest.raises(Inside):
        reach.read("").check(host, 443)


@pytest.mark.parametrize("host", ["agenda.exemple.fr", "8.8.8.8", "2001:4860:4860::8888"])
def test_one_of_the_internet_is_not(host: str) -> None:
    reach.read("").check(host, 443)


def test_another_address_of_a_name_is_tried_when_the_first_is_away() -> None:
    with socket.create_server(("127.0.0.2", 0)) as server:
        port = server.getsockname()[1]
        with answering("127.0.0.3", "127.0.0.2", named="127.0.0.0/8").connect("his.example.test", port, 2) as line:
            assert line.getpeername() == ("127.0.0.2", port)


@pytest.mark.parametrize("found", PLACES)
def test_a_name_that_leads_inside_is_refused(found: list[str]) -> None:
    with pytest.raises(Refused):
        answering(*found).address("agenda.exemple.fr", 443)


def test_what_an_operator_named_may_be_called_and_nothing_beside() -> None:
    named = "sih.local:6661 10.2.0.0/16 [::1]:7000"
    reach.read(named).check("SIH.local.", 6661)
    reach.read(named).check("10.2.3.4", 1)
    assert answering("10.9.9.9", named=named).address("sih.local", 6661) == "10.9.9.9"
    for host, port in (("sih.local", 22), ("10.3.0.1", 6661), ("::1", 1)):
        with pytest.raises(Inside):
            reach.read(named).check(host, port)


@pytest.mark.parametrize("named", ["a/b", "user@host", "host:port", "10.2.0.1/16"])
def test_a_list_that_means_nothing_is_refused(named: str) -> None:
    with pytest.raises(UnsupportedUrl, match="PORTAL_INSIDE_HOSTS"):
        reach.read(named)


@pytest.mark.usefixtures("production")
class TestInProduction:
    @pytest.fixture(autouse=True)
    def _nobody_is_called(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def never(*_arguments: object, **_named: object) -> socket.socket:
            raise AssertionError("somebody inside was called")

        monkeypatch.setattr(socket, "create_connection", never)
        monkeypatch.setattr("urllib3.util.connection.create_connection", never)

    def test_a_hospital_system_inside_is_refused_and_messages_wait(self) -> None:
        with pytest.raises(Inside):
            his.check("mllp://10.0.0.8:6661")
        with pytest.raises(Unavailable, match="PORTAL_INSIDE_HOSTS"):
            MllpSystem(("sih.exemple.fr", 6661)).send(b"MSH", "1")

    def test_so_is_an_operator_of_secure_mail(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(operators._doors, "production", True)
        with pytest.raises(Inside):
            operators.check_address("smtp+imap://mss.exemple.fr:587?imap=10.0.0.8:143")
        with Door("test").passage("open") as deadline, pytest.raises(Unavailable, match="PORTAL_INSIDE_HOSTS"):
            Line(Host("mss.exemple.fr", 587), deadline)

    @pytest.mark.parametrize("url", ["https://idp.exemple.fr/jwks", "https://169.254.169.254/latest", "http://redis/"])
    def test_so_is_what_a_provider_publishes(self, url: str) -> None:
        with requests.Session() as caller:
            confine(caller)
            with pytest.raises(requests.ConnectionError, match="PORTAL_INSIDE_HOSTS"):
                caller.get(url, timeout=1)
