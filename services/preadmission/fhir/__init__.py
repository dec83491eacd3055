"""Pre-admissions as FHIR resources, for the hospital's own system, which polls the portal.

After the French pre-admission guide (http://hl7.fr/fhir/fr/preadmission). Drawers of pure writing: `naming`,
`statuses`, `encounters`, `people`, `covers`, `consents`, `documents`; of reading what is sent: `incoming`; of the base:
`models`, `records`, `actions`.
"""
