"""Which source a bill comes from, how it may be paid, and at which counter."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from portal import establishments
from portal.config import Settings
from portal.db import session
from portal.establishments import Establishment
from portal.gateways.payments.contract import Mode
from portal.gateways.payments.means import Counter
from services.billing.sources.models import KINDS, BillSource


@dataclass
class _Rules:
    """tests_count: whether a counter in test mode may be used here; never in production. stripe_key: the only
    hospital's, when the environment holds it."""

    tests_count: bool = False
    stripe_key: str = ""


_rules = _Rules()


def configure(settings: Settings) -> None:
    """Take what the environment says."""
    _rules.tests_count = not settings.is_production
    key = getattr(settings, "stripe_api_key", None)
    _rules.stripe_key = key.get_secret_value() if key else ""


def tests_count() -> bool:
    """Whether a payment in test mode may credit a bill here."""
    return _rules.tests_count


def source_of(establishment_id: UUID, kind: str, code: str = "") -> BillSource:
    """The source that a bill names, or the hospital's default one for bills of that kind.

    The default is the row whose code is the kind; failing that, what the settings `payfip_numcli`, `payfip_saisie` and
    `stripe_enabled` say. A bill that names a source we do not know follows the default one.
    """
    rows = session.scalars(
        select(BillSource).where(
            BillSource.establishment_id == establishment_id, BillSource.kind == kind, BillSource.code.in_((code, kind))
        )
    ).all()
    return next((row for row in rows if row.code == code), None) or (
        rows[0] if rows else _by_default(establishment_id, kind)
    )


def _by_default(establishment_id: UUID, kind: str) -> BillSource:
    """A source that nobody has described yet: never added to the session."""
    told = establishments.settings(establishment_id, ("stripe_enabled", "payfip_numcli", "payfip_saisie"))
    stripe = kind != "titre" and told["stripe_enabled"] == "yes"
    numcli = told["payfip_numcli"] if kind != "private" else ""
    saisie = told["payfip_saisie"] if numcli else ""
    return BillSource(
        establishment_id=establishment_id,
        code=kind,
        kind=kind,
        name="",
        numcli=numcli,
        saisie=saisie if saisie in set(Mode) else "",
        means=[*(["payfip"] if numcli else []), *(["stripe"] if stripe else [])],
        access="key",
        several=False,
        reminds=kind == "regie",
        contact_name="",
        contact_phone="",
        contact_email="",
        contact_hours="",
        difficulties="",
        instalments="",
        is_active=True,
    )


def means_of(source: BillSource) -> tuple[str, ...]:
    """The means a payer may choose among, in the order they are offered; looks at no secret."""
    if not source.is_active:
        return ()
    return tuple(psp for psp in source.means if _is_open(source, psp))


def _is_open(source: BillSource, psp: str) -> bool:
    if psp == "payfip":
        usable = source.saisie in set(Mode) and (_rules.tests_count or source.saisie != Mode.TEST)
        return bool(source.numcli) and usable
    return source.kind != "titre" and stripe_open_at(source.establishment_id)


def stripe_open_at(establishment_id: UUID) -> bool:
    """Whether the hospital opened Stripe, with its public accountant's agreement."""
    return establishments.setting(establishment_id, "stripe_enabled") == "yes"


def counter_of(source: BillSource, psp: str) -> Counter | None:
    """Where this source's payments go, with the key that opens it: for a system job. None when it is closed."""
    if psp not in means_of(source):
        return None
    return Counter(source.numcli, source.saisie) if psp == "payfip" else stripe_counter(source.establishment_id)


def stripe_counter(establishment_id: UUID) -> Counter | None:
    """The hospital's Stripe account, named by its FINESS number; for a system job, which alone reads the key."""
    key = establishments.setting(establishment_id, "stripe_api_key") or _rules.stripe_key
    if not key:
        return None
    mode = Mode.TEST if "_test_" in key[:12] else Mode.PRODUCTION
    if mode is Mode.TEST and not _rules.tests_count:
        return None
    return Counter(session.get_one(Establishment, establishment_id).finess, mode.value, key)


def stripe_key_known(establishment_id: UUID) -> bool:
    """Whether a key opens the hospital's Stripe account; for a system job or an administrator."""
    return bool(establishments.setting(establishment_id, "stripe_api_key") or _rules.stripe_key)


def same_counter(establishment_id: UUID, psp: str, account: str, mode: str) -> Counter:
    """The counter where an attempt was opened, to ask about it: it may have been closed to new payments since."""
    if psp != "stripe":
        return Counter(account, mode)
    found = stripe_counter(establishment_id)
    return Counter(account, mode, found.secret if found else "")


def counters() -> list[tuple[str, str, Counter]]:
    """Every counter that takes payments: the hospital's FINESS number, the means and the counter, each once; for a
    system job."""
    found: dict[tuple[str, str, str], Counter] = {}
    for place in establishments.establishments():
        for kind in KINDS:
            rows = [row for row in sources_at([place.id]) if row.kind == kind]
            for source in rows or [source_of(place.id, kind)]:
                for psp in means_of(source):
                    if counter := counter_of(source, psp):
                        found.setdefault((place.finess, psp, counter.account), counter)
    return [(finess, psp, counter) for (finess, psp, _account), counter in found.items()]


def sources_at(places: Collection[UUID]) -> Sequence[BillSource]:
    """The described sources of these hospitals."""
    return session.scalars(
        select(BillSource).where(BillSource.establishment_id.in_(places)).order_by(BillSource.kind, BillSource.code)
    ).all()


def one_at(places: Collection[UUID], source_id: UUID) -> BillSource | None:
    return session.scalar(select(BillSource).where(BillSource.id == source_id, BillSource.establishment_id.in_(places)))
