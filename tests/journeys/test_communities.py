"""A CPTS coordinator invites a practitioner, who joins on a telephone and writes; the coordinator moderates."""

import re

import pytest
from playwright.sync_api import expect

from tests.journeys.looking import look
from tests.journeys.stack import Stack
from tests.journeys.walking import Visitor, eventually, press, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

PHONE = {"viewport": {"width": 390, "height": 844}, "java_script_enabled": False}


def test_a_coordinator_invites_a_practitioner_who_discusses(visitor: Visitor, stack: Stack) -> None:
    coordinator = visitor()
    sign_in(coordinator, "prosanteconnect", "roumillac")
    coordinator.goto("/communautes")
    coordinator.get_by_role("link", name="CPTS des Trois-Vallées").click()
    look(coordinator, "News")
    coordinator.get_by_role("navigation", name="In this community").get_by_role("link", name="Members").click()
    coordinator.get_by_role("link", name="Invite people").click()
    coordinator.fill("#people", "Cabinet.Neuf@exemple.test")
    press(coordinator, "Send the invitations")
    expect(coordinator.get_by_text("1 invitation sent.")).to_be_visible()
    eventually(coordinator, lambda: "cabinet.neuf@exemple.test" in stack.mails())

    (path,) = set(re.findall(r"/communautes/invitation/[\w-]+", stack.mails()))
    phone = visitor(**PHONE)
    phone.goto(path)
    look(phone, "You are invited to a group of professionals")
    phone.get_by_role("link", name="I practise in town: Pro Santé Connect").click()
    sign_in(phone, "prosanteconnect", "quesnoy")
    if "invitation" not in phone.url:
        phone.goto(path)
    look(phone, "CPTS des Trois-Vallées")
    phone.get_by_label("I have read the charter and accept it").check()
    press(phone, "Join")
    expect(phone.get_by_text("Welcome to “CPTS des Trois-Vallées”.")).to_be_visible()
    phone.get_by_role("navigation", name="In this community").get_by_role("link", name="Discussions").click()
    phone.get_by_role("link", name="Begin a discussion").click()
    phone.fill("#title", "Horaires du laboratoire le samedi")
    phone.fill("#body", "Pour la patiente Jeanne MARTIN, 1 85 05 78 006 048 30 : qui prélève le samedi ?")
    press(phone, "Publish")
    expect(phone.get_by_text("There is a patient’s number in it").first).to_be_visible()
    phone.fill("#body", "Qui prélève le samedi après-midi ?")
    press(phone, "Publish")
    look(phone, "Horaires du laboratoire le samedi")

    coordinator.goto("/communautes")
    coordinator.get_by_role("link", name="CPTS des Trois-Vallées").click()
    coordinator.get_by_role("navigation", name="In this community").get_by_role("link", name="Moderation").click()
    look(coordinator, "Moderation")
    press(coordinator, "Keep it")
    expect(coordinator.get_by_text("The message stays.")).to_be_visible()
    coordinator.get_by_role("navigation", name="In this community").get_by_role("link", name="Journal").click()
    expect(coordinator.get_by_text("kept a message that was reported")).to_be_visible()
    expect(coordinator.get_by_text("joined a community").first).to_be_visible()
