"""A child with two parents, an adult with a person of trust: the links, the signatures, what is kept of them."""

import hashlib
import re
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, update

from auth.models import Account, Patient, WebSession
from portal import db
from portal.audit import AuditEvent
from portal.notifications import Notification
from services.preadmission.companions import actions, queries, reading, secrets
from services.preadmission.companions.models import Companion, CompanionChange, Signature
from services.preadmission.models import Preadmission
from services.preadmission.queries import answers_of
from tests.factories import companions as factory
from tests.factories import people
from tests.factories.companions import Family
from tests.services.preadmission.conftest import Ground
from tests.services.preadmission.filling import once


@pytest.fixture
def family(ground: Ground) -> tuple[Family, Preadmission]:
    with db.transaction(db.system("tests")):
        made = factory.family(ground.hospital.establishment.id)
        return made, factory.childs_file(made, ground.hospital.unit)


def acting(sign_in, account: Account, child: Patient):
    """A browser in which this account has chosen to act for the child."""
    browser = sign_in(account)
    with db.transaction(db.system("tests")) as current:
        current.execute(update(WebSession).where(WebSession.account_id == account.id).values(patient_id=child.id))
    return browser


def companion_of(file: Preadmission, role: str = "holder", rank: int = 1) -> Companion:
    with db.transaction(db.system("tests")):
        found = queries.standing_one(file.id, role, rank)
        assert found is not None
        return found


def standing(file: Preadmission) -> str:
    with db.transaction(db.system("tests")) as current:
        found = current.get_one(Preadmission, file.id)
        return reading.theatre(found, answers_of(found.id)).standing


def invited(file: Preadmission, role: str = "holder", rank: int = 2) -> str:
    """The path of the link that was sent."""
    with db.transaction(db.system("tests")):
        companion = queries.standing_one(file.id, role, rank)
        assert companion is not None
        actions.invite(companion)
        return f"/signature/{secrets.token_of(companion.id, companion.link_number)}"


def opened(browser, link: str) -> str:
    """Follow a link to the page of what is to be signed."""
    answer = browser.post(link)
    assert answer.status_code == 303, answer.text
    return answer.location


def read(page: str) -> str:
    return re.search(r'name="read"[^>]*value="([0-9a-f]{64})"', page)[1]


def sign(browser, page: str, url: str = "") -> object:
    shown = browser.get(page)
    data = {"once": once(shown.text), "read": read(shown.text), "agreed": "y"}
    return browser.post(url or f"{page}/signer", data=data)


def test_both_parents_sign_online_and_the_evidence_is_kept(family, sign_in, work_jobs) -> None:
    people_, file = family
    mother, father = acting(sign_in, people_.mother, people_.child), sign_in(people_.father)
    page = f"/pre-admission/{file.id}/signatures"
    assert sign(mother, f"{page}/autorisation", f"{page}/autorisation").status_code == 303
    assert standing(file) == "waiting"

    second = companion_of(file, rank=2)
    assert mother.post(f"{page}/{second.id}/lien").status_code == 303
    work_jobs()
    second = companion_of(file, rank=2)
    link = f"/signature/{secrets.token_of(second.id, second.link_number)}"
    place = opened(father, link)
    text = father.get(place).text
    assert "LÉO AUBRAC" in text
    assert sign(father, place).status_code == 303
    assert standing(file) == "ready"

    with db.transaction(db.system("tests")) as current:
        made = current.scalars(select(Signature).order_by(Signature.at)).all()
        assert [each.account_id for each in made] == [people_.mother.id, people_.father.id]
        for each in made:
            assert (each.provider, each.acr, each.text_version) == ("franceconnect", "eidas1", "2026-11")
            assert each.digest == hashlib.sha256(each.words.encode()).digest()
            assert "LÉO AUBRAC" in each.words
        stored = current.execute(select(Signature.__table__.c.words)).scalars().all()
        events = current.scalars(select(AuditEvent.action).where(AuditEvent.patient_id == people_.child.id)).all()
    assert stored, "the text is there"
    assert {"companion.named", "companion.invited", "companion.opened", "companion.signed"} <= set(events)


