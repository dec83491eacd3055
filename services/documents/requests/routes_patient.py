"""The applicant's pages: what may be asked, the steps of a request, its receipt, and following it."""

from collections.abc import Callable
from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from auth import assurance, guards, held_forms, sessions
from auth import queries as people
from portal import db
from portal.files import FileNotReadable, StoredFile
from portal.web import branding
from portal.web.downloads import file_response
from portal.web.limits import limiter
from portal.web.repeated_posts import once
from services.documents import wording as room_words
from services.documents.requests import actions, queries, settings, wording
from services.documents.requests.actions import KindClosed, NotThere, ProofMissing, TooMany
from services.documents.requests.actions.applying import missing_proofs
from services.documents.requests.forms import BeginForm, ProofForm, SupplyForm, WordsForm
from services.documents.requests.kinds import ALL, BY_SLUG, Kind, needed_proofs
from services.documents.requests.models import RecordRequest
from services.documents.requests.states import DRAFT, MISSING, NotAllowed
from services.documents.requests.step_forms import step_form

# Its matter is each request's own (`_within`): a mandate for administrative matters asks for a proof of stay, and
# reaches no medical file. The database says the same (migration 0047).
pages = guards.patients(
    Blueprint("record_requests", __name__, url_prefix="/documents/demandes", template_folder="templates"), "account"
)
Answer = str | Response | tuple[str, int]
SLUGS = {
    "applicant": "demandeur",
    "contents": "contenu",
    "delivery": "remise",
    "proofs": "justificatifs",
    "check": "verifier",
    "stay": "sejour",
    "visit": "venue",
    "complaint": "message",
    "thanks": "message",
}
"""Step → its word in addresses."""


def _account_id() -> UUID:
    current = sessions.signed_in()
    return current.account_id if current else abort(403)


def _within(kind: Kind) -> bool:
    """Whether one may ask for this, for the person one acts for."""
    return guards.patient_id() in db.current_actor().people(kind.scope)


def _mine(request_id: UUID) -> RecordRequest:
    return branding.of(queries.one_of_applicant(guards.patient_id(), _account_id(), request_id) or abort(404))


def _not_proven(kind: Kind) -> Response | None:
    """A medical file is asked for by whoever is identified as well as its readers are."""
    current = sessions.signed_in()
    if kind.scope != "medical" or current is None or assurance.suffices(current, "documents"):
        return None
    return guards.to_the_proof("documents")


def _page(name: str, **facts: object) -> str:
    return render_template(f"record_requests/{name}.html", words=wording, slugs=SLUGS, room_words=room_words, **facts)


# -- beginning ---------------------------------------------------------------------------------------------------


@pages.get("")
def overview() -> str:
    """What may be asked, and what was."""
    found = queries.of_applicant(guards.patient_id(), _account_id())
    chosen = [settings.of(place.id) for place in queries.hospitals()]
    kinds = [kind for kind in ALL if _within(kind) and any(each.is_open(kind) for each in chosen)]
    return _page("overview", requests=found, kinds=kinds, patient=people.patient(guards.patient_id()))


@pages.route("/nouvelle/<slug>", methods=["GET", "POST"])
@limiter.limit("60 per hour", methods=["POST"])
@once
def begin(slug: str) -> Answer:
    """Which hospital, about whom: a draft begins, and is kept."""
    kind = BY_SLUG.get(slug) or abort(404)
    if not _within(kind):
        return _page("beyond", kind=kind), 403
    if refused := _not_proven(kind):
        return refused
    places = [place for place in queries.hospitals() if settings.of(place.id).is_open(kind)]
    held = held_forms.take()
    form = BeginForm(formdata=held) if held else BeginForm()
    patient = people.patient(guards.patient_id())
    form.offer(places, patient.full_name, heirs=kind.heirs and not db.current_actor().proxied & {patient.id})
    if places and form.validate_on_submit():
        return _begun(form, kind)
    page = _page("begin", form=form, kind=kind, places=places, patient=patient)
    return (page, 422) if form.errors else page


def _begun(form: BeginForm, kind: Kind) -> Answer:
    place = next(each for each in queries.hospitals() if each.id == form.chosen)
    patient = None if form.is_heir else people.patient(guards.patient_id())
    known = _identity_known(place.id)
    try:
        made = actions.begin(patient, place, kind, _quality(heir=form.is_heir), identity_known=known)
    except (KindClosed, TooMany):
        flash(_("Too many requests are under way: finish or cancel one of them first."), "warning")
        return redirect(url_for(".overview"), 303)
    return redirect(url_for(".step", request_id=made.id, slug=SLUGS[kind.steps[0]]), 303)


def _quality(*, heir: bool) -> str:
    if heir:
        return "heir"
    relation = queries.relation(_account_id(), guards.patient_id())
    return relation if relation in ("parent", "guardian", "curator", "carer") else "patient"


