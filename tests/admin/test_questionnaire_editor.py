"""A nurse writes a questionnaire: undoes, copies, translates, tries it as a patient would, compares its versions."""

import json
import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_babel import force_locale

from portal import db
from services.questionnaires import forms, wording
from services.questionnaires.actions import definitions
from services.questionnaires.definition.items import Item, Words
from services.questionnaires.definition.parsing import parse
from services.questionnaires.definition.reading import HIGHEST
from services.questionnaires.forms import number_of
from services.questionnaires.models import Questionnaire, QuestionnaireDraft, SentQuestionnaire
from tests.english import in_english as in_english
from tests.factories import hospitals, people
from tests.factories import questionnaires as factory
from tests.factories.hospitals import Hospital
from tests.ground import audited, count, prepared, rows
from tests.pages import parsed
from tests.statements import executed

HERE = "/admin/questionnaires/modeles"
FILE = {
    "resourceType": "Questionnaire", "language": "fr", "title": "Accueil",
    "item": [
        {"linkId": "ill", "type": "boolean", "text": "Malade ?"},
        {"linkId": "how", "type": "choice", "text": "Comment ?",
         "answerOption": [{"valueCoding": {"code": "a", "display": "Un peu"}},
                          {"valueCoding": {"code": "b", "display": "Beaucoup"},
                           "extension": [{"url": "urn:parvis:questionnaire-alert", "valueBoolean": True}]}],
         "enableWhen": [{"question": "ill", "operator": "=", "answerBoolean": True}]},
        {"linkId": "end", "type": "group", "text": "Pour finir",
         "item": [{"linkId": "since", "type": "date", "text": "Depuis quand ?"},
                  {"linkId": "more", "type": "string", "text": "Autre chose ?"}]},
    ],
}  # fmt: skip


@pytest.fixture
def where(app: Flask) -> Hospital:
    with prepared():
        return hospitals.hospital("990000017", "Hôpital du Nord")


@pytest.fixture
def desk(where: Hospital, sign_in: Callable[..., FlaskClient]) -> FlaskClient:
    with prepared():
        nurse = people.agent(where.establishment.id, "care", name="Ida Infirmière")
    return sign_in(nurse)


@pytest.fixture
def draft(where: Hospital) -> str:
    """The address of a draft."""
    with prepared():
        return f"{HERE}/{definitions.start(where.establishment.id, parse(json.dumps(FILE))).id}"


def kept(code: str = "accueil") -> Questionnaire:
    return max((each for each in rows(Questionnaire) if each.code == code), key=lambda each: each.version)


def hidden(page: Any, action: str) -> dict[str, str]:
    """The hidden fields of the first form that posts there."""
    forms = [each for each in parsed(page.text).xpath("//main//form") if action in (each.get("action") or "")]
    return {each.get("name"): each.get("value") or "" for each in forms[0].xpath(".//input[@type='hidden']")}