def test_what_is_signed_is_sealed_in_the_database(family) -> None:
    people_, file = family
    with db.transaction(db.system("tests")) as current:
        factory.signed(queries.standing_one(file.id, "holder", 1), people_.mother)
        raw = current.connection().exec_driver_sql("select words, signer_name from companion_signature").all()
        names = current.connection().exec_driver_sql("select first_name, email from companion where rank = 2").all()
    assert all(value.startswith("sealed:") for row in (*raw, *names) for value in row)


def test_who_would_rather_talk_calls_with_a_tap(family, client) -> None:
    with db.transaction(db.system("tests")):
        file = db.session.get_one(Preadmission, family[1].id)
        file.establishment.phone = "01 99 00 10 00"
    assert 'href="tel:0199001000"' in client.get(invited(family[1])).text


def test_looking_at_a_link_does_nothing_and_following_it_spends_it(family, client, sign_in) -> None:
    people_, file = family
    link = invited(file)
    for _visit in range(2):
        assert client.get(link).status_code == 200
    assert companion_of(file, rank=2).state == "invited"
    answer = client.post(link)
    assert answer.status_code == 303
    assert answer.location.startswith("/connexion"), "one signs in as oneself first"
    assert companion_of(file, rank=2).state == "invited"
    opened(sign_in(people_.father), link)
    assert client.get(link).status_code == 404


def test_every_link_that_does_not_work_gives_the_same_page(family, client) -> None:
    _people, file = family
    link, former = invited(file), None
    with db.transaction(db.system("tests")) as current:
        current.execute(update(Companion).values(link_expires_at=db.now() - timedelta(minutes=1)))
    expired = client.get(link)
    unknown = client.get("/signature/" + "x" * 43)
    hostile = client.get("/signature/%27%20or%201=1--")
    with db.transaction(db.system("tests")) as current:
        current.execute(update(Companion).values(changed_at=db.now() - timedelta(hours=1)))
    former, link = link, invited(file)
    replaced = client.get(former)
    assert client.get(link).status_code == 200
    pages = {re.sub(r'nonce="[^"]*"|value="[^"]*"', "", each.text.split("<main")[1]) for each in
             (expired, unknown, hostile, replaced)}  # fmt: skip
    assert {each.status_code for each in (expired, unknown, hostile, replaced)} == {404}
    assert len(pages) == 1


def test_the_database_holds_no_secret_of_a_link_and_the_message_names_nobody(family, work_jobs, app) -> None:
    _people, file = family
    link = invited(file)
    token = link.rpartition("/")[2]
    work_jobs()
    with db.transaction(db.system("tests")) as current:
        kept = current.scalars(select(Notification)).all()
        digests = current.scalars(select(Companion.link_digest)).all()
    assert hashlib.sha256(token.encode()).digest() in digests
    assert all(token not in each.body and "AUBRAC" not in each.body for each in kept)


def test_somebody_with_another_name_sees_nothing_before_the_hospital_has_looked(family, ground, sign_in) -> None:
    _people, file = family
    stranger = sign_in(ground.other_account)
    place = opened(stranger, invited(file))
    page = stranger.get(f"{place}?lang=en").text
    assert "LÉO" not in page
    assert "The name that was given is not yours" in page
    assert companion_of(file, rank=2).state == "to_check"
    assert standing(file) == "to_check"
    refused = stranger.post(f"{place}/signer", data={"once": once_of(place), "read": "0" * 64, "agreed": "y"})
    assert refused.status_code in (303, 409, 422)
    assert companion_of(file, rank=2).state == "to_check"

    with db.transaction(ground.as_clerk):
        actions.confirm_identity(queries.standing_one(file.id, "holder", 2))
    assert "LÉO" in stranger.get(place).text
    assert sign(stranger, place).status_code == 303
    assert companion_of(file, rank=2).state == "signed"


def once_of(_place: str) -> str:
    return "6f1c1f0e-0000-4000-8000-000000000001"


