"""Numbers and names of practitioners, whatever Pro Santé Connect writes in them."""

import string

from hypothesis import given
from hypothesis import strategies as st
from stdnum import luhn

from auth.practice import activities, wording
from auth.prosanteconnect import identity_from, rpps_of

DIGITS = st.text(string.digits, min_size=10, max_size=10)
TEXTS = st.one_of(st.none(), st.just(""), st.text(max_size=30))
OTHERS = st.one_of(
    st.text(),
    st.from_regex(r"ANS[0-9]{14}", fullmatch=True),
    st.from_regex(r"[0-79][0-9]{11}", fullmatch=True),
)
_NAMES = (
    "profession", "mode", "finess_site", "siret", "structure_id", "raison_sociale", "sign", "postal_code", "civility",
    "exercise_given_name", "exercise_family_name",
)  # fmt: skip
ACTIVITY = st.fixed_dictionaries({}, optional=dict.fromkeys(_NAMES, TEXTS))


class TestTheNationalNumber:
    @given(DIGITS)
    def test_with_its_key_is_read(self, first_ten: str) -> None:
        rpps = first_ten + luhn.calc_check_digit(first_ten)
        assert rpps_of("8" + rpps) == rpps

    @given(DIGITS, st.integers(1, 9))
    def test_with_a_wrong_key_is_not(self, first_ten: str, off: int) -> None:
        key = (int(luhn.calc_check_digit(first_ten)) + off) % 10
        assert rpps_of(f"8{first_ten}{key}") is None

    @given(DIGITS, st.integers(0, 10), st.integers(1, 9))
    def test_with_one_digit_mistyped_is_not(self, first_ten: str, place: int, off: int) -> None:
        rpps = first_ten + luhn.calc_check_digit(first_ten)
        wrong = rpps[:place] + str((int(rpps[place]) + off) % 10) + rpps[place + 1 :]
        assert rpps_of("8" + wrong) is None

    @given(OTHERS)
    def test_is_absent_from_other_numbers(self, number: str) -> None:
        """ANS2021…: a test card; 0: ADELI; 3 and 5: a number that a structure gives to its own staff."""
        if not number.startswith("8"):
            assert rpps_of(number) is None

    def test_is_absent_from_the_numbers_of_staff(self) -> None:
        for number in ("ANS20210107161422", "3990000011/SEC0042", "0999999999", "8", "", "8٠٠٠٠٠٠٠٠٠٠٠"):
            assert rpps_of(number) is None


class TestASite:
    @given(ACTIVITY)
    def test_always_has_words(self, activity: dict[str, str | None]) -> None:
        assert wording.site(activity).strip() or (activity.get("sign") or activity.get("raison_sociale"))
        assert isinstance(wording.details(activity), str)

    @given(ACTIVITY, ACTIVITY)
    def test_has_one_key_whatever_is_missing(self, one: dict[str, str | None], other: dict[str, str | None]) -> None:
        filled = [{name: value for name, value in each.items() if value} for each in (one, other)]
        assert (activities.key(one) == activities.key(other)) == (filled[0] == filled[1])
        assert activities.key(one) == activities.key(dict(reversed(one.items())))

    @given(st.lists(ACTIVITY, max_size=5))
    def test_is_offered_once(self, listed: list[dict[str, str | None]]) -> None:
        found = activities.distinct(listed)
        assert len({activities.key(each) for each in found}) == len(found)
        assert {activities.key(each) for each in found} == {activities.key(each) for each in listed}


@given(st.lists(ACTIVITY, max_size=4), st.text(min_size=1, max_size=20), st.text(min_size=1, max_size=20))
def test_a_name_at_work_is_never_a_half(listed: list[dict[str, str | None]], given_name: str, family: str) -> None:
    name = activities.name_at_work(listed, given_name, family)
    at_work = next((each for each in listed if each.get("exercise_family_name")), None)
    expected = str(at_work["exercise_family_name"]) if at_work else family
    assert expected.strip() in name


def test_every_text_may_be_empty() -> None:
    empty = dict.fromkeys(("codeProfession", "nomDexercice", "prenomDexercice"), "")
    claims = {
        "SubjectNameID": "899700000013",
        "family_name": "ROUMILLAC",
        "given_name": "Claire",
        "SubjectRefPro": {"exercices": [{**empty, "activities": []}, {**empty, "activities": [{}]}]},
    }
    found = identity_from(claims)
    assert {activity.exercise_family_name for activity in found.activities} == {None}
