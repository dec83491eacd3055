"""Which changes of a file the hospital's system is told, and how it is written.

There is no cursor: a change that is committed late, or that a restore brought back, is found all the same.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from flask_babel import force_locale
from sqlalchemy import exists, select, text
from sqlalchemy.orm import joinedload

from portal import audit, establishments, files
from portal.db import session
from portal.gateways.his import Parcel
from services.exchanges import actions as exchanges
from services.exchanges import dialect as codes
from services.exchanges import states as delivered
from services.exchanges.dialect import Dialect
from services.exchanges.models import Delivery
from services.exchanges.subjects import CannotBeTold, Written
from services.pieces import actions as piece_actions
from services.preadmission import states as file_states
from services.preadmission.actions import traces, transmit
from services.preadmission.exchanges import folder, gathering, pam, states, wording
from services.preadmission.exchanges.request import Action, Request
from services.preadmission.models import Preadmission
from services.preadmission.queries.files import PLACE

AT_ONCE = 2000
_UNKNOWN, _KNOWN_ALREADY = "204", "205"
"""Table 0357: the hospital's system lost what it had taken (it was restored), or has what we thought it had not."""
_PLAN = text("""
insert into delivery (id, follower_id, establishment_id, subject_kind, subject_id, change_id, event, changed_at, state,
                      control_id)
select gen_random_uuid(), f.id, f.establishment_id, :subject, p.id, c.id,
       case when c.to_state = 'validated' then 'A05' else 'A38' end, c.at,
       case when c.actor = :by_his then 'not_needed' else 'waiting' end,
       left(replace(c.id::text, '-', ''), 16)
from preadmission_change c
join preadmission p on p.id = c.preadmission_id
join follower f on f.establishment_id = p.establishment_id and f.kind = 'his' and f.follows_since <= c.at
join establishment_setting s on s.establishment_id = p.establishment_id and s.key = :format
                            and s.value in ('hl7', 'csv')
where c.at >= :since
  and c.to_state in ('validated', 'refused', 'cancelled_by_patient', 'cancelled_by_hospital')
  and not exists (select 1 from delivery d where d.follower_id = f.id and d.change_id = c.id)
order by c.at
limit :at_once
on conflict (follower_id, change_id) do nothing
""")


def plan(since: datetime) -> int:
    """Write down what the hospital systems are to be told of the changes since then; how many are new."""
    by_his = f"system:{states.HIS_ACTOR}"
    asked = {"since": since, "by_his": by_his, "at_once": AT_ONCE, "subject": states.SUBJECT, "format": states.FORMAT}
    return int(session.connection().execute(_PLAN, asked).rowcount)


def is_superseded(waiting: Delivery) -> bool:
    """A request that is reopened, cancelled or told again later says nothing now; nor does a cancellation of what was
    never taken there."""
    file = _of(waiting)
    if file is None:
        return True
    if waiting.event == states.CANCEL:
        return not is_known_there(file) or file.state in file_states.READY
    return file.state not in file_states.READY or _is_told_later(waiting)


def is_known_there(file: Preadmission) -> bool:
    """Whether the hospital's system took our request, or told us of the stay."""
    return bool(file.message_id or file.visit_number)


def _is_told_later(waiting: Delivery) -> bool:
    later = exists().where(
        Delivery.follower_id == waiting.follower_id,
        Delivery.subject_id == waiting.subject_id,
        Delivery.event == states.PREADMIT,
        Delivery.state == delivered.WAITING,
        (Delivery.changed_at > waiting.changed_at)
        | ((Delivery.changed_at == waiting.changed_at) & (Delivery.id > waiting.id)),
    )
    return bool(session.scalar(select(later)))


def write(waiting: Delivery, dialect: Dialect) -> Written | None:
    """The file as it is now, in the hospital's format. Raises CannotBeTold."""
    file, request = _of(waiting), request_of(waiting)
    if file is None or request is None:
        return None
    asked = establishments.setting(file.establishment_id, states.FORMAT, states.NONE)
    if asked == states.HL7:
        return Written(pam.write(request, dialect))
    if asked == states.CSV:
        if not establishments.setting(file.establishment_id, codes.ADDRESS).startswith("folder:"):
            raise CannotBeTold("no_folder")
        return Written(folder.as_csv(request), _parcel(file, request))
    raise CannotBeTold("no_format")


