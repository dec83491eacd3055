"""Places at maternity units: asked for once, kept for one birth, never given twice; and who sees what of it."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, insert, select
from sqlalchemy.exc import DBAPIError

from auth.enrolment.belongings import Move
from portal import db, establishments
from portal.audit import AuditEvent
from portal.db import ANONYMOUS, Actor
from services.preadmission import actions as files
from services.preadmission.maternity import actions, belongings, jobs, queries, states, wording
from services.preadmission.maternity.models import (
    STATES,
    TAKEN,
    MaternityChange,
    MaternityPlaces,
    MaternityRequest,
    MaternityWish,
)
from services.preadmission.maternity.states import WishTransitionRefused
from services.preadmission.models import Preadmission
from tests.english import in_english as in_english
from tests.factories import hospitals, maternity, people
from tests.factories import preadmission as factory
from tests.ground import count, prepared, rows, today
from tests.services.preadmission.conftest import Ground

TABLES = (MaternityRequest, MaternityWish, MaternityChange)


@pytest.fixture
def file(ground: Ground) -> Preadmission:
    """A birth that the patient prepares at the hospital, which takes two a month."""
    with prepared():
        maternity.places(ground.hospital.site)
        return factory.preadmission(ground.patient, ground.hospital.unit, stay_kind="maternity",
                                    answers=[maternity.told()])  # fmt: skip


@pytest.fixture
def wish(ground: Ground, file: Preadmission) -> MaternityWish:
    with db.transaction(ground.as_patient) as current:
        asked = actions.ask(current.get_one(Preadmission, file.id), maternity.told(), [ground.hospital.site])
        return asked.wishes[0]


def another(ground: Ground, name: str = "AUTRE") -> UUID:
    """Somebody else's wish for the same place."""
    with prepared():
        person = people.patient(name)
        other = factory.preadmission(person, ground.hospital.unit, stay_kind="maternity")
        return maternity.wish(maternity.request(other, ground.hospital.site)).id


def until(days: int = 7) -> Any:
    return today() + timedelta(days=days)


def offer(actor: Actor, wish_id: UUID, level: str = "I") -> None:
    with db.transaction(actor) as current:
        actions.offer(current.get_one(MaternityWish, wish_id), level, until())


def state_of(wish_id: UUID) -> str:
    with db.transaction(db.system("tests")) as current:
        return current.get_one(MaternityWish, wish_id).state


class TestAsking:
    def test_each_site_wished_receives_it_and_knows_the_patient(self, ground: Ground, file: Preadmission) -> None:
        with db.transaction(ground.as_patient) as current:
            mine = current.get_one(Preadmission, file.id)
            actions.ask(mine, maternity.told(), [ground.hospital.site, ground.other_hospital.site])
        for clerk in (ground.as_clerk, ground.as_other_clerk):
            with db.transaction(clerk) as current:
                seen = current.scalars(select(MaternityWish)).one()
                assert seen.request.patient.birth_name == ground.patient.birth_name
                assert (seen.state, seen.request.due_on) == ("received", maternity.due())

    def test_it_is_asked_once(self, ground: Ground, file: Preadmission, wish: MaternityWish) -> None:
        with pytest.raises(actions.AlreadyAsked), db.transaction(ground.as_patient) as current:
            actions.ask(current.get_one(Preadmission, file.id), maternity.told(), [ground.hospital.site])
        assert count(MaternityWish) == 1

    def test_only_for_a_birth_whose_day_is_known(self, ground: Ground, file: Preadmission) -> None:
        with prepared():
            surgery = factory.preadmission(ground.patient, ground.hospital.unit)
        for key, told in ((surgery.id, maternity.told()), (file.id, None)):
            with pytest.raises(actions.NothingToAsk), db.transaction(ground.as_patient) as current:
                actions.ask(current.get_one(Preadmission, key), told, [ground.hospital.site])

    def test_sites_are_asked_in_the_order_of_wishes(self, ground: Ground) -> None:
        with prepared():
            here, there = ground.hospital.site, ground.other_hospital.site
            third = hospitals.site(ground.other_hospital.establishment, "990000033", "Annexe")
        file = Preadmission(unit=ground.hospital.unit)
        file.unit.site = here
        offered = [there, third]
        assert queries.wished(file, (), offered) == [here]
        assert queries.wished(file, (str(third.id), "any", "x"), offered) == [here, third, there]


