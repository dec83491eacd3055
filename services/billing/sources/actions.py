"""What the back-office does with bill sources: describe, change, close; and with a hospital's Stripe account."""

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID, uuid4

from portal import audit, establishments
from portal.db import session
from portal.gateways.payments.contract import Mode
from services.billing.sources import queries, settings
from services.billing.sources.models import BillSource

_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}", re.ASCII)


class UnknownSource(Exception):
    """No such source at these hospitals."""


class SourceUnfit(Exception):
    """These rules do not hold together. `field` is the one to change, `reason` why: code, taken, numcli, saisie,
    test_mode, titre."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name}: {reason}")
        self.field = name
        self.reason = reason


@dataclass(frozen=True, kw_only=True)
class Draft:
    """What an agent sets; see BillSource. code and kind are chosen once: bills name them."""

    code: str = ""
    kind: str = ""
    name: str
    numcli: str = ""
    saisie: str = ""
    means: Collection[str] = ()
    access: str = "key"
    several: bool = False
    reminds: bool = False
    contact_name: str = ""
    contact_phone: str = ""
    contact_email: str = ""
    contact_hours: str = ""
    difficulties: str = ""
    instalments: str = ""


_CHANGING = (
    "name", "numcli", "saisie", "means", "access", "several", "reminds", "contact_name", "contact_phone",
    "contact_email", "contact_hours", "difficulties", "instalments",
)  # fmt: skip


def describe(establishment_id: UUID, draft: Draft) -> UUID:
    """Add a source to a hospital; its bills follow it from now on. Raises SourceUnfit."""
    if not _CODE.fullmatch(draft.code):
        raise SourceUnfit("code", "code")
    if any(row.code == draft.code for row in queries.sources_at([establishment_id])):
        raise SourceUnfit("code", "taken")
    _check(draft.kind, draft)
    source = BillSource(id=uuid4(), establishment_id=establishment_id, code=draft.code, kind=draft.kind)
    source.is_active = True
    _take(source, draft)
    session.add(source)
    _record(source, ["described"])
    return source.id


def change(places: Collection[UUID], source_id: UUID, draft: Draft) -> list[str]:
    """Change the rules of a source, from the next payment on; returns the names of what changed.

    An attempt already opened keeps its own counter. Raises UnknownSource, SourceUnfit.
    """
    source = _held(places, source_id)
    _check(source.kind, draft)
    changed = _take(source, draft)
    if changed:
        _record(source, changed)
    return changed


def close(places: Collection[UUID], source_id: UUID) -> None:
    """Take no payment for this source any more. It is never deleted: bills and entries name it. Raises
    UnknownSource."""
    _switch(places, source_id, is_active=False)


def reopen(places: Collection[UUID], source_id: UUID) -> None:
    """Take payments again. Raises UnknownSource."""
    _switch(places, source_id, is_active=True)


def note_trial(establishment_id: UUID, psp: str, outcome: str) -> None:
    """Write down that somebody tried a counter, and what came of it: done, refused:<code> or away."""
    audit.record(
        "bill_source.tried",
        establishment_id=establishment_id,
        object_kind="establishment",
        object_id=establishment_id,
        psp=psp,
        outcome=outcome,
    )


def _switch(places: Collection[UUID], source_id: UUID, *, is_active: bool) -> None:
    source = _held(places, source_id)
    if source.is_active is not is_active:
        source.is_active = is_active
        _record(source, ["reopened" if is_active else "closed"])


def _held(places: Collection[UUID], source_id: UUID) -> BillSource:
    source = queries.one_at(places, source_id)
    if source is None:
        raise UnknownSource(source_id)
    return source


def _check(kind: str, draft: Draft) -> None:
    if kind == "titre" and "stripe" in draft.means:
        raise SourceUnfit("means", "titre")
    if kind == "titre" and draft.several:
        raise SourceUnfit("several", "titre")
    if kind == "titre" and draft.reminds:
        raise SourceUnfit("reminds", "titre")
    if "payfip" in draft.means or draft.numcli:
        if not settings.NUMCLI.fullmatch(draft.numcli):
            raise SourceUnfit("numcli", "numcli")
        if draft.saisie not in set(Mode):
            raise SourceUnfit("saisie", "saisie")
    if draft.saisie == Mode.TEST and not queries.tests_count():
        raise SourceUnfit("saisie", "test_mode")


def _take(source: BillSource, draft: Draft) -> list[str]:
    """Write the draft on the source; returns the names of what differs."""
    wanted = {name: getattr(draft, name) for name in _CHANGING} | {"means": list(draft.means)}
    wanted["saisie"] = draft.saisie if draft.numcli else ""
    changed = [name for name, value in wanted.items() if getattr(source, name) != value]
    for name in changed:
        setattr(source, name, wanted[name])
    return changed


def _record(source: BillSource, changed: Collection[str]) -> None:
    audit.record(
        "bill_source.changed",
        establishment_id=source.establishment_id,
        object_kind="bill_source",
        object_id=source.id,
        code=source.code,
        changed=", ".join(changed),
        numcli=source.numcli,
        saisie=source.saisie,
    )


# -- a hospital's Stripe account ---------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class StripeDraft:
    """What an administrator sets. api_key, webhook_secrets: "" keeps those that are known. accountant, agreed_on:
    which public accountant agreed to it, and when."""

    enabled: bool
    api_key: str = field(default="", repr=False)
    webhook_secrets: str = field(default="", repr=False)
    accountant: str = ""
    agreed_on: date | None = None


class StripeUnfit(Exception):
    """Stripe cannot be opened so. `field` is what to change: accountant, agreed_on, api_key or webhook_secrets."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.field = name


