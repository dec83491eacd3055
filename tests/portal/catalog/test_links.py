"""Links lead where somebody said they may, whatever is typed; words are shown in a language that they are in."""

from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlsplit

import pytest
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as some

from portal.catalog.links import KNOWN_HOSTS, HostNotAllowed, NotALink, check, host_of
from portal.catalog.models import PublishedService
from portal.catalog.notices.models import SiteNotice
from portal.catalog.notices.queries import told
from portal.catalog.queries import is_open
from portal.catalog.words import LANGUAGES, kept, said
from portal.web import announcing

SIGNS = r"[a-z@:/\\.#?0-9-]"
AN_ADDRESS = some.from_regex(rf"https?://{SIGNS}{{1,40}}(ameli\.fr|evil\.example){SIGNS}{{0,20}}", fullmatch=True)
PARTS = some.dictionaries(some.sampled_from(["title", "lead"]), some.text(alphabet="aé ع\n", max_size=4))


@settings(max_examples=80)
@given(AN_ADDRESS)
def test_what_is_let_through_is_of_a_known_site_over_https(url: str) -> None:
    try:
        check(url)
    except (NotALink, HostNotAllowed):
        return
    parts = urlsplit(url)
    assert parts.scheme == "https"
    assert parts.netloc == parts.hostname
    assert any(parts.netloc == each or parts.netloc.endswith("." + each) for each in KNOWN_HOSTS)


@pytest.mark.parametrize("url", ["https://www.ameli.fr", "https://www.ameli.fr/assure?a=1#b", "https://WWW.AMELI.FR/"])
def test_a_national_site_is_let_through(url: str) -> None:
    check(url)


@pytest.mark.parametrize(
    "url",
    ["", "ameli.fr", "https://", "https://localhost/", "https://[::1]/", "https://a b.fr/", "https://ameli.fr:bad/",
     "https://éléphant.fr/", "https://www.ameli.fr/\nx", "https://user:secret@www.ameli.fr/", "ftp://www.ameli.fr/"],
)  # fmt: skip
def test_what_is_no_address_of_a_site_is_refused(url: str) -> None:
    with pytest.raises(NotALink):
        host_of(url)


@settings(max_examples=100)
@given(some.dictionaries(some.sampled_from([*LANGUAGES, "xx"]), PARTS))
def test_words_fall_back_to_french_and_say_their_language(texts: dict[str, dict[str, str]]) -> None:
    clean = kept(texts)
    for language in LANGUAGES:
        found = said(clean, "title", language)
        assert found.text == clean.get(found.language, {}).get("title", "")
        if not found:
            assert not any(clean.get(code, {}).get("title") for code in (language, "fr"))
    assert kept(clean) == clean


@settings(max_examples=100)
@given(some.integers(-40, 40), some.none() | some.integers(-40, 40))
def test_a_service_is_open_from_its_first_day_until_the_day_it_closes(opens: int, closes: int | None) -> None:
    today = date(2026, 11, 23)
    last = None if closes is None else today + timedelta(days=closes)
    known = PublishedService(opened_on=today + timedelta(days=opens), closed_on=last)
    assert is_open(known, today) == (opens <= 0 and (closes is None or closes > 0))
    assert not is_open(None, today)


BACK = datetime(2026, 10, 24, 20, tzinfo=UTC)
EVENING = datetime(2026, 12, 5, 19, tzinfo=UTC)


@pytest.mark.parametrize(
    ("start", "end", "words"),
    [
        (BACK, BACK + timedelta(hours=7), "10:00\u202fPM to Sunday, October 25"),
        (EVENING, EVENING + timedelta(hours=2), "from 8:00\u202fPM to 10:00\u202fPM"),
        (EVENING, None, "From Saturday, December 5, 2026 at 8:00\u202fPM"),
    ],
    ids=["over the night when clocks go back", "one evening", "nobody knows until when"],
)
def test_a_window_is_told_by_the_clock_of_the_place(
    app: Flask, start: datetime, end: datetime | None, words: str
) -> None:
    notice = SiteNotice(level="maintenance", texts={"fr": {"title": "Arrêt"}}, shown_from=start, window_from=start,
                        window_until=end)  # fmt: skip
    with app.test_request_context("/?lang=en"):
        shown = announcing.told(told(notice, None), "en")
    assert words in shown.window
    if end and end.day == 25:
        assert "4:00" in shown.window, "an hour more: clocks went back at 3"
