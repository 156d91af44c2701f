"""The engine: hunts, minimises, replays, verifies. Knows no story."""
