"""Reminders of bills that wait: of a régie alone, never a titre's."""


def register() -> None:
    """Declare the jobs."""
    from services.billing.reminders import jobs  # noqa: F401 - declared by being imported
