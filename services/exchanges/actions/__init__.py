"""Everything that changes what is exchanged with hospital systems and subscribers, by intention."""

from services.exchanges.actions.delivering import give_up, next_to_tell, postpone, settle
from services.exchanges.actions.following import follow_his, lease_due, let_go, plan
from services.exchanges.actions.forgetting import forget
from services.exchanges.actions.receiving import (
    job_for,
    open_message,
    preparation,
    receive,
    scope_for,
    settle_message,
)
from services.exchanges.actions.replaying import replay, replay_since, set_aside, tell_again
from services.exchanges.actions.subscribing import (
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
    "job_for",
    "lease_due",
    "let_go",
    "next_to_tell",
    "open_message",
    "plan",
    "postpone",
    "preparation",
    "receive",
    "replay",
    "replay_since",
    "resume",
    "rotate",
    "scope_for",
    "set_aside",
    "settle",
    "settle_message",
    "stop",
    "subscribe",
    "tell_again",
    "try_out",
    "unsubscribe",
]
