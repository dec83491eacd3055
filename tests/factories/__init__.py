"""Makers of fictional people, hospitals and work, for the tests and for the demonstration.

Each maker writes in the current unit of work and flushes. Names, numbers and addresses are invented; INS numbers
come from the national test range (OID 1.2.250.1.213.1.4.10).
"""
