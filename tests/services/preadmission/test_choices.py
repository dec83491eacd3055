"""Three choices that the law does not treat alike: explained, never ticked beforehand, kept with what was read."""

import re
from datetime import timedelta

import pytest
from flask_babel import force_locale
from sqlalchemy import select

from portal import db
from services.preadmission.actions import NotEditable
from services.preadmission.answers import Choices
from services.preadmission.choices import actions, queries, texts
from services.preadmission.choices.models import ChoiceMade
from services.preadmission.models import Preadmission, PreadmissionChange
from services.preadmission.queries import answers_of
from tests.factories import preadmission as factory
from tests.services.preadmission.conftest import Ground


def made(ground: Ground, state: str = "validated") -> Preadmission:
    with db.transaction(db.system("tests")):
        return factory.preadmission(ground.patient, ground.hospital.unit, state, account_id=ground.account.id)


def saved(file: Preadmission) -> Choices:
    with db.transaction(db.system("tests")):
        return answers_of(file.id)["choices"]


def test_nothing_is_ticked_beforehand_and_each_choice_says_its_legal_nature(ground: Ground, sign_in) -> None:
    file = made(ground, "draft")
    page = sign_in(ground.account).get(f"/pre-admission/{file.id}/etapes/choix?lang=en").text
    main = page.partition("<main")[2].partition("</main")[0]
    assert not re.search(r"<input[^>]*\bchecked", main)
    assert "Information: nothing to accept" in main
    assert main.count("Consent: yours to give or refuse") == 2
    assert "Request: the hospital applies it" in main


def test_each_time_something_is_chosen_is_kept_and_the_file_stays_where_it_is(ground: Ground, sign_in) -> None:
    file = made(ground)
    browser = sign_in(ground.account)
    address = f"/pre-admission/{file.id}/choix"
    for data in ({"version": "1", "by_mail": "y"}, {"version": "2", "confidential": "y", "outside_team": "no"}):
        assert browser.post(address, data=data).status_code == 303
    with db.transaction(db.system("tests")) as current:
        again = current.get_one(Preadmission, file.id)
        assert (again.state, again.confidential) == ("validated", True)
        assert again.version == file.version
        history = queries.history(file.id)
        assert [each.choices.by_mail for each in history] == [False, True]
        assert all(each.text_version == "2026-11" and each.by == ground.account.name for each in history)
        states = current.scalars(select(PreadmissionChange.to_state)).all()
        assert states[-1] != "in_review" or states.count("in_review") == 1
    assert saved(file).confidential
    page = browser.get(f"{address}/historique?lang=en").text
    assert "What was explained then (2026-11)" in page
    assert "Mon espace santé" in browser.get("/pre-admission/choix/2026-11").text
    assert browser.get("/pre-admission/choix/1999-01").status_code == 404


def test_the_digest_is_that_of_the_text_in_the_language_it_was_read_in(ground: Ground, sign_in, app) -> None:
    file = made(ground)
    sign_in(ground.account).post(f"/pre-admission/{file.id}/choix?lang=en", data={"version": "1", "by_text": "y"})
    with db.transaction(db.system("tests")) as current:
        row = current.scalars(select(ChoiceMade).order_by(ChoiceMade.at.desc())).first()
    with app.app_context(), force_locale("fr"):
        assert row.digest == texts.PUBLISHED[row.text_version].digest(row.locale)


def test_the_same_choices_saved_again_are_not_another_choice(ground: Ground) -> None:
    file = made(ground)
    with db.transaction(ground.as_patient) as current:
        again = current.get_one(Preadmission, file.id)
        for _time in range(2):
            actions.note(again, Choices(by_mail=True, text_version="2026-11"))
        assert len(queries.history(file.id)) == 1


def test_choices_saved_on_another_device_are_not_overwritten(ground: Ground, sign_in) -> None:
    file = made(ground)
    browser, address = sign_in(ground.account), f"/pre-admission/{file.id}/choix"
    assert browser.post(address, data={"version": "1", "by_mail": "y"}).status_code == 303
    late = browser.post(address, data={"version": "1", "by_text": "y"})
    assert late.status_code == 409
    assert saved(file).by_mail
    assert not saved(file).by_text


def test_an_objection_needs_its_reason(ground: Ground, sign_in) -> None:
    file = made(ground)
    answer = sign_in(ground.account).post(
        f"/pre-admission/{file.id}/choix", data={"version": "1", "record_opposed": "y"}
    )
    assert answer.status_code == 422
    assert not saved(file).record_opposed


@pytest.mark.parametrize("state", ["refused", "cancelled_by_patient", "lapsed", "closed"])
def test_nothing_is_changed_once_the_file_is_over(ground: Ground, state: str) -> None:
    file = made(ground, state)
    with pytest.raises(NotEditable), db.transaction(ground.as_patient) as current:
        actions.change(current.get_one(Preadmission, file.id), Choices(by_text=True), 1)


def test_nothing_is_changed_after_the_stay(ground: Ground, sign_in) -> None:
    file = made(ground)
    with db.transaction(db.system("tests")) as current:
        current.get_one(Preadmission, file.id).planned_on -= timedelta(days=60)
    answer = sign_in(ground.account).get(f"/pre-admission/{file.id}/choix")
    assert answer.status_code == 303
    assert answer.location.endswith("/historique")


def test_forgetting_leaves_no_choice(ground: Ground) -> None:
    file = made(ground)
    with db.transaction(ground.as_patient) as current:
        actions.note(current.get_one(Preadmission, file.id), Choices(by_mail=True, text_version="2026-11"))
    with db.transaction(db.system("tests")) as current:
        assert actions.forget(file.id) == 1
        assert current.scalars(select(ChoiceMade)).all() == []
