"""The demonstration's identity providers: FranceConnect and FranceConnect+, Pro Santé Connect, ProConnect and a
hospital's own, played.

They speak the real protocols, from their own process, for fictional people. The portal has no
demonstration branch: it is only given their addresses. Left out of production packages.
"""
