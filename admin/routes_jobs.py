"""The queue of jobs: what is late, what failed and why, what the clock does, who works; trying again, giving up."""

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from admin import actions_jobs as actions
from admin import connector_words, queries_connectors
from admin import queries_jobs as queries
from admin.actions_jobs import NotFailed, StartedByTheClock, StillRuns
from admin.forms_connectors import GiveUpForm
from admin.queries_jobs import JobLine
from auth import guards
from portal import jobs
from portal.catalog import queries as catalog
from portal.web.repeated_posts import once

pages = guards.staff(
    Blueprint("admin_jobs", __name__, url_prefix="/admin/travaux", template_folder="templates"),
    right="administration",
)
Answer = str | Response | tuple[str, int]


@pages.get("")
def overview() -> str:
    """Jobs that are not over, by kind, and the workers."""
    return render_template(
        "admin/jobs/overview.html",
        queue=queries_connectors.queue(),
        kinds=queries.kinds(),
        workers=queries.workers(),
        words=connector_words,
        may_act=catalog.administers_all(),
    )


@pages.get("/liste")
def listed() -> str:
    """Jobs of one state, of one kind or stopped by one door when asked."""
    state = request.args.get("etat", "failed")
    state = state if state in queries.STATES else "failed"
    task = request.args.get("tache", "")
    task = task if task in jobs.names() else ""
    door = request.args.get("porte", "")[:200]
    found = queries.jobs_in(state, task, door, request.args.get("avant", None, type=int))
    return render_template(
        "admin/jobs/list.html",
        jobs=found[: queries.PAGE],
        has_more=len(found) > queries.PAGE,
        state=state,
        task=task,
        door=door,
        tasks=sorted(jobs.names()),
        states=queries.STATES,
        words=connector_words,
        may_act=catalog.administers_all(),
    )


@pages.get("/horloge")
def clock() -> str:
    """What the clock starts, when it last did, and what it missed."""
    lines = queries.clock()
    return render_template(
        "admin/jobs/clock.html",
        lines=lines,
        missed=sum(line.missed for line in lines),
        has_worker=any(worker.is_alive for worker in queries.workers()),
        words=connector_words,
    )


@pages.get("/<int:job_id>")
def show(job_id: int) -> str:
    """One job: its ids, what stopped it, and what became of it."""
    return _page(_one(job_id), GiveUpForm())


def _page(job: JobLine, form: GiveUpForm) -> str:
    return render_template(
        "admin/jobs/job.html",
        job=job,
        events=queries.events(job.id),
        form=form,
        words=connector_words,
        may_act=catalog.administers_all(),
    )


@pages.post("/<int:job_id>/reprendre")
def retry(job_id: int) -> Response:
    """Try this job again."""
    _act()
    try:
        actions.retry(_one(job_id))
        flash(_("The job is in the queue again."), "success")
    except NotFailed:
        flash(_("This job has not failed, or somebody had it tried again before you."), "warning")
    except StartedByTheClock:
        flash(_("The clock starts this job again by itself."), "info")
    return redirect(url_for(".show", job_id=job_id), 303)


@pages.post("/<int:job_id>/abandonner")
@once
def give_up(job_id: int) -> Answer:
    """Do it no more, and say why."""
    _act()
    job, form = _one(job_id), GiveUpForm()
    if not form.validate():
        return _page(job, form), 422
    try:
        actions.give_up(job, form.reason.data or "")
        flash(_("The job is given up. It stays in the list, with your reason."), "success")
    except StillRuns:
        flash(_("This job runs now, or is over: it cannot be given up."), "warning")
    return redirect(url_for(".show", job_id=job_id), 303)


@pages.post("/reprendre")
def retry_all() -> Response:
    """Try again every job of one kind that failed."""
    _act()
    task = request.form.get("tache", "")
    if task not in jobs.names():
        abort(404)
    total = actions.retry_all(task)
    if total:
        flash(ngettext("One job is in the queue again.", "%(num)d jobs are in the queue again.", total), "success")
    else:
        flash(_("No job of this kind waits to be tried again."), "info")
    return redirect(url_for(".overview"), 303)


def _act() -> None:
    """Jobs are of every hospital: whoever changes them administers all of them."""
    if not catalog.administers_all():
        abort(403)


def _one(job_id: int) -> JobLine:
    return queries.job(job_id) or abort(404)
