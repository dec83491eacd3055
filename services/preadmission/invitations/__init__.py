"""Invitations to prepare a stay that the hospital knows."""
