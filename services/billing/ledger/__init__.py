"""The ledger: money that moved, in double entry, in whole cents, added to and never changed."""
