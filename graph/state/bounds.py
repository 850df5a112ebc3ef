"""Bounds of a film and of its shots, and how a number is written for a person. Light: imports nothing of ours."""

MAX_SHOTS = 8
SHORTEST_SHOT_SECONDS = 0.5
LONGEST_SHOT_SECONDS = 20.0


def plain(number: float) -> str:
    """Write a number as a person does: 1,000,000 and not 1e+06."""
    return f"{number:,.10g}" if 1e-4 <= abs(number) < 1e10 else f"{number:g}"
