"""The calendar of stays, as each hospital and each unit change it."""
