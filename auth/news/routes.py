"""What is new, how one wants to be told, and the page that stops messages without signing in."""

from uuid import UUID

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as Answer

from auth import guards
from auth.news import actions, boxes, kinds, queries, stopping, wishes
from auth.news.actions import DailyInQuietHours, ToldOfNothing
from auth.news.boxes import NotABox, TooSoon
from auth.news.forms import CHANNELS, BoxForm, HoursForm, choices_form, field_name
from auth.news.wishes import Wishes
from portal import db
from portal.web.limits import limiter
from portal.web.unit_of_work import who

AUDIENCES = ("professional", "staff")
LISTS = frozenset({"/pro/delegations"})
"""Pages without a parameter to which news may lead; those of one object have one."""

news_pages = guards.signed_in(Blueprint("news", __name__, url_prefix="/nouvelles", template_folder="templates"))
choice_pages = guards.signed_in(
    Blueprint("news_choices", __name__, url_prefix="/mon-compte/nouvelles", template_folder="templates")
)
stop_pages = guards.public(Blueprint("news_stops", __name__, url_prefix="/nouvelles", template_folder="templates"))


@news_pages.before_request
@choice_pages.before_request
def _check_audience() -> None:
    """Patients choose how they are told in their contact details."""
    if db.current_actor().kind not in (*AUDIENCES, "anonymous"):
        abort(404)


@news_pages.get("")
def overview() -> str:
    """What is new, grouped by page."""
    return render_template("news/overview.html", lines=queries.unread())


@news_pages.post("/tout-lu")
def mark_all_read() -> Answer:
    """Nothing is new any more."""
    actions.mark_all_read()
    flash(_("All is marked as read."), "success")
    return redirect(url_for(".overview"), 303)


@choice_pages.route("", methods=["GET", "POST"])
def choices() -> Answer | tuple[str, int]:
    """Each kind of news, by each channel, how often; and when nothing leaves."""
    wanted = _mine()
    form = choices_form(wanted)
    if form.validate_on_submit() and _keep(form):
        flash(_("Your choices are kept."), "success")
        return redirect(url_for(".choices"), 303)
    page = render_template(
        "news/choices.html",
        form=form,
        wanted=wanted,
        kinds=kinds.of(wanted.account.audience),
        channels={code: words for code, words in CHANNELS.items() if code == kinds.MAIL or wanted.has_box},
        field_name=field_name,
    )
    return page, 422 if form.errors else 200


def _keep(form: HoursForm) -> bool:
    try:
        actions.choose(form.rhythms(), form.clock)
    except ToldOfNothing as silent:
        for code in silent.args:
            form[field_name(code, kinds.MAIL)].errors = [_("Choose one way at least to hear of this")]
        return False
    except DailyInQuietHours:
        form.daily_at.errors = [_("Choose an hour outside those when nothing is sent")]
        return False
    return True


@choice_pages.route("/boite", methods=["GET", "POST"])
@limiter.limit("20 per hour", methods=["POST"])
def box() -> Answer | tuple[str, int]:
    """Be told in one's professional box."""
    form = BoxForm()
    if form.validate_on_submit():
        try:
            chosen = boxes.choose(form.address.data or "")
        except NotABox:
            form.address.errors = [_("This is not a box of MSSanté: its address ends with mssante.fr")]
        except TooSoon:
            form.address.errors = [_("A link has just been sent. Wait two minutes before you ask for another one.")]
        else:
            flash(
                _("You are told in this box from now on.") if chosen.verified_at
                else _("Open the link that we are sending to this box, within two days."), "success",
            )  # fmt: skip
            return redirect(url_for(".choices"), 303)
    page = render_template("news/box.html", form=form, proposed=boxes.proposed(), wanted=_mine())
    return page, 422 if form.errors else 200


@choice_pages.post("/boite/retirer")
def remove_box() -> Answer:
    """Plain mail again."""
    boxes.remove()
    flash(_("The box is removed: messages come by mail again."), "success")
    return redirect(url_for(".choices"), 303)


@choice_pages.route("/boite/<token>", methods=["GET", "POST"])
@limiter.limit("20 per hour", methods=["POST"])
def confirm_box(token: str) -> Answer | tuple[str, int]:
    """The link that came into the box: seen, then confirmed."""
    if request.method == "POST":
        if boxes.confirm(token):
            flash(_("This box is confirmed: you are told there from now on."), "success")
        else:
            flash(_("This link is not the last one, or is too old. Ask for another one."), "warning")
        return redirect(url_for(".choices"), 303)
    return render_template("news/confirm_box.html", wanted=_mine()), 200


@stop_pages.route("/arreter/<uuid:account_id>/<any(mail, mssante):channel>/<key>/<token>", methods=["GET", "POST"])
@limiter.limit("60 per hour")
def stop(account_id: UUID, channel: str, key: str, token: str) -> tuple[str, int]:
    """The address at the end of a message. Looking at it stops nothing: mail programs look too."""
    codes = stopping.read(account_id, channel, key, token) or abort(404)
    with db.transaction(db.system("news.stop")):
        wanted = wishes.of(account_id)
        if request.method == "POST":
            actions.stop(account_id, channel, codes)
        stops = actions.stoppable(wanted, channel, codes)
    shown = [kinds.KINDS[code] for code in codes]
    page = render_template(
        "news/stop.html",
        stopping=[kind for kind in shown if kind.code in stops],
        kept=[kind for kind in shown if kind.code not in stops],
        is_done=request.method == "POST",
    )
    return page, 200


def note_reading(response: Response) -> Response:
    """After each page of a practitioner or an agent: what led to it is no longer new."""
    shown = request.method == "GET" and response.status_code == 200 and response.mimetype == "text/html"
    if shown and (request.view_args or request.path in LISTS):
        actor = who()
        if actor.kind in AUDIENCES and actor.account_id is not None:
            actions.read_page(actor.account_id, request.path)
    return response


def _mine() -> Wishes:
    account_id = db.current_actor().account_id
    assert account_id is not None, "a signed-in person"
    return wishes.of(account_id)