def test_a_name_refused_by_the_hospital_closes_the_door_again(family, ground, sign_in) -> None:
    _people, file = family
    stranger = sign_in(ground.other_account)
    place = opened(stranger, invited(file))
    with db.transaction(ground.as_clerk):
        actions.refuse_identity(queries.standing_one(file.id, "holder", 2))
    assert stranger.get(place).status_code == 404
    assert standing(file) in ("waiting", "on_paper")


def test_the_first_holder_cannot_sign_as_the_second_one(family, sign_in) -> None:
    people_, file = family
    mother = acting(sign_in, people_.mother, people_.child)
    page = f"/pre-admission/{file.id}/signatures/autorisation"
    sign(mother, page, page)
    link = invited(file)
    refused = mother.post(link)
    assert refused.status_code == 409
    assert companion_of(file, rank=2).state == "invited", "the link stays good for the father"


def test_declining_is_told_and_nothing_is_ready(family, sign_in, work_jobs) -> None:
    people_, file = family
    father = sign_in(people_.father)
    place = opened(father, invited(file))
    father.post(f"{place}/refuser", data={"once": once(father.get(place).text)})
    assert standing(file) == "declined"
    work_jobs()
    with db.transaction(db.system("tests")) as current:
        told = current.scalars(select(Notification)).all()
    assert told, "the mother is told that there is something to read"
    assert all("AUBRAC" not in each.body for each in told)


def test_a_signature_is_taken_back_before_the_stay_and_not_after(family, sign_in) -> None:
    people_, file = family
    father = sign_in(people_.father)
    place = opened(father, invited(file))
    sign(father, place)
    assert father.post(f"{place}/retirer").status_code == 303
    assert standing(file) != "ready"
    assert father.get(place).status_code == 200

    with db.transaction(db.system("tests")) as current:
        again = current.get_one(Preadmission, file.id)
        actions.follow_holders(again, factory.BOTH)
        signed_one = queries.standing_one(file.id, "holder", 2)
        factory.signed(signed_one, people_.father)
        again.planned_on = again.planned_on - timedelta(days=60)
    place = f"/signatures/{companion_of(file, rank=2).id}"
    father.post(f"{place}/retirer")
    assert companion_of(file, rank=2).state == "signed", "the day of the operation is over"


def test_the_text_that_is_signed_is_the_one_that_was_read(family, sign_in) -> None:
    people_, file = family
    father = sign_in(people_.father)
    place = opened(father, invited(file))
    shown = father.get(place).text
    with db.transaction(db.system("tests")) as current:
        current.get_one(Preadmission, file.id).planned_on += timedelta(days=9)
    late = father.post(f"{place}/signer", data={"once": once(shown), "read": read(shown), "agreed": "y"})
    assert late.status_code == 409
    assert companion_of(file, rank=2).state == "opened"
    assert sign(father, place).status_code == 303
    with db.transaction(db.system("tests")) as current:
        current.get_one(Preadmission, file.id).planned_on += timedelta(days=1)
        factory.signed(queries.standing_one(file.id, "holder", 1), people_.mother)
    assert standing(file) == "changed"


def test_without_the_box_ticked_nothing_is_signed(family, sign_in) -> None:
    people_, file = family
    father = sign_in(people_.father)
    place = opened(father, invited(file))
    shown = father.get(f"{place}?lang=en").text
    answer = father.post(f"{place}/signer?lang=en", data={"once": once(shown), "read": read(shown)})
    assert answer.status_code == 422
    assert "Tick the box if you agree" in answer.text


def test_links_are_not_sent_one_after_another(family, sign_in) -> None:
    people_, file = family
    mother, second = acting(sign_in, people_.mother, people_.child), companion_of(file, rank=2)
    for _try in range(3):
        mother.post(f"/pre-admission/{file.id}/signatures/{second.id}/lien")
    assert companion_of(file, rank=2).link_number == 1


# -- the person of trust -------------------------------------------------------------------------------------------


@pytest.fixture
def trusting(ground: Ground) -> tuple[Account, Preadmission]:
    with db.transaction(db.system("tests")):
        noa, _noa = people.patient_with_account(birth_name="MOREL", first_names=("NOA",))
        return noa, factory.trusting_file(ground.patient, ground.account, ground.hospital.unit)


