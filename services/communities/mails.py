"""Messages of communities: that something waits, never what, nor in which community."""

from uuid import UUID

from flask_babel import lazy_gettext as _l

from portal.notifications import Mail, message


@message("communities.invitation", "professional")
def invitation(path: str) -> Mail:
    """To whoever was named, who may not be known here."""
    return Mail(
        subject=_l("An invitation to a group of professionals"),
        paragraphs=(
            _l("Hello,"),
            _l("Colleagues invite you to a closed group of professionals on the hospital’s portal."),
            _l(
                "Sign in with Pro Santé Connect, or as an agent of the hospital, to read what the group is for and say"
                " yes or no. The invitation holds for 30 days:"
            ),
        ),
        path=path,
    )


@message("communities.announcement", "professional")
def announcement(community_id: UUID, announcement_id: UUID) -> Mail:
    path = f"/communautes/{community_id}/annonces/{announcement_id}"
    return _waiting(_l("News in one of your groups"), _l("Something new was announced in one of your groups."), path)


@message("communities.discussion", "professional")
def discussion(community_id: UUID, topic_id: UUID) -> Mail:
    path = f"/communautes/{community_id}/discussions/{topic_id}"
    words = _l("Somebody wrote in a discussion of one of your groups.")
    return _waiting(_l("A discussion in one of your groups"), words, path)


@message("communities.reported", "professional")
def reported(community_id: UUID) -> Mail:
    words = _l("A member reported a message. It waits for you.")
    return _waiting(_l("Something to moderate in one of your groups"), words, f"/communautes/{community_id}/moderation")


@message("communities.withdrawn", "professional")
def withdrawn(community_id: UUID, topic_id: UUID) -> Mail:
    words = _l("A moderator withdrew one of your messages in a group. The reason is beside it.")
    path = f"/communautes/{community_id}/discussions/{topic_id}"
    return _waiting(_l("One of your messages was withdrawn"), words, path)


def _waiting(subject: object, text: object, path: str) -> Mail:
    choice = _l("In the group, under “My place”, you choose what you are told of.")
    return Mail(subject=subject, paragraphs=(_l("Hello,"), text, choice), path=path, kind="communities")
