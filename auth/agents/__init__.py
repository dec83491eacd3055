"""Agents of the hospitals: how they come in, what they may do, where they work, how they leave."""

from flask import Flask


def register(app: Flask) -> None:
    """Declare the tables and the jobs about agents."""
    from auth.agents import jobs, models  # noqa: F401 - jobs registers, models are mapped
