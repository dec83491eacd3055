"""Every message that the portal sends, and the words of the hospital for those that are sent in its name."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import force_locale
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from admin import message_text_words as spoken
from admin import queries_catalogue
from admin.forms_message_texts import StepForm, TextForm
from auth import guards, held_forms, tries
from auth.models import Account
from portal import db, notifications
from portal.establishments import Establishment
from portal.message_texts import actions, checking, html, kinds, placeholders, queries, telephone, writing
from portal.message_texts.actions import ChangedMeanwhile, NothingToUndo
from portal.message_texts.checking import Unsafe
from portal.message_texts.kinds import TEXT, Kind
from portal.message_texts.models import MessageText
from portal.message_texts.placeholders import Unusable
from portal.message_texts.writing import Words
from portal.web.i18n import LANGUAGES, RIGHT_TO_LEFT

RIGHT = "administration"
pages = guards.staff(
    Blueprint("admin_message_texts", __name__, url_prefix="/admin/textes", template_folder="templates"), right=RIGHT
)
Answer = str | Response | tuple[str, int]
_TRIALS = 20
"""Messages that somebody may send themselves in an hour."""
_AT = "/<string(length=9):finess>/<string(maxlength=80):code>/<string(length=2):language>"


@dataclass(frozen=True)
class Asked:
    """One message in one language, at one hospital."""

    hospital: Establishment
    kind: Kind
    language: str

    @property
    def at(self) -> dict[str, Any]:
        """The parameters of its pages."""
        return {"finess": self.hospital.finess, "code": self.kind.code, "language": self.language}

    @property
    def history(self) -> list[MessageText]:
        return list(queries.history(self.hospital.id, self.kind.code, self.language)) if self.kind.at_hospital else []


@pages.get("")
def texts() -> str:
    """All messages, by room, with the languages in which the hospital has words of its own."""
    hospitals = queries_catalogue.mine()
    wanted = request.args.get("etablissement", "")
    hospital = next((each for each in hospitals if each.finess == wanted), hospitals[0])
    own = queries.own(hospital.id)
    return render_template(
        "admin/message_texts/texts.html",
        hospitals=hospitals,
        hospital=hospital,
        rooms=_by_room(at_hospital=True),
        common=_by_room(at_hospital=False),
        readers=spoken.READERS,
        languages={kind.code: [each for each in LANGUAGES if (kind.code, each) in own] for kind in kinds.every()},
    )


@dataclass(frozen=True)
class Row:
    """One message of the list. excerpt: what it says, of those that have the subject of another."""

    kind: Kind
    title: str
    excerpt: str
    language: str


def _by_room(*, at_hospital: bool) -> list[tuple[str, list[Row]]]:
    """The name of each room and its messages: those of a hospital, or those that are the same everywhere."""
    chosen = [kind for kind in kinds.every() if kind.at_hospital is at_hospital]
    words = {kind.code: writing.defaults(kind, _shown_language(kind)) for kind in chosen}
    titles = Counter(each.subject for each in words.values())
    found: dict[str, list[Row]] = {code: [] for code in spoken.ROOMS}
    for kind in chosen:
        told = words[kind.code]
        excerpt = _news(told) if titles[told.subject] > 1 and told.subject else ""
        row = Row(kind, told.subject or told.body, excerpt, kind.only or "fr")
        found.setdefault(kind.room, []).append(row)
    return [(str(spoken.ROOMS.get(room, room)), rows) for room, rows in found.items() if rows]


def _news(words: Words) -> str:
    """What a message says after its greeting."""
    paragraphs = words.body.split("\n\n")
    return paragraphs[1] if len(paragraphs) > 1 and len(paragraphs[0]) < 20 else paragraphs[0]


def _shown_language(kind: Kind) -> str:
    return kind.only or next((each for each in LANGUAGES if each == spoken.current_language()), "fr")


# -- one message ---------------------------------------------------------------------------------------------------


@pages.route(_AT, methods=["GET", "POST"])
def text(finess: str, code: str, language: str) -> Answer:
    """Its words, as they are read, and how to change them."""
    asked = _asked(finess, code, language)
    if request.method == "POST" and not asked.kind.at_hospital:
        abort(404)
    history = asked.history
    held = held_forms.take()
    if request.method == "GET":
        return _page(asked, history, TextForm(formdata=held) if held else _form(asked, history))
    form = TextForm()
    if not form.validate():
        return _page(asked, history, form), 422
    words = checking.tidy(form.words)
    if "preview" in request.form:
        return _preview(asked, history, form, words)
    try:
        actions.change(asked.hospital.id, asked.kind, language, words, _examples(asked), form.version)
    except Unsafe as unsafe:
        form.blame(unsafe.faults)
        return _page(asked, history, form), 422
    except ChangedMeanwhile:
        return _page(asked, history, _again(form, history), stale=True), 409
    flash(_("Saved: the next messages are sent with these words."), "success")
    return redirect(url_for(".text", **asked.at), 303)


def _preview(asked: Asked, history: list[MessageText], form: TextForm, words: Words) -> Answer:
    """As it would be read, with all that is wrong in it; nothing is saved."""
    try:
        checking.check(asked.kind, words, _examples(asked))
    except Unsafe as unsafe:
        form.blame(unsafe.faults)
        return _page(asked, history, form), 422
    return _page(asked, history, form, words)


def _form(asked: Asked, history: list[MessageText]) -> TextForm:
    words = _in_use(asked, history)
    return TextForm(data={"subject": words.subject, "body": words.body, "seen": _version(history)})


def _again(form: TextForm, history: list[MessageText]) -> TextForm:
    form.seen.data = _version(history)
    return form


def _version(history: list[MessageText]) -> str:
    return str(history[0].version) if history else "0"


def _in_use(asked: Asked, history: list[MessageText]) -> Words:
    """The hospital's words, else the portal's."""
    if history and not history[0].is_default:
        return Words(history[0].subject, history[0].body)
    return writing.defaults(asked.kind, asked.language)


def _page(
    asked: Asked, history: list[MessageText], form: TextForm, typed: Words | None = None, *, stale: bool = False
) -> str:
    kind = asked.kind
    # Not "auto": a text may begin with a placeholder, which is Latin in every language.
    direction = "rtl" if asked.language in RIGHT_TO_LEFT else "ltr"
    form.subject.render_kw = form.body.render_kw = {"lang": asked.language, "dir": direction}
    return render_template(
        "admin/message_texts/text.html",
        asked=asked,
        form=form,
        title=_title(kind),
        room=spoken.ROOMS.get(kind.room, kind.room),
        reader=spoken.READERS[kind.to],
        languages=[(kind.only, LANGUAGES[kind.only])] if kind.only else list(LANGUAGES.items()),
        meanings=spoken.meanings(kind),
        required=kind.required,
        own=bool(history and not history[0].is_default),
        history=history,
        seen=_version(history),
        shown=_shown(asked, typed or _in_use(asked, history)),
        is_typed=typed is not None,
        is_text=kind.channel == TEXT,
        stale=stale,
        tz=asked.hospital.tz,
    )


def _title(kind: Kind) -> str:
    words = writing.defaults(kind, _shown_language(kind))
    start = placeholders.without_names(words.body).partition(".")[0].strip(" :…")
    return words.subject or str(_("Text message: %(start)s", start=start))


def _shown(asked: Asked, words: Words) -> dict[str, Any]:
    """What somebody fictional reads."""
    try:
        told = checking.shown(asked.kind, words, _examples(asked))
    except Unusable:
        return {}
    sent = telephone.plain(told.body) if asked.kind.channel == TEXT else told.body
    return {
        "subject": told.subject,
        "text": sent,
        "html": html.body(told.body),
        "parts": telephone.parts(sent),
        "signs": len(sent),
        "is_gsm": telephone.is_gsm(sent),
    }


def _examples(asked: Asked) -> dict[str, str]:
    return spoken.examples(asked.kind, asked.language)


# -- what may be done ----------------------------------------------------------------------------------------------


@pages.post(f"{_AT}/annuler")
def undo(finess: str, code: str, language: str) -> Answer:
    """Back to what was used before the last change."""
    return _step(_asked(finess, code, language), actions.undo, _("The last change is taken back."))


@pages.post(f"{_AT}/origine")
def restore(finess: str, code: str, language: str) -> Answer:
    """Back to the portal's own words."""
    return _step(_asked(finess, code, language), actions.restore, _("The portal’s own words are used again."))


