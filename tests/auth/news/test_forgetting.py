"""After 90 days nothing is left of what was new, nor of the messages and mornings that told it."""

from datetime import timedelta
from uuid import uuid4

import pytest
from flask import Flask

from auth.digests.models import DigestMorning
from auth.news.models import News, NewsMessage
from portal import db, retention
from tests.auth.news.conftest import Ground
from tests.factories import news as made
from tests.ground import count, prepared


def _ground(ground: Ground, age: timedelta) -> None:
    at = db.now() - age
    with prepared():
        message = made.message(ground.doctor, formed_at=at)
        made.news(ground.doctor, created_at=at, mail_id=message.id)
        db.session.add(DigestMorning(id=uuid4(), account_id=ground.agent, day=at.date(), waiting=1, told_at=at))


def _forget() -> None:
    before = db.now() - timedelta(days=90)
    for code in ("news", "news_message", "digest_morning"):
        rule = retention.rule(code)
        with prepared():
            for each in rule.due(None, before, 100):
                assert rule.purge(each.id, before)
                assert not rule.purge(each.id, before)


@pytest.mark.parametrize(("days", "left"), [(89, 1), (91, 0)])
def test_news_messages_and_mornings_are_kept_for_90_days(app: Flask, ground: Ground, days: int, left: int) -> None:
    _ground(ground, timedelta(days=days))
    _forget()
    assert count(News) == count(NewsMessage) == count(DigestMorning) == left
