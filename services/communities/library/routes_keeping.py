"""The library as it is kept: depositing, new versions, publishing, approving, reviewing, categories."""

from collections.abc import Callable
from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from auth import held_forms
from portal.db import session
from portal.files import FileNotReadable
from portal.web.repeated_posts import once
from services.communities import frame, rights
from services.communities.actions import CommunityClosed, Identified, NotAllowed, NotThere
from services.communities.library import queries, wording
from services.communities.library.actions import Changed, categories, documents, keeps, protocols
from services.communities.library.actions.categories import NameTaken, NotEmpty
from services.communities.library.actions.documents import Content
from services.communities.library.forms import (
    ACCEPT,
    CategoryForm,
    ContentForm,
    DepositForm,
    DescribeForm,
    RenameForm,
    ReviewForm,
    WithdrawForm,
)
from services.communities.library.models import LibraryDocument
from services.communities.library.routes import day_of_the_community, one

Answer = str | Response | tuple[str, int]
keeping_pages = frame.members_only(
    Blueprint("community_keeping", __name__, url_prefix=f"{frame.PREFIX}/bibliotheque", template_folder="templates")
)


@keeping_pages.route("/deposer", methods=["GET", "POST"])
def deposit(community_id: UUID) -> Answer:
    """Put a document in the library. The upload is received before anything is written, and survives a refused form."""
    frame.require_open(rights.CONTRIBUTOR)
    held = held_forms.take()
    form = DepositForm(formdata=held) if held else DepositForm()
    form.offer(queries.shelves(community_id), queries.owners(community_id))
    kept = None
    if form.is_submitted() and not held:
        valid = form.validate()
        kept = form.take(is_link=form.kind.data == "link")
        if valid and form.status == 200:
            answer: Response = _deposit(community_id=community_id, form=form, content=form.content(kept))
            return answer
    page = render_template("library/deposit.html", form=form, kept=kept, accept=ACCEPT, words=wording)
    return page, form.status


@once
def _deposit(community_id: UUID, form: DepositForm, content: Content) -> Response:
    made = documents.deposit(frame.seat(), form.wish, content)
    flash(
        _("It is deposited. Its text is being read: members see it in a few minutes.")
        if content.publish
        else _("The draft is kept: only you and the moderators see it."),
        "success",
    )
    return _to(made.id)


@keeping_pages.route("/<uuid:document_id>/nouvelle-version", methods=["GET", "POST"])
def renew(community_id: UUID, document_id: UUID) -> Answer:
    """Add a version: the one before stays until this one was read."""
    found = _kept(document_id)
    form, kept = ContentForm(), None
    if form.is_submitted():
        valid = form.validate()
        kept = form.take(is_link=found.kind == "link")
        if valid and form.status == 200:
            answer: Response = _renew(document_id=document_id, form=form, content=form.content(kept))
            return answer
    page = render_template("library/renew.html", form=form, document=found, kept=kept, accept=ACCEPT, words=wording)
    return page, form.status


@once
def _renew(document_id: UUID, form: ContentForm, content: Content) -> Response:
    documents.renew(frame.seat(), _kept(document_id), content)
    flash(_("The new version is there. It takes the place of the former one once its text was read."), "success")
    return _to(document_id)


@keeping_pages.route("/<uuid:document_id>/modifier", methods=["GET", "POST"])
@once
def edit(community_id: UUID, document_id: UUID) -> Answer:
    """Change what is said of a document."""
    found = _kept(document_id)
    form = DescribeForm()
    form.offer(queries.shelves(community_id), queries.owners(community_id))
    if form.validate_on_submit():
        documents.describe(frame.seat(), found, form.wish)
        flash(_("It is changed."), "success")
        return _to(document_id)
    if not form.is_submitted():
        form.show(found)
    page = render_template("library/edit.html", form=form, document=found, words=wording)
    return page, 422 if form.is_submitted() else 200


@keeping_pages.post("/<uuid:document_id>/publier")
def publish(community_id: UUID, document_id: UUID) -> Response:
    found = _kept(document_id)
    return _do(document_id, lambda: documents.publish(frame.seat(), found), _("Published: every member sees it."))


@keeping_pages.route("/<uuid:document_id>/retirer", methods=["GET", "POST"])
@once
def withdraw(community_id: UUID, document_id: UUID) -> Answer:
    """Take a document away from members, with a reason."""
    found = one(document_id)
    if not keeps(frame.seat(), found):
        abort(403)
    form = WithdrawForm()
    if form.validate_on_submit():
        reason = form.reason.data or ""
        return _do(
            document_id,
            lambda: documents.withdraw(frame.seat(), found, reason),
            _("Withdrawn: members no longer see it."),
        )
    page = render_template("library/withdraw.html", form=form, document=found)
    return page, 422 if form.is_submitted() else 200


