"""One room per digital service, all with the same drawers, none knowing another."""
