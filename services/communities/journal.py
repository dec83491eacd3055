"""What the journals say of communities: action → words, after the name of who did it."""

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _l

WORDS: Mapping[str, Any] = {
    "community.created": _l("created a community"),
    "community.described": _l("changed the name or the purpose of a community"),
    "community.closed": _l("closed a community"),
    "community.reopened": _l("reopened a community"),
    "community.forgotten": _l("deleted what a community no longer needs"),
    "community_charter.changed": _l("changed the charter of a community"),
    "community_charter.accepted": _l("accepted the charter of a community"),
    "community_invitation.sent": _l("invited somebody into a community"),
    "community_invitation.withdrawn": _l("took back an invitation into a community"),
    "community_invitation.refused": _l("declined an invitation into a community"),
    "community_member.joined": _l("joined a community"),
    "community_member.left": _l("left a community"),
    "community_member.removed": _l("removed a member of a community"),
    "community_member.role_changed": _l("changed the role of a member of a community"),
    "community_member.choice_changed": _l("changed their choices in a community"),
    "community_members.downloaded": _l("downloaded the list of the members of a community"),
    "community_journal.downloaded": _l("downloaded the journal of a community"),
    "community_topic.opened": _l("began a discussion"),
    "community_topic.pinned": _l("pinned a discussion"),
    "community_topic.unpinned": _l("unpinned a discussion"),
    "community_topic.closed": _l("closed a discussion"),
    "community_topic.reopened": _l("reopened a discussion"),
    "community_post.written": _l("wrote in a discussion"),
    "community_post.edited": _l("changed a message of a discussion"),
    "community_post.withdrawn": _l("withdrew their message"),
    "community_post.reported": _l("reported a message"),
    "community_post.kept": _l("kept a message that was reported"),
    "community_post.moderated": _l("withdrew somebody’s message"),
    "community_announcement.published": _l("published an announcement"),
    "community_announcement.withdrawn": _l("withdrew an announcement"),
    "community_announcement.pinned": _l("pinned an announcement"),
    "community_announcement.unpinned": _l("unpinned an announcement"),
    "community_theme.added": _l("added a theme"),
    "community_theme.archived": _l("archived a theme"),
    "community_theme.reopened": _l("took a theme out of the archive"),
    "community_theme.subscribed": _l("subscribed to a theme"),
    "community_theme.unsubscribed": _l("unsubscribed from a theme"),
    "community_data.downloaded": _l("downloaded what they wrote in communities"),
}
