"""The directory as FHIR R4 resources: how they are named, and how they are written."""
