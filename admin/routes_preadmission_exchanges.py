"""The admissions office and the hospital's system: what was sent and refused, and what it said; telling again."""

from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from admin.forms_exchanges import ReplayForm
from auth import guards
from portal import audit
from portal.web.fields import choices
from portal.web.repeated_posts import once
from services.exchanges import actions, queries, states, subjects
from services.exchanges import wording as words
from services.exchanges.models import Delivery
from services.exchanges.queries import Line, Which
from services.preadmission.exchanges import queries as told
from services.preadmission.exchanges import readable, wording
from services.preadmission.exchanges.states import SUBJECT
from services.preadmission.models import Preadmission

pages = guards.staff(
    Blueprint(
        "admin_preadmission_exchanges",
        __name__,
        url_prefix="/admin/echanges-pre-admissions",
        template_folder="templates",
    ),
    right="preadmission",
)
Answer = str | Response | tuple[str, int]


def _here() -> frozenset[UUID]:
    return guards.establishments("preadmission")


@pages.get("")
def overview() -> str:
    """What was sent, refused first, and how the line is."""
    return _overview(None)


def _overview(form: ReplayForm | None) -> str:
    lines = [each for each in queries.lines(_here(), SUBJECT) if each.follower.kind == states.HIS]
    form = form or ReplayForm(formdata=None)
    form.follower.choices = choices((str(each.follower.id), _called(each)) for each in lines)
    state = request.args.get("state", "")
    state = state if state in states.DELIVERY_STATES else ""
    reference = request.args.get("reference", "")[:20]
    found = queries.deliveries(_here(), Which(SUBJECT, state, reference=reference, refused_first=True))
    return render_template(
        "admin/preadmission_exchanges/overview.html",
        lines=lines,
        formats={each.follower.establishment_id: told.format_of(each.follower.establishment_id) for each in lines},
        deliveries=found,
        references=subjects.references(found),
        state=state,
        reference=reference,
        to_settle=queries.refused_lately(_here(), SUBJECT),
        form=form,
        words=words,
        ours=wording,
        administers=bool(guards.establishments("administration")),
    )


def _called(line: Line) -> str:
    place = line.follower.establishment
    return place.short_name or place.name


@pages.post("/redire")
@once
def replay_since() -> Answer:
    """Send everything of a day, or since a day, again."""
    form = ReplayForm()
    lines = queries.lines(_here(), SUBJECT)
    form.follower.choices = choices((str(each.follower.id), _called(each)) for each in lines)
    if not form.validate():
        return _overview(form), 422
    follower = queries.follower(UUID(form.follower.data), _here()) or abort(404)
    count = actions.replay_since(follower, *form.span(follower.establishment.tz), SUBJECT)
    flash(ngettext("One message will be sent again.", "%(num)s messages will be sent again.", count), "success")
    return redirect(url_for(".overview"), 303)


# -- one message ---------------------------------------------------------------------------------------------------


def _one(delivery_id: UUID) -> Delivery:
    return queries.delivery(delivery_id, _here(), SUBJECT) or abort(404)


@pages.get("/envois/<uuid:delivery_id>")
def sent(delivery_id: UUID) -> str:
    """One message in words; looking is written down."""
    found = _one(delivery_id)
    subject = subjects.of(SUBJECT)
    audit.record(
        "delivery.opened",
        patient_id=subject.patient_of(found.subject_id) if subject and found.subject_id else None,
        establishment_id=found.establishment_id,
        object_kind="delivery",
        object_id=found.id,
    )
    return render_template(
        "admin/preadmission_exchanges/sent.html",
        delivery=found,
        reference=subjects.references([found]).get(found.subject_id or found.id, ""),
        segments=told.as_told(found),
        words=words,
        ours=wording,
    )


@pages.post("/envois/<uuid:delivery_id>/redire")
def replay(delivery_id: UUID) -> Response:
    """Send this message again, and those after it of the same file."""
    count = actions.replay(_one(delivery_id))
    flash(ngettext("One message will be sent again.", "%(num)s messages will be sent again.", count), "success")
    return redirect(url_for(".overview"), 303)


@pages.post("/envois/<uuid:delivery_id>/ecarter")
def set_aside(delivery_id: UUID) -> Response:
    """Send it no more: it was settled otherwise."""
    actions.set_aside(_one(delivery_id))
    flash(_("It will not be sent. It stays in the list, and can still be sent again."), "success")
    return redirect(url_for(".overview"), 303)


def stay_told_to_his(file: Preadmission) -> list[dict[str, str]]:
    """For a file's own page: whether the hospital's system has it. No line where nothing is sent."""
    state = told.known_there([file.id]).get(file.id)
    if state is None:
        return []
    return [
        {
            "key": _("Hospital’s system"),
            "value": str(wording.KNOWN_THERE[state]),
            "action_href": url_for("admin_preadmission_exchanges.overview", reference=file.reference),
            "action_text": _("See what was sent"),
        }
    ]


# -- what is received ----------------------------------------------------------------------------------------------


@pages.get("/recus")
def messages() -> str:
    """What hospital systems said of stays, the newest first."""
    to_settle = request.args.get("state", "") == "refused"
    return render_template(
        "admin/preadmission_exchanges/messages.html",
        messages=queries.messages(_here(), SUBJECT, refused_only=to_settle),
        to_settle=to_settle,
        words=words,
        ours=wording,
    )


@pages.get("/recus/<uuid:message_id>")
def message(message_id: UUID) -> str:
    """One message in words; looking is written down."""
    found = queries.message(message_id, _here(), SUBJECT) or abort(404)
    actions.open_message(found)
    return render_template(
        "admin/preadmission_exchanges/message.html",
        message=found,
        segments=readable.in_words(found.body.encode()),
        words=words,
        ours=wording,
    )


@pages.post("/recus/<uuid:message_id>/regle")
def settle(message_id: UUID) -> Response:
    """Say that what it asked for was done by hand, or that nothing is to do."""
    actions.settle_message(queries.message(message_id, _here(), SUBJECT) or abort(404))
    flash(_("It no longer waits for anybody."), "success")
    return redirect(url_for(".messages", state="refused"), 303)
