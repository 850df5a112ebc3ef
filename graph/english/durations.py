"""Compute the length of each shot from the request, the words and the allowed range."""

from collections.abc import Sequence

from graph.english.refusals import Refusal
from graph.state.bounds import LONGEST_SHOT_SECONDS, SHORTEST_SHOT_SECONDS, plain

_CLOSE = 1e-6


def share_seconds(
    per_shot: Sequence[float | None], ordered: float | None, spoken: float | None
) -> tuple[list[float | None], list[str]]:
    """Return the seconds of each shot, and notes. A length in the request wins over one in the words.

    per_shot: seconds of each shot in the words; ordered, spoken: of the whole film, in the request and in the words.
    Raises Refusal if a shot is too short or too long.
    """
    total = ordered if ordered is not None else spoken
    if total is None:
        return [check_seconds(value) for value in per_shot], []
    if None not in per_shot and abs(sum(filter(None, per_shot)) - total) < _CLOSE:
        return [check_seconds(value) for value in per_shot], []
    other = any(value is not None for value in per_shot) or (spoken is not None and spoken != total)
    notes = [f"The film lasts {plain(total)} seconds, as ordered; the shots share them."] if other else []
    share = round(total / len(per_shot), 3)
    rest = round(total - share * (len(per_shot) - 1), 3)
    return [check_seconds(value) for value in [*[share] * (len(per_shot) - 1), rest]], notes


def check_seconds(seconds: float | None) -> float | None:
    """Return the length of a shot. Raises Refusal if it is out of range."""
    if seconds is not None and not SHORTEST_SHOT_SECONDS <= seconds <= LONGEST_SHOT_SECONDS:
        raise Refusal(
            "shot-length-out-of-range",
            f"A shot of {plain(seconds)} seconds cannot be made; ask for {SHORTEST_SHOT_SECONDS:g} to "
            f"{LONGEST_SHOT_SECONDS:g} seconds a shot, or for more or fewer shots.",
        )
    return seconds
