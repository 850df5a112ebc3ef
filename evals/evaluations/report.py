"""Write evaluations as one self-contained HTML file, with its pictures beside it as PNG files."""

import base64
import html
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from evals.evaluations.evaluate import Judgement
from evals.evaluations.plots import bars, radar, scatter
from evals.evaluations.scorer_identity import identity_of
from evals.evaluations.statistics import Comparison, Figure, aggregates, compare, counted, figures, names_of, pairs_of
from evals.evaluations.tables import interval
from memory.records import Judged, Scorer
from tools.delivery.export import check_destination, export
from tools.errors import BadInput
from tools.media.codecs import chosen_frames, evenly, probe
from tools.media.contact_sheet import frame_sheet

SUFFIX: Final = ".html"
WORST: Final = 10
SHEET_FRAMES: Final = 8
STYLE: Final = """
:root { color-scheme: light dark; --text: #222; --paper: #fff; --pale: #666; --line: #ddd; }
@media (prefers-color-scheme: dark) { :root { --text: #e4e4e4; --paper: #16181b; --pale: #a2a6ab; --line: #3a3e44; } }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
body { color: var(--text); background: var(--paper); }
h1, h2 { overflow-wrap: anywhere; }
.wide { overflow-x: auto; margin: 1rem 0; }
table { border-collapse: collapse; }
th, td { text-align: left; padding: .25rem .9rem .25rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th { font-weight: 600; color: var(--pale); }
td.n { font-variant-numeric: tabular-nums; white-space: nowrap; }
td:first-child, td:last-child { white-space: normal; min-width: 8rem; }
img { max-width: 100%; background: #fff; }
figure { margin: 1.5rem 0; }
figcaption, .small { color: var(--pale); font-size: .87rem; overflow-wrap: anywhere; }
"""


@dataclass(frozen=True)
class Clip:
    """One of the worst clips. below: its mean standardised score, lower is worse. sheet: its frames as a PNG."""

    video: Judged
    below: float
    scores: tuple[str, ...]
    sheet: bytes | None


def write_report(sides: Sequence[Judgement], out: Path) -> list[Path]:
    """Write the report of these evaluations (two are compared); return the paths of the HTML file and its pictures.

    Raises BadInput for an evaluation without scores and for a destination that cannot be written.
    """
    check_destination(out, suffix=SUFFIX)
    if empty := [side for side in sides if not side.scores]:
        raise BadInput(
            "evaluation-without-scores",
            f"{empty[0].evaluation.system} has no scores to report; evaluate it first.",
            system=empty[0].evaluation.system,
        )
    page, pictures = page_of(sides)
    written = [export(page.encode(), out, suffix=SUFFIX)]
    for name, png in pictures.items():
        written.append(export(png, out.with_name(f"{out.stem}-{name}.png"), suffix=".png"))
    return written


def page_of(sides: Sequence[Judgement]) -> tuple[str, dict[str, bytes]]:
    """Return the HTML and its pictures, PNG bytes by name."""
    shared = _shared(sides)
    drawn = {
        name: [figure for figure in figures(side) if figure.scorer in shared]
        for name, side in zip(names_of(sides), sides, strict=True)
    }
    pictures: dict[str, bytes] = {}
    if shared:
        if (png := radar(drawn)) is not None:
            pictures["radar"] = png
        pictures["bars"] = bars(drawn)
    comparison = compare(sides[0], sides[1]) if len(sides) == 2 else None
    if comparison is not None and comparison.differences:
        points = {one.title: pairs_of(sides[0], sides[1], one.metric) for one in comparison.differences}
        pictures["scatter"] = scatter((comparison.first, comparison.second), points)
    clips = [(name, worst(side)) for name, side in zip(names_of(sides), sides, strict=True)]
    for number, (_, found) in enumerate(clips, 1):
        of = f"-{number}" if len(sides) > 1 else ""
        pictures |= {f"worst{of}-{place}": clip.sheet for place, clip in enumerate(found, 1) if clip.sheet}
    body = "\n".join((*_heads(sides), *_comparison(comparison), *_drawings(pictures), *_worst_clips(clips)))
    return _page(body), pictures


def worst(side: Judgement) -> list[Clip]:
    """Return the ten videos with the lowest mean standardised score, over the metrics where higher is better."""
    below = _standing(side)
    ranked = sorted((video for video in side.evaluation.videos if video.name in below), key=lambda one: below[one.name])
    return [
        Clip(video, below[video.name], tuple(_scores_of(side, video)), _sheet(Path(video.path)))
        for video in ranked[:WORST]
    ]


def _standing(side: Judgement) -> dict[str, float]:
    """Return by video name the mean of its standardised scores (z-scores) over the metrics."""
    marks: dict[str, list[float]] = {}
    for scorer in side.evaluation.scorers:
        known = [(video.name, score.value) for video, score in side.column(scorer) if score.value is not None]
        spread = float(np.std([value for _, value in known])) if len(known) > 1 else 0.0
        if scorer.better == "higher" and spread > 0:
            middle = float(np.mean([value for _, value in known]))
            for name, value in known:
                marks.setdefault(name, []).append((value - middle) / spread)
    return {name: sum(values) / len(values) for name, values in marks.items()}


def _scores_of(side: Judgement, video: Judged) -> Iterator[str]:
    for scorer in side.evaluation.scorers:
        score = side.score(video, scorer)
        if score is not None:
            yield f"{scorer.title} {'no number' if score.value is None else f'{score.value / scorer.scale:.4f}'}"


