"""What the clock does to questions."""

from portal import jobs
from services.billing.questions import actions


@jobs.periodic("17 4 * * *", "billing.close_questions")
def close_silent() -> None:
    """Close answered questions that went no further."""
    with jobs.reading():
        actions.close_silent()