def request_of(told: Delivery) -> Request | None:
    """What it asks, as the file is now; None when the file is gone."""
    file = _of(told)
    return gathering.gather(file, _action(told, file), told.control_id, told.changed_at) if file else None


def _action(waiting: Delivery, file: Preadmission) -> Action:
    """INSERT until one was taken: what was refused is new there."""
    if waiting.event == states.CANCEL:
        return "CANCEL"
    return "UPDATE" if file.message_id else "INSERT"


def _parcel(file: Preadmission, request: Request) -> Callable[[], Parcel]:
    """Read from the storage when the folder is written, when no transaction is open."""
    with force_locale("fr"):
        title, words = wording.summary(request)
        sheet = folder.as_pdf(request, title, words)
    content: list[tuple[str, Iterable[bytes]]] = [
        (folder.CSV_NAME, [folder.as_csv(request)]),
        (folder.SUMMARY_NAME, [sheet]),
    ]
    if request.action != "CANCEL":
        for piece in gathering.pieces(file):
            for page in piece.pages:
                stored = piece_actions.hand_over_original(page)
                content.append((gathering.name_of(piece, page), files.open_(stored)))
    return lambda: Parcel(file.reference, content)


def settled(told_of: Delivery) -> None:
    """The hospital's system took a request, and the file says so; or it answered that it does not know it, or knows it
    already, and then the next one says it otherwise."""
    file = _of(told_of)
    if file is None or told_of.event != states.PREADMIT:
        return
    if told_of.state == delivered.ACCEPTED:
        _note_taken(file, told_of.control_id)
    elif told_of.error == _KNOWN_ALREADY and not file.message_id:
        _note_message(file, told_of.control_id)
    elif told_of.error == _UNKNOWN and file.message_id:
        _note_message(file, "")
        told_of.state = delivered.NOT_NEEDED
        tell_again(file)


def _note_taken(file: Preadmission, control_id: str) -> None:
    """Unless somebody has taken the file back meanwhile."""
    if file.state == "validated":
        transmit(file, control_id)
    else:
        _note_message(file, control_id)


def _note_message(file: Preadmission, control_id: str) -> None:
    traces.lock(file)
    file.message_id = control_id
    session.flush()


def _of(told: Delivery) -> Preadmission | None:
    if told.subject_id is None:
        return None
    query = select(Preadmission).where(Preadmission.id == told.subject_id)
    query = query.options(*PLACE, joinedload(Preadmission.patient)).execution_options(populate_existing=True)
    return session.scalar(query)


def tell_again(file: Preadmission) -> bool:
    """Tell the hospital's system the file as it is now. False when it has none, or there is nothing to tell."""
    over = file.state not in file_states.READY
    if over and not is_known_there(file):
        return False
    event = states.CANCEL if over else states.PREADMIT
    return exchanges.tell_again(file.establishment_id, states.SUBJECT, file.id, event)


def change_format(establishment_id: UUID, value: str) -> None:
    """Set how a hospital's system takes our requests: one of `states.FORMATS`. Raises ValueError."""
    establishments.change_setting(establishment_id, states.FORMAT, value)
    audit.record("his_format.changed", establishment_id=establishment_id, format=value)


def find(hospitals: Collection[UUID], reference: str) -> Sequence[UUID]:
    """The file of these hospitals that bears this reference."""
    query = select(Preadmission.id).where(
        Preadmission.establishment_id.in_(hospitals), Preadmission.reference == reference
    )
    return session.scalars(query).all()


def references(ids: Collection[UUID]) -> Mapping[UUID, str]:
    """The reference of each of these files."""
    rows = session.execute(select(Preadmission.id, Preadmission.reference).where(Preadmission.id.in_(ids)))
    return {row.id: row.reference for row in rows}


def patient_of(preadmission_id: UUID) -> UUID | None:
    return session.scalar(select(Preadmission.patient_id).where(Preadmission.id == preadmission_id))
