"""The version of each legal page that is shown, the former ones, the plan, and the reports that wait."""

import math
import time
from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import Select, func, select

from portal import blanking
from portal.catalog.legal.content import Accessibility, Legal, PersonalData, read
from portal.catalog.legal.models import REPORT_STATES, AccessibilityAction, AccessibilityReport, LegalPage
from portal.db import session

KEEP_S: Final = 60
PAGE_SIZE: Final = 50


class _Remembered:
    status: str | None = None
    read_at: float = 0.0


def status() -> str:
    """What every page says of accessibility (`Accessibility.status`); remembered for a minute."""
    if blanking.is_on():  # what is read here is blanked, and must not be remembered for others
        return _Remembered.status or Accessibility().status
    if _Remembered.status is None or time.monotonic() - _Remembered.read_at > KEEP_S:
        _Remembered.status, _Remembered.read_at = accessibility()[0].status, time.monotonic()
    return _Remembered.status


def forget() -> None:
    """Read the status again at the next page of this process."""
    _Remembered.status = None


def suppose_none() -> None:
    """Nothing is published, as somebody who has just emptied the tables knows; until `forget`."""
    _Remembered.status, _Remembered.read_at = Accessibility().status, math.inf


def accessibility(version: int | None = None) -> tuple[Accessibility, LegalPage | None]:
    """The statement, and the version that holds it."""
    found = _version("accessibility", None, version)
    return read(Accessibility, found.content if found else {}), found


def legal(version: int | None = None) -> tuple[Legal, LegalPage | None]:
    """Who publishes and hosts, and the version that says it."""
    found = _version("legal", None, version)
    return read(Legal, found.content if found else {}), found


def personal_data(establishment_id: UUID) -> tuple[PersonalData, LegalPage | None]:
    """Who answers for data at a hospital, and the version that says it."""
    found = _version("personal-data", establishment_id, None)
    return read(PersonalData, found.content if found else {}), found


def personal_data_everywhere() -> Mapping[UUID, PersonalData]:
    """The same for every hospital that said it, in one statement."""
    of_hospitals = select(LegalPage).where(LegalPage.page == "personal-data", LegalPage.establishment_id.is_not(None))
    rows = session.scalars(of_hospitals.order_by(LegalPage.version))  # the last one stays
    return {row.establishment_id: read(PersonalData, row.content) for row in rows if row.establishment_id}


def versions(page: str, establishment_id: UUID | None) -> Sequence[LegalPage]:
    """Newest first."""
    return session.scalars(_of(page, establishment_id).order_by(LegalPage.version.desc())).all()


def _version(page: str, establishment_id: UUID | None, version: int | None) -> LegalPage | None:
    query = _of(page, establishment_id)
    if version is not None:
        return session.scalar(query.where(LegalPage.version == version))
    return session.scalar(query.order_by(LegalPage.version.desc()).limit(1))


def _of(page: str, establishment_id: UUID | None) -> Select[LegalPage]:
    place = LegalPage.establishment_id
    here = place == establishment_id if establishment_id else place.is_(None)
    return select(LegalPage).where(LegalPage.page == page, here)


# -- the plan, and what readers reported -------------------------------------------------------------------------


def plan() -> Sequence[AccessibilityAction]:
    """By year, in the order of their writing."""
    query = select(AccessibilityAction).order_by(AccessibilityAction.year, AccessibilityAction.title)
    return session.scalars(query).all()


def planned(action_id: UUID) -> AccessibilityAction | None:
    return session.get(AccessibilityAction, action_id)


def reports(state: str, page: int = 1) -> tuple[Sequence[AccessibilityReport], bool]:
    """Reports in this state, oldest first (answered ones: newest first), and whether there are more."""
    moment = AccessibilityReport.created_at
    order = moment.desc() if state == REPORT_STATES[-1] else moment
    query = select(AccessibilityReport).where(AccessibilityReport.state == state).order_by(order)
    found = session.scalars(query.offset((page - 1) * PAGE_SIZE).limit(PAGE_SIZE + 1)).all()
    return found[:PAGE_SIZE], len(found) > PAGE_SIZE


def waiting() -> int:
    """How many reports nobody has answered."""
    return session.scalar(
        select(func.count()).select_from(AccessibilityReport).where(AccessibilityReport.state != "answered")
    ) or 0  # fmt: skip


def report(report_id: UUID) -> AccessibilityReport | None:
    return session.get(AccessibilityReport, report_id)
