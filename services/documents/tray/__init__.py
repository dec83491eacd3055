"""The work of agents who sort: proposals beside a letter, several letters at once, and what was refused at the door."""
