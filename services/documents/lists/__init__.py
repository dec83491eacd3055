"""Lists of correspondents by theme: one message to each of them, in a thread of their own."""
