"""PES v2, the XML in which a hospital and the public accountant tell each other about titres (protocole d'échange
standard, DGFiP). What is read, from which public source, and what nobody published: docs/billing-imports.md."""