class TestTheEditor:
    def test_takes_the_last_change_back_and_makes_it_again(self, desk: FlaskClient, draft: str) -> None:
        page = desk.get(f"{draft}/modifier")
        assert "Take the last change back" not in page.text
        desk.post(f"{draft}/questions/end/enlever", data=hidden(page, "/enlever"))
        assert kept().definition.item("end") is None
        for there in (True, False):
            page = desk.get(f"{draft}/modifier")
            assert desk.post(f"{draft}/annuler", data=hidden(page, "/annuler")).status_code == 303
            assert (kept().definition.item("end") is not None) is there
        assert audited().count("questionnaire_definition.undone") == 2

    def test_does_not_take_a_colleagues_change_back_unaware(self, desk: FlaskClient, draft: str) -> None:
        page = desk.get(f"{draft}/modifier")
        old = hidden(page, "/enlever")
        desk.post(f"{draft}/questions/more/enlever", data=old)
        assert desk.post(f"{draft}/annuler", data=old).status_code == 409
        assert kept().definition.item("more") is None

    def test_copies_a_section_and_opens_at_the_copy(self, desk: FlaskClient, draft: str) -> None:
        page = desk.get(f"{draft}/modifier")
        answer = desk.post(f"{draft}/questions/end/dupliquer", data=hidden(page, "/dupliquer"))
        assert answer.location.endswith("#item-s1")
        assert [each.words.text for each in kept().definition.items][2:] == ["Pour finir", "Pour finir"]

    def test_opens_where_the_item_moved(self, desk: FlaskClient, draft: str) -> None:
        seen = hidden(desk.get(f"{draft}/modifier"), "/how/deplacer") | {"way": "down"}
        assert desk.post(f"{draft}/questions/how/deplacer", data=seen).location.endswith("#item-how")

    def test_says_when_each_question_is_shown(self, desk: FlaskClient, draft: str) -> None:
        assert "Shown when “Malade ?” is: Yes" in desk.get(f"{draft}/modifier").text

    def test_bounds_days_and_lengths(self, desk: FlaskClient, draft: str) -> None:
        page = desk.get(f"{draft}/questions/since")
        seen = {"seen": _seen(page)}
        days = {"first_day-day": "1", "first_day-month": "2", "first_day-year": "2020"}
        assert desk.post(f"{draft}/questions/since", data=seen | {"text": "Depuis ?"} | days).status_code == 303
        seen = {"seen": _seen(desk.get(f"{draft}/questions/more"))}
        typed = seen | {"text": "Autre ?", "max_length": "40"}
        assert desk.post(f"{draft}/questions/more", data=typed).status_code == 303
        since, more = kept().definition.item("since"), kept().definition.item("more")
        assert since is not None
        assert more is not None
        assert str(since.lowest) == "2020-02-01"
        assert more.max_length == 40

    def test_asks_what_is_not_or_was_not_answered(self, desk: FlaskClient, draft: str) -> None:
        page = desk.get(f"{draft}/questions/more")
        assert "anything but Un peu" in page.text
        typed = {
            "seen": _seen(page), "text": "Autre ?", "every": "any", "conditions-0-when": "how|!=|a",
            "conditions-1-when": "since|exists|False",
        }  # fmt: skip
        assert desk.post(f"{draft}/questions/more", data=typed).status_code == 303
        more = kept().definition.item("more")
        assert more is not None
        assert [(each.question, each.operator) for each in more.conditions] == [("how", "!="), ("since", "exists")]
        again = desk.get(f"{draft}/questions/more").text
        assert re.search(r'<option selected value="how\|!=\|a"', again)
        assert not more.every


def _seen(page: Any) -> str:
    return str(parsed(page.text).xpath("//main//input[@name='seen']")[0].get("value"))


class TestTranslations:
    def test_are_written_on_one_page_in_any_language(self, desk: FlaskClient, draft: str) -> None:
        page = desk.get(f"{draft}/traductions/ar")
        assert "العربية" in page.text
        typed = {"seen": _seen(page), "t0": "استقبال", "t1": "هل أنت مريض؟"}
        assert desk.post(f"{draft}/traductions/ar", data=typed).status_code == 303
        assert kept().definition.title.in_("ar") == "استقبال"
        assert "2 of 8" in desk.get(f"{draft}/modifier").text

    def test_are_refused_when_a_colleague_saved_meanwhile(self, desk: FlaskClient, draft: str) -> None:
        seen = _seen(desk.get(f"{draft}/traductions/es"))
        desk.post(f"{draft}/traductions/en", data={"seen": seen, "t0": "Welcome"})
        late = desk.post(f"{draft}/traductions/es", data={"seen": seen, "t0": "Acogida"})
        assert late.status_code == 409
        assert "Acogida" in late.text

    @pytest.mark.parametrize("language", ["fr", "xx"])
    def test_have_languages_of_their_own(self, desk: FlaskClient, draft: str, language: str) -> None:
        assert desk.get(f"{draft}/traductions/{language}").status_code == 404


