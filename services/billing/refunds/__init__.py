"""Money given back: asked by one person, approved by another above a threshold, followed to its end."""
