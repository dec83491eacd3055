"""What the door of webhooks promises: an event arrives once and whole, and nothing inside can be reached through it."""

import socket
from collections.abc import Iterator

import pytest

from portal.gateways import OutcomeUnknown, Refused, Unavailable, UnsupportedUrl
from portal.gateways.webhooks import checked, connect
from portal.gateways.webhooks.https import HttpsWebhooks
from portal.gateways.webhooks.twin import SubscriberTwin
from tests.gateways.drip import dripping


@pytest.fixture
def subscriber() -> Iterator[SubscriberTwin]:
    with SubscriberTwin() as made:
        yield made


@pytest.fixture
def door() -> HttpsWebhooks:
    return HttpsWebhooks(anywhere=True, timeout_seconds=0.5)


def test_an_event_arrives_with_its_headers(door: HttpsWebhooks, subscriber: SubscriberTwin) -> None:
    assert door.post(subscriber.url + "?a=1", b'{"a": "\xc3\xa9"}', {"X-One": "1"}) == 204
    (told,) = subscriber.memory.calls
    assert (told.path, told.headers["x-one"], told.body) == ("/agenda?a=1", "1", b'{"a": "\xc3\xa9"}')


@pytest.mark.parametrize("status", [301, 302, 307, 400, 401, 404, 410, 413, 422])
def test_a_refusal_is_a_refusal_and_redirections_are_not_followed(
    door: HttpsWebhooks, subscriber: SubscriberTwin, status: int
) -> None:
    subscriber.faults.status, subscriber.faults.location = status, subscriber.url
    with pytest.raises(Refused) as refused:
        door.post(subscriber.url, b"{}", {})
    assert refused.value.code == str(status)
    assert len(subscriber.memory.calls) == 1


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_what_will_pass_is_tried_later(door: HttpsWebhooks, subscriber: SubscriberTwin, status: int) -> None:
    subscriber.faults.status = status
    with pytest.raises(Unavailable):
        door.post(subscriber.url, b"{}", {})


def test_without_an_answer_nobody_knows(door: HttpsWebhooks, subscriber: SubscriberTwin) -> None:
    subscriber.faults.status = 0
    with pytest.raises(OutcomeUnknown):
        door.post(subscriber.url, b"{}", {})
    subscriber.faults.silent = True
    with pytest.raises(OutcomeUnknown):
        door.post(subscriber.url, b"{}", {})


def test_a_subscriber_that_is_away_took_nothing(door: HttpsWebhooks, subscriber: SubscriberTwin) -> None:
    url = subscriber.url
    subscriber.go_away()
    with pytest.raises(Unavailable):
        door.post(url, b"{}", {})


@pytest.mark.parametrize(
    "url",
    ["", "x", "http://agenda.exemple.test/", "ftp://a/", "https://", "https://u:p@a/", "https://a/#x", "https://a:0/",
     "https://a:99999/", "https://localhost/", "https://a.localhost/", "https://127.0.0.1/", "https://10.0.0.1/",
     "https://192.168.1.1/", "https://169.254.169.254/latest", "https://[::1]/", "https://[::ffff:10.0.0.1]/",
     "https://[fd00::1]/", "https://0.0.0.0/", "https://224.0.0.1/", "https://a b/", "https://hôpital/", "https://a\n/",
     # An IPv4 address inside, in the clothes of translators and tunnels.
     "https://[64:ff9b::a00:1]/", "https://[2002:a00:1::]/", "https://[::7f00:1]/", "https://[::ffff:0:7f00:1]/",
     "https://[fec0::1]/"],
)  # fmt: skip
def test_production_takes_no_such_address(url: str) -> None:
    with pytest.raises(UnsupportedUrl):
        checked(url, anywhere=False)
    with pytest.raises(Refused):
        connect(timeout_seconds=1).post(url, b"{}", {})


@pytest.mark.parametrize("url", ["https://agenda.exemple.test/x?y=1", "https://a.test:8443", "https://8.8.8.8/",
                                 "https://[2001:4860:4860::8888]/"])  # fmt: skip
def test_production_takes_public_ones(url: str) -> None:
    checked(url, anywhere=False)


@pytest.mark.parametrize(
    "found",
    [
        ["127.0.0.1"],
        ["93.184.216.34", "10.0.0.8"],
        ["::1"],
        ["::ffff:169.254.169.254"],
        ["fe80::1%eth0"],
        ["64:ff9b::a9fe:a9fe"],
    ],
)
def test_a_public_name_that_leads_inside_is_refused_before_any_connection(
    found: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_arguments: object, **_named: object) -> socket.socket:
        raise AssertionError("nobody is called")

    monkeypatch.setattr(socket, "create_connection", never)
    door = HttpsWebhooks(resolve=lambda _host, _port: found)
    with pytest.raises(Refused) as refused:
        door.post("https://agenda.exemple.test/", b"{}", {})
    assert refused.value.code == "address"


def test_a_name_is_resolved_once_and_that_very_address_is_called(subscriber: SubscriberTwin) -> None:
    asked: list[str] = []

    def resolve(host: str, _port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"]

    door = HttpsWebhooks(anywhere=True, resolve=resolve)
    door.post(subscriber.url.replace("127.0.0.1", "agenda.exemple.test"), b"{}", {})
    assert asked == ["agenda.exemple.test"]
    assert subscriber.memory.calls[0].headers["host"].startswith("agenda.exemple.test")


def test_a_certificate_that_nobody_vouches_for_is_not_trusted(subscriber: SubscriberTwin) -> None:
    with pytest.raises(Unavailable):
        HttpsWebhooks(anywhere=True, timeout_seconds=1).post(subscriber.url.replace("http:", "https:"), b"{}", {})


def test_one_dead_subscriber_does_not_close_the_door_for_the_others(
    door: HttpsWebhooks, subscriber: SubscriberTwin
) -> None:
    subscriber.faults.status = 503
    for _time in range(12):
        with pytest.raises(Unavailable):
            door.post(subscriber.url, b"{}", {})
    subscriber.faults.status = 200
    assert door.post(subscriber.url, b"{}", {}) == 200


def test_an_answer_that_drips_is_not_waited_for(door: HttpsWebhooks) -> None:
    """One byte now and then keeps a read time-out quiet for ever: the limit is on the whole call."""
    with dripping(b"HTTP/1.1 200 OK\r\nX-Drip: ") as port, pytest.raises(OutcomeUnknown):
        door.post(f"http://127.0.0.1:{port}/", b"{}", {})
