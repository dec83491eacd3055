"""Watching over accesses: the chain of the audit, unusual accesses, reviews of rights, incidents of security."""

from flask import Flask


def register(app: Flask) -> None:
    """Declare the tables, the jobs and how long things are kept."""
    from auth.oversight import jobs, keeping, models  # noqa: F401 - jobs registers, models are mapped

    keeping.declare()
