"""What a WSGI server imports: `wsgi:app`. Production is the default; nothing of the demonstration is reachable here."""

from portal.app import create_app
from portal.gateways import board

app = create_app()
board.open_board("web")
