"""The editor of a draft: words, sections, questions, choices, alerts, and when a question is shown."""

from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from admin import fault_words
from admin.forms_questionnaire_items import ItemForm, blank, conditions_on_offer, data_of, item_of, worded
from admin.forms_questionnaires import AddItemForm, HeadForm
from admin.questionnaire_words import LANGUAGES as LANGUAGES_OF_QUESTIONNAIRES
from admin.routes_questionnaires import pages
from admin.routes_questionnaires_library import one
from auth import held_forms
from portal.web.fields import choices
from portal.web.i18n import LANGUAGES
from services.questionnaires import wording
from services.questionnaires.actions import ChangedMeanwhile, NotEditable, NothingToUndo
from services.questionnaires.actions import definitions as actions
from services.questionnaires.definition import editing, translating
from services.questionnaires.definition.editing import NoSuchItem
from services.questionnaires.definition.items import GROUP, Definition, Item
from services.questionnaires.definition.parsing import Unreadable
from services.questionnaires.models import Questionnaire

Answer = str | Response | tuple[str, int]


def _other(definition: Definition) -> str:
    """The language that the boxes for translations are in."""
    return next(code for code in LANGUAGES if code != definition.language)


@pages.get("/modeles/<uuid:questionnaire_id>/modifier")
def edit(questionnaire_id: UUID) -> Answer:
    """The draft as a list, with what may be done to each item."""
    found = one(questionnaire_id)
    if found.state != "draft":
        return only_drafts(found)
    return _edit_page(found)


def _edit_page(found: Questionnaire, head: HeadForm | None = None, faults: list[str] | None = None) -> str:
    definition = found.definition
    seen = found.changed_at.isoformat()
    if head is None:
        held = held_forms.take()
        head = HeadForm(formdata=held) if held else HeadForm(MultiDict(), data=_head(definition, seen))
    adding = AddItemForm(MultiDict(), data={"seen": seen, "kind": "boolean", "within": ""})
    sections = [each for each in definition.walk() if each.kind == GROUP]
    adding.within.choices = choices(
        [("", _("At the end")), *((each.link_id, _("In “%(section)s”", section=each.words.text)) for each in sections)]
    )
    return render_template(
        "admin/questionnaires/edit.html",
        found=found,
        definition=definition,
        rows=list(_rows(definition.items)),
        form=head,
        adding=adding,
        other=LANGUAGES[_other(definition)],
        own=LANGUAGES.get(definition.language, definition.language),
        faults=faults or [],
        seen=seen,
        may_undo=found.former_content is not None,
        languages=[
            (code, name, *translating.done(definition, code))
            for code, name in LANGUAGES_OF_QUESTIONNAIRES.items()
            if code != definition.language
        ],
    )


def _head(definition: Definition, seen: str) -> dict[str, str]:
    return {
        "seen": seen,
        "title": definition.title.text,
        "title_other": definition.title.translations.get(_other(definition), ""),
        "description": definition.description,
        "minutes": str(definition.minutes or ""),
    }


def _rows(items: tuple[Item, ...], depth: int = 0) -> list[tuple[Item, int, bool, bool]]:
    """Item, depth, whether it is the first and the last of its section."""
    found = []
    for rank, item in enumerate(items):
        found.append((item, depth, rank == 0, rank == len(items) - 1))
        found += _rows(item.items, depth + 1)
    return found


@pages.post("/modeles/<uuid:questionnaire_id>/modifier")
def save_head(questionnaire_id: UUID) -> Answer:
    """Title, what it is for, how long it takes."""
    found, form = one(questionnaire_id), HeadForm()
    if not form.validate():
        return _edit_page(found, form), 422
    definition = found.definition
    minutes = (form.minutes.data or "").strip()
    changed = replace(
        definition,
        title=worded(definition.title, form.title.data, form.title_other.data, _other(definition)),
        description=(form.description.data or "").strip(),
        minutes=int(minutes) if minutes else None,
    )
    return _save(found, lambda _definition: editing.checked(changed), form.seen.data or "")


@pages.post("/modeles/<uuid:questionnaire_id>/ajouter")
def add_item(questionnaire_id: UUID) -> Answer:
    """A new item, then its own page to fill in."""
    found, kind, within = one(questionnaire_id), request.form.get("kind", ""), request.form.get("within", "")
    if kind not in wording.KINDS:
        raise NotFound
    made = blank(kind, editing.new_link_id(found.definition, kind))
    answer = _save(found, lambda definition: editing.add(definition, made, within), request.form.get("seen", ""))
    if isinstance(answer, Response) and answer.status_code == 303:
        return redirect(url_for(".item", questionnaire_id=questionnaire_id, link_id=made.link_id), 303)
    return answer