class TestTheRehearsal:
    def walk(self, desk: FlaskClient, draft: str, steps: Sequence[dict[str, str]]) -> Any:
        page = desk.get(f"{draft}/essai")
        for step in steps:
            page = desk.post(f"{draft}/essai", data=hidden(page, "/essai") | step)
        return page

    def test_asks_what_follows_from_the_answers(self, desk: FlaskClient, draft: str) -> None:
        assert "Malade" in self.walk(desk, draft, []).text
        assert "Comment" in self.walk(desk, draft, [{"a0": "yes"}]).text
        assert "Pour finir" in self.walk(desk, draft, [{"a0": "no"}]).text

    def test_ends_with_what_the_unit_would_read(self, desk: FlaskClient, draft: str) -> None:
        page = self.walk(desk, draft, [{"a0": "yes"}, {"a0": "1"}, {"a1": "Rien"}])
        assert "What the unit would read" in page.text
        assert "1 answer would be an alert" in page.text
        assert "Rien" in page.text

    def test_asks_for_what_is_needed_unless_it_is_passed(self, desk: FlaskClient, where: Hospital) -> None:
        needed = FILE | {"title": "Strict", "item": [{**FILE["item"][0], "required": True}]}  # type: ignore[index, dict-item]  # facts of any field
        with prepared():
            strict = f"{HERE}/{definitions.start(where.establishment.id, parse(json.dumps(needed))).id}"
        refused = self.walk(desk, strict, [{}])
        assert refused.status_code == 422
        assert "Answer this: Malade ?" in refused.text
        assert "1 needed answer is missing" in self.walk(desk, strict, [{"skip": "1"}]).text

    def test_keeps_nothing(self, desk: FlaskClient, draft: str) -> None:
        self.walk(desk, draft, [{"a0": "yes"}, {"a0": "1"}, {"a1": "Rien"}])
        assert count(QuestionnaireDraft) == count(SentQuestionnaire) == 0

    def test_says_what_a_patient_would_be_told(self, desk: FlaskClient, draft: str) -> None:
        page = self.walk(desk, draft, [{"a0": "no"}, {"a0-day": "40", "a0-month": "1", "a0-year": "2020"}])
        assert page.status_code == 422

    @pytest.mark.parametrize(
        "given",
        ["", "[]", "{", '{"ill": [{"b": 3}]}', '{"ill": [{"q": "x"}]}', '{"ill": 3}', '{"zz": [{"t": "x"}]}',
         "[" * 5000,
         '{"ill": [{}]}', '{"ill": [{"d": "x"}]}', '{"how": [{"c": "zz", "s": ""}]}', '{"ill": [{"c": [], "s": {}}]}'],
        ids=range(12),
    )  # fmt: skip
    def test_takes_no_answer_that_is_none(self, desk: FlaskClient, draft: str, given: str) -> None:
        start = hidden(desk.get(f"{draft}/essai"), "/essai")
        page = desk.post(f"{draft}/essai", data=start | {"given": given, "a0": "no"})
        assert page.status_code == 200
        assert "Pour finir" in page.text

    def test_of_an_empty_draft_says_that_it_asks_nothing(self, desk: FlaskClient, where: Hospital) -> None:
        made = desk.get(f"{HERE}/nouveau")
        once = hidden(made, "")
        answer = desk.post(
            f"{HERE}/nouveau", data=once | {"establishment": str(where.establishment.id), "title": "Vide"}
        )
        page = desk.get(answer.location.replace("/modifier", "/essai"))
        assert "No question yet" in page.text


