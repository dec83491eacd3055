"""Opening one patient's file in an emergency without the right to it ("bris de glace"): traced, told, judged."""

from flask import Flask


def register(app: Flask) -> None:
    """Declare the jobs that tell auditors."""
    from auth.emergencies import jobs  # noqa: F401 - jobs registers its tasks
