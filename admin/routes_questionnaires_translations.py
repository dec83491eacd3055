"""A draft in another language: all its texts on one page, beside its own."""

from typing import Any
from uuid import UUID

from flask import abort, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response
from wtforms import HiddenField, TextAreaField
from wtforms.validators import Length

from admin import fault_words
from admin.questionnaire_words import LANGUAGES
from admin.routes_questionnaires import pages
from admin.routes_questionnaires_editor import only_drafts
from admin.routes_questionnaires_library import one
from auth import held_forms
from portal.web.forms import Form
from services.questionnaires.actions import ChangedMeanwhile, NotEditable
from services.questionnaires.actions import definitions as actions
from services.questionnaires.definition import translating
from services.questionnaires.definition.parsing import Unreadable
from services.questionnaires.definition.reading import LONGEST_TEXT
from services.questionnaires.definition.translating import Text
from services.questionnaires.models import Questionnaire

Answer = str | Response | tuple[str, int]


class TranslationForm(Form):
    """seen: `changed_at` of the draft that was shown; one box a text is added to it."""

    seen = HiddenField()


def _form_of(texts: list[Text], language: str) -> type[TranslationForm]:
    written = {"lang": language, "dir": "auto"}
    boxes: dict[str, Any] = {
        f"t{n}": TextAreaField(each.words.text, [Length(max=LONGEST_TEXT)], render_kw=written)
        for n, each in enumerate(texts)
    }
    return type("QuestionnaireTranslationForm", (TranslationForm,), boxes)


@pages.route("/modeles/<uuid:questionnaire_id>/traductions/<string(length=2):language>", methods=["GET", "POST"])
def translate(questionnaire_id: UUID, language: str) -> Answer:
    """Every text and its translation; what is left empty is shown in the questionnaire's own language."""
    found = one(questionnaire_id)
    if language not in LANGUAGES or language == found.definition.language:
        abort(404)
    if found.state != "draft":
        return only_drafts(found)
    texts, held = translating.texts(found.definition), held_forms.take()
    known = {f"t{n}": each.words.translations.get(language, "") for n, each in enumerate(texts)}
    kind = _form_of(texts, language)
    form = kind(formdata=held) if held else kind(data={**known, "seen": found.changed_at.isoformat()})
    if not form.validate_on_submit():
        return _page(found, form, texts, language), 422 if form.errors else 200
    said = {each.key: (form[f"t{n}"].data or "").replace("\r\n", "\n") for n, each in enumerate(texts)}
    try:
        actions.save(found, translating.translated(found.definition, language, said), form.seen.data or "")
    except Unreadable as unreadable:
        faults = [fault_words.said(each) for each in unreadable.faults]
        return _page(found, form, texts, language, faults), 422
    except ChangedMeanwhile:
        form.seen.data = found.changed_at.isoformat()
        again = [str(_("A colleague saved meanwhile: check, then save again."))]
        return _page(found, form, texts, language, again), 409
    except NotEditable:
        return only_drafts(found)
    flash(_("The translation is saved."), "success")
    return redirect(url_for(".edit", questionnaire_id=found.id), 303)


def _page(
    found: Questionnaire, form: TranslationForm, texts: list[Text], language: str, faults: list[str] | None = None
) -> str:
    return render_template(
        "admin/questionnaires/translation.html",
        found=found,
        form=form,
        texts=[(each, form[f"t{n}"]) for n, each in enumerate(texts)],
        language=language,
        name=LANGUAGES[language],
        faults=faults or [],
    )
