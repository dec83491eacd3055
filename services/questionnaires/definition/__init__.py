"""What a questionnaire asks: a subset of FHIR R4's Questionnaire, read strictly, written back, edited. Pure.

Drawers: `items` (what a definition is), `parsing` (FHIR JSON → definition, or what its author must correct), `writing`
(the way back), `editing` (what the editor's buttons do), `enabling` (which questions are asked, given the answers).
"""
