"""What units take by referral: rules written line by line, told in words when they make no sense, closed, seen."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.datastructures import MultiDict

from admin.forms_referral_offers import new_code, without
from auth.models import Account
from services.referrals.models import ReferralOffer
from tests.english import in_english as in_english
from tests.factories import hospitals, people, referrals
from tests.factories.hospitals import Hospital
from tests.ground import count, prepared, rows

SignIn = Callable[..., FlaskClient]
HERE = "/admin/orientations/offres"


@dataclass
class Ground:
    north: Hospital
    south: Hospital
    admin: Account
    far: Account


@pytest.fixture
def ground(app: Flask) -> Ground:
    with prepared():
        north = hospitals.hospital("990000017", "Hôpital du Nord", phone="01 99 00 10 00")
        south = hospitals.hospital("990000025", "Hôpital du Sud")
        return Ground(
            north,
            south,
            people.agent(north.establishment.id, "administration"),
            people.agent(south.establishment.id, "administration", name="Ailleurs"),
        )


@pytest.fixture
def browser(ground: Ground, sign_in: SignIn) -> FlaskClient:
    return sign_in(ground.admin)


def _typed(ground: Ground, **more: str) -> dict[str, Any]:
    return {
        "once": str(uuid4()), "unit_id": str(ground.north.unit.id), "kind": "consultation", "name": "Cardiologie",
        "age_from": "18", "age_to": "130", "levels-0-label": "Tout de suite", "levels-0-answer_hours": "",
        "levels-1-label": "Sous 48 heures", "levels-1-answer_hours": "48", "files-0-label": "Électrocardiogramme",
        "files-0-required": "y", **more,
    }  # fmt: skip


def test_an_offer_is_written_and_seen_as_practitioners_do(browser: FlaskClient, ground: Ground) -> None:
    answer = browser.post(f"{HERE}/nouvelle", data=_typed(ground))
    assert answer.status_code == 303, answer.text
    (made,) = rows(ReferralOffer)
    assert [(each.code, each.answer_hours) for each in made.levels] == [("tout_de_suite", 0), ("sous_48_heures", 48)]
    assert [(each.code, each.required) for each in made.asked_files] == [("electrocardiogramme", True)]
    page = browser.get(answer.location).text
    assert "01 99 00 10 00" in page
    assert "Électrocardiogramme" in page
    assert "Cardiologie" in browser.get(HERE).text


def test_codes_stay_when_lines_are_renamed(browser: FlaskClient, ground: Ground) -> None:
    browser.post(f"{HERE}/nouvelle", data=_typed(ground))
    (made,) = rows(ReferralOffer)
    page = browser.get(f"{HERE}/{made.id}").text
    assert 'value="sous_48_heures"' in page
    changed = _typed(ground, **{"levels-1-code": "sous_48_heures", "levels-1-label": "En deux jours"})
    assert browser.post(f"{HERE}/{made.id}", data=changed).status_code == 303
    (kept,) = rows(ReferralOffer)
    assert ("sous_48_heures", "En deux jours") in [(each.code, each.label) for each in kept.levels]


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"name": ""}, "Give it a name."),
        ({"levels-1-answer_hours": "soon"}, "Write a number of hours"),
        ({"levels-1-answer_hours": "999999"}, "Write a number of hours"),
        ({"levels-1-answer_hours": "²"}, "Write a number of hours"),
        ({"levels-1-answer_hours": ""}, "One level at least is answered in writing"),
        ({"levels-1-label": "", "levels-1-when": "Toujours"}, "Name this line."),
        ({"age_from": "40", "age_to": "12"}, "not below the first one"),
        ({"age_from": "-1"}, "between 0 and 130"),
        ({"escalate_to": "nobody"}, "e-mail address"),
        ({"unit_id": "00000000-0000-0000-0000-000000000000"}, "Not a valid choice"),
    ],
)
def test_what_makes_no_sense_is_said_beside_its_line_and_nothing_is_kept(
    browser: FlaskClient, ground: Ground, typed: dict[str, str], said: str
) -> None:
    answer = browser.post(f"{HERE}/nouvelle", data=_typed(ground, **typed))
    assert answer.status_code == 422
    assert said in answer.text
    assert count(ReferralOffer) == 0


def test_lines_are_added_and_taken_off_without_losing_what_was_typed(browser: FlaskClient, ground: Ground) -> None:
    more = browser.post(f"{HERE}/nouvelle", data=_typed(ground, more="1"))
    assert more.status_code == 200
    assert 'name="levels-2-label"' in more.text
    fewer = browser.post(f"{HERE}/nouvelle", data=_typed(ground, remove="levels:0"))
    assert fewer.status_code == 200
    assert "Tout de suite" not in fewer.text
    assert "Sous 48 heures" in fewer.text
    assert "Électrocardiogramme" in fewer.text
    assert count(ReferralOffer) == 0
    (key,) = set(re.findall(r'name="once"[^>]*value="([^"]+)"', fewer.text))
    assert browser.post(f"{HERE}/nouvelle", data=_typed(ground, once=key)).status_code == 303
    assert count(ReferralOffer) == 1


def test_closed_it_takes_nothing_new(browser: FlaskClient, ground: Ground) -> None:
    browser.post(f"{HERE}/nouvelle", data=_typed(ground))
    (made,) = rows(ReferralOffer)
    browser.post(f"{HERE}/{made.id}/ouverture")
    assert not rows(ReferralOffer)[0].is_open
    browser.post(f"{HERE}/{made.id}/ouverture")
    assert rows(ReferralOffer)[0].is_open


def test_rules_are_only_for_whoever_runs_that_hospital(ground: Ground, sign_in: SignIn) -> None:
    with prepared():
        offer = referrals.offer(ground.north.unit)
        agent = people.agent(ground.north.establishment.id, "referrals", name="Sans droit")
    assert sign_in(agent).get(HERE).status_code == 403
    far = sign_in(ground.far)
    assert far.get(f"{HERE}/{offer.id}").status_code == 404
    assert far.get(f"{HERE}/{offer.id}/apercu").status_code == 404
    assert far.post(f"{HERE}/{offer.id}/ouverture").status_code == 404
    assert far.post(f"{HERE}/nouvelle", data=_typed(ground)).status_code == 422


def test_an_empty_list_says_what_to_do(browser: FlaskClient) -> None:
    assert "Nothing is open yet" in browser.get(HERE).text


@pytest.mark.parametrize(
    ("label", "code"),
    [("Sous 48 heures", "sous_48_heures"), ("Été !", "ete"), ("***", "line"), ("日本", "line"), ("A" * 90, "a" * 30)],
)
def test_codes_are_short_and_plain(label: str, code: str) -> None:
    assert new_code(label, set()) == code
    taken = {code}
    assert new_code(label, taken) == f"{code}_2"
    assert taken == {code, f"{code}_2"}


def test_taking_a_line_off_leaves_the_others() -> None:
    posted = MultiDict([("levels-1-label", "a"), ("levels-10-label", "b"), ("files-1-label", "c")])
    assert set(without(posted, "levels", 1)) == {"levels-10-label", "files-1-label"}