def _identity_known(place: UUID) -> bool:
    """Whether the sign-in proves who applies, as this hospital wants it (CSP R1111-1)."""
    current = sessions.signed_in()
    if current is None:
        return False
    wanted = settings.of(place).identity
    return assurance.LEVELS.index(assurance.level(current)) >= assurance.LEVELS.index(wanted)


# -- the steps ---------------------------------------------------------------------------------------------------


@pages.route("/<uuid:request_id>/etape/<slug>", methods=["GET", "POST"])
@once
def step(request_id: UUID, slug: str) -> Answer:
    """One step of a draft; what was typed is kept at each."""
    asked = _mine(request_id)
    name = next((each for each in asked.definition.steps if SLUGS[each] == slug), None) or abort(404)
    if asked.state != DRAFT:
        return redirect(url_for(".show", request_id=asked.id), 303)
    if name == "proofs":
        return _proofs_page(asked, ProofForm(MultiDict()))
    if name == "check":
        return _check_page(asked)
    made = step_form(asked, name)
    form = made() if request.method == "POST" else made.of(asked, held_forms.take())
    form.about(asked)
    if form.validate_on_submit():
        actions.fill(asked, form.facts(), **form.columns())
        return redirect(url_for(".step", request_id=asked.id, slug=_after(asked, name)), 303)
    page = _step_page("step", asked, name, form=form)
    return (page, 422) if form.errors else page


def _after(asked: RecordRequest, name: str) -> str:
    steps = asked.definition.steps
    return SLUGS[steps[steps.index(name) + 1]]


def _step_page(template: str, asked: RecordRequest, name: str, **facts: object) -> str:
    steps = asked.definition.steps
    at = steps.index(name)
    back = SLUGS[steps[at - 1]] if at else None
    return _page(
        template, asked=asked, step=name, at=at, back=back, choices=settings.of(asked.establishment_id), **facts
    )


def _proofs_page(asked: RecordRequest, form: ProofForm) -> str:
    return _step_page(
        "proofs",
        asked,
        "proofs",
        form=form,
        needed=needed_proofs(asked.definition, asked.quality, identity_known=asked.identity_known),
        missing=missing_proofs(asked),
        joined=queries.files_of(asked.id),
    )


@pages.post("/<uuid:request_id>/justificatifs/<use>")
@limiter.limit("60 per hour")
def join(request_id: UUID, use: str) -> Answer:
    """Join a proof to a draft. The upload is received, and scanned, before anything is written."""
    asked = _mine(request_id)
    if use not in ("identity", "quality", "other"):
        abort(404)
    form = ProofForm()
    valid = form.validate()
    stored = form.take_upload()
    if not (valid and stored):
        return _proofs_page(asked, form), 422
    answer: Response = _join(request_id=asked.id, use=use, stored=stored)
    return answer


@once
def _join(request_id: UUID, use: str, stored: StoredFile) -> Response:
    asked = _mine(request_id)
    try:
        actions.join_proof(asked, stored.id, use)
    except (NotAllowed, TooMany, FileNotReadable):
        flash(_("This file could not be joined to the request."), "warning")
    if asked.state == DRAFT:
        return redirect(url_for(".step", request_id=asked.id, slug=SLUGS["proofs"]), 303)
    return redirect(url_for(".show", request_id=asked.id), 303)


@pages.post("/<uuid:request_id>/fichiers/<uuid:file_id>/retirer")
def unjoin(request_id: UUID, file_id: UUID) -> Answer:
    try:
        actions.drop_proof(_mine(request_id), file_id)
    except (NotThere, NotAllowed):
        abort(404)
    return redirect(url_for(".step", request_id=request_id, slug=SLUGS["proofs"]), 303)


def _check_page(asked: RecordRequest) -> Answer:
    """What will be sent; a step that is not filled in comes first."""
    if (lacking := _unfilled(asked)) is not None:
        return redirect(url_for(".step", request_id=asked.id, slug=SLUGS[lacking]), 303)
    return _step_page("check", asked, "check", joined=queries.files_of(asked.id), form=WordsForm(MultiDict()))


def _unfilled(asked: RecordRequest) -> str | None:
    """The first step that does not hold yet, as the forms themselves say."""
    for name in asked.definition.steps:
        if name == "check":
            continue
        if name == "proofs":
            if missing_proofs(asked):
                return name
        elif not step_form(asked, name).is_kept(asked):
            return name
    return None


@pages.post("/<uuid:request_id>/envoyer")
@limiter.limit("30 per hour")
@once
def send(request_id: UUID) -> Answer:
    asked = _mine(request_id)
    try:
        if asked.state == DRAFT and _unfilled(asked) is None:
            actions.send(asked)
    except (NotAllowed, ProofMissing):
        pass  # another tab was quicker: the page says where it stands
    except KindClosed:
        flash(_("This hospital does not take this request online any more."), "warning")
    if asked.state == DRAFT:
        return redirect(url_for(".step", request_id=asked.id, slug=SLUGS["check"]), 303)
    return redirect(url_for(".receipt", request_id=asked.id), 303)