class TestPlaces:
    def test_a_place_that_is_kept_is_not_given_again(self, ground: Ground, wish: MaternityWish) -> None:
        for key in (wish.id, another(ground)):
            offer(ground.as_clerk, key)
        last = another(ground, "TROISIEME")
        with pytest.raises(actions.Full):
            offer(ground.as_clerk, last)
        assert state_of(last) == "received"

    def test_twelve_agents_at_one_moment_keep_two_places(self, ground: Ground, app: Flask, file: Preadmission) -> None:
        keys = [another(ground, f"PERSONNE {number}") for number in range(12)]

        def attempt(key: UUID) -> bool:
            try:
                offer(ground.as_clerk, key)
            except actions.Full:
                return False
            return True

        with ThreadPoolExecutor(6) as pool:
            kept = list(pool.map(lambda key: Context().run(attempt, key), keys))
        assert sum(kept) == 2
        assert [state_of(key) in TAKEN for key in keys] == kept

    def test_a_level_without_places_gives_none(self, ground: Ground, wish: MaternityWish) -> None:
        with pytest.raises(actions.NoPlacesHere):
            offer(ground.as_clerk, wish.id, "III")

    def test_the_list_is_served_in_its_order(self, ground: Ground, wish: MaternityWish) -> None:
        second, third = another(ground, "DEUXIEME"), another(ground, "TROISIEME")
        with db.transaction(ground.as_clerk) as current:
            actions.put_on_list(current.get_one(MaternityWish, second), "I")
        for late in (wish.id, third):
            with pytest.raises(actions.OthersWait):
                offer(ground.as_clerk, late)
        offer(ground.as_clerk, second)
        offer(ground.as_clerk, wish.id)
        assert [state_of(key) for key in (second, wish.id, third)] == ["offered", "offered", "received"]

    def test_places_are_not_fewer_than_those_kept(self, ground: Ground, wish: MaternityWish) -> None:
        offer(ground.as_clerk, wish.id)
        admin = people.as_agent(ground.clerk, ground.hospital.establishment.id, "administration")
        with pytest.raises(actions.TooFew) as refusal, db.transaction(admin):
            actions.set_places(ground.hospital.site, maternity.due().replace(day=1), "I", 0)
        assert refusal.value.taken == 1
        with db.transaction(admin):
            actions.set_places(ground.hospital.site, maternity.due().replace(day=1), "I", 1)
        assert [each.places for each in rows(MaternityPlaces)] == [1]


class TestAnswering:
    def test_the_first_that_offers_keeps_it(self, ground: Ground, file: Preadmission) -> None:
        with prepared():
            maternity.places(ground.other_hospital.site)
        with db.transaction(ground.as_patient) as current:
            mine = current.get_one(Preadmission, file.id)
            asked = actions.ask(mine, maternity.told(), [ground.hospital.site, ground.other_hospital.site])
            here, there = (each.id for each in asked.wishes)
        offer(ground.as_other_clerk, there)
        with pytest.raises(actions.OfferedElsewhere):
            offer(ground.as_clerk, here)
        with db.transaction(ground.as_patient) as current:
            actions.accept(current.get_one(MaternityWish, there))
        assert [state_of(key) for key in (here, there)] == ["cancelled", "confirmed"]
        with prepared():
            assert db.session.get_one(MaternityWish, here).reason == "elsewhere"

    def test_two_sites_that_offer_at_one_moment_keep_one_place(self, ground: Ground, file: Preadmission) -> None:
        with prepared():
            maternity.places(ground.other_hospital.site)
        with db.transaction(ground.as_patient) as current:
            mine = current.get_one(Preadmission, file.id)
            asked = actions.ask(mine, maternity.told(), [ground.hospital.site, ground.other_hospital.site])
            here, there = (each.id for each in asked.wishes)

        def attempt(pair: tuple[Actor, UUID]) -> bool:
            try:
                offer(*pair)
            except actions.OfferedElsewhere:
                return False
            return True

        with ThreadPoolExecutor(2) as pool:
            pairs = [(ground.as_clerk, here), (ground.as_other_clerk, there)]
            assert sorted(pool.map(lambda pair: Context().run(attempt, pair), pairs)) == [False, True]

    def test_a_declined_place_is_free_and_others_may_offer(self, ground: Ground, wish: MaternityWish) -> None:
        offer(ground.as_clerk, wish.id)
        with db.transaction(ground.as_patient) as current:
            actions.decline(current.get_one(MaternityWish, wish.id))
        with prepared():
            places = db.session.scalars(select(MaternityPlaces)).one()
            assert queries.taken(places.id) == 0

    def test_without_an_answer_the_place_is_free_again(self, ground: Ground, wish: MaternityWish, app: Flask) -> None:
        offer(ground.as_clerk, wish.id)
        with prepared():
            db.session.get_one(MaternityWish, wish.id).answer_by = today() - timedelta(days=1)
        with pytest.raises(actions.OfferOver), db.transaction(ground.as_patient) as current:
            actions.accept(current.get_one(MaternityWish, wish.id))
        for _round in range(2):
            jobs.expire_offers()
        assert state_of(wish.id) == "waiting_list"
        assert count(MaternityChange) == 3

    def test_who_gives_up_frees_everything(self, ground: Ground, wish: MaternityWish, file: Preadmission) -> None:
        offer(ground.as_clerk, wish.id)
        with db.transaction(ground.as_patient):
            asked = queries.of_file(file.id)
            assert asked is not None
            actions.withdraw(asked, born=True)
        assert state_of(wish.id) == "born_elsewhere"
        with db.transaction(ground.as_patient):
            again = queries.of_file(file.id)
            assert again is not None
            with pytest.raises(WishTransitionRefused):
                actions.withdraw(again)

    def test_every_change_says_who_and_when_and_stays(self, ground: Ground, wish: MaternityWish) -> None:
        offer(ground.as_clerk, wish.id)
        told = sorted(rows(MaternityChange), key=lambda each: each.at)
        assert [(each.from_state, each.to_state) for each in told] == [("", "received"), ("received", "offered")]
        assert told[1].actor == ground.as_clerk.label
        with pytest.raises(DBAPIError, match="permission denied"), prepared():
            db.session.delete(db.session.get_one(MaternityChange, told[0].id))
        assert {each.action for each in rows(AuditEvent)} >= {"maternity_request.received", "maternity_request.offered"}

    @given(st.lists(st.sampled_from(STATES), max_size=8))
    def test_whatever_is_tried_the_state_is_one_that_follows(self, tried: list[str]) -> None:
        one, now = MaternityWish(id=uuid4(), patient_id=uuid4(), state=""), ""
        for state in ("received", *tried):
            try:
                row = states.change(one, state, db.system("tests"))
            except WishTransitionRefused:
                assert state not in states.TRANSITIONS[now]
            else:
                assert (row.from_state, row.to_state) == (now, state)
                now = state
        assert one.state == now
        assert set(states.TRANSITIONS) == {"", *STATES} == {"", *wording.STATES}


