"""How real threads are held, one at a time."""
