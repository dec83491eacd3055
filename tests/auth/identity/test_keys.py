"""Keys of names, birth days with unknown parts, birthplaces and beneficiary numbers, on whatever may come."""

import string
import unicodedata
from contextlib import suppress
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as some
from stdnum.fr import nir as reference

from auth.identity import nir, sealing, traits
from auth.identity.nir import NotANir
from auth.identity.sealing import CannotBeOpened, SealedText
from auth.identity.traits import Traits
from portal.config import Settings

NAMES = some.text(alphabet="ABCDEÉÈÇÏŒabcdeéèç -'’", min_size=1, max_size=20)
DEPARTMENTS = some.one_of(some.integers(1, 95).map(lambda n: f"{n:02d}"), some.sampled_from(["2A", "2B"]))


def described(
    name: str = "LE GOFF", first: str = "ANNE", born: str = "1951-03-02", sex: str = "F", place: str = "75056"
) -> Traits:
    day, raw = traits.day_and_raw(born)
    return Traits(name, (first,), day, sex, place, raw)


@pytest.fixture(autouse=True)
def _keys(settings: Settings) -> None:
    sealing.configure(settings)


class TestTheKeyOfAName:
    @given(NAMES)
    def test_forgets_accents_case_spaces_and_hyphens(self, name: str) -> None:
        noisy = f" {unicodedata.normalize('NFD', name).lower().replace(' ', '-')}’ "
        assert traits.key(noisy) == traits.key(name)

    @given(NAMES)
    def test_is_its_own_key(self, name: str) -> None:
        assert traits.key(traits.key(name)) == traits.key(name)

    @given(some.text(max_size=40))
    def test_holds_letters_and_digits_alone(self, anything: str) -> None:
        assert all(sign.isalnum() for sign in traits.key(anything))


class TestWhatDiffers:
    @given(NAMES, NAMES)
    def test_is_the_same_both_ways(self, one: str, other: str) -> None:
        a, b = described(name=one), described(name=other)
        assert traits.differences(a, b) == traits.differences(b, a)

    def test_is_nothing_for_what_is_not_known(self) -> None:
        assert traits.differences(described(sex="", place=""), described()) == ()

    def test_compares_the_known_parts_of_a_birth_day(self) -> None:
        assert traits.differences(described(born="1951-00-00"), described()) == ()
        assert traits.differences(described(born="1951-04-00"), described()) == (traits.BIRTH_DATE,)
        assert traits.differences(described(born="1950-00-00"), described()) == (traits.BIRTH_DATE,)

    def test_ignores_what_one_source_did_not_know_and_the_civil_register_does(self) -> None:
        """FranceConnect corrects birthdate by the register, and repeats idp_birthdate as the person's provider has it:
        else a provider that knows no day would make homonyms of one year alike, and another year prove itself."""
        for raw in ("1951-00-00", "1950-00-00", "1950-11-00"):
            told = replace(described(born="1951-04-05"), birth_on_raw=raw)
            assert traits.differences(told, described()) == (traits.BIRTH_DATE,)

    def test_is_said_trait_by_trait(self) -> None:
        other = described("DUBOIS", "PAUL", "1950-01-01", "M", "2A004")
        assert traits.differences(described(), other) == traits.TRAITS


class TestABirthDay:
    @given(some.dates(min_value=date(1850, 1, 1)))
    def test_that_is_whole_needs_no_raw_text(self, day: date) -> None:
        assert traits.day_and_raw(day.isoformat()) == (day, "")

    @given(some.integers(1850, 2100), some.integers(1, 12))
    def test_without_its_day_keeps_what_was_written(self, year: int, month: int) -> None:
        written = f"{year}-{month:02d}-00"
        assert traits.day_and_raw(written) == (date(year, month, 1), written)

    @pytest.mark.parametrize("wrong", ["", "1992", "1992-13-01", "1992-02-30", "1992-00-05", "92-01-01", "٢٠٢٠-01-01"])
    def test_that_is_none_is_refused(self, wrong: str) -> None:
        with pytest.raises(ValueError):
            traits.day_and_raw(wrong)