class TestWhoSees:
    @pytest.mark.parametrize("table", TABLES)
    def test_strangers_see_no_row_and_write_none(
        self, ground: Ground, wish: MaternityWish, table: type[db.Base]
    ) -> None:
        with prepared():
            billing = people.agent(ground.hospital.establishment.id, "billing")
        here = ground.hospital.establishment.id
        for actor in (ground.as_other_patient, ground.as_other_clerk, ANONYMOUS,
                      people.as_agent(billing, here, "billing", "appointments", "documents")):  # fmt: skip
            with db.transaction(actor) as current:
                assert current.scalar(select(func.count()).select_from(table)) == 0
            model = rows(table)[0]
            copied = {column.key: getattr(model, column.key) for column in table.__table__.columns}
            with pytest.raises(DBAPIError, match="row-level security"), db.transaction(actor) as current:
                current.execute(insert(table).inline().values(copied | {"id": uuid4()}))

    @pytest.mark.parametrize("table", TABLES)
    def test_the_patient_and_the_unit_see_it(self, ground: Ground, wish: MaternityWish, table: type[db.Base]) -> None:
        for actor in (ground.as_patient, ground.as_clerk):
            with db.transaction(actor) as current:
                assert current.scalar(select(func.count()).select_from(table)) == 1

    def test_who_acts_for_her_sees_nothing_of_a_masked_stay(
        self, ground: Ground, file: Preadmission, wish: MaternityWish
    ) -> None:
        mine = frozenset({ground.patient.id})
        proxy = Actor("patient", "Alix", ground.other_account.id, patients=mine, proxied=mine,
                      scopes={"administrative": mine, "medical": mine, "payment": mine})  # fmt: skip
        with db.transaction(proxy) as current:
            assert current.scalar(select(func.count()).select_from(MaternityWish)) == 1
        with prepared():
            db.session.get_one(Preadmission, file.id).masked = True
        for table in TABLES[:2]:
            with db.transaction(proxy) as current:
                assert current.scalar(select(func.count()).select_from(table)) == 0

    def test_another_hospital_does_not_learn_where_else_she_asked(self, ground: Ground, file: Preadmission) -> None:
        with db.transaction(ground.as_patient) as current:
            mine = current.get_one(Preadmission, file.id)
            actions.ask(mine, maternity.told(), [ground.hospital.site, ground.other_hospital.site])
        with db.transaction(ground.as_clerk) as current:
            assert [each.establishment_id for each in current.scalars(select(MaternityWish))] == [
                ground.hospital.establishment.id
            ]