def _sheet(path: Path) -> bytes | None:
    """Draw eight frames of a video; None if the file is gone or not a seekable video."""
    try:
        media = probe(path)
        indices = evenly(media.num_frames, SHEET_FRAMES)
        frames = np.stack(list(chosen_frames(path, indices)))
        return frame_sheet(frames, media.fps, columns=SHEET_FRAMES // 2, indices=indices)
    except (OSError, BadInput):
        return None


def _shared(sides: Sequence[Judgement]) -> set[str]:
    """Return the identities of the scorers that every side has, whose scores can be compared."""
    return set.intersection(*(set(map(identity_of, side.evaluation.scorers)) for side in sides))


def _heads(sides: Sequence[Judgement]) -> Iterator[str]:
    for name, side in zip(names_of(sides), sides, strict=True):
        evaluation, found = side.evaluation, figures(side)
        suite = f", suite {_e(evaluation.suite)}" if evaluation.suite else ""
        yield f"<h2>{_e(name)}</h2>"
        yield f"<p class=small>{counted(len(evaluation.videos), 'video')}{suite}; evaluation {evaluation.digest}</p>"
        yield _figures_table(found)
        for title, value in aggregates(found).items():
            yield f"<p>{_e(title)}: {value:.4f}</p>"
        yield "<details><summary>Scorers</summary>"
        yield _table(("metric", "source", "weights", "settings", "digest"), map(_scorer_row, evaluation.scorers))
        yield "</details>"


def _figures_table(found: Sequence[Figure]) -> str:
    head = ("metric", "mean over videos, 95 % interval", "as VBench pools", "videos", "no number", "scorer")
    return _table(
        head,
        (
            (
                one.title,
                interval(one.mean),
                "" if one.set_score is None else f"{one.set_score:.4f}",
                str(one.mean.n),
                str(one.undefined or ""),
                one.scorer[:12],
            )
            for one in found
        ),
    )


def _scorer_row(scorer: Scorer) -> tuple[str, ...]:
    weights = ", ".join(f"{file} {sha256[:12]}" for file, sha256 in scorer.weights.items())
    settings = ", ".join(f"{name} {value}" for name, value in scorer.settings.items())
    return scorer.title, scorer.source, weights or "none", settings, identity_of(scorer)[:12]


def _drawings(pictures: dict[str, bytes]) -> Iterator[str]:
    captions = {
        "radar": "Only metrics where higher is better and that the same scorer computed for every system.",
        "bars": "Each panel has its own scale; whiskers are 95 % intervals over videos.",
        "scatter": "One point per prompt; above the diagonal, the system on the vertical axis scores higher.",
    }
    for name, caption in captions.items():
        if name in pictures:
            yield f"<figure>{_image(pictures[name], name)}<figcaption>{caption}</figcaption></figure>"


def _comparison(comparison: Comparison | None) -> Iterator[str]:
    if comparison is None:
        return
    first, second = comparison.first, comparison.second
    yield f"<h2>{_e(second)} against {_e(first)}</h2>"
    shared = counted(comparison.prompts, "prompt")
    yield f"<p class=small>{shared} that both have; paired tests with Holm's correction.</p>"
    if not comparison.differences:
        yield from (f"<p>{_e(sentence)}</p>" for sentence in comparison.left_out)
        return
    head = ("metric", first, second, "difference, 95 % interval", "effect", "p", "Wilcoxon", "Holm", "conclusion")
    yield _table(
        head,
        (
            (
                one.title,
                f"{one.first:.4f}",
                f"{one.second:.4f}",
                interval(one.difference),
                *("" if value is None else f"{value:.4f}" for value in (one.effect, one.p, one.wilcoxon, one.holm)),
                one.conclusion(first, second),
            )
            for one in comparison.differences
        ),
    )
    yield from (f"<p class=small>{_e(sentence)}</p>" for sentence in comparison.left_out)


def _worst_clips(clips: Sequence[tuple[str, Sequence[Clip]]]) -> Iterator[str]:
    for name, found in clips:
        if not found:
            continue
        yield f"<h2>The lowest {len(found)} of {_e(name)}</h2>"
        yield (
            "<p class=small>By the mean of standardised scores over the metrics where higher is better; "
            "the number says how many standard deviations a clip is above the mean.</p>"
        )
        for clip in found:
            picture = _image(clip.sheet, clip.video.name) if clip.sheet else "<p>Its file no longer exists.</p>"
            words = f"{clip.below:+.2f} {clip.video.name}" + (f": {clip.video.prompt}" if clip.video.prompt else "")
            caption = f"<figcaption><b>{_e(words)}</b><br>{_e(', '.join(clip.scores))}</figcaption>"
            yield f"<figure>{caption}{picture}</figure>"


def _table(head: Sequence[str], rows: "Iterator[Sequence[str]] | map[tuple[str, ...]]") -> str:
    lines = ["<div class=wide><table><tr>" + "".join(f"<th>{_e(cell)}</th>" for cell in head) + "</tr>"]
    lines.extend("<tr>" + "".join(f"<td class=n>{_e(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return "\n".join((*lines, "</table></div>"))


def _image(png: bytes, words: str) -> str:
    return f'<img alt="{_e(words)}" src="data:image/png;base64,{base64.b64encode(png).decode()}">'


def _e(words: str) -> str:
    return html.escape(words[:2000])


def _page(body: str) -> str:
    policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width"><title>How good is it</title>'
        f"<style>{STYLE}</style></head>\n<body><h1>How good is it</h1>\n{body}\n</body></html>\n"
    )