class TestABirthplace:
    @given(DEPARTMENTS, some.integers(1, 999))
    def test_in_france_is_a_code(self, department: str, commune: int) -> None:
        assert traits.is_cog(f"{department}{commune:03d}")

    @pytest.mark.parametrize("code", ["97411", "98818", "2A004", "2B033", "99100", "99352", "01001", "75056"])
    def test_overseas_in_corsica_and_abroad_too(self, code: str) -> None:
        assert traits.is_cog(code)

    @pytest.mark.parametrize("code", ["", "96001", "2C004", "00123", "7505", "750566", "2a004", "ATHEN"])
    def test_of_another_form_is_not(self, code: str) -> None:
        assert not traits.is_cog(code)


@some.composite
def numbers(draw: some.DrawFn) -> str:
    first = draw(some.sampled_from("12")) + f"{draw(some.integers(0, 99)):02d}{draw(some.integers(1, 12)):02d}"
    body = first + draw(DEPARTMENTS) + f"{draw(some.integers(1, 990)):03d}{draw(some.integers(1, 999)):03d}"
    return f"{body}{nir.key_of(body):02d}"


class TestABeneficiaryNumber:
    @given(numbers())
    def test_with_its_key_is_one_corsica_included(self, number: str) -> None:
        assert nir.parse(number) == number
        assert reference.is_valid(number), "another implementation agrees"

    @given(numbers(), some.sampled_from([" ", ".", "-", "\u202f"]))
    def test_may_be_typed_as_it_is_printed(self, number: str, space: str) -> None:
        assert nir.parse(nir.spelled(number).replace(" ", space).lower()) == number

    @given(numbers(), some.integers(1, 96))
    def test_with_another_key_is_none(self, number: str, off: int) -> None:
        wrong = (int(number[13:]) - 1 + off) % 97 + 1
        with pytest.raises(NotANir):
            nir.parse(f"{number[:13]}{wrong:02d}")

    @given(some.text(alphabet=string.printable + "é٣", max_size=20))
    def test_is_never_guessed_from_rubbish(self, anything: str) -> None:
        with suppress(NotANir):
            assert reference.is_valid(nir.parse(anything))

    @given(numbers())
    def test_shows_its_first_five_signs_alone(self, number: str) -> None:
        shown = nir.masked(number)
        assert shown.startswith(f"{number[0]} {number[1:3]} {number[3:5]} ")
        assert number[5:] not in shown.replace(" ", "")
        assert set(shown[8:]) <= {"•", " "}

    @given(numbers())
    def test_is_found_by_the_same_index_and_no_other(self, number: str) -> None:
        assert nir.index(number) == nir.index(number)
        assert number.encode() not in nir.index(number)


class TestASealedValue:
    @given(some.text(max_size=50))
    def test_opens_to_what_it_was(self, value: str) -> None:
        assert sealing.open_("a", sealing.seal("a", value)) == value

    def test_never_looks_the_same_twice(self) -> None:
        assert sealing.seal("a", "x") != sealing.seal("a", "x")

    def test_opens_for_its_own_purpose_alone(self) -> None:
        with pytest.raises(CannotBeOpened):
            sealing.open_("b", sealing.seal("a", "x"))

    @given(some.integers(0, 60))
    def test_does_not_open_once_changed(self, place: int) -> None:
        sealed = bytearray(sealing.seal("a", "some value to hide"))
        place = 20 + place % (len(sealed) - 20)
        sealed[place] ^= 1
        with pytest.raises(CannotBeOpened):
            sealing.open_("a", bytes(sealed))


class TestASealedColumn:
    @given(some.text(max_size=40))
    def test_gives_back_what_was_written(self, value: str) -> None:
        column = SealedText("x")
        kept = column.process_bind_param(value, None)
        assert kept is not None
        assert column.process_result_value(kept, None) == value
        assert not value or value not in kept.removeprefix("sealed:") or len(value) < 4

    def test_still_reads_what_was_written_before(self) -> None:
        assert SealedText("x").process_result_value("279035121518989", None) == "279035121518989"
