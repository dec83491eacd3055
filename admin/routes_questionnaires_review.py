"""A questionnaire looked at before it is sent: answered as a patient would, nothing kept; compared with another
version, in words."""

from collections.abc import Sequence
from uuid import UUID

from flask import abort, render_template, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from admin import questionnaire_words
from admin.routes_questionnaires import pages
from admin.routes_questionnaires_library import one
from services.questionnaires import answers as rules
from services.questionnaires import forms, queries, wording
from services.questionnaires.answers import Page
from services.questionnaires.definition import differences
from services.questionnaires.definition.differences import Change
from services.questionnaires.definition.enabling import enabled
from services.questionnaires.definition.items import Answers, Definition
from services.questionnaires.models import Questionnaire

Answer = str | Response | tuple[str, int]
_LONGEST = 200_000
"""Signs of the answers that come back with each page."""


# -- as a patient --------------------------------------------------------------------------------------------------


@pages.route("/modeles/<uuid:questionnaire_id>/essai", methods=["GET", "POST"])
def rehearse(questionnaire_id: UUID) -> Answer:
    """One page of questions after another, with what follows from the answers; nothing is kept, and nobody is told."""
    found = one(questionnaire_id)
    definition, language = found.definition, _language(found.definition)
    given = _given(definition, request.form.get("given", ""))
    if request.method == "GET":
        asked = rules.asked_pages(definition, given)
        return _page(found, asked[0], given, language) if asked else _end(found, given, language)
    number = request.form.get("number", "")
    page = next((each for each in rules.asked_pages(definition, given) if str(each.number) == number), None)
    if page is None:
        return _end(found, given, language)
    before = enabled(definition, given)
    form = forms.of_page(page, before, language)()
    is_valid = form.validate()
    if not _answers_all(form, page, language) or not is_valid:
        return _page(found, page, given, language, form), 422
    given = rules.kept(definition, rules.merged(given, forms.values_of(form, page)))
    return _next(found, page, given, before, language)


def _answers_all(form: forms.PageForm, page: Page, language: str) -> bool:
    """As a patient must, unless the agent passes the page."""
    if "skip" in request.form:
        return True
    values, names = forms.values_of(form, page), forms.names(page)
    left = [each for each in page.questions if each.required and not values.get(each.link_id, True)]
    for each in left:
        field = form[names[each.link_id]]
        field.errors = [*field.errors] or [_("Answer this: %(question)s", question=each.words.in_(language))]
    return not left


def _next(found: Questionnaire, page: Page, given: Answers, before: frozenset[str], language: str) -> Answer:
    """The same page when its answers ask more on it, as the patient has it; else the following one."""
    definition = found.definition
    new = {each.link_id for each in page.questions} & (enabled(definition, given) - before) - set(given)
    asked = rules.asked_pages(definition, given)
    again = next((each for each in asked if each.number == page.number), None) if new else None
    following = again or next((each for each in asked if each.number > page.number), None)
    return _page(found, following, given, language) if following else _end(found, given, language)


def _language(definition: Definition) -> str:
    wanted = request.values.get("in", "")
    return wanted if wanted in definition.languages else wording.locale()


def _given(definition: Definition, text: str) -> Answers:
    """The answers of the former pages, as our own page sent them; whatever else comes back is no answer."""
    if len(text) > _LONGEST:
        return {}
    try:
        told = rules.load(text)
    except (ValueError, TypeError, KeyError, AttributeError, ArithmeticError, RuntimeError):
        return {}
    asked = {each.link_id: each for each in definition.questions}
    return {name: values for name, values in told.items() if name in asked and rules.is_allowed(asked[name], values)}


def _page(found: Questionnaire, page: Page, given: Answers, language: str, form: forms.PageForm | None = None) -> str:
    definition = found.definition
    shown = enabled(definition, given)
    if form is None:
        form = forms.of_page(page, shown, language)(None, data=forms.data_of(page, given))
    asked = rules.asked_pages(definition, given)
    return render_template(
        "admin/questionnaires/rehearsal.html",
        found=found,
        page=page,
        form=form,
        names=forms.names(page),
        asked=shown,
        given=rules.dump(given),
        rank=[each.number for each in asked].index(page.number) + 1,
        total=len(asked),
        locale=language,
        longest=rules.longest,
    )


def _end(found: Questionnaire, given: Answers, language: str) -> str:
    """What the unit would read, and whether it would be an alert."""
    return render_template(
        "admin/questionnaires/rehearsed.html",
        found=found,
        lines=wording.lines(found.definition, given, language),
        missing={each.link_id for each in rules.missing(found.definition, given)},
        alerts=len(rules.alerts(found.definition, given)),
        locale=language,
        longest=rules.longest,
    )


# -- versions ------------------------------------------------------------------------------------------------------


@pages.get("/modeles/<uuid:questionnaire_id>/differences")
def compare(questionnaire_id: UUID) -> str:
    """What changed since another version: the former one unless it is said which."""
    found = one(questionnaire_id)
    versions = [each for each in queries.versions(found) if each.id != found.id]
    former = _wanted(versions) if "avec" in request.args else _former(versions, found)
    changes = differences.between(former.definition, found.definition)
    return render_template(
        "admin/questionnaires/differences.html",
        found=found,
        former=former,
        versions=versions,
        whole=[_said(each, former, found) for each in changes if each.item is None],
        items=_by_item(changes, former, found),
    )


def _wanted(versions: Sequence[Questionnaire]) -> Questionnaire:
    wanted = request.args.get("avec", "")
    return next((each for each in versions if str(each.id) == wanted), None) or abort(404)


def _former(versions: Sequence[Questionnaire], found: Questionnaire) -> Questionnaire:
    """The greatest of the versions before, else the nearest after."""
    before = sorted((each for each in versions if each.version < found.version), key=lambda each: -each.version)
    return next(iter([*before, *versions]), None) or abort(404)


def _by_item(changes: list[Change], former: Questionnaire, latter: Questionnaire) -> list[tuple[str, list[str]]]:
    """The words of each item, and what changed in it."""
    found: dict[str, tuple[str, list[str]]] = {}
    for change in changes:
        if change.item is not None:
            _words, said = found.setdefault(change.item.link_id, (change.item.words.text, []))
            said.append(_said(change, former, latter))
    return list(found.values())


def _said(change: Change, former: Questionnaire, latter: Questionnaire) -> str:
    return questionnaire_words.said(change, former.definition, latter.definition)
