"""Aggregate scores: means with confidence intervals, paired comparisons of two systems, and gates. Reads no video.

A video without a score is counted and reported but never averaged as 0. Values are on the scale of the tables, where 1
is the maximum (imaging quality is divided by 100).
"""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, JsonValue
from scipy import stats

from evals.evaluations.evaluate import Judgement
from evals.evaluations.scorer_identity import SHARES, identity_of
from evals.intervals import LEVEL, RESAMPLES, Estimate, mean, wilson
from evals.metrics.aggregates import QUALITY_SCORE, VIDEO_QUALITY, quality_score, video_quality
from memory.records import Judged, Score, Scorer
from tools.errors import BadInput

AT_LEAST, AT_MOST = "at_least", "at_most"
SIGNIFICANT: Final = 1 - LEVEL


class Figure(BaseModel):
    """A metric's mean over the videos of an evaluation, with its interval (Wilson's for a share).

    undefined: number of videos without a value. set_score: pooled as VBench does, over videos or over all frames.
    """

    model_config = ConfigDict(frozen=True)

    metric: str
    title: str
    scorer: str
    better: Literal["higher", "neither"]
    mean: Estimate
    undefined: int
    set_score: float | None


class Difference(BaseModel):
    """The difference of two systems in one metric, second minus first, over the prompts that both have.

    p: of a paired permutation test of the mean. holm: p corrected for the number of metrics compared. wilcoxon: p of
    the signed-rank test. effect: mean difference over its standard deviation; None if all differences are equal.
    """

    model_config = ConfigDict(frozen=True)

    metric: str
    title: str
    better: Literal["higher", "neither"]
    first: float
    second: float
    difference: Estimate
    p: float | None
    wilcoxon: float | None
    holm: float | None = None
    effect: float | None

    def conclusion(self, first: str, second: str) -> str:
        """Say which system is ahead if the corrected test and the interval both show a difference."""
        if self.holm is None or self.holm > SIGNIFICANT or not _leaves_out_zero(self.difference):
            return "no difference shown"
        ahead = second if (self.difference.value or 0) > 0 else first
        return f"{ahead} is {'better' if self.better == 'higher' else 'higher'}"


class Comparison(BaseModel):
    """Two evaluations compared. left_out: a sentence for each reason why metrics or prompts were left out."""

    model_config = ConfigDict(frozen=True)

    first: str
    second: str
    prompts: int
    differences: tuple[Difference, ...]
    left_out: tuple[str, ...] = ()


class Verdict(BaseModel):
    """The outcome of a gate: the bounds required, the interval found, whether it holds."""

    model_config = ConfigDict(frozen=True)

    metric: str
    asked: str
    low: float | None
    high: float | None
    holds: bool
    why: str


def _leaves_out_zero(estimate: Estimate) -> bool:
    return estimate.low is not None and estimate.high is not None and (estimate.low > 0 or estimate.high < 0)


def figures(judgement: Judgement) -> list[Figure]:
    """Return one figure for each metric, in the order requested."""
    return [_figure(judgement, scorer) for scorer in judgement.evaluation.scorers]


def _figure(judgement: Judgement, scorer: Scorer) -> Figure:
    column = [score for _, score in judgement.column(scorer)]
    values = [score.value / scorer.scale for score in column if score.value is not None]
    return Figure(
        metric=scorer.metric,
        title=scorer.title,
        scorer=identity_of(scorer),
        better=scorer.better,
        mean=wilson(round(sum(values)), len(values)) if scorer.metric in SHARES else mean(values),
        undefined=len(column) - len(values),
        set_score=_set_score(column, scorer),
    )


def _set_score(column: Sequence[Score], scorer: Scorer) -> float | None:
    """Pool the scores as VBench does; None if a video has no value, which VBench would count as 0 or NaN."""
    values = [(score.value, len(score.values)) for score in column]
    if not values or any(value is None for value, _ in values):
        return None
    known = [(value / scorer.scale, count) for value, count in values if value is not None]
    if scorer.pooled == "videos":
        return math.fsum(value for value, _ in known) / len(known)
    return math.fsum(value * count for value, count in known) / sum(count for _, count in known)