def named(file_id: UUID) -> object:
    with db.transaction(db.system("tests")):
        return queries.named(file_id)


def test_a_person_of_trust_is_told_to_the_hospital_once_both_have_signed(trusting, ground, sign_in, work_jobs) -> None:
    noa, file = trusting
    patient, friend = sign_in(ground.account), sign_in(noa)
    page = f"/pre-admission/{file.id}/signatures/personne-de-confiance"
    assert named(file.id) is None
    assert sign(patient, page, page).status_code == 303
    one = companion_of(file, "trust")
    assert one.state == "invited", "the link leaves with the signature"
    assert named(file.id) is None
    place = opened(friend, f"/signature/{secrets.token_of(one.id, one.link_number)}")
    assert sign(friend, place).status_code == 303
    told = named(file.id)
    assert (told.first_name, told.family_name, told.link, told.phone) == ("Noa", "Morel", "sibling", "+33639980099")

    patient.post(f"/pre-admission/{file.id}/signatures/{one.id}/retirer")
    assert named(file.id) is None
    work_jobs()
    with db.transaction(db.system("tests")) as current:
        accounts = set(current.scalars(select(Notification.account_id)))
    assert {noa.id, ground.account.id} <= accounts, "both are told"


def test_a_minor_cannot_be_a_person_of_trust_nor_the_patient_themselves(trusting, ground, sign_in) -> None:
    _noa, file = trusting
    link = invited(file, "trust", 1)
    with db.transaction(db.system("tests")):
        young, _young = people.patient_with_account(
            birth_name="MOREL", first_names=("NOA",), birth_on=(db.now() - timedelta(days=15 * 365)).date()
        )
    assert sign_in(young).post(link).status_code == 409
    assert sign_in(ground.account).post(link).status_code == 409
    assert companion_of(file, "trust").state == "invited"


def test_whoever_acts_for_the_patient_does_not_name_in_their_place(trusting, ground, sign_in) -> None:
    _noa, file = trusting
    with db.transaction(db.system("tests")):
        carer, _own = people.patient_with_account(birth_name="PETIT")
        people.give_access(carer, ground.patient, "carer")
    actor = db.Actor("patient", carer.name, carer.id, patients=frozenset({ground.patient.id}),
                     proxied=frozenset({ground.patient.id}))  # fmt: skip
    with pytest.raises(actions.NotInPerson), db.transaction(actor):
        actions.designate(companion_of(file, "trust"), actions.Evidence("franceconnect", "eidas1", ""))


def test_naming_somebody_else_closes_the_former_link(trusting, ground) -> None:
    _noa, file = trusting
    invited(file, "trust", 1)
    former = companion_of(file, "trust")
    with db.transaction(ground.as_patient) as current:
        actions.follow_trust(
            current.get_one(Preadmission, file.id), factory.TRUST.model_copy(update={"name": "Durand"})
        )
    with db.transaction(db.system("tests")) as current:
        assert current.get_one(Companion, former.id).state == "withdrawn"
        assert current.get_one(Companion, former.id).link_digest is None
    assert companion_of(file, "trust").family_name == "Durand"


def test_a_sheet_received_by_the_hospital_counts(trusting, ground) -> None:
    _noa, file = trusting
    with db.transaction(ground.as_clerk):
        actions.receive_sheet(queries.standing_one(file.id, "trust"))
    assert named(file.id) is not None
    with db.transaction(db.system("tests")) as current:
        assert current.scalars(select(CompanionChange.to_state).order_by(CompanionChange.at)).all()[-1] == "signed"


# -- the end -------------------------------------------------------------------------------------------------------


def test_forgetting_a_file_leaves_nothing_of_those_who_signed(family, ground) -> None:
    people_, file = family
    with db.transaction(db.system("tests")):
        factory.signed(queries.standing_one(file.id, "holder", 1), people_.mother)
    with db.transaction(db.system("tests")):
        assert actions.forget(file.id) == 2
        assert actions.forget(file.id) == 0
    with db.transaction(db.system("tests")) as current:
        for table in (Companion, CompanionChange, Signature):
            assert current.scalars(select(table)).all() == []
