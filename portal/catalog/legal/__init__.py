"""Legal pages made from data: accessibility statement with its yearly plan, legal notice, personal data by service.

Drawers: `models`, `content` (what each page holds), `actions`, `queries`, `processings` (what is done with data, GDPR
article 30), `retention`.
"""
