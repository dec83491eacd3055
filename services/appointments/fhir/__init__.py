"""Appointments and free times as FHIR resources, for other systems of the hospitals and of the region."""