class TestVersions:
    def test_are_compared_in_words(self, desk: FlaskClient, where: Hospital) -> None:
        with prepared():
            asked = factory.questionnaire(where.establishment.id)
        first = f"{HERE}/{asked.id}"
        draft = desk.post(f"{first}/nouvelle-version").location.removesuffix("/modifier")
        assert "Nothing changed" in desk.get(f"{draft}/differences").text
        page = desk.get(f"{draft}/questions/pain")
        desk.post(f"{draft}/questions/pain", data={"seen": _seen(page), "text": "Et la douleur ?", "required": "y"})
        said = desk.get(f"{draft}/differences").text
        assert "From version 1 to version 2" in said
        assert "Was worded “Quelle" in said
        assert desk.get(f"{draft}/differences?avec={asked.id}").status_code == 200
        assert desk.get(f"{draft}/differences?avec=x").status_code == 404
        assert desk.get(f"{draft}/differences").text.count("Et la douleur") >= 1

    def test_are_not_compared_when_there_is_one(self, desk: FlaskClient, draft: str) -> None:
        assert desk.get(f"{draft}/differences").status_code == 404

    def test_forget_the_drafts_former_words_once_published(self, desk: FlaskClient, draft: str) -> None:
        desk.post(f"{draft}/questions/end/enlever", data=hidden(desk.get(f"{draft}/modifier"), "/enlever"))
        assert kept().former_content is not None
        desk.post(f"{draft}/publier")
        assert kept().former_content is None
        assert desk.post(f"{draft}/annuler", data={"seen": ""}).location == draft


class TestACopy:
    def test_has_a_title_of_its_own(self, desk: FlaskClient, draft: str) -> None:
        page = desk.get(f"{draft}/dupliquer")
        assert "Accueil (copy)" in page.text
        form = {each.get("name"): each.get("value") or "" for each in parsed(page.text).xpath("//main//form//input")}
        assert desk.post(f"{draft}/dupliquer", data=form | {"title": "Sortie"}).status_code == 303
        assert kept("sortie").definition.items == kept().definition.items

    def test_cannot_take_a_name_that_is_taken(self, desk: FlaskClient, draft: str) -> None:
        form = {each.get("name"): each.get("value") or ""
                for each in parsed(desk.get(f"{draft}/dupliquer").text).xpath("//main//form//input")}  # fmt: skip
        assert desk.post(f"{draft}/dupliquer", data=form | {"title": "Accueil"}).status_code == 422


class TestWhoUsesIt:
    def test_is_said_on_its_page(self, desk: FlaskClient, where: Hospital) -> None:
        from services.questionnaires.actions.plans import Wish, add

        with prepared():
            asked = factory.questionnaire(where.establishment.id)
            _account, patient = people.patient_with_account()
            factory.sent(patient, where.unit, asked)
            add(Wish(where.establishment.id, factory.NEXT_DAY, "tests", None, "", 1, 2, ()))
        page = desk.get(f"{HERE}/{asked.id}").text
        assert "Sent by itself: tests, 1 day after" in page
        assert "1 waits for answers" in page

    def test_takes_few_statements(self, app: Flask, desk: FlaskClient, draft: str) -> None:
        for page in ("", "/modifier", "/essai", "/traductions/en"):
            desk.get(f"{draft}{page}")
            with executed(app) as statements:
                desk.get(f"{draft}{page}")
            assert len(statements) <= 12, statements


@pytest.mark.parametrize("page", ["/essai", "/differences", "/dupliquer", "/traductions/en"])
def test_another_hospitals_questionnaire_is_not_found(
    app: Flask, draft: str, sign_in: Callable[..., FlaskClient], page: str
) -> None:
    with prepared():
        elsewhere = hospitals.hospital("990000025", "Hôpital du Sud").establishment
        stranger = people.agent(elsewhere.id, "care", name="Elsa")
        clerk = people.agent(db.session.get_one(Questionnaire, draft.rpartition("/")[2]).establishment_id, "documents")
    assert sign_in(stranger).get(f"{draft}{page}").status_code == 404
    assert sign_in(clerk).get(f"{draft}{page}").status_code == 403


