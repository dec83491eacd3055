"""What a WSGI server imports: `wsgi:app`. Production is the default; nothing of the demonstration is reachable here."""

import gc

from portal import config, logs
from portal.app import create_app
from portal.gateways import board

settings = config.load()
app = create_app(settings)
logs.guard_process(settings)
board.open_board("web")
# What was read once stays until the end. Otherwise each web process would look through it for garbage again and again,
# and once more when it stops: two seconds of a processor, while visitors wait for the next one.
gc.collect()
gc.freeze()
