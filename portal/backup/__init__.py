"""Backups: PostgreSQL's own tools copy and replay; here they are orchestrated, encrypted, kept in step and proven.

docs/backup.md tells operators; docs/decisions/0026 says why it is so.
"""


class BackupError(Exception):
    """A backup was not taken, or cannot be used. The message says what to do, and holds no secret."""
