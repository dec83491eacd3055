"""Taking figures away is written down: which, of which hospital, masked or not."""

from uuid import UUID

from portal import audit


def export_figures(establishment_id: UUID | None, what: str, kind: str, *, exact: bool) -> None:
    """what: the code of a service, `home` or `everything`. kind: csv, xlsx, pdf or evidence. establishment_id: None for
    the whole group."""
    audit.record(
        "figures.exported",
        establishment_id=establishment_id,
        what=what,
        kind=kind,
        use="internal" if exact else "shared",
    )


def export_report(establishment_id: UUID, report_id: UUID, kind: str) -> None:
    """A report that was sent, taken away as a file."""
    audit.record(
        "figure_report.exported",
        establishment_id=establishment_id,
        object_kind="figure_report",
        object_id=report_id,
        kind=kind,
    )
