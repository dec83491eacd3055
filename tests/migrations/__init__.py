"""Migrations run while the former release serves."""
