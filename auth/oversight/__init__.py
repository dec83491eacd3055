"""Watching over accesses: the chain of the audit, unusual accesses, reviews of rights, incidents of security."""

from flask import Flask


def register(app: Flask) -> None:
    """Declare the tables and the jobs."""
    from auth.oversight import jobs, models  # noqa: F401 - jobs registers, models are mapped
