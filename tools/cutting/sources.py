"""Find the stored clips that the frames of a film were joined from, so that an edited film is encoded only once."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain

from pydantic import ValidationError

from memory.records import Artifact
from tools.arguments import RecipeSpec
from tools.context import Archive
from tools.cutting.cut_video import edit_in
from tools.products.conform import Edge, Part, rate_of, retimed_count

Source = tuple[Artifact, int]
"""A frame: the clip that it is stored in, and its index there."""


@dataclass(frozen=True)
class Sources:
    """Where each frame of a film comes from, its size (width, height) in pixels before padding, and its rate."""

    frames: Sequence[Source]
    size: tuple[int, int]
    rate: Fraction


def sources_of(archive: Archive, film: Artifact) -> Sources:
    """Return the sources of a film's frames: lossless clips, and films that were not joined here.

    A clip, an upload, and a film whose record does not tell all its frames, are their own source.
    """
    found = _traced(archive, film)
    if found is not None and len(found.frames) == film.media.num_frames:
        return found
    own = [(film, index) for index in range(film.media.num_frames)]
    return Sources(own, (film.media.width, film.media.height), rate_of(film))


def _traced(archive: Archive, film: Artifact) -> Sources | None:
    if film.recipe.agent not in ("assemble_film", "cut_film"):
        return None
    try:
        spec = RecipeSpec.model_validate(film.recipe.spec)
    except ValidationError:
        return None
    parents = [sources_of(archive, archive.artifact(parent)) for parent in film.parents]
    if not parents:
        return None
    if film.recipe.agent == "cut_film":
        return Sources(edit_in(spec).of(parents[0].frames), parents[0].size, parents[0].rate)
    rate = Fraction(spec.fps)
    shown = (
        _shown(part, rate, drop_first=place in spec.drop_first, drop_last=place in spec.drop_last)
        for place, part in enumerate(parents)
    )
    return Sources([*chain.from_iterable(shown)], parents[0].size, rate)


def _shown(part: Sources, rate: Fraction, *, drop_first: bool, drop_last: bool) -> list[Source]:
    frames = part.frames[drop_first : len(part.frames) - drop_last]
    count = retimed_count(len(frames), part.rate, rate)
    # The same places as `tools.products.conform.retimed` takes.
    return [frames[min((2 * k + 1) * part.rate // (2 * rate), len(frames) - 1)] for k in range(count)]


def shows_edge(archive: Archive, clip: Artifact, edge: Edge) -> bool:
    """Return whether a clip begins or ends with the same frame as the clip that it was cut from; True for any other."""
    if clip.recipe.agent != "cut_video":
        return True
    original = archive.artifact(clip.parents[0])
    frames = edit_in(RecipeSpec.model_validate(clip.recipe.spec)).of(range(original.media.num_frames))
    same = frames[0] == 0 if edge == "first" else frames[-1] == original.media.num_frames - 1
    return same and shows_edge(archive, original, edge)


def parts_of(sources: Sources) -> list[Part]:
    """Return the frames as parts of a film; a clip that is shown whole, at the film's rate, becomes a whole part."""
    runs: list[tuple[Artifact, list[int] | None]] = []
    at = 0
    while at < len(sources.frames):
        clip, index = sources.frames[at]
        if _shown_whole(sources, at):
            runs.append((clip, None))
            at += clip.media.num_frames
            continue
        known, picked = runs[-1] if runs else (None, None)
        if known is None or picked is None or known.id != clip.id:
            picked = []
            runs.append((clip, picked))
        picked.append(index)
        at += 1
    return [Part(clip, frames=None if picked is None else tuple(picked)) for clip, picked in runs]


def _shown_whole(sources: Sources, at: int) -> bool:
    """Return whether the frames from `at` on are all those of one clip, in order and at its rate."""
    clip, index = sources.frames[at]
    count = clip.media.num_frames
    if index or rate_of(clip) != sources.rate or at + count > len(sources.frames):
        return False
    return all(shown.id == clip.id and place == k for k, (shown, place) in enumerate(sources.frames[at : at + count]))
