"""Rooms, devices and interpreters that appointments need."""
