"""What a community refuses to keep: numbers of patients, however they are typed. And what it lets through."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.identity.nir import key_of
from services.communities.identifiers import Found, Why, found, refused

OIDS = ["1.2.250.1.213.1.4.8", "1.2.250.1.213.1.4.9", "1.2.250.1.213.1.4.10", "1.2.250.1.213.1.4.11"]
GROUPS = (1, 2, 2, 2, 3, 3, 2)


@st.composite
def numbers(draw: st.DrawFn) -> str:
    """Fifteen characters of a NIR whose key is right."""
    sex = draw(st.sampled_from("123478"))
    month = draw(st.sampled_from([*range(1, 13), *range(20, 43), *range(50, 100)]))
    place = draw(st.one_of(st.integers(1, 99).map("{:02d}".format), st.sampled_from(["2A", "2B"])))
    rest = draw(st.integers(0, 999_999))
    number = f"{sex}{draw(st.integers(0, 99)):02d}{month:02d}{place}{rest:06d}"
    return number + f"{key_of(number):02d}"


def spelled(number: str, separator: str) -> str:
    parts, at = [], 0
    for size in GROUPS:
        parts.append(number[at : at + size])
        at += size
    return separator.join(parts)


@given(number=numbers(), separator=st.sampled_from(["", " ", ".", "-", "\u00a0", "\u202f", " - ", "\u200b", "/"]))
def test_a_number_with_its_key_is_never_taken_however_it_is_spelled(number: str, separator: str) -> None:
    text = f"Bonjour, voici {spelled(number, separator)}, merci."
    (mark,) = found(text)
    assert mark.kind == "nir"
    assert refused([mark])
    assert text[mark.start : mark.end] == spelled(number, separator)


@given(number=numbers(), before=st.text(max_size=30).filter(lambda text: not text[-1:].isdigit()))
def test_no_words_before_it_hide_a_number(number: str, before: str) -> None:
    assert refused(found(f"{before} {number} "))


@given(number=numbers(), separator=st.sampled_from([" ", ".", "-"]))
def test_a_number_spread_digit_by_digit_is_found(number: str, separator: str) -> None:
    assert refused(found(separator.join(number)))


@given(number=numbers())
def test_lower_case_corsica_and_foreign_digits_hide_nothing(number: str) -> None:
    full_width = "".join(chr(ord(each) + 0xFEE0) if each.isdigit() else each for each in number)
    assert refused(found(number.lower()))
    assert refused(found(full_width))


@given(number=numbers(), oid=st.sampled_from(OIDS))
def test_thirteen_digits_beside_the_oid_of_an_ins_are_one(number: str, oid: str) -> None:
    (mark,) = found(f"{number[:13]}^^^&{oid}&ISO^INS")
    assert mark.kind == "ins"
    assert mark.why is Why.OID


@given(number=numbers(), wrong=st.integers(1, 96))
def test_a_wrong_key_is_a_doubt_and_no_refusal(number: str, wrong: int) -> None:
    key = (int(number[13:]) + wrong - 1) % 97 + 1
    (mark,) = found(f"code {number[:13]}{key:02d}")
    assert (mark.kind, mark.why) == ("suspect", Why.WRONG_KEY)
    assert not refused([mark])


@given(st.text())
def test_any_text_is_read_and_places_are_in_it(text: str) -> None:
    marks = found(text)
    assert all(0 <= mark.start < mark.end <= len(text) for mark in marks)
    assert marks == sorted(marks)


@given(st.text(alphabet="0123456789 .-AB", max_size=400))
def test_tables_of_figures_are_read_and_no_place_is_told_twice(text: str) -> None:
    marks = found(text)
    numbers = [mark for mark in marks if mark.why in (Why.KEY, Why.WRONG_KEY, Why.NO_KEY)]
    assert all(a.end <= b.start for a, b in pairwise(numbers))


def test_the_field_of_a_datamatrix_is_read() -> None:
    number = "1850578006048"
    assert refused(found(f"IS010000000S1{number}{key_of(number):02d}S2JEAN"))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("IPP : 00123456", Why.RECORD_NUMBER),
        ("n° de dossier 2024-55123", Why.RECORD_NUMBER),
        ("dossier n° 88 123 45", Why.RECORD_NUMBER),
        ("NDA 700123456", Why.RECORD_NUMBER),
        ("un homme né le 12/03/1951, diabétique", Why.BIRTH),
        ("Mme X, née Martin le 3 mars 1951", Why.BIRTH),
        ("DDN : 1951-03-12", Why.BIRTH),
        ("date de naissance : 12.03.51", Why.BIRTH),
        ("né(e) le 1er avril 1960", Why.BIRTH),
        ("la patiente Jeanne MARTIN est revenue", Why.NAME),
        ("pour le patient M. Durand", Why.NAME),
        ("le numéro 1850578006048 sans sa clé", Why.NO_KEY),
    ],
)
def test_what_looks_like_a_patient_is_a_doubt(text: str, why: Why) -> None:
    (mark,) = found(text)
    assert (mark.kind, mark.why) == ("suspect", why)


@pytest.mark.parametrize(
    "text",
    [
        "Rendez-vous le 12/03/2026 à 14 h, salle 3.",
        "Le secrétariat répond au 01 64 12 34 56 ou au 06 12 34 56 78.",
        "SIRET 269 100 766 00012, FINESS 910000001, RPPS 10003456789.",
        "IBAN FR76 1450 5000 0108 0000 0000 123",
        "Furosémide, CIP 34009 300 0000 01 4",
        "Patients BPCO stade 3 : le patient garde sa feuille de route.",
        "La maison de santé est née le besoin aidant.",
        "Protocole révisé le 12/03/2026, dossier de presse n° 12.",
        "HbA1c 7,2 % ; DFG 45 ; TA 13/8 ; 120 patients en 2025, 1 234 567,89 €",
    ],
)
def test_ordinary_words_of_a_community_go_through(text: str) -> None:
    assert found(text) == []


def test_a_number_is_told_once_and_others_beside_it() -> None:
    number = "1850578006048"
    marks = found(f"Patient n° {number}{key_of(number):02d}, né le 02/05/1985")
    assert [mark.kind for mark in marks] == ["nir", "suspect"]
    assert isinstance(marks[0], Found)


@given(number=numbers(), at=st.integers(1, 14), hidden=st.sampled_from("\u200b\u00ad\u2066\ufe0f\u0301\U000e0020"))
def test_what_nobody_sees_inside_a_number_hides_nothing(number: str, at: int, hidden: str) -> None:
    typed = number[:at] + hidden + number[at:]
    (mark,) = found(f"Voici {typed}.")
    assert mark.kind == "nir"
    assert f"Voici {typed}."[mark.start : mark.end] == typed


@given(number=numbers(), at=st.integers(1, 14), end=st.sampled_from(["\n", " \r\n ", "-\n", "\f"]))
def test_the_end_of_a_line_hides_no_number(number: str, at: int, end: str) -> None:
    assert refused(found(f"Voici {number[:at]}{end}{number[at:]}."))


@given(number=numbers(), separator=st.sampled_from(["\n", "\r\n", "\u3000", "\u2003", "\u2014", "\u2212"]))
def test_no_other_space_nor_dash_hides_a_number(number: str, separator: str) -> None:
    assert refused(found(spelled(number, separator)))


def test_columns_of_figures_are_no_doubts() -> None:
    assert found("1\n85\n05\n78\n006\n084\n37\n2026\n145") == []
