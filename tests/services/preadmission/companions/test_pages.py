"""What pages cost, what the sheets hold, what the clock does a week before an operation."""

import re
from datetime import timedelta
from io import BytesIO

import pikepdf
import pytest
from sqlalchemy import select, update

from auth.models import WebSession
from portal import db
from portal.notifications import Notification
from services.preadmission.actions import purging
from services.preadmission.companions import jobs, queries
from services.preadmission.companions.models import Companion
from services.preadmission.models import Preadmission
from tests.factories import companions as factory
from tests.ground import today
from tests.services.preadmission.conftest import Ground


@pytest.fixture
def family(ground: Ground):
    with db.transaction(db.system("tests")):
        made = factory.family(ground.hospital.establishment.id)
        return made, factory.childs_file(made, ground.hospital.unit, planned_on=today() + timedelta(days=6))


@pytest.fixture
def mother(family, sign_in):
    people_, _file = family
    browser = sign_in(people_.mother)
    with db.transaction(db.system("tests")) as current:
        mine = WebSession.account_id == people_.mother.id
        current.execute(update(WebSession).where(mine).values(patient_id=people_.child.id))
    return browser


def test_no_page_takes_many_statements(family, mother, statements) -> None:
    _people, file = family
    base = f"/pre-admission/{file.id}"
    mother.get(base)
    for url in (f"{base}/signatures", f"{base}/signatures/autorisation", f"{base}/choix", f"{base}/choix/historique"):
        with statements() as seen:
            assert mother.get(url).status_code == 200
        assert len(seen) <= 13, (url, len(seen), seen)  # one more for whoever acts for somebody: their name


def test_the_sheet_to_sign_by_hand_is_tagged_and_names_both_parents(family, mother) -> None:
    _people, file = family
    with db.transaction(db.system("tests")):
        second = queries.standing_one(file.id, "holder", 2)
    answer = mother.get(f"/pre-admission/{file.id}/signatures/{second.id}/feuille.pdf")
    assert answer.headers["Cache-Control"] == "no-store"
    with pikepdf.open(BytesIO(answer.data)) as sheet:
        assert "/StructTreeRoot" in sheet.Root
        assert str(sheet.Root.Lang) == "fr"


def test_a_week_before_the_family_is_told_once(family, work_jobs) -> None:
    def told() -> int:
        with db.transaction(db.system("tests")) as current:
            return len(current.scalars(select(Notification)).all())

    before = told()
    for _morning in range(2):
        jobs.remind_theatre()
    assert told() == before + 1
    with db.transaction(db.system("tests")) as current:
        last = current.scalars(select(Notification).order_by(Notification.created_at.desc())).first()
    assert not re.search("AUBRAC|opération|bloc|Chirurgie|Cardiologie", last.subject + last.body)


def test_nobody_is_reminded_of_what_is_signed(family) -> None:
    people_, file = family
    with db.transaction(db.system("tests")):
        for rank, account in ((1, people_.mother), (2, people_.father)):
            factory.signed(queries.standing_one(file.id, "holder", rank), account)
    jobs.remind_theatre()
    with db.transaction(db.system("tests")) as current:
        assert current.scalars(select(Companion.reminded_at)).all() == [None, None]


def test_a_purged_file_leaves_nobody_who_signed(family) -> None:
    _people, file = family
    with db.transaction(db.system("tests")) as current:
        again = current.get_one(Preadmission, file.id)
        again.state = "refused"
        purging.purge(again, "preadmission_ended")
        assert current.scalars(select(Companion)).all() == []
