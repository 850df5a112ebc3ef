"""Format evaluations as tables for a person and as JSON for a script, with NaN as null."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from evals.evaluations.evaluate import Judgement
from evals.evaluations.published import Baseline
from evals.evaluations.scorer_identity import identity_of
from evals.evaluations.statistics import Comparison, Verdict, aggregates, counted, figures
from evals.evaluations.workers import LeftOut
from evals.intervals import Estimate
from memory.records import Evaluation

SHORT = 12
"""Digits of a digest that are shown."""
NEEDS = " needs "
"""Separates the metric from the files in a sentence on missing weights."""
SHOWN_IN_FULL = 2
"""Up to so many sentences on missing weights are shown in full; more are merged into one."""
SHOWN = 8
"""Sentences of one kind under a table; `--json` has them all."""


def judgement_table(judgement: Judgement) -> RenderableType:
    """Return an evaluation as a table with a row per metric, followed by what was left out."""
    evaluation, found = judgement.evaluation, figures(judgement)
    table = _table("metric", "mean over videos, 95 % interval", "as VBench pools", "videos", "no number", "scorer")
    for figure in found:
        table.add_row(
            escape(figure.title),
            interval(figure.mean),
            _number(figure.set_score),
            str(figure.mean.n),
            str(figure.undefined or ""),
            figure.scorer[:SHORT],
        )
    head = (
        f"{evaluation.system}: {counted(len(evaluation.videos), 'video')}, {counted(judgement.made, 'score')} made now"
    )
    parts: list[RenderableType] = [Text(head), table] if found and evaluation.videos else [Text(head)]
    parts.extend(Text(f"{name}: {value:.4f}") for name, value in aggregates(found).items())
    parts.extend(Text(line) for line in _sentences(judgement))
    if evaluation.videos and found:
        parts.append(Text(f"evaluation {evaluation.digest[:SHORT]}; `python main.py evaluate report` shows it"))
    return Group(*parts)


def as_json(judgement: Judgement) -> dict[str, Any]:
    """Return all of an evaluation. Values are on the official code's scale, means on the tables' scale."""
    evaluation, found = judgement.evaluation, figures(judgement)
    return {
        "evaluation": evaluation.digest,
        "system": evaluation.system,
        "suite": evaluation.suite,
        "scorers": [{"digest": identity_of(scorer), **scorer.model_dump(mode="json")} for scorer in evaluation.scorers],
        "metrics": [figure.model_dump(mode="json") for figure in found],
        "aggregates": aggregates(found),
        "videos": [video.model_dump(mode="json") for video in evaluation.videos],
        "scores": [
            {
                "name": video.name,
                "metric": scorer.metric,
                "prompt": video.prompt,
                **score.model_dump(mode="json", exclude={"told"}),
            }
            for video, scorer, score in judgement.rows()
        ],
        "missing_weights": judgement.missing,
        "left_out": [{"name": one.name, "metric": one.metric, "why": one.why} for one in judgement.left_out],
        "bad": [{"name": one.name, "why": one.why} for one in judgement.bad],
        "made": judgement.made,
    }


def comparison_table(comparison: Comparison) -> RenderableType:
    """Return a comparison of two systems as a table with a row per metric."""
    names = comparison.first, comparison.second
    table = _table(
        "metric", *map(escape, names), "difference, 95 % interval", "effect", "p", "Wilcoxon", "Holm", "conclusion"
    )
    for one in comparison.differences:
        table.add_row(
            escape(one.title),
            f"{one.first:.4f}",
            f"{one.second:.4f}",
            interval(one.difference),
            _number(one.effect, 2),
            _number(one.p),
            _number(one.wilcoxon),
            _number(one.holm),
            escape(one.conclusion(*names)),
        )
    head = f"{names[1]} against {names[0]}, {counted(comparison.prompts, 'prompt')} that both have"
    shown = [table] if comparison.differences else []
    return Group(Text(head), *shown, *(Text(sentence) for sentence in comparison.left_out))


def verdict_lines(verdicts: Sequence[Verdict]) -> RenderableType:
    """Return a line for each gate: its bounds, and whether it holds."""
    lines = (f"{one.metric} {one.asked}: " + ("holds" if one.holds else f"broken, {one.why}") for one in verdicts)
    return Group(*(Text(line) for line in lines))


def evaluations_table(found: Sequence[tuple[datetime, Evaluation]]) -> RenderableType:
    """Return a table of evaluations, in the given order."""
    if not found:
        return Text("There are no evaluations yet; `python main.py evaluate videos FOLDER` makes one.")
    table = _table("evaluation", "when", "system", "suite", "videos", "metrics")
    for when, evaluation in found:
        table.add_row(
            evaluation.digest[:SHORT],
            when.astimezone().strftime("%Y-%m-%d %H:%M"),
            escape(evaluation.system),
            escape(evaluation.suite or ""),
            str(len(evaluation.videos)),
            str(len(evaluation.scorers)),
        )
    return table


def evaluations_as_json(found: Sequence[tuple[datetime, Evaluation]]) -> list[dict[str, Any]]:
    """Return the same list as JSON objects."""
    return [
        {
            "evaluation": evaluation.digest,
            "created_at": when.isoformat(),
            "system": evaluation.system,
            "suite": evaluation.suite,
            "videos": len(evaluation.videos),
            "metrics": [scorer.metric for scorer in evaluation.scorers],
        }
        for when, evaluation in found
    ]


def baselines_table(rows: Sequence[Baseline]) -> RenderableType:
    """Return a table of published scores of one scale; `rows` is not empty."""
    names = list(rows[0].scores)
    titles = (name.replace("_", " ") for name in names)
    table = _table("system", "Video Quality" if rows[0].scale == "mora" else "as printed", *titles, "seconds")
    table.columns[0].no_wrap = True
    for column, name in zip(table.columns[2:], names, strict=False):
        column.min_width = max(map(len, name.split("_")))
    for row in rows:
        numbers = (f"{row.scores[name]:.2f}" for name in names)
        table.add_row(escape(row.system), f"{row.quality:.3f}", *numbers, f"{row.seconds:g}")
    return Group(Text(rows[0].where), table)


def interval(estimate: Estimate) -> str:
    """Format a value with its interval, as in tables."""
    if estimate.value is None:
        return "no number"
    if estimate.low is None or estimate.high is None:
        return f"{estimate.value:.4f}"
    return f"{estimate.value:.4f} ({estimate.low:.4f} .. {estimate.high:.4f})"


def _sentences(judgement: Judgement) -> Iterator[str]:
    lacking: dict[str, list[str]] = {}
    for sentence in judgement.missing.values():
        title, _, files = sentence.partition(NEEDS)
        lacking.setdefault(files, []).append(title)
    if len(lacking) > SHOWN_IN_FULL:
        every = ", ".join(title for titles in lacking.values() for title in titles)
        yield (
            f"left out, since their weight files are missing: {every}; evals/networks/README.md and --json say "
            "which file each needs, its source and its size, and --fetch downloads them."
        )
        lacking = {}
    for files, titles in lacking.items():
        yield f"left out: {' and '.join(titles)}{NEEDS if len(titles) == 1 else ' need '}{files} --fetch gets it."
    yield from _first_few([f"bad: {one.why}" for one in judgement.bad], "bad files")
    reasons: dict[tuple[str, str], list[LeftOut]] = {}
    for one in judgement.left_out:
        reasons.setdefault((one.metric, one.why), []).append(one)
    yield from _first_few([f"{group[0].name}{_more(group)}: {why}" for (_, why), group in reasons.items()], "reasons")
    notes = {score.note: video.name for video, _, score in reversed(list(judgement.rows())) if score.note}
    yield from _first_few([f"{name}: {note}" for note, name in reversed(notes.items())], "notes")


def _more(group: Sequence[LeftOut]) -> str:
    return f" and {len(group) - 1} more" if len(group) > 1 else ""


def _first_few(sentences: Sequence[str], what: str) -> Iterator[str]:
    yield from sentences[:SHOWN]
    if len(sentences) > SHOWN:
        yield f"and {len(sentences) - SHOWN} more {what}; --json has them all"


def _number(value: float | None, digits: int = 4) -> str:
    return "" if value is None else f"{value:.{digits}f}"


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table
