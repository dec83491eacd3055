"""Bill sources: a régie, the titres of one budget, a private activity, each with its counter and its rules."""
