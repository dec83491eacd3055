"""Drills: the real processes run, people use them, something breaks, and a separate reader looks at what is left.

`make drills NAME=… SEED=… ROUNDS=…`. Drawers: `place` (what runs), `world` (who is there), `line` (a bad network),
`letterbox` (a mail server), `people` (what they do), `history` (what they were told), `readers` (what must hold),
and one module for each family of drills. docs/drills.md says what each proves.
"""
