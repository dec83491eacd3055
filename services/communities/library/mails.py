"""Messages of libraries: that something waits, never what."""

from uuid import UUID

from flask_babel import lazy_gettext as _l

from portal.notifications import Mail, message


@message("communities.set_aside", "professional")
def set_aside(community_id: UUID, document_id: UUID) -> Mail:
    words = _l("A document of one of your groups was set aside: it may hold something about a patient.")
    return _waiting(_l("A document of one of your groups was set aside"), words, community_id, document_id)


@message("communities.review", "professional")
def review(community_id: UUID, document_id: UUID) -> Mail:
    words = _l("A protocol of one of your groups has to be looked at again.")
    return _waiting(_l("A protocol of one of your groups is to be reviewed"), words, community_id, document_id)


def _waiting(subject: object, text: object, community_id: UUID, document_id: UUID) -> Mail:
    path = f"/communautes/{community_id}/bibliotheque/{document_id}"
    return Mail(subject=subject, paragraphs=(_l("Hello,"), text), path=path, kind="communities")
