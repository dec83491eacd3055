"""Words that people look for in vain: kept when many looked for them, never a name nor a number, nobody behind them."""

from datetime import date, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from limits.storage import MemoryStorage

from portal import db, retention
from portal.db import ANONYMOUS
from portal.kpi import keys, searches
from portal.kpi.searches import LEAST, SearchMiss, SearchTerm
from portal.web.limits import limiter
from tests.ground import prepared, rows, today


def look(term: str, times: int = 1) -> None:
    for _n in range(times):
        with db.transaction(ANONYMOUS):
            searches.count_missed(term)


@pytest.mark.parametrize(
    ("typed", "term"),
    [
        ("  Orthophonie  ", "orthophonie"),
        ("Chirurgie de l’épaule", "chirurgie de l epaule"),
        ("CENTRE ANTI-DOULEUR", "centre anti douleur"),
        ("dr petit", ""),
        ("Mme Diallo", ""),
        ("jeanne martin", ""),
        ("Jérôme", ""),
        ("0612345678", ""),
        ("chambre 12", ""),
        ("moi@example.org", ""),
        ("ab", ""),
        ("je cherche le service de pédiatrie", ""),
        ("x" * 41, ""),
        ("", ""),
    ],
)
def test_what_is_counted_of_a_search(typed: str, term: str) -> None:
    assert searches.normalised(typed) == term


@given(st.text(max_size=100))
def test_what_is_counted_is_short_and_plain(typed: str) -> None:
    term = searches.normalised(typed)
    assert searches.normalised(term) in (term, "")
    assert len(term) <= 40
    assert not any(letter in "0123456789@" for letter in term)


def test_words_are_kept_from_the_eleventh_search_of_a_month(app: Flask) -> None:
    look("Orthophonie", LEAST - 1)
    assert rows(SearchTerm) == []
    assert [each.times for each in rows(SearchMiss)] == [LEAST - 1]
    look("orthophonie ")
    look("Ostéopathie", 3)
    with prepared():
        assert [(each.term, each.times) for each in searches.top(today(), today())] == [("orthophonie", LEAST)]


def test_what_few_looked_for_cannot_be_read(app: Flask) -> None:
    look("thalasso")
    (one,) = rows(SearchMiss)
    assert "thalasso" not in str(vars(one))


def test_visitors_read_none_of_it(app: Flask) -> None:
    look("orthophonie", LEAST)
    with db.transaction(ANONYMOUS) as current:
        assert [current.query(model).count() for model in (SearchMiss, SearchTerm)] == [0, 0]


def test_the_public_search_counts_what_it_did_not_find(app: Flask, client: FlaskClient) -> None:
    for words in ("orthophonie", "dr petit", ""):
        assert client.get(f"/recherche?q={words}").status_code == 200
    assert len(rows(SearchMiss)) == 1
    assert client.get("/offre-de-soins?q=orthophonie").status_code == 200
    assert [each.times for each in rows(SearchMiss)] == [2]


def test_one_visitor_makes_no_words_appear(app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limiter, "enabled", True)
    monkeypatch.setattr(limiter, "_storage", MemoryStorage())
    for words in ("sage femme", "Sage-femme", "sage  femme"):
        client.get(f"/recherche?q={words}", environ_base={"REMOTE_ADDR": "192.0.2.1"})
    client.get("/recherche?q=sage+femme", environ_base={"REMOTE_ADDR": "192.0.2.2"})
    assert [each.times for each in rows(SearchMiss)] == [2]


def test_months_go_as_a_whole(app: Flask) -> None:
    look("orthophonie", LEAST)
    month = keys.month_of(db.now())
    with prepared():
        db.session.add(SearchMiss(month=date(2024, 3, 1), digest="x", times=1))
        db.session.add(SearchTerm(month=date(2024, 3, 1), term="kine", times=12))
    with prepared():
        rule = retention.rule("missed_search")
        before = db.now() - timedelta(days=rule.days)
        (due,) = rule.due(None, before, 10)
        assert rule.purge(due.id, before)
        assert not rule.purge(due.id, before)
    assert [each.month for each in rows(SearchTerm)] == [month]
