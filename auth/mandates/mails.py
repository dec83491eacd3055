"""Messages about mandates: that something changed. Neither who, nor why, nor what the person is cared for."""

from uuid import UUID

from flask_babel import lazy_gettext as _l

from portal.notifications import Mail, message

_HOME = "/mon-compte/mandats"
_HELLO = _l("Hello,")


def _about(mandate_id: UUID) -> str:
    return f"{_HOME}/{mandate_id}"


@message("mandates.accepted")
def accepted(mandate_id: UUID) -> Mail:
    """To whoever asked, once the proof is checked."""
    return Mail(
        _l("Your request was accepted"),
        (
            _HELLO,
            _l("The hospital has checked your proof. You may now act for the person of your request:"),
        ),
        _about(mandate_id),
    )


@message("mandates.refused")
def refused(mandate_id: UUID) -> Mail:
    return Mail(
        _l("Your request could not be accepted"),
        (
            _HELLO,
            _l("The hospital could not accept your request to act for somebody. The reason is in your account:"),
        ),
        _about(mandate_id),
    )


@message("mandates.somebody_acts_for_you")
def somebody_acts_for_you(mandate_id: UUID) -> Mail:
    """To the person, when they have an account of their own."""
    return Mail(
        _l("Somebody may now act for you"),
        (
            _HELLO,
            _l(
                "Somebody may now act for you on the hospital’s portal. Your account says who, for what and until when:"
            ),
        ),
        _about(mandate_id),
    )


@message("mandates.you_may_act")
def you_may_act(mandate_id: UUID) -> Mail:
    """To the carer who used their code, and to whoever a hospital declared."""
    return Mail(
        _l("You may now act for somebody"),
        (
            _HELLO,
            _l("You may now act for somebody on the hospital’s portal. Your account says for what and until when:"),
        ),
        _about(mandate_id),
    )


@message("mandates.over")
def over(mandate_id: UUID) -> Mail:
    """To both, whatever ended it."""
    return Mail(
        _l("A right to act for somebody has ended"),
        (
            _HELLO,
            _l("A right to act for somebody has ended on the hospital’s portal. The details are in your account:"),
        ),
        _about(mandate_id),
    )


@message("mandates.renewed")
def renewed(mandate_id: UUID) -> Mail:
    return Mail(
        _l("A right to act for somebody goes on"),
        (
            _HELLO,
            _l("A right to act for somebody was renewed on the hospital’s portal. Your account has the new date:"),
        ),
        _about(mandate_id),
    )


@message("mandates.ends_soon")
def ends_soon(mandate_id: UUID) -> Mail:
    """Thirty days ahead."""
    return Mail(
        _l("A right to act for somebody ends soon"),
        (
            _HELLO,
            _l("A right to act for somebody ends within 30 days. Your account says when, and how to renew it:"),
        ),
        _about(mandate_id),
    )


@message("mandates.may_sign_in_alone")
def may_sign_in_alone(mandate_id: UUID) -> Mail:
    """To a parent, when their child turns sixteen."""
    return Mail(
        _l("Your child may have an account of their own"),
        (
            _HELLO,
            _l("From 16 on, a young person may use the hospital’s portal alone. Your account explains how:"),
        ),
        _about(mandate_id),
    )