@pages.post("/modeles/<uuid:questionnaire_id>/questions/<string(maxlength=64):link_id>/deplacer")
def move_item(questionnaire_id: UUID, link_id: str) -> Answer:
    step = -1 if request.form.get("way") == "up" else 1
    return _save(
        one(questionnaire_id), lambda definition: editing.move(definition, link_id, step), _seen(), lambda: link_id
    )


@pages.post("/modeles/<uuid:questionnaire_id>/questions/<string(maxlength=64):link_id>/dupliquer")
def duplicate_item(questionnaire_id: UUID, link_id: str) -> Answer:
    """A copy just after it, with what is inside it."""
    copies: list[str] = []

    def copied(definition: Definition) -> Definition:
        changed, copy = editing.duplicate(definition, link_id)
        copies.append(copy)
        return changed

    return _save(one(questionnaire_id), copied, _seen(), lambda: copies[0])


@pages.post("/modeles/<uuid:questionnaire_id>/annuler")
def undo(questionnaire_id: UUID) -> Answer:
    """Take the last change back; twice makes it again."""
    found = one(questionnaire_id)
    try:
        actions.undo(found, _seen())
    except NothingToUndo:
        flash(_("There is nothing to take back."), "info")
    except ChangedMeanwhile:
        return _edit_page(found, faults=[str(_("A colleague saved meanwhile: check, then try again."))]), 409
    except NotEditable:
        return only_drafts(found)
    else:
        flash(_("The last change is taken back."), "success")
    return redirect(url_for(".edit", questionnaire_id=found.id), 303)


@pages.post("/modeles/<uuid:questionnaire_id>/questions/<string(maxlength=64):link_id>/enlever")
def remove_item(questionnaire_id: UUID, link_id: str) -> Answer:
    return _save(one(questionnaire_id), lambda definition: editing.remove(definition, link_id), _seen())


def _seen() -> str:
    return request.form.get("seen", "")


@pages.route("/modeles/<uuid:questionnaire_id>/questions/<string(maxlength=64):link_id>", methods=["GET", "POST"])
def item(questionnaire_id: UUID, link_id: str) -> Answer:
    """One item: its words, choices, bounds, alerts and conditions."""
    found = one(questionnaire_id)
    if found.state != "draft":
        return only_drafts(found)
    definition, asked = found.definition, found.definition.item(link_id)
    if asked is None:
        raise NotFound
    seen, language = found.changed_at.isoformat(), _other(definition)
    held = held_forms.take()
    if request.method == "POST" or held:
        form = ItemForm(formdata=held) if held else ItemForm()
    else:
        form = ItemForm(data={**data_of(asked, definition, language), "seen": seen})
    offered = conditions_on_offer(definition, asked)
    form.offer(offered)
    if request.method == "GET" or not form.validate():
        return _item_page(found, asked, form), 422 if form.errors else 200
    try:
        changed = item_of(form, asked, definition, language)
        actions.save(found, editing.change(definition, link_id, changed), form.seen.data or "")
    except Unreadable as unreadable:
        return _item_page(found, asked, form, [fault_words.said(each) for each in unreadable.faults]), 422
    except (ChangedMeanwhile, NotEditable):
        form.seen.data = seen
        return _item_page(found, asked, form, [str(_("A colleague saved meanwhile: check, then save again."))]), 409
    if "more" in request.form:
        return redirect(url_for(".item", questionnaire_id=questionnaire_id, link_id=link_id), 303)
    return redirect(url_for(".edit", questionnaire_id=questionnaire_id, _anchor=f"item-{link_id}"), 303)


def _item_page(found: Questionnaire, asked: Item, form: ItemForm, faults: list[str] | None = None) -> str:
    definition = found.definition
    return render_template(
        "admin/questionnaires/item.html",
        found=found,
        item=asked,
        form=form,
        other=LANGUAGES[_other(definition)],
        own=LANGUAGES.get(definition.language, definition.language),
        has_conditions=bool(conditions_on_offer(definition, asked)),
        faults=faults or [],
    )


def _save(
    found: Questionnaire,
    change: Callable[[Definition], Definition],
    seen: str,
    then: Callable[[], str] | None = None,
) -> Answer:
    """then: the linkId of the item at which the page opens again."""
    try:
        actions.save(found, change(found.definition), seen)
    except NoSuchItem:
        raise NotFound from None
    except Unreadable as unreadable:
        return _edit_page(found, faults=[fault_words.said(each) for each in unreadable.faults]), 422
    except ChangedMeanwhile:
        return _edit_page(found, faults=[str(_("A colleague saved meanwhile: check, then try again."))]), 409
    except NotEditable:
        return only_drafts(found)
    anchor = f"item-{then()}" if then else None
    return redirect(url_for(".edit", questionnaire_id=found.id, _anchor=anchor), 303)


def only_drafts(found: Questionnaire) -> Response:
    flash(_("What was published is not changed any more: make a new version."), "info")
    return redirect(url_for(".definition", questionnaire_id=found.id), 303)
