"""Codes in time and on paper, whatever is typed."""

from datetime import UTC, datetime, timedelta

import pyotp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.factors import codes, totp
from auth.factors.forms import mobile_of

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2099, 1, 1), timezones=st.just(UTC))


def code_at(moment: datetime) -> str:
    return str(pyotp.TOTP(SECRET).at(int(moment.timestamp())))


class TestTheCodeOfAnApplication:
    @given(MOMENTS, st.integers(-30, 30))
    def test_is_good_half_a_minute_early_or_late(self, at: datetime, late_s: int) -> None:
        assert totp.matching_step(SECRET, code_at(at + timedelta(seconds=late_s)), at) is not None

    @given(MOMENTS, st.integers(60, 3600))
    def test_is_no_good_a_minute_late_or_early(self, at: datetime, late_s: int) -> None:
        near = {code_at(at + timedelta(seconds=30 * step)) for step in (-1, 0, 1)}
        for away in (late_s, -late_s):
            code = code_at(at + timedelta(seconds=away))
            assert (totp.matching_step(SECRET, code, at) is not None) is (code in near)

    @given(MOMENTS)
    def test_serves_once_and_ends_those_before_it(self, at: datetime) -> None:
        step = totp.matching_step(SECRET, code_at(at), at)
        assert step is not None
        assert totp.matching_step(SECRET, code_at(at), at, after=step) is None
        before = totp.matching_step(SECRET, code_at(at - timedelta(seconds=30)), at, after=step)
        assert before is None or before > step

    @given(MOMENTS, st.text(max_size=20))
    def test_is_nothing_else_that_is_typed(self, at: datetime, typed: str) -> None:
        near = {code_at(at + timedelta(seconds=30 * step)) for step in (-1, 0, 1)}
        if typed not in near:
            assert totp.matching_step(SECRET, typed, at) is None

    @pytest.mark.parametrize(
        ("seconds", "code"),
        [
            (59, "287082"),
            (1111111109, "081804"),
            (1111111111, "050471"),
            (1234567890, "005924"),
            (2000000000, "279037"),
        ],
    )
    def test_is_that_of_the_standard(self, seconds: int, code: str) -> None:
        """RFC 6238, appendix B, SHA-1, its last six digits."""
        secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
        assert totp.matching_step(secret, code, datetime.fromtimestamp(seconds, UTC)) == seconds // 30

    def test_is_drawn_for_the_application(self) -> None:
        address = totp.address(SECRET, "Jeanne: <b>MARTIN</b>", "CH/Arceau & co")
        assert pyotp.parse_uri(address).secret == SECRET
        assert str(totp.picture(address)).startswith("<svg")


class TestACodeOnPaper:
    @given(st.integers(1, 4))
    def test_reads_the_same_however_it_is_copied(self, groups: int) -> None:
        code = codes.for_paper(groups)
        for typed in (code.lower(), code.replace("-", ""), f" {code.replace('-', ' ')} "):
            assert codes.letters_of(typed) == codes.letters_of(code)
        assert len(codes.letters_of(code)) == 4 * groups

    @given(st.text(max_size=100))
    def test_never_breaks_on_what_is_typed(self, typed: str) -> None:
        assert codes.letters_of(codes.letters_of(typed)) == codes.letters_of(typed)
        assert codes.digits_of(typed).isascii()

    @given(st.integers(0, 31**8 - 1), st.integers(0, 31**8 - 1))
    def test_spells_each_number_its_own_way(self, one: int, other: int) -> None:
        assert (codes.spelled(one) == codes.spelled(other)) is (one == other)


class TestANumber:
    @pytest.mark.parametrize(
        ("typed", "number"),
        [
            ("06 12 34 56 78", "+33612345678"),
            ("07.12.34.56.78", "+33712345678"),
            ("0033 6 12 34 56 78", "+33612345678"),
            ("+33612345678", "+33612345678"),
            ("+1 (202) 555-0188", "+12025550188"),
            ("01 23 45 67 89", None),
            ("0612345", None),
            ("+0612345678", None),
            ("", None),
        ],
    )
    def test_is_what_an_operator_takes(self, typed: str, number: str | None) -> None:
        assert mobile_of(typed) == number

    @given(st.text(max_size=30))
    def test_never_breaks(self, typed: str) -> None:
        number = mobile_of(typed)
        assert number is None or number.startswith("+")

    def test_shows_its_end_alone_once_known(self) -> None:
        assert codes.masked_number("+33612345678") == "•• •• •• 56 78"
        assert codes.masked_address("jeanne@exemple.test") == "j••••@exemple.test"
        assert codes.readable_number("+33612345678") == "06 12 34 56 78"
