"""The back-office's view of bills: find one among thousands, and see what waits for somebody."""
