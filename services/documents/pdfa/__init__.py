"""Documents as PDF for people, to be kept for years (PDF/A-1b): what the portal writes, and copies of what is sent.

Nobody has a judge of PDF/A here: `claim` tells what a file says of itself, never that it is true.
"""

from services.documents.pdfa.claims import claim
from services.documents.pdfa.copies import copy_of, facts_of, picture
from services.documents.pdfa.letters import Archived, CannotCopy, Facts, letter

__all__ = ["Archived", "CannotCopy", "Facts", "claim", "copy_of", "facts_of", "letter", "picture"]
