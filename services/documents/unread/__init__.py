"""Documents that nobody opened: one reminder, then the list of those to send on paper."""
