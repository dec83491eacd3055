"""Bills from the hospital's system: files of many lines merged at once, and what became of each file."""