@keeping_pages.post("/<uuid:document_id>/approuver")
def approve(community_id: UUID, document_id: UUID) -> Response:
    frame.require_open(rights.MODERATOR)
    found = one(document_id)
    return _do(document_id, lambda: protocols.approve(frame.seat(), found), _("You approved this version."))


@keeping_pages.post("/<uuid:document_id>/revue")
@once
def review(community_id: UUID, document_id: UUID) -> Answer:
    """It was looked at, and holds until another day."""
    frame.require_open(rights.CONTRIBUTOR)
    found, form, today = one(document_id), ReviewForm(), day_of_the_community()
    form.today = today
    if not form.validate_on_submit():
        return render_template("library/review.html", form=form, document=found), 422
    next_on = form.next_on.data
    return _do(
        document_id,
        lambda: protocols.review(frame.seat(), found, today=today, next_on=next_on),
        _("Thank you: the review is written."),
    )


@keeping_pages.post("/<uuid:document_id>/versions/<int:number>/decision")
def judge(community_id: UUID, document_id: UUID, number: int) -> Response:
    """A moderator says whether something is about a patient."""
    frame.require_open(rights.MODERATOR)
    version = queries.version(frame.seat(), document_id, number) or abort(404)
    text, clear = version.text, request.form.get("clear") == "1"
    if text is None:
        abort(404)
    done = _("It says nothing about a patient: members may see it.") if clear else _("Refused: nobody else sees it.")
    return _do(document_id, lambda: documents.judge(frame.seat(), text, version, clear=clear), done)


@keeping_pages.route("/categories", methods=["GET", "POST"])
@once
def category_list(community_id: UUID) -> Answer:
    """The shelves of the library, for animators."""
    frame.require(rights.ANIMATOR)
    form = CategoryForm()
    form.offer(queries.shelves(community_id))
    if not form.validate_on_submit():
        return _categories(form), 422 if form.is_submitted() else 200
    try:
        categories.add(frame.seat(), form.name.data or "", form.parent_id)
    except NameTaken:
        form.name.errors = [_("There is a category of this name already.")]
        return _categories(form), 409
    except (NotThere, CommunityClosed):
        abort(409)
    return redirect(url_for(".category_list", community_id=community_id), 303)


@keeping_pages.post("/categories/<uuid:category_id>")
def change_category(community_id: UUID, category_id: UUID) -> Answer:
    """One gesture: `up`, `down`, `remove`, or a new name."""
    frame.require_open(rights.ANIMATOR)
    seat, gesture = frame.seat(), request.form.get("gesture", "")
    try:
        if gesture in ("up", "down"):
            categories.move(seat, category_id, up=gesture == "up")
        elif gesture == "remove":
            categories.remove(seat, category_id)
        else:
            form = RenameForm()
            if not form.validate():
                flash(next((str(words[0]) for words in form.errors.values()), _("Give it a name.")), "warning")
            else:
                categories.rename(seat, category_id, form.name.data or "")
    except NotEmpty:
        flash(_("Documents or categories stand on it: move them first."), "warning")
    except NameTaken:
        flash(_("There is a category of this name already."), "warning")
    except Changed:
        pass  # already the first or the last of its place
    except NotThere:
        abort(404)
    return redirect(url_for(".category_list", community_id=community_id), 303)


def _categories(form: CategoryForm) -> str:
    community_id = frame.seat().community.id
    return render_template(
        "library/categories.html", form=form, shelves=queries.shelves(community_id),
        counts=queries.documents_by_category(community_id),
    )  # fmt: skip


def _do(document_id: UUID, act: Callable[[], None], done: str) -> Response:
    """Do it whole or not at all, and say so."""
    try:
        with session.begin_nested():
            act()
        flash(done, "success")
    except NotAllowed:
        abort(403)
    except (Changed, CommunityClosed, FileNotReadable):
        flash(
            _("This could not be done: somebody has dealt with it meanwhile, or nothing may be shown yet."), "warning"
        )
    except Identified:
        flash(_("There is a patient’s number in it. Take it out."), "warning")
    return _to(document_id)


def _kept(document_id: UUID) -> LibraryDocument:
    """The document of the page, when this member may change it."""
    frame.require_open(rights.CONTRIBUTOR)
    found = one(document_id)
    if not keeps(frame.seat(), found):
        abort(403)
    return found


def _to(document_id: UUID) -> Response:
    to = url_for("community_library.document", community_id=frame.seat().community.id, document_id=document_id)
    return redirect(to, 303)
