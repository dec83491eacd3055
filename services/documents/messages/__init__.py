"""Messages of patients: threads with the units that take them, read and written in the portal."""
