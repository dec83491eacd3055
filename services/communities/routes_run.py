"""What animators see to: the journal, the name and purpose, the charter, closing."""

from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from auth import wording as words
from portal.kpi import GROUP_ZONE
from portal.web.repeated_posts import once
from portal.web.spreadsheets import csv_response
from services.communities import frame, rights, traces
from services.communities.actions import groups
from services.communities.forms import CommunityForm, WriteCharterForm
from services.communities.models import CommunityEvent
from services.communities.queries import people

pages = frame.members_only(Blueprint("community_run", __name__, url_prefix=frame.PREFIX, template_folder="templates"))
Answer = Response | str | tuple[str, int]
MOST_LINES = 20_000


@pages.get("/journal")
def journal(community_id: UUID) -> str:
    """What was done in the community, newest first."""
    frame.require(rights.ANIMATOR)
    asked = request.args.get("before", "")
    before = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 18 else None
    found = people.events(community_id, before, people.PAGE + 1)
    return render_template(
        "communities/journal.html", events=found[: people.PAGE], has_next=len(found) > people.PAGE, say=_said,
        who_did=_who, is_first=before is None,
    )  # fmt: skip


@pages.get("/journal.csv")
def download(community_id: UUID) -> Response:
    """The journal as a file."""
    frame.require(rights.ANIMATOR)
    community = frame.seat().community
    zone = ZoneInfo(GROUP_ZONE)
    rows = [
        [f"{each.at.astimezone(zone):%Y-%m-%d %H:%M:%S}", _who(each), _said(each), each.label, each.action]
        for each in people.events(community_id, limit=MOST_LINES)
    ]
    traces.record(
        community.id, "community_journal.downloaded", object_kind="community", object_id=community.id,
        establishment_id=community.establishment_id,
    )  # fmt: skip
    headers = [_("When"), _("Who"), _("What was done"), _("About"), _("Code")]
    return csv_response(f"{community.slug}-journal", headers, rows)


@pages.route("/reglages", methods=["GET", "POST"])
@once
def settings(community_id: UUID) -> Answer:
    """Name and purpose; from here one goes to the charter, and closes the community."""
    frame.require(rights.ANIMATOR)
    seat = frame.seat()
    form = CommunityForm(name=seat.community.name, purpose=seat.community.purpose)
    if request.method == "POST":
        frame.require_open(rights.ANIMATOR)
    if form.validate_on_submit():
        groups.describe(seat, form.name.data or "", form.purpose.data or "")
        flash(_("The name and the purpose are changed."), "success")
        return redirect(url_for(".settings", community_id=community_id), 303)
    return _settings(form), 422 if form.is_submitted() else 200


@pages.route("/charte/modifier", methods=["GET", "POST"])
@once
def write_charter(community_id: UUID) -> Answer:
    """A new version, that each member accepts before they go on."""
    frame.require_open(rights.ANIMATOR)
    seat = frame.seat()
    form = WriteCharterForm(charter=seat.community.charter)
    if form.validate_on_submit():
        groups.rewrite_charter(seat, form.charter.data or "")
        flash(_("The charter is changed. Each member accepts it when they next come."), "success")
        return redirect(url_for(".settings", community_id=community_id), 303)
    page = render_template("communities/write_charter.html", form=form)
    return page, 422 if form.is_submitted() else 200


@pages.post("/fermer")
def close(community_id: UUID) -> Response:
    """Everything stays readable; nothing more is written."""
    frame.require_open(rights.ANIMATOR)
    groups.close(frame.seat().community)
    flash(_("The community is closed. Its members can still read it."), "success")
    return redirect(url_for("community_news.home", community_id=community_id), 303)


def _settings(form: CommunityForm) -> str:
    found = people.members(frame.seat().community.id)
    version = frame.seat().community.charter_version
    late = [each for each in found if each.charter_version < version]
    return render_template("communities/settings.html", form=form, late=late, count=len(found))


def _said(event: CommunityEvent) -> str:
    return str(words.ACTIONS.get(event.action, event.action))


def _who(event: CommunityEvent) -> str:
    return event.actor_name if not event.actor.startswith("system:") else "–"
