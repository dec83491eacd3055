"""Services switched on and off, links to those of others. Each change is kept with what was before it, to be undone."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID, uuid4

from portal import audit, db
from portal.catalog import links, queries, words
from portal.catalog.cards import card
from portal.catalog.models import CatalogChange, LinkHost, PublishedService, ServiceLink
from portal.db import session


class NothingToUndo(Exception):
    """The change is not the last one any more, or there was nothing before it."""


class CodeTaken(Exception):
    """Another link, or a service of the portal, has this name in its address."""


class HostInUse(Exception):
    """A link still leads there. Its argument is the link."""


@dataclass(frozen=True)
class Sheet:
    """How a service stands at a hospital. opened_on: None before it was ever opened."""

    opened_on: date | None
    closed_on: date | None = None
    texts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    position: int = 0


@dataclass(frozen=True)
class LinkSheet:
    """What a link is: `models.ServiceLink`."""

    code: str
    url: str
    audience: str
    reach: str
    icon: str
    opened_on: date
    closed_on: date | None = None
    texts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    position: int = 0


# -- services of the portal --------------------------------------------------------------------------------------


def change_service(establishment_id: UUID, code: str, sheet: Sheet) -> bool:
    """Write how a service stands at a hospital; whether that changes anything. With opened_on None it is taken away."""
    known = session.get(PublishedService, (establishment_id, code), with_for_update={"key_share": True})
    former = _of_service(known)
    latter = _plain(sheet)
    if former == latter or (known is None and sheet.opened_on is None):
        return False
    _write_service(known, establishment_id, code, sheet)
    _keep("service", code, establishment_id, former, latter)
    audit.record(
        "service.changed", establishment_id=establishment_id, object_kind="establishment", object_id=establishment_id,
        service=code, opened_on=latter["opened_on"], closed_on=latter["closed_on"],
    )  # fmt: skip
    return True


def _write_service(known: PublishedService | None, establishment_id: UUID, code: str, sheet: Sheet) -> None:
    if sheet.opened_on is None:
        if known is not None:
            session.delete(known)
    elif known is None:
        session.add(
            PublishedService(
                establishment_id=establishment_id, code=code, opened_on=sheet.opened_on, closed_on=sheet.closed_on,
                texts=words.kept(sheet.texts), position=sheet.position,
            )
        )  # fmt: skip
    else:
        known.opened_on, known.closed_on = sheet.opened_on, sheet.closed_on
        known.texts, known.position = words.kept(sheet.texts), sheet.position
    session.flush()


def _of_service(known: PublishedService | None) -> dict[str, Any]:
    if known is None:
        return _plain(Sheet(None))
    return _plain(Sheet(known.opened_on, known.closed_on, known.texts, known.position))


# -- links to the services of others -----------------------------------------------------------------------------


def add_link(establishment_id: UUID | None, sheet: LinkSheet) -> ServiceLink:
    """establishment_id: None for the whole group. Raises NotALink, HostNotAllowed, CodeTaken."""
    _check_link(establishment_id, sheet)
    made = ServiceLink(id=uuid4(), establishment_id=establishment_id, **_columns(sheet))
    session.add(made)
    session.flush()
    _keep("link", str(made.id), establishment_id, {}, _plain(sheet))
    _audit_link("service_link.added", made)
    return made


def change_link(link: ServiceLink, sheet: LinkSheet) -> bool:
    """Whether that changes anything. Raises NotALink, HostNotAllowed, CodeTaken."""
    session.refresh(link, with_for_update={"key_share": True})
    former, latter = _plain(_of_link(link)), _plain(sheet)
    if former == latter:
        return False
    _check_link(link.establishment_id, sheet, link)
    for name, value in _columns(sheet).items():
        setattr(link, name, value)
    session.flush()
    _keep("link", str(link.id), link.establishment_id, former, latter)
    _audit_link("service_link.changed", link)
    return True


def _check_link(establishment_id: UUID | None, sheet: LinkSheet, own: ServiceLink | None = None) -> None:
    links.check(sheet.url, [each.host for each in queries.hosts(establishment_id)])
    taken = queries.link_of_code(sheet.code)
    if card(sheet.code) or (taken is not None and taken is not own):
        raise CodeTaken(sheet.code)


def _columns(sheet: LinkSheet) -> dict[str, Any]:
    return {
        "code": sheet.code, "url": sheet.url, "audience": sheet.audience, "reach": sheet.reach, "icon": sheet.icon,
        "opened_on": sheet.opened_on, "closed_on": sheet.closed_on, "texts": words.kept(sheet.texts),
        "position": sheet.position,
    }  # fmt: skip


def _of_link(link: ServiceLink) -> LinkSheet:
    return LinkSheet(
        link.code, link.url, link.audience, link.reach, link.icon, link.opened_on, link.closed_on, link.texts,
        link.position,
    )  # fmt: skip


def _audit_link(action: str, link: ServiceLink) -> None:
    audit.record(
        action, establishment_id=link.establishment_id, object_kind="service_link", object_id=link.id,
        service=link.code, closed_on=str(link.closed_on or ""),
    )  # fmt: skip


# -- where links may lead ----------------------------------------------------------------------------------------


def allow_host(establishment_id: UUID | None, host: str, reason: str) -> LinkHost:
    """Let links lead to a name and to what is below it. Raises NotALink when it is not the name of a site."""
    name = links.host_of(f"https://{host.strip().lower()}/")
    made = LinkHost(
        id=uuid4(), establishment_id=establishment_id, host=name, reason=reason, actor_name=db.current_actor().name
    )
    session.add(made)
    session.flush()
    _audit_host("link_host.added", made)
    return made


def forbid_host(host: LinkHost) -> None:
    """Raises HostInUse while a link that is not over leads there."""
    for link in queries.links(frozenset({host.establishment_id} if host.establishment_id else ())):
        others = [each.host for each in queries.hosts(link.establishment_id) if each.id != host.id]
        try:
            links.check(link.url, others)
        except links.HostNotAllowed:
            if link.closed_on is None:
                raise HostInUse(link) from None
    session.delete(host)
    session.flush()
    _audit_host("link_host.removed", host)


def _audit_host(action: str, host: LinkHost) -> None:
    audit.record(
        action, establishment_id=host.establishment_id, object_kind="link_host", object_id=host.id, host=host.host
    )


# -- history -----------------------------------------------------------------------------------------------------


def undo(change: CatalogChange) -> None:
    """Set what was before this change, when it is the last one. Raises NothingToUndo; what `change_link` raises."""
    last = queries.changes(change.kind, change.subject, change.establishment_id, limit=1)
    if not last or last[0].id != change.id or not change.former:
        raise NothingToUndo
    if change.kind == "service":
        assert change.establishment_id is not None, "services are of a hospital"
        change_service(change.establishment_id, change.subject, sheet_of(change.former))
        return
    link = session.get(ServiceLink, UUID(change.subject))
    if link is None:
        raise NothingToUndo
    change_link(link, LinkSheet(**_read(change.former)))


def sheet_of(kept: Mapping[str, Any]) -> Sheet:
    """A service as the history holds it."""
    return Sheet(**_read(kept))


def _keep(kind: str, subject: str, place: UUID | None, former: dict[str, Any], latter: dict[str, Any]) -> None:
    actor = db.current_actor()
    session.add(
        CatalogChange(
            id=uuid4(), establishment_id=place, kind=kind, subject=subject, former=former, latter=latter,
            actor=actor.label, actor_name=actor.name, at=db.now(),
        )
    )  # fmt: skip
    session.flush()


def _plain(sheet: Sheet | LinkSheet) -> dict[str, Any]:
    """As JSON holds it."""
    found = dict(vars(sheet)) | {"texts": words.kept(sheet.texts)}
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in found.items()}


def _read(kept: Mapping[str, Any]) -> dict[str, Any]:
    days = {name: date.fromisoformat(kept[name]) if kept[name] else None for name in ("opened_on", "closed_on")}
    return dict(kept) | days
