"""Mon espace santé: which documents go there, and what became of each.

This package decides and remembers; `mailboxes.national_record` sends what waits, and answers with `mark_sent` or
`mark_refused`.
"""
