"""Referrals as FHIR R4 ServiceRequest and Task: what a practice's software sends, and what it follows."""
