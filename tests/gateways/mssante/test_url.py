"""An operator's address that nobody can open is told at once, and its secrets are not repeated."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.gateways import UnsupportedUrl
from portal.gateways.mssante import Auth, Papers, connect
from portal.gateways.mssante.url import Host, parse


def test_an_address_says_where_both_doors_are_and_how_boxes_are_opened() -> None:
    found = parse("smtp+imap://portail%40ch.mssante.fr:s%3Acret@smtp.ch.fr:2587?imap=imap.ch.fr:2143&auth=client_cert")
    assert (found.smtp, found.imap) == (Host("smtp.ch.fr", 2587), Host("imap.ch.fr", 2143))
    assert (found.auth, found.user, found.password) == (Auth.CLIENT_CERT, "portail@ch.mssante.fr", "s:cret")
    assert "s:cret" not in repr(found)


def test_what_is_not_said_is_usual() -> None:
    found = parse("smtp+imap://mail.ch.fr")
    assert (found.smtp, found.imap, found.auth) == (Host("mail.ch.fr", 587), Host("mail.ch.fr", 143), Auth.XOAUTH2)


@pytest.mark.parametrize("url", ["smtp+imap://[::1]:25?imap=[::1]:143", "smtp+imap://[::1]:25?imap=::1"])
def test_ipv6_is_an_address_too(url: str) -> None:
    assert parse(url).imap == Host("::1", 143)
    assert parse(url).is_loopback


def test_a_user_may_be_an_address_as_it_is() -> None:
    assert parse("smtp+imap://cardio@ch.mssante.fr@mail.ch.fr").user == "cardio@ch.mssante.fr"


@pytest.mark.parametrize(
    "url",
    [
        "", "smtp://h", "imap://h", "smtp+imap:", "smtp+imap://", "smtp+imap://h:port", "smtp+imap://h:99999",
        "smtp+imap://h?imap=i:port", "smtp+imap://h?imap=", "smtp+imap://h?auth=magic", "smtp+imap://h?auth=",
        "smtp+imap://h?imap=a&imap=b", "smtp+imap://h?colour=red", "smtp+imap://h/INBOX", "smtp+imap://h#x",
        "smtp+imap://h?imap", "smtp+imap://hôpital.fr", "smtp+imap://[::1",
    ],
)  # fmt: skip
def test_an_address_nobody_can_open_is_refused(url: str) -> None:
    with pytest.raises(UnsupportedUrl):
        parse(url)


@given(st.text())
def test_whatever_is_typed_is_understood_or_refused_without_repeating_it(typed: str) -> None:
    assert "s3cret" not in told_of(f"smtp+imap://user:s3cret@{typed}")


def told_of(url: str) -> str:
    try:
        return repr(parse(url))
    except UnsupportedUrl as error:
        return str(error)


ANCHORS = Papers(anchors="/nowhere/anchors.pem", revocations="/nowhere/list.pem")


@pytest.mark.parametrize(
    ("url", "papers", "wrong"),
    [
        ("smtp+imap://mail.ch.fr?auth=password", ANCHORS, "password"),
        ("smtp+imap://127.0.0.1?auth=xoauth2", ANCHORS, "demonstration"),
        ("smtp+imap://localhost?auth=xoauth2", ANCHORS, "demonstration"),
        ("smtp+imap://mail.ch.fr", Papers(), "anchors"),
        ("smtp+imap://mail.ch.fr", Papers(anchors="x"), "revoked"),
        ("smtp+imap://mail.ch.fr?auth=client_cert", ANCHORS, "certificate"),
        ("smtp+imap://mail.ch.fr", ANCHORS, "cannot be read"),
    ],
)
def test_production_opens_no_door_that_proves_nothing(url: str, papers: Papers, wrong: str) -> None:
    with pytest.raises(UnsupportedUrl, match=wrong):
        connect(url, papers)


def test_a_trial_without_anchors_stays_on_this_machine() -> None:
    connect("smtp+imap://127.0.0.1?auth=password", production=False)
    with pytest.raises(UnsupportedUrl, match="anchors"):
        connect("smtp+imap://mail.ch.fr?auth=password", production=False)
