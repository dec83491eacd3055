"""What the treasury is told each day: sealed batches, numbered without gaps, always the same bytes."""
