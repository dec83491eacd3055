"""Hospitals create communities, name who runs them and close them; they read nothing of what is said."""

from collections.abc import Callable
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient

from auth.models import Account
from portal.notifications import Notification
from services.communities.models import Community, CommunityInvitation
from tests import ground
from tests.english import in_english as in_english
from tests.factories import communities, people
from tests.services.communities.conftest import Group, browser, group

__all__ = ["browser", "group"]
SignIn = Callable[[Account | UUID], FlaskClient]


def described(place: UUID, **answers: object) -> dict[str, object]:
    return {
        "establishment": str(place), "name": "CPTS de la vallée", "kind": "cpts", "purpose": "Mieux travailler.",
        "charter": "Rien sur un patient.", "email": "Animatrice@exemple.test", "once": uuid4(),
    } | answers  # fmt: skip


def test_a_community_is_created_and_its_animator_invited(group: Group, sign_in: SignIn) -> None:
    own = sign_in(group.administrator)
    answer = own.post("/admin/communautes/nouvelle", data=described(group.hospital.establishment.id))
    assert answer.status_code == 303
    made = next(each for each in ground.rows(Community) if each.name == "CPTS de la vallée")
    (invited,) = ground.rows(CommunityInvitation)
    assert (invited.community_id, invited.role, invited.email) == (made.id, "animator", "animatrice@exemple.test")
    assert ground.count(Notification) == 1
    assert "Nobody runs it yet" in own.get(answer.location).text
    assert own.get(f"/communautes/{made.id}").status_code == 404


def test_is_not_created_at_another_hospital_nor_without_a_charter(group: Group, sign_in: SignIn) -> None:
    own = sign_in(group.administrator)
    for wrong in (
        described(group.elsewhere.establishment.id),
        described(group.hospital.establishment.id, charter=" "),
        described(group.hospital.establishment.id, email="nobody"),
        described(group.hospital.establishment.id, kind="sect"),
    ):
        assert own.post("/admin/communautes/nouvelle", data=wrong).status_code == 422
    assert ground.count(Community) == 1


def test_numbers_are_shown_and_words_are_not(group: Group, sign_in: SignIn) -> None:
    with ground.prepared():
        communities.topic(group.seats["member"], "Un sujet réservé", "Entre nous")
    own = sign_in(group.administrator)
    page = own.get("/admin/communautes").text
    assert ">5<" in page.replace(" ", "")
    shown = own.get(f"/admin/communautes/{group.id}").text
    assert "Dr ANIMATOR" in shown
    assert "Dr MEMBER" not in shown
    assert "Un sujet réservé" not in page + shown


def test_is_closed_and_opened_again(group: Group, sign_in: SignIn) -> None:
    own, address = sign_in(group.administrator), f"/admin/communautes/{group.id}"
    assert own.post(f"{address}/fermer").status_code == 303
    assert ground.rows(Community)[0].closed_at is not None
    refused = own.post(f"{address}/animateurs", data={"email": "a@exemple.test", "once": uuid4()})
    assert refused.status_code == 409
    assert own.post(f"{address}/rouvrir").status_code == 303
    assert ground.rows(Community)[0].closed_at is None
    assert own.post(f"{address}/animateurs", data={"email": "a@exemple.test", "once": uuid4()}).status_code == 303


@pytest.mark.parametrize("page", ["", "/fermer", "/rouvrir", "/animateurs"])
def test_another_hospitals_is_not_found(group: Group, sign_in: SignIn, page: str) -> None:
    with ground.prepared():
        other = people.agent(group.elsewhere.establishment.id, "administration")
    own, address = sign_in(other), f"/admin/communautes/{group.id}{page}"
    answer = own.post(address, data={"once": uuid4(), "email": "a@exemple.test"}) if page else own.get(address)
    assert answer.status_code == 404


@pytest.mark.parametrize("right", ["care", "documents", "audit"])
def test_other_rights_do_not_open_it(group: Group, sign_in: SignIn, right: str) -> None:
    with ground.prepared():
        agent = people.agent(group.hospital.establishment.id, right)
    assert sign_in(agent).get("/admin/communautes").status_code == 403
