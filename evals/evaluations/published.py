"""The published scores of the systems that the paper compares with, with their source and scale.

Numbers of different scales are never put into one table. The paper's table 4 prints VBench's Quality Score for the
other systems beside the plain mean of six scores for Mora, so its margins mean nothing. To score videos of one of these
systems, use `evaluate videos FOLDER --system NAME`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from tools.errors import BadInput

Scale = Literal["mora", "vbench"]
COLUMNS: Final = (
    "subject_consistency",
    "background_consistency",
    "motion_smoothness",
    "aesthetic_quality",
    "dynamic_degree",
    "imaging_quality",
    "temporal_style",
)
SCALES: Final[dict[Scale, str]] = {
    "mora": "Mora's Video Quality, the plain mean of six scores",
    "vbench": "most likely VBench's Quality Score, which is not the mean of the six that are printed",
}


@dataclass(frozen=True)
class Baseline:
    """A published row. quality: the printed Video Quality, on `scale`. scores: by metric. seconds: video length."""

    system: str
    table: int
    prompts: str
    scale: Scale
    quality: float
    scores: dict[str, float]
    seconds: float

    @property
    def where(self) -> str:
        """The source of the numbers and the meaning of their Video Quality."""
        return f"Mora (arXiv 2403.13248), table {self.table}: {self.prompts}; Video Quality is {SCALES[self.scale]}"


def _row(table: int, scale: Scale, system: str, quality: float, *numbers: float) -> Baseline:
    prompts = "the public leaderboard's numbers" if table == 1 else "VBench's own prompts"
    *scores, seconds = numbers
    return Baseline(system, table, prompts, scale, quality, dict(zip(COLUMNS, scores, strict=True)), seconds)


# fmt: off
BASELINES: Final[tuple[Baseline, ...]] = (
    #    table scale     system                   VQ    OC   BC    MS    AQ   DD   IQ   TS   s
    _row(1, "mora",   "Sora",                .797, .95, .96, 1.00, .60, .69, .58, .35, 60),
    _row(1, "mora",   "VideoCrafter1",       .778, .95, .98,  .95, .63, .55, .61, .26,  2),
    _row(1, "mora",   "ModelScope",          .758, .89, .95,  .95, .52, .66, .58, .25,  2),
    _row(1, "mora",   "Show-1",              .751, .95, .98,  .98, .57, .44, .59, .25,  3),
    _row(1, "mora",   "Pika",                .741, .96, .96,  .99, .63, .37, .54, .24,  3),
    _row(1, "mora",   "LaVie",               .746, .91, .97,  .96, .54, .49, .61, .26,  3),
    _row(1, "mora",   "LaVie-Interpolation", .741, .92, .97,  .97, .54, .46, .59, .26, 10),
    _row(1, "mora",   "Gen-2",               .733, .97, .97,  .99, .66, .18, .63, .24,  4),
    _row(1, "mora",   "CogVideo",            .673, .92, .95,  .96, .38, .42, .41, .07,  4),
    _row(4, "vbench", "Emu3",                .841, .95, .98,  .99, .60, .79, .63, .24,  5),
    _row(4, "vbench", "Open-Sora-Plan v1.2", .814, .97, .98,  .99, .59, .42, .57, .25,  8),
    _row(4, "vbench", "Gen-3 Alpha",         .841, .97, .97,  .99, .63, .60, .67, .25, 10),
    _row(4, "vbench", "LaVie-2",             .832, .98, .98,  .98, .68, .31, .70, .25,  3),
)
# fmt: on


def baselines(names: Sequence[str] = (), scale: Scale = "mora") -> list[Baseline]:
    """Return the rows of one scale, or the named rows. Raises BadInput for unknown names and mixed scales."""
    if not names:
        return [row for row in BASELINES if row.scale == scale]
    known = {row.system.lower(): row for row in BASELINES}
    if unknown := [name for name in names if name.lower() not in known]:
        raise BadInput(
            "baseline-unknown",
            f"There is no baseline {unknown[0]!r}; choose from {', '.join(row.system for row in BASELINES)}.",
            baseline=unknown[0],
        )
    return one_scale([known[name.lower()] for name in names])


def one_scale(rows: Sequence[Baseline]) -> list[Baseline]:
    """Return the rows unchanged. Raises BadInput if their Video Quality is on different scales."""
    other = next((row for row in rows if row.scale != rows[0].scale), None)
    if other is not None:
        raise BadInput(
            "baselines-on-two-scales",
            f"{rows[0].system} and {other.system} cannot be put into one table: the Video Quality of the one is "
            f"{SCALES[rows[0].scale]}, of the other {SCALES[other.scale]}.",
        )
    return list(rows)
