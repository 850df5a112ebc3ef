"""Provide the videos to evaluate: films of runs, films made for a suite, and the two sides of a comparison.

The only module of evaluations that starts generation. A suite's prompts become runs whose films are scored like any
video; products that are stored already are not made again.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from evals.evaluations.contenders import NAMES as SYSTEM_NAMES
from evals.evaluations.evaluate import Judgement, Origin, Progress, evaluate, stored_judgement
from evals.evaluations.suites import Suite
from evals.evaluations.videos import SuitePrompt, VideoInput, gather
from evals.evaluations.workers import LeftOut, ScoringContext
from memory.scores import evaluation_of, evaluations
from tools.errors import BadInput

if TYPE_CHECKING:
    from graph.runs.observer import Observer
    from graph.runs.requests.options import RequestOptions
    from graph.runs.services import Services
    from graph.settings import Settings
    from memory.archive import Archive
    from memory.records import Run


def films_of(archive: "Archive", names: Sequence[str]) -> tuple[list[VideoInput], Origin]:
    """Return the films of these runs, or of all finished runs. Raises BadInput for a run without a film."""
    runs = [archive.run(name) for name in names] or [run for run in archive.runs() if run.film is not None]
    if not runs:
        raise BadInput("no-films", "There are no films to judge; make one first.")
    for run in runs:
        if run.film is None:
            raise BadInput("run-without-film", f"Run {run.id} is {run.status} and has no film.", run=run.id)
    profiles = sorted({run.request.profile for run in runs})
    makers = [profile if profile in SYSTEM_NAMES else f"mora {profile}" for profile in profiles]
    return [film_of(archive, run, run.id) for run in runs], Origin(" and ".join(makers))


def film_of(archive: "Archive", run: "Run", name: str) -> VideoInput:
    """Return a run's film with its prompt and the files it was made from."""
    assert run.film is not None, f"run {run.id} has no film"
    image = archive.path(archive.artifact(run.request.images[0])) if run.request.images else None
    before = archive.path(archive.artifact(run.request.clips[0])) if len(run.request.clips) == 1 else None
    film = archive.path(archive.artifact(run.film))
    return VideoInput(name, film, prompt=run.request.prompt, image=image, before=before)


class Maker(Protocol):
    """Makes films of a suite's prompts. Stored products are reused, so that an interrupted suite can be continued."""

    def films(
        self, services: "Services", suite: Suite, seeds: Sequence[int], observer: "Observer", report: Progress
    ) -> tuple[list[VideoInput], list[LeftOut]]:
        """Return a film for every prompt and seed, and those that could not be made, with the reason."""

    def origin(self, suite: str, seeds: Sequence[int]) -> Origin:
        """Return the system and its settings."""


@dataclass(frozen=True)
class Mora:
    """Makes films with Mora's graph, in the profile of the settings."""

    settings: "Settings"
    planner: str

    def films(
        self, services: "Services", suite: Suite, seeds: Sequence[int], observer: "Observer", report: Progress
    ) -> tuple[list[VideoInput], list[LeftOut]]:
        """Implement `Maker.films`."""
        from graph.configure import numerics_of
        from graph.runs.requests.options import RequestOptions

        return films_for(
            services, suite, seeds, RequestOptions(**self._said), numerics_of(self.settings), observer, report
        )

    def origin(self, suite: str, seeds: Sequence[int]) -> Origin:
        """Implement `Maker.origin`."""
        return Origin(f"mora {self.settings.profile}", suite, {**self._said, "seed": seeds[0], "samples": len(seeds)})

    @property
    def _said(self) -> dict[str, Any]:
        return {"profile": self.settings.profile, "planner": self.planner}


def films_for(
    services: "Services", suite: Suite, seeds: Sequence[int], usual: "RequestOptions", numerics: dict[str, Any],
    observer: "Observer", report: Progress,
) -> tuple[list[VideoInput], list[LeftOut]]:  # fmt: skip
    """Make a film with Mora for every prompt and seed; return also those that failed, with the reason.

    usual: the profile and the planner.
    """
    made: list[VideoInput] = []
    failed: list[LeftOut] = []
    for place, (wanted, seed) in enumerate((wanted, seed) for wanted in suite.prompts for seed in seeds):
        report("generating", place, len(suite.prompts) * len(seeds))
        name = f"{wanted.text}-{seed}"
        film = _film(services, wanted, seed, usual, numerics, observer, name)
        if isinstance(film, LeftOut):
            failed.append(film)
        else:
            made.append(film)
    report("generating", len(suite.prompts) * len(seeds), len(suite.prompts) * len(seeds))
    return made, failed


def _film(
    services: "Services",
    wanted: SuitePrompt,
    seed: int,
    usual: "RequestOptions",
    numerics: dict[str, Any],
    observer: "Observer",
    name: str,
) -> VideoInput | LeftOut:
    from graph.errors import MISTAKES, PlannerError
    from graph.runs.requests.options import GivenFiles, RequestOptions
    from graph.runs.requests.resolve import request_with_files
    from graph.runs.runner import start
    from models.errors import AgentError

    try:
        files = GivenFiles(() if wanted.image is None else (wanted.image,))
        options = RequestOptions(prompt=wanted.text, seed=seed)
        request, uploads = request_with_files(options, files, usual, size=services.size)
        run = start(services, request, numerics, observer, uploads=uploads)
    except (*MISTAKES, AgentError, PlannerError) as error:
        return LeftOut(name, "", str(error))
    return replace(film_of(services.archive, run, name), style=wanted.style)


def side(
    context: ScoringContext, named: str, metrics: Sequence[str], prompts: Path | None, report: Progress
) -> Judgement:
    """Return one side of a comparison: a folder, file or list, scored if needed, or an evaluation by its digest.

    metrics: () for all, or for all that the evaluation has.
    """
    path = Path(named)
    if not path.exists():
        found = stored_judgement(context.archive, evaluation_of(context.archive, named))
        return found if not metrics else _only(found, metrics)
    given, _ = gather([path], prompts)
    return evaluate(context, given, metrics, Origin(named), report)


def newest(archive: "Archive") -> str:
    """Return the digest of the newest evaluation. Raises BadInput if there is none."""
    if not (found := evaluations(archive)):
        raise BadInput("no-evaluations", "There is no evaluation to report; judge videos first.")
    return found[0][1].digest


def _only(found: Judgement, metrics: Sequence[str]) -> Judgement:
    kept = tuple(scorer for scorer in found.evaluation.scorers if scorer.metric in metrics)
    return Judgement(found.evaluation.model_copy(update={"scorers": kept}), found.scores)
