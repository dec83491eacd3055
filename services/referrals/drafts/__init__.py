"""Requests that a practitioner prepares: kept from the first step on, and forgotten when they are never sent."""
