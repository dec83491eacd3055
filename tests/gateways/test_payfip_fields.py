"""Formats of PayFiP's fields: what leaves the house is what PayFiP takes."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.gateways import Refused
from portal.gateways.payments import IdopUnknown, ResultNotKnownYet
from portal.gateways.payments import payfip_fields as fields
from portal.gateways.payments.payfip_codes import MEANINGS, UNLISTED, refusal
from portal.gateways.payments.payfip_twin.till import Fault, check_order

GOOD_ORDER = {
    "exer": "2026",
    "mel": "payeur@example.org",
    "montant": "4520",
    "numcli": "090909",
    "objet": "Facture",
    "refdet": "FAC2026001",
    "saisie": "T",
    "urlnotif": "http://127.0.0.1/n",
    "urlredirect": "http://127.0.0.1/r",
}


def code_of(check: object, *arguments: object) -> str | None:
    """The code a field is refused with, or None when it passes."""
    try:
        check(*arguments)  # type: ignore[operator]  # one of the checks
    except (Refused, Fault) as refused:
        return refused.code
    return None


@pytest.mark.parametrize(
    ("cents", "code"),
    [
        (99, "M3"),
        (100, None),
        (9_999_999, None),
        (10_000_000, "M5"),
        (0, "M3"),
        (-100, "M3"),
        (45.2, "M1"),
        (True, "M1"),
    ],
)
def test_amounts_are_whole_cents_from_1_euro_to_99_999_99(cents: object, code: str | None) -> None:
    assert code_of(fields.amount, cents) == code


@given(st.integers())
def test_an_amount_is_sent_exactly_or_refused_never_rounded(cents: int) -> None:
    if code_of(fields.amount, cents) is None:
        assert int(fields.amount(cents)) == cents
        assert re.fullmatch("[0-9]{3,7}", fields.amount(cents))
    else:
        assert not 100 <= cents <= 9_999_999


@given(st.text())
def test_a_subject_becomes_what_payfip_takes_whatever_it_was(text: str) -> None:
    folded = fields.subject(text)
    assert re.fullmatch("[A-Za-z0-9 ]{0,100}", folded)
    assert fields.subject(folded) == folded


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Facture n°2026-001", "Facture n 2026 001"),
        ("Frais d’hébergement à l’hôpital", "Frais d hebergement a l hopital"),
        ("Sœur Agnès", "Soeur Agnes"),
        ("  <b>x</b>  ", "b x b"),
        ("a" * 99 + " bcd", "a" * 99),
        ("日本", ""),
    ],
)
def test_subjects_stay_readable(text: str, folded: str) -> None:
    assert fields.subject(text) == folded


@pytest.mark.parametrize(
    ("reference", "code"),
    [("FAC1", "R3"), ("FAC001", None), ("a" * 30, None), ("a" * 31, "R3"), ("FAC-001", "R3"), ("FAC00é", "R3"),
     ("FAC001\n", "R3"), ("", "R3"), ("١٢٣٤٥٦", "R3")],
)  # fmt: skip
def test_references_are_6_to_30_letters_and_digits(reference: str, code: str | None) -> None:
    assert code_of(fields.refdet, reference) == code


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("", "A1"),
        ("a@b.c", "A2"),
        ("a@b.fr", None),
        ("a" * 73 + "@b.info", None),
        ("a" * 74 + "@b.info", "A2"),
        ("jeanne", "A2"),
        ("jeanne@hopital", "A2"),
        ("jeanne@hopital.fr\n", "A2"),
        ("jeanne@hopital.fr, x@y.fr", "A2"),
        ("jéanne@hopital.fr", "A2"),
    ],
)
def test_an_address_is_one_plain_address(address: str, code: str | None) -> None:
    assert code_of(fields.email, address) == code


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("https://portail.example/callbacks/payfip?x=1", None),
        ("https://portail.example/" + "a" * 225, None),
        ("https://portail.example/" + "a" * 226, "N1"),
        ("ftp://portail.example/", "N1"),
        ("javascript:alert(1)", "N1"),
        ("https:///path", "N1"),
        ("https://[bad/", "N1"),
        ("https://portail.example/é", "N1"),
        ("https://portail.example/ x", "N1"),
        ("", "N1"),
    ],
)
def test_urls_are_http_and_under_250_characters(url: str, code: str | None) -> None:
    assert code_of(fields.url, url, "N1") == code


@pytest.mark.parametrize(
    ("check", "good", "bad"),
    [
        (fields.numcli, "090909", "90909"),
        (fields.numcli, "123456", "12345a"),
        (fields.exer, "2026", "26"),
        (fields.mode, "T", "A"),
    ],
)
def test_client_numbers_years_and_modes_are_what_the_guide_lists(check: object, good: str, bad: str) -> None:
    assert code_of(check, good) is None
    assert code_of(check, bad) is not None


def test_an_operation_name_that_cannot_exist_is_unknown_without_asking() -> None:
    with pytest.raises(IdopUnknown):
        fields.idop("../../etc")


@pytest.mark.parametrize(
    ("field", "name", "ours", "values"),
    [
        ("refdet", "refdet", fields.refdet, ["FAC1", "FAC001", "a" * 31, "é" * 8, "FAC 001"]),
        ("montant", "montant", lambda text: fields.amount(int(text)), ["99", "100", "9999999", "10000000"]),
        ("numcli", "numcli", fields.numcli, ["1", "123456", "1234567"]),
        ("mel", "mel", fields.email, ["", "a@b.c", "a@b.fr", "x" * 81]),
    ],
)
def test_our_checks_and_the_twins_give_the_same_code(field: str, name: str, ours: object, values: list[str]) -> None:
    for value in values:
        theirs = code_of(check_order, {**GOOD_ORDER, field: value}, set())
        assert code_of(ours, value) == theirs, (name, value)


def test_two_codes_are_facts_of_their_own_and_unlisted_ones_still_read() -> None:
    assert isinstance(refusal("P1"), IdopUnknown)
    assert isinstance(refusal("P5"), ResultNotKnownYet)
    assert refusal("Z9").meaning == UNLISTED
    assert all(refusal(code).meaning == meaning for code, meaning in MEANINGS.items())
