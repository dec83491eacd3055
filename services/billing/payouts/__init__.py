"""What Stripe sends to the hospital's bank, with its fees, movement by movement."""
