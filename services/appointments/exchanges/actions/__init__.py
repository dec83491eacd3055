"""Everything that changes what is exchanged about appointments, by intention."""

from services.appointments.exchanges.actions.delivering import give_up, next_to_tell, postpone, settle
from services.appointments.exchanges.actions.following import follow_his, lease_due, let_go, plan
from services.appointments.exchanges.actions.forgetting import forget
from services.appointments.exchanges.actions.receiving import open_message, receive
from services.appointments.exchanges.actions.replaying import replay, replay_since, set_aside, tell_again
from services.appointments.exchanges.actions.subscribing import (
    change_dialect,
    change_his,
    resume,
    rotate,
    stop,
    subscribe,
    try_out,
    unsubscribe,
)

__all__ = [
    "change_dialect",
    "change_his",
    "follow_his",
    "forget",
    "give_up",
    "lease_due",
    "let_go",
    "next_to_tell",
    "open_message",
    "plan",
    "postpone",
    "receive",
    "replay",
    "replay_since",
    "resume",
    "rotate",
    "set_aside",
    "settle",
    "stop",
    "subscribe",
    "tell_again",
    "try_out",
    "unsubscribe",
]