def aggregates(over_videos: Sequence[Figure]) -> dict[str, float]:
    """Return Mora's Video Quality and VBench's Quality Score, each only if all the metrics it averages are present."""
    raw = {figure.metric: figure.set_score for figure in over_videos if figure.set_score is not None}
    found = {}
    if set(VIDEO_QUALITY) <= set(raw):
        found["Mora's Video Quality"] = video_quality(raw)
    if set(QUALITY_SCORE) <= set(raw):
        found["VBench's Quality Score"] = quality_score(raw)
    return found


def compare(first: Judgement, second: Judgement) -> Comparison:
    """Compare the second evaluation with the first in every metric that both have from the same scorer.

    Videos are paired by prompt (several videos of one prompt count as their mean), or by name if they have no prompt.
    Raises BadInput if there are no pairs.
    """
    ours, theirs = _by_prompt(first), _by_prompt(second)
    shared = [prompt for prompt in ours if prompt in theirs]
    names = names_of((first, second))
    if not shared:
        raise BadInput(
            "no-common-prompt",
            f"{names[0]} and {names[1]} have no prompt in common ({next(iter(ours), 'none')!r} against "
            f"{next(iter(theirs), 'none')!r}); compare videos of the same prompts.",
        )
    left_out = []
    if apart := len(ours) + len(theirs) - 2 * len(shared):
        left_out.append(f"Left out, present on one side only: {counted(apart, 'prompt')}.")
    other = set(map(identity_of, second.evaluation.scorers))
    if odd := [scorer.title for scorer in first.evaluation.scorers if identity_of(scorer) not in other]:
        left_out.append(
            f"Left out, not scored by the same scorer on both sides: {', '.join(odd)}; evaluate both again."
        )
    found = []
    for scorer in first.evaluation.scorers:
        if identity_of(scorer) not in other:
            continue
        pairs = [(_mean_of(first, ours[one], scorer), _mean_of(second, theirs[one], scorer)) for one in shared]
        known = [(a, b) for a, b in pairs if a is not None and b is not None]
        if len(known) < len(pairs):
            left_out.append(
                f"{scorer.title}: {counted(len(pairs) - len(known), 'prompt')} without a score on one side."
            )
        if known:
            found.append(_difference(scorer, known))
    return Comparison(
        first=names[0], second=names[1], prompts=len(shared), differences=tuple(holm(found)), left_out=tuple(left_out)
    )


def names_of(sides: Sequence[Judgement]) -> list[str]:
    """Return the systems' names, with the settings that differ appended if two names are equal."""
    systems = [side.evaluation.system for side in sides]
    if len(set(systems)) == len(systems):
        return systems
    settings = [side.evaluation.settings for side in sides]
    differing = [key for key in settings[0] if len({str(one.get(key)) for one in settings}) > 1]
    names = [
        ", ".join((name, *(f"{key} {one.get(key)}" for key in differing)))
        for name, one in zip(systems, settings, strict=True)
    ]
    if len(set(names)) == len(names):
        return names
    return [f"{name} {side.evaluation.digest[:8]}" for name, side in zip(systems, sides, strict=True)]


def pairs_of(first: Judgement, second: Judgement, metric: str) -> list[tuple[str, float, float]]:
    """Return (prompt, first's score, second's score) for the prompts that both have scored."""
    ours, theirs = _by_prompt(first), _by_prompt(second)
    scorer = next(one for one in first.evaluation.scorers if one.metric == metric)
    found = (
        (key, _mean_of(first, ours[key], scorer), _mean_of(second, theirs[key], scorer))
        for key in ours
        if key in theirs
    )
    return [(key, a, b) for key, a, b in found if a is not None and b is not None]


def _by_prompt(judgement: Judgement) -> dict[str, list[Judged]]:
    found: dict[str, list[Judged]] = defaultdict(list)
    for video in judgement.evaluation.videos:
        found[video.name if video.prompt is None else video.prompt].append(video)
    return found


def _mean_of(judgement: Judgement, videos: Sequence[Judged], scorer: Scorer) -> float | None:
    scores = [judgement.score(video, scorer) for video in videos]
    values = [score.value / scorer.scale for score in scores if score is not None and score.value is not None]
    return math.fsum(values) / len(values) if values else None


