"""Reminders of files that are not sent yet, or that wait for the patient."""
