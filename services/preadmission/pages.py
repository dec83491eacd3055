"""The pages of a patient's file: which there are, where each leads, and what is read once to show them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

from flask import render_template, url_for

from portal import establishments
from services.pieces import queries as piece_queries
from services.pieces import wording as piece_wording
from services.pieces.models import Piece
from services.preadmission import asked, queries, steps, wording
from services.preadmission.models import Preadmission

HOURS = "admissions_hours"
"""Setting of a hospital: when its admissions office is open, as people read it."""
SETTLED_STAY = ("invitation", "hospital")
"""Who began the file knows the stay: the patient does not choose it."""


@dataclass(frozen=True)
class Page:
    """One page of a draft."""

    code: str
    title: Any
    href: str
    minutes: int


@dataclass(frozen=True)
class Kept:
    """A document that this hospital has accepted before. until: its last day, None when it bears none."""

    until: date | None
    is_valid: bool


class Opened:
    """A file with what it holds, each read at most once."""

    def __init__(self, file: Preadmission) -> None:
        self.file = file

    @cached_property
    def rows(self) -> Any:
        return queries.steps_of(self.file.id)

    @cached_property
    def facts(self) -> asked.Facts:
        return queries.facts(self.file, self.rows)

    @cached_property
    def pieces(self) -> Sequence[Piece]:
        return piece_queries.of_folder(self.file.id)

    @cached_property
    def wallet(self) -> Mapping[str, Kept]:
        """Kind of document → what this hospital has accepted already; valid: on the day of the stay."""
        file = self.file
        return {
            piece.kind: Kept(piece.expires_on, piece.is_valid_on(file.planned_on))
            for piece in piece_queries.accepted_at(file.establishment_id, file.patient_id)
            if piece.folder_id != file.id
        }

    @cached_property
    def missing(self) -> frozenset[str]:
        """Pages still to be filled in; nothing once the file was sent."""
        if self.file.state != "draft":
            return frozenset()
        return asked.missing(self.facts, pieces_lack=any(piece.is_lacking for piece in self.pieces))

    @cached_property
    def pages(self) -> Sequence[Page]:
        """The pages of this person's draft, in order."""
        return [
            Page(code, steps.TITLES[code], address(self.file, code), asked.MINUTES[code])
            for code in asked.steps(self.facts)
            if code in steps.TITLES
        ]

    @property
    def next_to_do(self) -> Page | None:
        """The first page that is not done: where the person goes on."""
        wanted = self.missing or {"check"}
        return next((page for page in self.pages if page.code in wanted), None)

    @property
    def told(self) -> Sequence[tuple[steps.Step, steps.Rows]]:
        """What was answered to what is asked, for oneself."""
        return steps.told_of(asked.sent(self.facts), own=True)

    @property
    def hours(self) -> str:
        return establishments.setting(self.file.establishment_id, HOURS)


def address(file: Preadmission, code: str = "") -> str:
    """Where a page is while the file is a draft; of the file itself otherwise."""
    if file.state != "draft" or not code:
        return url_for("preadmission.show", preadmission_id=file.id)
    if code in steps.STEPS:
        return url_for("preadmission.step", preadmission_id=file.id, slug=steps.STEPS[code].slug)
    return url_for(f"preadmission.{code}", preadmission_id=file.id)


def after(file: Preadmission, code: str) -> str:
    """The page after this one, as the answers make it now."""
    all_pages = Opened(file).pages
    codes = [page.code for page in all_pages]
    return all_pages[min(codes.index(code) + 1, len(codes) - 1)].href


def show(name: str, opened: Opened, **shown: Any) -> str:
    """Render a page of a file."""
    template = name if "/" in name else f"preadmission/{name}.html"
    return render_template(
        template,
        file=opened.file,
        opened=opened,
        elsewhere=shown.pop("elsewhere", None),
        words=wording,
        piece_words=piece_wording,
        **shown,
    )
