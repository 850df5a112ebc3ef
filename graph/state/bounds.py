"""Limits of a film and its shots, and number formatting for messages. Imports nothing, to keep startup fast."""

MAX_SHOTS = 8
SHORTEST_SHOT_SECONDS = 0.5
LONGEST_SHOT_SECONDS = 20.0


def plain(number: float) -> str:
    """Format a number for a message: 1,000,000 rather than 1e+06."""
    return f"{number:,.10g}" if 1e-4 <= abs(number) < 1e10 else f"{number:g}"
