"""Pure rules of the account: where one may be sent, legal dates, what a PDF can print, what the copy contains."""

import io
import json
import zipfile
from datetime import UTC, date, datetime
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from auth.account import bundle, states, texts
from auth.account.export import Entry, Fact, Part
from auth.account.states import STATES, TRANSITIONS, TransitionRefused, months_after
from auth.addresses import inside
from portal.files import StoredFile


class TestAnAddressToGoTo:
    @given(st.text(max_size=60) | st.text("/\\.:@?#%\t\n ab", max_size=20).map(lambda text: "/" + text))
    def test_stays_inside_whatever_it_is(self, wanted: str) -> None:
        kept = inside(wanted)
        assert kept in ("", wanted)
        if kept:
            seen_by_a_browser = kept.replace("\\", "/").translate({ord(each): None for each in "\t\r\n"})
            assert seen_by_a_browser.startswith("/")
            assert not seen_by_a_browser.startswith("//")
            assert urlsplit(kept).netloc == ""

    @pytest.mark.parametrize(
        "wanted",
        ["//evil.test", "/\\evil.test", "\\\\evil.test", "https://evil.test", "javascript:alert(1)", "/\t/evil.test",
         "/\n/evil.test", "/a\x00b", "", "rendez-vous", "/" + "a" * 2000, "/\u2028/evil.test", "///evil.test"],
    )  # fmt: skip
    def test_elsewhere_is_refused(self, wanted: str) -> None:
        assert inside(wanted) == ""

    @pytest.mark.parametrize("wanted", ["/", "/rendez-vous?unit=é&day=2026-01-01#x", "/a//b", "/a?next=https://b.test"])
    def test_inside_is_kept_as_it_is(self, wanted: str) -> None:
        assert inside(wanted) == wanted


class TestALegalDate:
    @given(st.dates(date(1990, 1, 1), date(2150, 1, 1)), st.integers(0, 40))
    def test_is_in_the_month_that_it_should(self, day: date, months: int) -> None:
        due = months_after(day, months)
        assert (due.year * 12 + due.month) - (day.year * 12 + day.month) == months
        assert due.day <= day.day

    @given(st.dates(date(1990, 1, 1), date(2150, 1, 1)), st.integers(1, 12))
    def test_never_comes_earlier_for_a_later_request(self, day: date, months: int) -> None:
        assert months_after(date.fromordinal(day.toordinal() + 1), months) >= months_after(day, months)

    @pytest.mark.parametrize(
        ("received", "months", "due"),
        [
            (date(2026, 1, 31), 1, date(2026, 2, 28)),
            (date(2028, 1, 31), 1, date(2028, 2, 29)),
            (date(2026, 11, 30), 3, date(2027, 2, 28)),
            (date(2026, 12, 15), 1, date(2027, 1, 15)),
        ],
    )
    def test_is_the_last_day_of_a_shorter_month(self, received: date, months: int, due: date) -> None:
        assert months_after(received, months) == due

    def test_every_state_leads_somewhere_or_is_an_end(self) -> None:
        assert set(TRANSITIONS) == {"", *STATES}
        for state, following in TRANSITIONS.items():
            assert following <= set(STATES)
            assert bool(following) == (state not in states.CLOSED)

    @given(st.sampled_from(("", *STATES)), st.sampled_from(STATES))
    def test_other_changes_are_refused(self, before: str, after: str) -> None:
        if after in TRANSITIONS[before]:
            states.check(before, after)
        else:
            with pytest.raises(TransitionRefused):
                states.check(before, after)


class TestTheCopy:
    def test_numbers_two_files_of_one_name(self, app: Flask) -> None:
        stored = [
            StoredFile(id=uuid4(), name="lettre.pdf", media_type="application/pdf", size=3, sha256=b"x",
                       created_at=datetime(2026, 1, 1, tzinfo=UTC))
            for _file in range(2)
        ]  # fmt: skip
        out = io.BytesIO()
        part = Part("tests", "Tests", [Entry("Un", [Fact("on", "Jour", date(2026, 1, 2))])], stored)
        with app.test_request_context():
            bundle.write(out, "Élodie", datetime(2026, 1, 1, tzinfo=UTC), [part], lambda _stored: iter([b"abc"]))
        archive = zipfile.ZipFile(out)
        assert len(archive.namelist()) == len(set(archive.namelist())) == 4
        data = json.loads(archive.read(next(name for name in archive.namelist() if name.endswith("json"))))
        assert data["tests"]["entries"] == [{"on": "2026-01-02"}]


def test_a_text_has_another_digest_in_each_language_and_version(app: Flask) -> None:
    for each in texts.in_force("professional"):
        assert len(each.digest("en")) == 32
        assert each.digest("en") == each.digest("en")
