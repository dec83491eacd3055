"""What patients read of sites and practitioners before they come."""