class TestPages:
    def test_asking_and_accepting(self, ground: Ground, file: Preadmission, sign_in: Callable[..., Any]) -> None:
        browser, page = sign_in(ground.account), f"/pre-admission/{file.id}/place"
        assert "Ask for your place" in browser.get(f"/pre-admission/{file.id}", follow_redirects=True).text
        shown = browser.get(page)
        assert ground.hospital.site.name in shown.text
        assert browser.post(page, data={"once": str(uuid4())}).status_code == 303
        wish_id = rows(MaternityWish)[0].id
        offer(ground.as_clerk, wish_id)
        assert "Accept this place" in browser.get(page).text
        assert browser.post(f"{page}/{wish_id}/accepter", data={"once": str(uuid4())}).status_code == 303
        assert state_of(wish_id) == "confirmed"
        assert browser.post(f"{page}/{wish_id}/accepter", follow_redirects=True).status_code == 200

    def test_before_the_day_is_known_the_page_says_what_to_fill_in(
        self, ground: Ground, sign_in: Callable[..., Any]
    ) -> None:
        with prepared():
            empty = factory.preadmission(ground.patient, ground.hospital.unit, stay_kind="maternity")
        page = sign_in(ground.account).get(f"/pre-admission/{empty.id}/place")
        assert "First say when the birth is expected" in page.text
        assert f"/pre-admission/{empty.id}/etapes/naissance" in page.text

    def test_giving_up_says_why(
        self, ground: Ground, file: Preadmission, wish: MaternityWish, sign_in: Callable[..., Any]
    ) -> None:
        browser, page = sign_in(ground.account), f"/pre-admission/{file.id}/place/abandonner"
        assert browser.post(page, data={}).status_code == 422
        assert browser.post(page, data={"why": "no_need"}).status_code == 303
        assert state_of(wish.id) == "cancelled"
        assert (
            "This request was over already" in browser.post(page, data={"why": "no_need"}, follow_redirects=True).text
        )

    def test_the_midwife_is_booked_where_the_hospital_says(
        self, ground: Ground, file: Preadmission, wish: MaternityWish, sign_in: Callable[..., Any]
    ) -> None:
        reason = uuid4()
        with prepared():
            establishments.change_setting(ground.hospital.establishment.id, "maternity_reason", str(reason))
        offer(ground.as_clerk, wish.id)
        assert str(reason) in sign_in(ground.account).get(f"/pre-admission/{file.id}/place").text

    def test_nobody_elses_file_is_found(
        self, ground: Ground, file: Preadmission, wish: MaternityWish, sign_in: Callable[..., Any]
    ) -> None:
        other = sign_in(ground.other_account)
        for path in ("", "/abandonner"):
            assert other.get(f"/pre-admission/{file.id}/place{path}").status_code == 404
        assert other.post(f"/pre-admission/{file.id}/place/{wish.id}/accepter").status_code == 404
        with prepared():
            surgery = factory.preadmission(ground.patient, ground.hospital.unit)
        assert sign_in(ground.account).get(f"/pre-admission/{surgery.id}/place").status_code == 404

    def test_secret_birth_is_by_telephone_and_leaves_nothing(
        self, ground: Ground, client: FlaskClient, wish: MaternityWish
    ) -> None:
        before = count(AuditEvent)
        page = client.get("/accoucher-sous-le-secret")
        assert "01 99 00 10 00" in page.text
        assert "<form" not in page.text.split("<main")[1].split("</main>")[0]
        assert count(AuditEvent) == before
        with prepared():
            establishments.change_setting(ground.hospital.establishment.id, "maternity_unnamed_phone", "01 99 00 10 99")
        assert "01 99 00 10 99" in client.get("/accoucher-sous-le-secret").text

    def test_no_message_says_what_it_is_about(self, ground: Ground, wish: MaternityWish) -> None:
        from portal.notifications import Notification

        offer(ground.as_clerk, wish.id)
        for each in rows(Notification):
            assert "matern" not in str(vars(each)).lower()


def test_a_file_is_still_filled_after_the_place_is_asked(
    ground: Ground, file: Preadmission, wish: MaternityWish
) -> None:
    with db.transaction(ground.as_patient) as current:
        files.fill(current.get_one(Preadmission, file.id), maternity.told(maternity.due(5)))
    with prepared():
        assert db.session.get_one(MaternityRequest, wish.request_id).due_on == maternity.due()


def test_a_request_follows_its_file_and_comes_back(ground: Ground, wish: MaternityWish) -> None:
    """When two accounts are found to be one person's, and when that was wrong."""
    mine, other, here = ground.patient.id, ground.other_patient.id, ground.hospital.establishment.id
    with prepared():
        moved = belongings.adopt(Move(here, mine, other, ""))
    assert {each.patient_id for each in (*rows(MaternityRequest), *rows(MaternityWish))} == {other}
    with prepared():
        belongings.release(Move(here, other, mine, ""), moved)
        told = belongings.part(mine)
    assert {each.patient_id for each in (*rows(MaternityRequest), *rows(MaternityWish))} == {mine}
    assert [fact.value for fact in told.entries[0].facts if fact.code == "state"] == ["received"]
