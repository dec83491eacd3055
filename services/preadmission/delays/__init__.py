"""How long a hospital usually takes to answer."""
