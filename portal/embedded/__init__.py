"""What a laptop needs and production never does: an embedded PostgreSQL and a supervisor for the demonstration."""