def set_stripe(establishment_id: UUID, draft: StripeDraft) -> None:
    """Open or close Stripe at a hospital, and keep its keys sealed. Raises StripeUnfit before anything is written."""
    if draft.enabled:
        _check_stripe(establishment_id, draft)
    secrets = {settings.KEY: draft.api_key, settings.SECRETS: ",".join(settings.secrets_in(draft.webhook_secrets))}
    written = {key: value for key, value in secrets.items() if value} | _agreement(draft)
    _write(establishment_id, written)
    audit.record(
        "stripe.changed",
        establishment_id=establishment_id,
        object_kind="establishment",
        object_id=establishment_id,
        enabled="yes" if draft.enabled else "no",
        accountant=draft.accountant if draft.enabled else "",
        agreed_on=draft.agreed_on.isoformat() if draft.enabled and draft.agreed_on else "",
        changed=", ".join(key for key, value in secrets.items() if value),
    )


def _check_stripe(establishment_id: UUID, draft: StripeDraft) -> None:
    if not draft.accountant:
        raise StripeUnfit("accountant")
    if draft.agreed_on is None:
        raise StripeUnfit("agreed_on")
    if not draft.api_key and not queries.stripe_key_known(establishment_id):
        raise StripeUnfit("api_key")
    if not draft.webhook_secrets and not establishments.setting(establishment_id, settings.SECRETS):
        raise StripeUnfit("webhook_secrets")


def _agreement(draft: StripeDraft) -> dict[str, str]:
    if not draft.enabled:
        return {settings.ENABLED: "no"}
    day = draft.agreed_on.isoformat() if draft.agreed_on else ""
    return {settings.ENABLED: "yes", settings.ACCOUNTANT: draft.accountant, settings.AGREED_ON: day}


def _write(establishment_id: UUID, written: dict[str, str]) -> None:
    for key, value in written.items():
        try:
            settings.check_setting(key, value)
        except settings.NonsenseSetting as refused:
            raise StripeUnfit(key.removeprefix("stripe_")) from refused
    for key, value in written.items():
        establishments.change_setting(establishment_id, key, value)
    session.flush()