@pytest.mark.parametrize("title", ["Accueil\u202e2", "Accueil\x00", "Accueil\x07"])
def test_a_title_that_no_page_can_show_makes_no_questionnaire(desk: FlaskClient, title: str) -> None:
    once = re.findall(r'name="once"[^>]*value="([^"]+)"', desk.get(f"{HERE}/nouveau").text)
    assert desk.post(f"{HERE}/nouveau", data={"title": title, "once": once[0]}).status_code == 422
    assert rows(Questionnaire) == []


def test_nobody_publishes_what_a_colleague_has_just_changed(desk: FlaskClient, draft: str) -> None:
    seen = re.findall(r'name="seen"[^>]*value="([^"]+)"', desk.get(draft).text)[0]
    edited = re.findall(r'name="seen"[^>]*value="([^"]+)"', desk.get(f"{draft}/modifier").text)[0]
    desk.post(f"{draft}/modifier", data={"seen": edited, "title": "Autre"})
    answer = desk.post(f"{draft}/publier", data={"seen": seen}, follow_redirects=True)
    assert "A colleague saved meanwhile" in answer.text
    assert [each.state for each in rows(Questionnaire)] == ["draft"]


def test_the_file_is_a_whole_resource_and_reads_back_the_same(desk: FlaskClient, draft: str) -> None:
    told = json.loads(desk.get(f"{draft}/fhir.json").data)
    assert (told["resourceType"], told["status"], told["version"]) == ("Questionnaire", "draft", "1")
    assert parse(json.dumps(told)) == parse(json.dumps(FILE))


@pytest.mark.parametrize("language", ["fr", "en", "es", "ar"])
def test_a_number_in_a_box_is_read_back_the_same_in_every_language(app: Flask, language: str) -> None:
    asked = Item("n", "decimal", Words("Combien ?"))
    with app.test_request_context(), force_locale(language):
        for value in map(Decimal, ("1000", "1234567.5", "0.00025", "-38.5", "0", "12345678.123456")):
            assert number_of(wording.number(value, grouped=False), asked) == value
            assert number_of(forms._shown("n", asked, (value,))["n"], asked) == value, "what a patient goes back to"


def test_saving_a_bound_over_a_thousand_does_not_divide_it(desk: FlaskClient, where: Hospital) -> None:
    most = {"url": HIGHEST, "valueDecimal": 12000.0005}
    limit = {"linkId": "steps", "type": "decimal", "text": "Pas ?", "extension": [most]}
    with prepared():
        made = definitions.start(where.establishment.id, parse(json.dumps(FILE | {"item": [limit]})))
    url = f"{HERE}/{made.id}/questions/steps"
    page = parsed(desk.get(url).text)
    boxes = {each.attrib["name"]: each.attrib.get("value", "") for each in page.iter("input") if "name" in each.attrib}
    kept = {name: value for name, value in boxes.items() if name in ("seen", "highest", "lowest", "below", "above")}
    assert desk.post(url, data=kept | {"text": "Pas ?"}).status_code == 303
    (found,) = rows(Questionnaire)
    assert found.definition.questions[0].highest == Decimal("12000.0005")


def test_a_condition_without_its_number_is_not_thrown_away(desk: FlaskClient, where: Hospital) -> None:
    asked = {"linkId": "n", "type": "integer", "text": "Combien ?"}
    after = {"linkId": "m", "type": "text", "text": "Où ?"}
    with prepared():
        made = definitions.start(where.establishment.id, parse(json.dumps(FILE | {"item": [asked, after]})))
    url = f"{HERE}/{made.id}/questions/m"
    seen = re.findall(r'name="seen"[^>]*value="([^"]+)"', desk.get(url).text)[0]
    typed = {"seen": seen, "text": "Où ?", "conditions-0-when": "n|>|0"}
    assert "needs one answer" in desk.post(url, data=typed).text
    assert desk.post(url, data=typed | {"conditions-0-number": "3"}).status_code == 303
    assert len(rows(Questionnaire)[0].definition.questions[1].conditions) == 1