def _step(asked: Asked, act: Callable[..., object], done: str) -> Answer:
    form = StepForm()
    if not asked.kind.at_hospital or not form.validate():
        abort(404)
    try:
        act(asked.hospital.id, asked.kind, asked.language, int(form.seen.data or 0))
    except NothingToUndo:
        flash(_("There is nothing to take back."), "info")
    except ChangedMeanwhile:
        flash(_("A colleague changed these words meanwhile: look at them first."), "warning")
    else:
        flash(done, "success")
    return redirect(url_for(".text", **asked.at), 303)


@pages.post(f"{_AT}/essai")
def try_out(finess: str, code: str, language: str) -> Answer:
    """Send oneself the message in use, with fictional data, by mail whatever its channel."""
    asked = _asked(finess, code, language)
    me = db.session.get_one(Account, db.current_actor().account_id)
    back = redirect(url_for(".text", **asked.at), 303)
    if not me.email:
        flash(_("Your account has no address to write to."), "warning")
        return back
    try:
        tries.spend(tries.of_account(me.id, "message_texts.trial", _TRIALS, timedelta(hours=1)))
    except tries.TooManyTries:
        flash(_("You have sent yourself many messages: wait an hour."), "warning")
        return back
    try:
        words = checking.shown(asked.kind, _in_use(asked, asked.history), _examples(asked))
    except Unusable:
        flash(_("These words cannot be sent any more: the portal’s own are sent in their place."), "warning")
        return back
    with force_locale(language):
        subject = _("[Trial] %(subject)s", subject=words.subject or _("Text message"))
    notifications.write(Words(subject, words.body), recipient=me.email, locale=language)
    actions.record_trial(asked.hospital.id, asked.kind, language)
    flash(_("It is on its way to %(address)s.", address=me.email), "success")
    return back


def _asked(finess: str, code: str, language: str) -> Asked:
    """404: another hospital, no such message, a language that it is not sent in."""
    hospital, kind = queries_catalogue.mine_by_finess(finess), kinds.of(code)
    if kind is None or language not in LANGUAGES or kind.only not in ("", language):
        abort(404)
    return Asked(hospital, kind, language)
