"""Traits are told equal, near or different, whichever source comes first and however a name is written."""

import unicodedata
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.preadmission.office import comparison
from services.preadmission.office.comparison import TRAITS, Description, compare, first_names, lines, names

NAMES = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=20)
LATIN = st.text("abcdefghijklmnopqrstuvwxyzàâäçéèêëîïôöùûüÿ -'’ABCÉ", min_size=1, max_size=20)
LISTS = st.lists(LATIN, max_size=4)
PEOPLE = st.builds(
    Description,
    LATIN,
    st.one_of(st.just(""), LATIN),
    LISTS.map(tuple),
    st.one_of(st.none(), st.dates(date(1900, 1, 1), date(2030, 1, 1))),
    st.sampled_from(["", "F", "M"]),
)


@pytest.mark.parametrize(
    ("one", "other", "verdict"),
    [
        ("LE GOFF", "Le Goff", "equal"),
        ("LE GOFF", "Le-Goff", "spelling"),
        ("LEGOFF", "LE GOFF", "spelling"),
        ("D’ARTAGNAN", "D'ARTAGNAN", "equal"),
        ("DARTAGNAN", "D'ARTAGNAN", "spelling"),
        ("HÉLÈNE", "HELENE", "spelling"),
        ("E\u0301TIENNE", "\u00c9TIENNE", "equal"),
        ("DE LA TOUR", "TOUR", "particle"),
        ("VAN DER BERG", "BERG", "particle"),
        ("DE", "LA", "different"),
        ("MARTIN", "MARTINE", "different"),
        ("MARTIN", "", "unknown"),
        ("ØRSTED", "ORSTED", "different"),
        ("NGUYỄN", "NGUYEN", "spelling"),
    ],
)
def test_a_family_name_compares(one: str, other: str, verdict: str) -> None:
    assert names(one, other) == names(other, one) == verdict


@pytest.mark.parametrize(
    ("one", "other", "verdict"),
    [
        (["JEAN", "PAUL"], ["Jean", "Paul"], "equal"),
        (["JEAN-PAUL"], ["JEAN", "PAUL"], "spelling"),
        (["JEAN", "PAUL"], ["PAUL", "JEAN"], "order"),
        (["JEAN"], ["JEAN", "PAUL", "MARIE"], "fewer"),
        (["PAUL"], ["JEAN", "PAUL"], "different"),
        ([], ["JEAN"], "unknown"),
        ([" "], ["JEAN"], "unknown"),
        (["ZOÉ"], ["ZOE"], "spelling"),
    ],
)
def test_first_names_compare(one: list[str], other: list[str], verdict: str) -> None:
    assert first_names(one, other) == first_names(other, one) == verdict


def test_a_name_of_use_given_as_birth_name_is_not_somebody_else() -> None:
    on_the_card = Description("MARTIN", "DUBOIS", ("JEANNE",))
    typed = Description("DUBOIS", "", ("JEANNE",))
    assert compare("birth_name", on_the_card, typed) == "used_name"
    assert compare("birth_name", Description("MARTIN"), typed) == "different"


def test_a_day_and_a_sex_are_equal_or_different() -> None:
    one, other = Description(birth_on=date(1980, 5, 17), sex="F"), Description(birth_on=date(1980, 5, 18), sex="M")
    assert [compare(trait, one, other) for trait in ("birth_on", "sex")] == ["different", "different"]
    assert [compare(trait, one, one) for trait in ("birth_on", "sex")] == ["equal", "equal"]
    assert [compare(trait, one, Description()) for trait in ("birth_on", "sex")] == ["unknown", "unknown"]


def test_the_gravest_difference_of_a_line_is_told() -> None:
    told = lines(
        {
            "franceconnect": Description("MARTIN", first_names=("ÉLISE",)),
            "card": Description("MARTIN", first_names=("ELISE",)),
            "hospital": Description("MARTEN", first_names=("ELISE",)),
        }
    )
    worst = {line.trait: line.worst for line in told}
    assert worst["birth_name"] == "different"
    assert worst["first_names"] == "spelling"
    assert worst["sex"] == "unknown"


@given(NAMES, NAMES)
def test_which_name_comes_first_changes_nothing(one: str, other: str) -> None:
    assert names(one, other) == names(other, one)


@given(NAMES)
def test_a_name_equals_itself_however_unicode_writes_it(name: str) -> None:
    expected = "equal" if name.strip() else "unknown"
    assert names(name, name) == expected
    assert (
        names(name, unicodedata.normalize("NFD", name)) == names(unicodedata.normalize("NFC", name), name) == expected
    )


@given(LATIN)
def test_accents_capitals_hyphens_and_spaces_never_make_two_people(name: str) -> None:
    plain = "".join(sign for sign in unicodedata.normalize("NFD", name) if not unicodedata.combining(sign))
    for other in (name.upper(), name.lower(), plain, name.replace("-", " "), f" {name} "):
        if other.strip() and name.strip():
            assert names(name, other) in ("equal", "spelling")


@given(LISTS, LISTS)
def test_which_first_names_come_first_changes_nothing(one: list[str], other: list[str]) -> None:
    assert first_names(one, other) == first_names(other, one)


@given(LISTS)
def test_first_names_equal_themselves_and_differ_by_order_alone(given_names: list[str]) -> None:
    known = any(each.strip() for each in given_names)
    assert first_names(given_names, given_names) == ("equal" if known else "unknown")
    if known:
        assert first_names(given_names, given_names[::-1]) in ("equal", "spelling", "order", "fewer")


@given(PEOPLE, PEOPLE)
def test_two_people_compare_alike_in_both_directions(one: Description, other: Description) -> None:
    for trait in TRAITS:
        assert compare(trait, one, other) == compare(trait, other, one)


@given(PEOPLE)
def test_nobody_differs_from_themselves(person: Description) -> None:
    assert {compare(trait, person, person) for trait in TRAITS} <= {"equal", "unknown"}


@given(st.lists(st.text("abcé-", min_size=1, max_size=8), min_size=1, max_size=4))
def test_typed_first_names_are_split_as_they_were_joined(parts: list[str]) -> None:
    assert comparison.split(", ".join(parts)) == tuple(parts)
    assert comparison.split(" ".join(parts)) == tuple(parts)
