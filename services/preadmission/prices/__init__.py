"""What a single room costs a day: dated, per hospital, or for one of its units."""