def _difference(scorer: Scorer, pairs: Sequence[tuple[float, float]]) -> Difference:
    first, second = (np.asarray(side, dtype=np.float64) for side in zip(*pairs, strict=True))
    apart = second - first
    several, spread = len(apart) > 1, float(np.std(apart, ddof=1)) if len(apart) > 1 else 0.0
    moved = bool(np.any(apart != 0))
    return Difference(
        metric=scorer.metric,
        title=scorer.title,
        better=scorer.better,
        first=float(first.mean()),
        second=float(second.mean()),
        difference=mean(apart.tolist()),
        p=_permutation_p(apart) if several else None,
        wilcoxon=(float(stats.wilcoxon(apart).pvalue) if moved else 1.0) if several else None,
        effect=float(apart.mean()) / spread if spread > 0 else None,
    )


def _permutation_p(apart: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> float:
    """Return p of the mean difference under random swaps of each prompt's two scores; exact for few prompts."""
    if not np.any(apart):
        return 1.0
    found = stats.permutation_test(
        (apart,),
        np.mean,
        permutation_type="samples",
        n_resamples=RESAMPLES,
        batch=500,
        vectorized=True,
        rng=np.random.default_rng(0),
    )
    return float(found.pvalue)


def holm(found: Sequence[Difference]) -> list[Difference]:
    """Return the differences with Holm's correction of their p for multiple tests (Holm 1979)."""
    order = sorted((one.p, place) for place, one in enumerate(found) if one.p is not None)
    corrected, highest = dict[int, float](), 0.0
    for rank, (p, place) in enumerate(order):
        highest = max(highest, min(1.0, p * (len(order) - rank)))
        corrected[place] = highest
    return [one.model_copy(update={"holm": corrected.get(place)}) for place, one in enumerate(found)]


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: "1 video", "2 videos"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def gate(asked: Mapping[str, JsonValue], found: Mapping[str, tuple[Estimate, int]]) -> list[Verdict]:
    """Check thresholds: the whole interval must be within the bounds, and every video must have a value.

    asked: by metric a lower bound, or {"at_least": ..., "at_most": ...}. found: by metric, the estimate and the number
    of videos without a value. Raises BadInput for a malformed threshold.
    """
    if not isinstance(asked, dict) or not asked:
        raise BadInput(
            "gate-malformed",
            'A gate is {METRIC: LEAST} or {METRIC: {"at_least": LEAST, "at_most": MOST}}; it asks nothing.',
        )
    return [_verdict(metric, *_bounds(metric, said), found.get(metric)) for metric, said in asked.items()]


def _bounds(metric: str, said: JsonValue) -> tuple[float | None, float | None]:
    bounds = said if isinstance(said, dict) else {AT_LEAST: said}
    numbers = [value for value in bounds.values() if isinstance(value, int | float) and not isinstance(value, bool)]
    if not bounds or len(numbers) < len(bounds) or not set(bounds) <= {AT_LEAST, AT_MOST}:
        raise BadInput(
            "gate-malformed",
            f"The gate of {metric} is {str(said)[:60]}; write a number, or at_least and at_most.",
            metric=metric,
        )
    least, most = (bounds.get(name) for name in (AT_LEAST, AT_MOST))
    return (float(least) if isinstance(least, int | float) else None), (
        float(most) if isinstance(most, int | float) else None
    )


def _verdict(metric: str, least: float | None, most: float | None, found: tuple[Estimate, int] | None) -> Verdict:
    asked = " and ".join(
        f"{words} {bound:g}" for words, bound in (("at least", least), ("at most", most)) if bound is not None
    )
    estimate, undefined = found or (Estimate(n=0), 0)
    low = estimate.value if estimate.low is None else estimate.low
    high = estimate.value if estimate.high is None else estimate.high
    if low is None or high is None:
        why = "it has no score"
    elif undefined:
        why = f"{counted(undefined, 'video')} without a number"
    elif (least is not None and low < least) or (most is not None and high > most):
        why = f"the interval is {low:.4f} .. {high:.4f}"
    else:
        return Verdict(metric=metric, asked=asked, low=low, high=high, holds=True, why="")
    return Verdict(metric=metric, asked=asked, low=low, high=high, holds=False, why=why)
