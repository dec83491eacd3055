"""Stripe's words for the states of a dispute (docs.stripe.com/api/disputes/object). No I/O here.

We keep the words and never choose them: a dispute goes where the payer's bank takes it.
"""

TO_ANSWER = ("needs_response", "warning_needs_response")
OPEN = (*TO_ANSWER, "under_review", "warning_under_review")
SETTLED_FOR_US = ("won", "warning_closed", "prevented")
"""The money is ours again, or never left."""
