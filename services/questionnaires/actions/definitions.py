"""Authors write, publish, renew, share and retire questionnaires. What was published is never changed."""

import re
import unicodedata
from dataclasses import replace
from uuid import UUID, uuid4

from sqlalchemy import func, select

from portal import audit, db
from portal.db import session
from services.questionnaires import states
from services.questionnaires.actions.facts import ChangedMeanwhile, CodeTaken, NotEditable, NothingToUndo
from services.questionnaires.definition import editing, parsing
from services.questionnaires.definition.items import Definition
from services.questionnaires.definition.writing import write
from services.questionnaires.models import Questionnaire

_LONGEST_CODE = 60


def code_of(title: str) -> str:
    """`Appel avant l’anesthésie` → `appel-avant-l-anesthesie`."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:_LONGEST_CODE].strip("-") or "questionnaire"


def start(establishment_id: UUID, definition: Definition, code: str = "") -> Questionnaire:
    """A first draft. code: its name at the hospital; "" makes one from the title. Raises CodeTaken,
    parsing.Unreadable."""
    definition = editing.checked(definition)
    code = code or code_of(definition.title.text)
    _alone(establishment_id, code)
    if _latest(establishment_id, code) is not None:
        raise CodeTaken
    return _add(establishment_id, code, 1, definition)


def renew(former: Questionnaire) -> Questionnaire:
    """A draft of the next version; the one that is there already, if any."""
    _alone(former.establishment_id, former.code)
    latest = _latest(former.establishment_id, former.code)
    if latest is not None and latest.state == states.DRAFT:
        return latest
    version = (latest.version if latest else 0) + 1
    return _add(former.establishment_id, former.code, version, former.definition)


def copy(shared: Questionnaire, establishment_id: UUID) -> Questionnaire:
    """A draft of one's own of what another hospital of the group shares. Raises CodeTaken."""
    return start(establishment_id, shared.definition, shared.code)


def save(draft: Questionnaire, definition: Definition, seen_at: str = "") -> None:
    """Write what the editor made. seen_at: `changed_at` of the page that was shown. Raises NotEditable,
    ChangedMeanwhile."""
    found = _lock(draft)
    if found.state != states.DRAFT:
        raise NotEditable
    if seen_at and found.changed_at.isoformat() != seen_at:
        raise ChangedMeanwhile
    _write(found, definition)
    session.flush()
    _record(found, "changed")


def undo(draft: Questionnaire, seen_at: str = "") -> None:
    """Take the last change of a draft back; twice makes it again. Raises NotEditable, ChangedMeanwhile,
    NothingToUndo."""
    found = _lock(draft)
    if found.state != states.DRAFT:
        raise NotEditable
    if seen_at and found.changed_at.isoformat() != seen_at:
        raise ChangedMeanwhile
    if found.former_content is None:
        raise NothingToUndo
    _write(found, parsing.read(found.former_content, draft=True))
    session.flush()
    _record(found, "undone")


def duplicate(questionnaire: Questionnaire, title: str) -> Questionnaire:
    """A draft of another questionnaire of the hospital that begins as this one. Raises CodeTaken, parsing.Unreadable
    (the title)."""
    named = replace(questionnaire.definition, title=replace(questionnaire.definition.title, text=title.strip()))
    return start(questionnaire.establishment_id, named)


def publish(draft: Questionnaire, seen_at: str = "") -> None:
    """From now on it is sent, and its former version is not. seen_at: see `save`. Raises NotEditable, ChangedMeanwhile,
    parsing.Unreadable (unfinished)."""
    found = _lock(draft)
    if found.state != states.DRAFT:
        raise NotEditable
    if seen_at and found.changed_at.isoformat() != seen_at:
        raise ChangedMeanwhile
    editing.checked(found.definition, draft=False)
    former = session.scalar(
        select(Questionnaire).where(
            Questionnaire.establishment_id == found.establishment_id,
            Questionnaire.code == found.code,
            Questionnaire.state == states.PUBLISHED,
        )
    )
    if former is not None:
        _retire(former)
    states.check(found.state, states.PUBLISHED, states.DEFINITION_TRANSITIONS)
    found.state, found.published_at, found.former_content = states.PUBLISHED, db.now(), None
    session.flush()
    _record(found, "published")


def retire(questionnaire: Questionnaire) -> None:
    """It is not sent any more; those already sent may be answered. Raises states.NotAllowed."""
    _retire(_lock(questionnaire))


def _retire(questionnaire: Questionnaire) -> None:
    states.check(questionnaire.state, states.RETIRED, states.DEFINITION_TRANSITIONS)
    questionnaire.state, questionnaire.retired_at = states.RETIRED, db.now()
    session.flush()
    _record(questionnaire, "retired")


def drop(draft: Questionnaire) -> None:
    """Give a draft up. Raises NotEditable."""
    found = _lock(draft)
    if found.state != states.DRAFT:
        raise NotEditable
    _record(found, "dropped")
    session.delete(found)
    session.flush()


def share(questionnaire: Questionnaire, *, shared: bool) -> None:
    """Let the other hospitals of the group copy it, or not any more."""
    questionnaire.shared = shared
    session.flush()
    _record(questionnaire, "shared" if shared else "unshared")


def _add(establishment_id: UUID, code: str, version: int, definition: Definition) -> Questionnaire:
    made = Questionnaire(id=uuid4(), establishment_id=establishment_id, code=code, version=version)
    made.state = states.DRAFT
    _write(made, definition)
    session.add(made)
    session.flush()
    _record(made, "drafted")
    return made


def _write(draft: Questionnaire, definition: Definition) -> None:
    content = write(definition)
    if draft.content is not None and draft.content != content:
        draft.former_content = draft.content
    draft.content, draft.title = content, definition.title.text
    draft.changed_at, draft.changed_by_name = db.now(), db.current_actor().name
    draft.__dict__.pop("definition", None)  # read again from what was written


def _lock(questionnaire: Questionnaire) -> Questionnaire:
    query = select(Questionnaire).where(Questionnaire.id == questionnaire.id).with_for_update(key_share=True)
    found = session.scalar(query.execution_options(populate_existing=True))
    if found is None:
        raise NotEditable
    found.__dict__.pop("definition", None)
    return found


def _latest(establishment_id: UUID, code: str) -> Questionnaire | None:
    query = select(Questionnaire).where(Questionnaire.establishment_id == establishment_id, Questionnaire.code == code)
    return session.scalar(query.order_by(Questionnaire.version.desc()).limit(1))


def _alone(establishment_id: UUID, code: str) -> None:
    """Two authors give no name twice."""
    key = f"questionnaire {establishment_id} {code}"
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(key, 0))))


def _record(questionnaire: Questionnaire, what: str) -> None:
    audit.record(
        f"questionnaire_definition.{what}",
        establishment_id=questionnaire.establishment_id,
        object_kind="questionnaire_definition",
        object_id=questionnaire.id,
        code=questionnaire.code,
        version=questionnaire.version,
    )
