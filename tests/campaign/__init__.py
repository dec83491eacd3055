"""A randomised campaign of payments: mixed faults, processes killed, and a ledger that must equal the truth."""