@pages.post("/<uuid:request_id>/supprimer")
def drop(request_id: UUID) -> Answer:
    """A draft that will not be sent."""
    return _act(request_id, actions.drop_draft, _("The draft is deleted."), ".overview")


# -- following ---------------------------------------------------------------------------------------------------


@pages.get("/<uuid:request_id>/recu")
def receipt(request_id: UUID) -> Answer:
    asked = _mine(request_id)
    if asked.state == DRAFT:
        return redirect(url_for(".show", request_id=asked.id), 303)
    return _page("receipt", asked=asked, choices=settings.of(asked.establishment_id))


@pages.get("/<uuid:request_id>")
def show(request_id: UUID) -> Answer:
    asked = _mine(request_id)
    if asked.state == DRAFT:
        slug = _unfilled(asked) or "check"
        return redirect(url_for(".step", request_id=asked.id, slug=SLUGS[slug]), 303)
    return _following(asked)


def _following(asked: RecordRequest, form: WordsForm | SupplyForm | None = None) -> str:
    held = held_forms.take()
    made = SupplyForm if asked.state == MISSING else WordsForm
    return _page(
        "show",
        asked=asked,
        form=form or (made(formdata=held) if held else made(MultiDict())),
        messages=queries.messages(asked.id),
        changes=queries.changes(asked.id),
        joined=queries.files_of(asked.id),
        choices=settings.of(asked.establishment_id),
    )


@pages.post("/<uuid:request_id>/ecrire")
@limiter.limit("60 per hour")
@once
def write(request_id: UUID) -> Answer:
    asked, form = _mine(request_id), WordsForm()
    if not form.validate():
        return _following(asked, form), 422
    text = form.text.data or ""
    return _act(request_id, lambda found: actions.go_on(found, text), _("Your message is sent."))


@pages.post("/<uuid:request_id>/completer")
@limiter.limit("60 per hour")
def supply(request_id: UUID) -> Answer:
    """What the hospital asked for: a document, a few words, or both."""
    asked, form = _mine(request_id), SupplyForm()
    valid = form.validate()
    stored = form.take_upload(needed=False)
    if not valid or form.errors:
        return _following(asked, form), 422
    if stored is None and asked.state == MISSING and not (form.text.data or "").strip():
        form.file.errors = [*form.file.errors, _("Choose the document to send.")]
        return _following(asked, form), 422
    answer: Response = _supply(request_id=asked.id, form=form, stored=stored)
    return answer


@once
def _supply(request_id: UUID, form: SupplyForm, stored: StoredFile | None) -> Answer:
    asked = _mine(request_id)
    use = next((each for each in asked.missing if each in ("identity", "quality")), "other")
    use = form.use.data if form.use.data in ("identity", "quality", "other") else use
    try:
        if stored is not None:
            actions.join_proof(asked, stored.id, use)
        actions.supply(asked, form.text.data or "")
        flash(_("The hospital has what you gave. Its time to answer runs."), "success")
    except ProofMissing as lacking:
        left = ", ".join(str(wording.PROOFS[each]) for each in lacking.args[0])
        flash(_("Thank you. Still missing: %(proofs)s.", proofs=left), "info")
    except (NotAllowed, TooMany, FileNotReadable):
        flash(_("This request has just changed: look at where it stands."), "warning")
    return redirect(url_for(".show", request_id=asked.id), 303)


@pages.post("/<uuid:request_id>/annuler")
def cancel(request_id: UUID) -> Answer:
    return _act(request_id, actions.cancel, _("Your request is cancelled."))


@pages.post("/<uuid:request_id>/rouvrir")
@limiter.limit("20 per hour")
@once
def reopen(request_id: UUID) -> Answer:
    asked, form = _mine(request_id), WordsForm()
    if not form.validate():
        return _following(asked, form), 422
    text = form.text.data or ""
    return _act(request_id, lambda found: actions.reopen(found, text), _("The hospital looks at your request again."))


@pages.get("/<uuid:request_id>/fichiers/<uuid:file_id>")
def file(request_id: UUID, file_id: UUID) -> Response:
    """A proof that was joined, or an answer."""
    asked = _mine(request_id)
    joined = queries.file_of(asked.id, file_id) or abort(404)
    try:
        response = file_response(joined.file)
    except FileNotReadable:
        abort(404)
    actions.hand_over(asked, joined)
    return response


def _act(request_id: UUID, act: Callable[[RecordRequest], object], said: str, leads_to: str = ".show") -> Response:
    try:
        act(_mine(request_id))
        flash(said, "success")
    except NotAllowed:
        flash(_("This request has just changed: look at where it stands."), "warning")
        leads_to = ".show"
    page = url_for(leads_to, request_id=request_id) if leads_to == ".show" else url_for(leads_to)
    return redirect(page, 303)
