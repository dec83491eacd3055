"""An INS that cannot be one is noticed, and nobody is sent away for it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.fr import nir

from services.documents.ins import InsDoubt, InsOid, doubts_about, key_of


@pytest.mark.parametrize("number", ["279035121518989", "190012A00100156", "290052B03302583", "290052b03302583"])
def test_a_right_number_raises_no_doubt(number: str) -> None:
    assert doubts_about(number, InsOid.TEST) == ()


@pytest.mark.parametrize(
    ("number", "doubt"),
    [
        ("279035121518988", InsDoubt.KEY),
        ("221042545611404", InsDoubt.KEY),  # on an official example
        ("2790351215189", InsDoubt.FORM),
        ("27903512151898A", InsDoubt.FORM),
        ("２79035121518989", InsDoubt.FORM),
        ("", InsDoubt.FORM),
        ("0790351215189" + f"{key_of('0790351215189'):02}", InsDoubt.SEX),
        ("2791351215189" + f"{key_of('2791351215189'):02}", InsDoubt.MONTH),
    ],
)
def test_a_doubtful_number_says_why(number: str, doubt: InsDoubt) -> None:
    assert doubts_about(number, InsOid.NIR) == (doubt,)


def test_an_authority_nobody_knows_is_a_doubt() -> None:
    assert doubts_about("279035121518989", "1.2.3.4") == (InsDoubt.OID,)


@given(st.from_regex(r"[12][0-9]{4}([0-9]{2}|2[AB])[0-9]{6}", fullmatch=True))
def test_the_key_is_the_one_of_the_public_library(number: str) -> None:
    assert f"{key_of(number):02}" == nir.calc_check_digits(number)


def test_only_the_numbers_of_tests_and_demonstrations_are_fictitious() -> None:
    assert [oid for oid in InsOid if oid.is_fictitious] == [InsOid.TEST, InsOid.DEMO]
