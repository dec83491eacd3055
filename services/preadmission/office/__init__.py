"""The admissions office: who is on which file, what agents note, what they read on a card, the messages they reuse."""
