"""Sixty fictional days of figures, so that the demonstration's charts have something to show.

Only counted events: nobody is behind them. Always the same ones, for a given day. The worker's first roll-up counts
them: a roll-up in this same transaction would not see them (it stops at the oldest transaction still running).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select

from portal import db, kpi
from portal.calendar import civil_day, is_business_day
from portal.db import session
from portal.establishments import Unit
from portal.kpi import GROUP_WIDE, KpiEvent, hospital_totals, units
from tests.factories import history_uses
from tests.factories.demonstration import World

DAYS = 60
_WEEK = (1.2, 1.05, 1.0, 1.0, 0.9, 0.4, 0.25)
"""How busy each day of the week is, Monday first."""
_PIECES = ("identity", "cover", "mutual", "consent")

Row = dict[str, Any]


def demonstrate(world: World) -> None:
    """Write the events of the last sixty days, up to yesterday."""
    rows = list(events(world))
    session.execute(insert(KpiEvent).inline(), rows)
    _freeze(civil_day(db.now(), world.north.establishment.tz))
    for place, share in ((world.north.establishment, 1.0), (world.south.establishment, 0.55)):
        today = civil_day(db.now(), place.tz)
        hospital_totals.receive(history_uses.totals(place.id, today, share), "file")


def _freeze(today: date) -> None:
    """What a nightly count would have said of each day: who came back, who came since January."""
    for ago in range(DAYS, 0, -1):
        day = today - timedelta(days=ago)
        chance = Random(day.toordinal())
        kpi.freeze("U6", day, "patient", chance.randint(3, 6), chance.randint(7, 10))
        kpi.freeze("U2a", day, "patient", 40 + 9 * day.timetuple().tm_yday)
        kpi.freeze("U2a", day, "professional", 4 + day.timetuple().tm_yday // 4)


def events(world: World) -> Iterator[Row]:
    """Rows of `kpi_event`, oldest day first, those that rooms tell by unit told of one too."""
    places = [world.north.establishment.id, world.south.establishment.id]
    known: dict[UUID, list[UUID]] = {place: [] for place in places}
    for place, unit in session.execute(
        select(Unit.establishment_id, Unit.id).where(Unit.establishment_id.in_(places)).order_by(Unit.uf)
    ):
        known[place].append(unit)
    yield from _at_units(_events(world), known)


_BEGIN = frozenset(
    {
        "appointment_booked", "appointment_due", "appointment_request_sent", "appointment_slot_freed",
        "appointment_request_delay", "preadmission_started", "preadmission_first_answer", "preadmission_acceptance",
        "preadmission_identity", "stay_planned", "referral_sent", "callback_asked", "exchange_sent",
        "exchange_to_read", "exchange_first_answer", "deposit_sent",
    }
)  # fmt: skip
"""What another case begins with: the events after it are of the same unit."""


def _at_units(rows: Iterable[Row], known: Mapping[UUID, Sequence[UUID]]) -> Iterator[Row]:
    chance, unit = Random(11), None
    for row in rows:
        yield row
        if row["event"] not in units.EVENTS or not (here := known.get(row["establishment_id"], ())):
            continue
        if row["event"] in _BEGIN or unit not in here:
            weights = [1 / (rank + 1) for rank in range(len(here))]
            unit = chance.choices(here, weights)[0] if chance.random() < _WITH_UNIT else None
        if unit is not None:
            told = {"event": units.name(row["event"]), "dimension": units.dimension(unit, row["dimension"])}
            yield row | told | {"pseudonym": ""}


_WITH_UNIT = 0.93


def _events(world: World) -> Iterator[Row]:
    tz = world.north.establishment.tz
    today = civil_day(db.now(), tz)
    yield from _already_enrolled(datetime.combine(today - timedelta(days=DAYS), time(6), tz))
    for ago in range(DAYS, 0, -1):
        day = today - timedelta(days=ago)
        chance = Random(day.toordinal())
        busy = _busy(day, 1 - ago / DAYS, chance)
        for row in _day(world, chance, day, busy):
            yield _FIELDS | row | {"at": datetime.combine(day, _hour(chance), tz)}


_FIELDS: Row = {
    "establishment_id": GROUP_WIDE,
    "channel": "web",
    "audience": "patient",
    "dimension": "",
    "quantity": 0,
    "pseudonym": "",
}


def _already_enrolled(at: datetime) -> Iterator[Row]:
    """The accounts opened before the story begins: more than those who come back each month."""
    for audience, count in (("patient", 640), ("professional", 48)):
        for _number in range(count):
            yield _FIELDS | {"event": "account_created", "audience": audience, "at": at}


def _busy(day: date, progress: float, chance: Random) -> float:
    """The portal is used a little more each week, less at weekends and on holidays."""
    holiday = 0.3 if day.weekday() < 5 and not is_business_day(day) else 1.0
    return _WEEK[day.weekday()] * holiday * (0.7 + 0.5 * progress) * chance.uniform(0.85, 1.15)


def _hour(chance: Random) -> time:
    """Between 7 and 22 o'clock, mostly in mid-morning and late afternoon."""
    middle = chance.choice((10, 10, 14, 18))
    minutes = min(max(chance.gauss(middle * 60, 90), 7 * 60), 22 * 60)
    return time(int(minutes // 60), int(minutes % 60))


def _day(world: World, chance: Random, day: date, busy: float) -> Iterator[Row]:
    yield from _portal(chance, day, busy)
    yield from _news(chance, busy)
    yield from history_uses.of_the_portal(chance, busy)
    for place, share in ((world.north.establishment.id, 1.0), (world.south.establishment.id, 0.55)):
        yield from _appointments(chance, place, busy * share)
        yield from _preadmissions(chance, place, busy * share)
        yield from _questionnaires(chance, place, busy * share)
        yield from _bills(chance, place, busy * share)
        yield from _documents(chance, place, day, busy * share)
        yield from _record_requests(chance, place, busy * share)
        yield from _shelf(chance, place, busy * share)
        yield from _communities(chance, place, busy * share)
        yield from _referrals(chance, place, busy * share)
        yield from _callbacks(chance, place, busy * share)
        yield from history_uses.at_a_hospital(chance, place, day, busy * share)


def _portal(chance: Random, day: date, busy: float) -> Iterator[Row]:
    for audience, usual in (("anonymous", 42), ("patient", 30), ("professional", 7), ("staff", 6)):
        yield from _times(chance, usual * busy, event="visit_started", audience=audience)
    yield from _times(chance, 3 * busy, event="account_created")
    yield from _times(chance, 0.4 * busy, event="account_created", audience="professional")
    for audience, usual, known, door in (("patient", 24, 600, "franceconnect"), ("professional", 6, 45, "psc")):
        for row in _times(chance, usual * busy, event="session_opened", audience=audience, dimension=door):
            yield row | {"pseudonym": _somebody(chance, day, audience, known)}


def _news(chance: Random, busy: float) -> Iterator[Row]:
    """Messages to practitioners and agents: what each one told, and those that were no longer to be sent."""
    for _row in _times(chance, 9 * busy):
        told: Row = {"audience": "system", "channel": "mail", "quantity": chance.randint(1, 4)}
        yield told | {"event": "news_gathered"}
        yield told | {"event": "news_told" if chance.random() < 0.85 else "news_withheld"}


def _somebody(chance: Random, day: date, audience: str, known: int) -> str:
    return f"{day:%Y-%m}-{audience}-{chance.randrange(known)}"


def _appointments(chance: Random, place: UUID, busy: float) -> Iterator[Row]:
    booked: Row = {"event": "appointment_booked", "establishment_id": place}
    opened = booked | {"dimension": "open_online"}
    yield from _times(chance, 7 * busy, **opened)
    yield from _times(chance, 9 * busy, **opened, channel="phone", audience="staff")
    yield from _times(chance, 4 * busy, **booked, dimension="not_open_online", channel="phone", audience="staff")
    yield from _times(chance, 0.8 * busy, event="appointment_cancelled", establishment_id=place, dimension="by_patient")
    yield from _times(chance, 1.5 * busy, **opened, channel="city", audience="professional")
    yield from _requests(chance, place, busy)


def _requests(chance: Random, place: UUID, busy: float) -> Iterator[Row]:
    """Requests for appointments, their answers, and what the waiting list made of freed times."""
    for _row in _times(chance, 2 * busy):
        yield {"event": "appointment_request_sent", "establishment_id": place}
        in_time = "in_time" if chance.random() < 0.8 else "late"
        yield {"event": "appointment_request_answered", "establishment_id": place, "dimension": in_time}
        yield {"event": "appointment_request_closed", "establishment_id": place}
        if chance.random() < 0.7:
            yield {"event": "appointment_request_became", "establishment_id": place}
    for _row in _times(chance, 1.2 * busy):
        taken = "taken" if chance.random() < 0.6 else "empty"
        yield {"event": "appointment_slot_freed", "establishment_id": place, "dimension": taken, "audience": "system"}
        if taken == "taken" and chance.random() < 0.5:
            yield {"event": "appointment_by_waiting_list", "establishment_id": place}


def _preadmissions(chance: Random, place: UUID, busy: float) -> Iterator[Row]:
    for _row in _times(chance, 4 * busy):
        yield {"event": "preadmission_started", "establishment_id": place}
        yield {"event": "preadmission_submitted", "establishment_id": place}
        for kind in _PIECES[: chance.randint(1, len(_PIECES))]:
            yield {"event": "piece_deposited", "establishment_id": place, "dimension": kind}
            judged = "piece_refused" if chance.random() < 0.12 else "piece_accepted"
            yield {"event": judged, "establishment_id": place, "dimension": kind, "audience": "staff"}
        yield from _answer(chance, place)
    if chance.random() < 0.3:
        yield {"event": "maternity_received", "establishment_id": place}
        yield {"event": "maternity_confirmed", "establishment_id": place, "audience": "staff"}


def _answer(chance: Random, place: UUID) -> Iterator[Row]:
    """What became of a file: answered in time or late, accepted at once or after more, and told to the hospital."""
    office: Row = {"establishment_id": place, "audience": "staff"}
    yield office | {"event": "preadmission_answered", "dimension": "in_time" if chance.random() < 0.8 else "late"}
    ahead = chance.randint(3, 30)
    yield {"event": "preadmission_ahead", "establishment_id": place, "quantity": ahead, "dimension": str(ahead)}
    if chance.random() < 0.1:
        last = chance.choice(("identity", "coverage", "coverage", "trust", "pieces"))
        yield {"event": "preadmission_abandoned", "establishment_id": place, "dimension": last}
    if chance.random() < 0.06:
        yield office | {"event": "preadmission_refused", "dimension": "other"}
        return
    yield office | {"event": "preadmission_accepted", "dimension": "at_once" if chance.random() < 0.7 else "later"}
    yield office | {"event": "preadmission_validated"}
    system: Row = {"establishment_id": place, "audience": "system"}
    yield system | {"event": "preadmission_transmitted"}
    yield system | {"event": "preadmission_integrated_alone", "dimension": "alone"}
    yield system | {"event": "preadmission_arrived", "dimension": "direct"}


def _questionnaires(chance: Random, place: UUID, busy: float) -> Iterator[Row]:
    for _row in _times(chance, 3 * busy):
        yield {"event": "questionnaire_sent", "establishment_id": place, "audience": "system"}
        if chance.random() < 0.8:
            yield {"event": "questionnaire_answered", "establishment_id": place}
        if chance.random() < 0.1:
            yield {"event": "questionnaire_alert", "establishment_id": place}


def _bills(chance: Random, place: UUID, busy: float) -> Iterator[Row]:
    issued = chance.randint(6, 12) if busy > 0.4 else 0
    if issued:
        yield {"event": "bills_issued", "establishment_id": place, "audience": "system", "quantity": issued}
    if chance.random() < 0.6:
        yield {"event": "payment_file_read", "establishment_id": place, "channel": "import", "audience": "system"}
    for _row in _times(chance, 3.2 * busy):
        cents = chance.choice((690, 1_500, 2_000, 2_400, 3_000, 5_500, 8_640, 12_400))
        paid: Row = {"establishment_id": place, "channel": "stripe" if chance.random() < 0.15 else "payfip"}
        yield paid | {"event": "payment_started", "quantity": cents}
        if chance.random() < 0.12:
            yield paid | {"event": "payment_started", "quantity": cents}
            yield paid | {"event": "payment_unfinished", "dimension": chance.choice(("refused", "abandoned"))}
        yield paid | {"event": "bill_paid", "quantity": cents, "dimension": "card"}
        yield paid | {"event": "bill_settled", "quantity": cents, "dimension": str(chance.randint(2, 40))}


def _documents(chance: Random, place: UUID, day: date, busy: float) -> Iterator[Row]:
    for _row in _times(chance, 6 * busy):
        yield {"event": "document_filed", "establishment_id": place, "audience": "system"}
        if chance.random() < 0.64:
            yield {"event": "document_opened", "establishment_id": place, "dimension": "within_30_days"}
    for row in _times(chance, 2.5 * busy, event="exchange_sent", audience="professional", establishment_id=place):
        yield row | {"pseudonym": _somebody(chance, day, "professional", 45)}
    yield from _secure_mails(chance, place, busy)


def _secure_mails(chance: Random, place: UUID, busy: float) -> Iterator[Row]:
    """Mails by MSSanté, and what was heard of them."""
    mail: Row = {"establishment_id": place, "channel": "mssante", "audience": "system"}
    for dimension, usual in (("professional", 9.0), ("patient", 2.5)):
        for _row in _times(chance, usual * busy):
            yield mail | {"event": "mss_sent", "dimension": dimension}
            heard = "mss_bounced" if chance.random() < 0.04 else "mss_delivered"
            yield mail | {"event": heard, "dimension": dimension}


def _shelf(chance: Random, place: UUID, busy: float) -> Iterator[Row]:
    """What patients sent from their shelf, and what went to Mon espace santé."""
    for kind, usual in (("letter", 1.2), ("result", 1.8), ("prescription", 0.7)):
        row: Row = {"establishment_id": place, "dimension": kind}
        for _row in _times(chance, usual * busy):
            yield row | {"event": "deposit_sent"}
            judged = "deposit_refused" if chance.random() < 0.12 else "deposit_accepted"
            yield row | {"event": judged, "audience": "staff"}
        for _row in _times(chance, 4 * usual * busy):
            yield row | {"event": "mes_eligible", "channel": "system", "audience": "system"}
            if chance.random() < 0.9:
                yield row | {"event": "mes_sent", "channel": "system", "audience": "system"}


def _record_requests(chance: Random, place: UUID, busy: float) -> Iterator[Row]:
    """What hospitals are asked for daily, and how long their answers took."""
    for kind, usual in (("record", 0.8), ("situation", 1.6), ("presence", 2.2), ("complaint", 0.25), ("thanks", 0.3)):
        for _row in _times(chance, usual * busy):
            told: Row = {"establishment_id": place, "dimension": kind}
            yield told | {"event": "record_request_sent"}
            days = max(1, round(chance.gauss(7 if kind == "record" else 2, 2)))
            yield told | {"event": "record_request_answered", "audience": "staff"}
            delay: Row = {"establishment_id": place, "event": "record_request_delay", "audience": "staff"}
            yield delay | {"dimension": str(days), "quantity": days}
            if kind == "record" and days > 8:
                yield told | {"event": "record_request_late", "audience": "staff"}


def _times(chance: Random, usual: float, **row: Any) -> Iterator[Row]:
    """About `usual` such events."""
    for _number in range(max(0, round(chance.gauss(usual, usual**0.5 / 2)))):
        yield dict(row)


def _communities(chance: Random, place: UUID, busy: float) -> Iterator[Row]:
    """Places taken and left, messages, announcements."""
    told = {"establishment_id": place, "audience": "professional"}
    yield from _times(chance, 0.4 * busy, event="community_joined", **told)
    yield from _times(chance, 0.05 * busy, event="community_left", dimension="left", **told)
    yield from _times(chance, 3 * busy, event="community_post_written", **told)
    yield from _times(chance, 0.3 * busy, event="community_announced", **told)


def _referrals(chance: Random, place: UUID, busy: float) -> Iterator[Row]:
    """What practitioners ask units for, what those answer, and after how many hours."""
    for kind, usual in (("consultation", 1.6), ("opinion", 1.1), ("examination", 0.5), ("hospitalisation", 0.4)):
        for _row in _times(chance, usual * busy):
            yield {"event": "referral_sent", "establishment_id": place, "audience": "professional", "dimension": kind}
            told: Row = {"establishment_id": place, "audience": "staff"}
            how = "accepted" if chance.random() < 0.78 else chance.choice(("refused", "redirected"))
            hours = max(1, round(chance.gauss(20, 9)))
            yield told | {"event": "referral_answered", "dimension": how, "quantity": hours * 60}
            yield told | {"event": "referral_delay", "dimension": str(hours)}


def _callbacks(chance: Random, place: UUID, busy: float) -> Iterator[Row]:
    """What practitioners ask direct lines, and after how many minutes they are called back."""
    for _row in _times(chance, 2.4 * busy):
        yield {"event": "callback_asked", "establishment_id": place, "audience": "professional"}
        if chance.random() < 0.9:
            minutes = max(4, round(chance.gauss(70, 45)))
            when = "on_time" if minutes < 120 else "late"
            told: Row = {"event": "callback_answered", "establishment_id": place, "audience": "staff"}
            yield told | {"dimension": when, "quantity": minutes}
