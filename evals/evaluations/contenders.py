"""Run the systems that Mora is compared with, the rows of `models.presets.SYSTEMS`, on the prompts of a suite.

Their clips are stored with recipes and encoded into films exactly like Mora's own, so that scores differ by the system
only. Each film is a run of its own, without a planner.
"""

import re
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from evals.evaluations.evaluate import Origin, Progress
from evals.evaluations.videos import SuitePrompt, VideoInput
from evals.evaluations.workers import LeftOut
from models.agent import Picture, TextToVideoSpec, VideoSpec
from models.errors import AgentError, WeightsMissing
from models.presets import SYSTEMS, Preset, preset
from tools.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import JsonValue

    from evals.evaluations.suites import Suite
    from graph.runs.observer import Observer
    from graph.runs.services import Services
    from graph.settings import Settings
    from memory.records import Artifact
    from models.agent import Bookmark
    from tools.context import ToolContext

NAMES: Final = tuple(row.profile for row in SYSTEMS)
SHORTEST_SIDE: Final = 16
NO_PLANNER: Final = "none"
"""The planner in the request of such a run."""


@dataclass(frozen=True)
class SystemOptions:
    """Overrides of a system's preset; None keeps the preset's value. size: (width, height) in pixels."""

    weights: str | None = None
    steps: int | None = None
    frames: int | None = None
    size: tuple[int, int] | None = None


@dataclass(frozen=True)
class System:
    """A system with its overrides applied. image_preset: A2's preset, if the system starts from a picture."""

    row: Preset
    image_preset: Preset | None = None

    @property
    def name(self) -> str:
        """The name on the command line."""
        return self.row.profile

    @property
    def settings(self) -> "dict[str, JsonValue]":
        """What its clips depend on besides prompt and seed, as shown to a person; the recipes hold the digests."""
        row = self.row
        shown: dict[str, JsonValue] = {
            "system": row.profile, "pipeline": row.pipeline, "weights": row.weights, "steps": row.steps,
            "guidance": row.guidance, "size": [row.width, row.height], "frames": row.num_frames, "fps": row.fps,
            **row.options,
        }  # fmt: skip
        return shown if self.image_preset is None else {**shown, "first_frame": self.image_preset.weights}


def system_of(name: str, overrides: SystemOptions, profile: str) -> System:
    """Return a system by name with overrides. profile: the profile whose A2 draws the first frame, if one is needed.

    Raises BadInput for an unknown name, missing weights, and weights of another pipeline.
    """
    row = next((row for row in SYSTEMS if row.profile == name), None)
    if row is None:
        raise BadInput(
            "system-unknown",
            f"There is no system {name!r} that can be run; choose from {', '.join(NAMES)}.",
            system=name,
        )
    width, height = overrides.size or (row.width, row.height)
    row = replace(
        row,
        weights=row.weights if overrides.weights is None else _location_of(overrides.weights, row),
        steps=overrides.steps or row.steps,
        num_frames=overrides.frames or row.num_frames,
        width=width,
        height=height,
    )
    image_preset = None if row.role == "text_to_video" else replace(preset(profile, "text_to_image"), profile=name)
    for each in filter(None, (row, image_preset)):
        _check(each)
    return System(row, image_preset)


def _location_of(weights: str, row: Preset) -> str:
    """Return the absolute path of a folder, or a hub id unchanged. Raises BadInput."""
    folder = Path(weights).expanduser()
    if folder.is_dir():
        return str(folder.absolute())
    if folder.is_absolute() or weights.startswith((".", "~")) or weights.count("/") != 1:
        raise BadInput(
            "system-weights-missing",
            f"{weights} is not a folder; name one that holds a {row.pipeline} as diffusers saves it, or a hub id such "
            f"as {row.weights}.",
            path=str(weights),
            weights=row.weights,
        )
    return weights


def _check(row: Preset) -> None:
    from models.backends.loading import check_class, folder_of

    try:
        check_class(row, folder_of(row))
    except WeightsMissing as error:
        said = str(error)
        raise BadInput("system-weights-unusable", f"{said[0].upper()}{said[1:]}.", weights=row.weights) from error


def options_from(*, size: str | None, **said: Any) -> SystemOptions:
    """Parse command-line overrides. size: "WIDTHxHEIGHT", both multiples of 8. Raises BadInput."""
    if size is None:
        return SystemOptions(**said)
    sides = re.fullmatch(r"(\d{1,4})x(\d{1,4})", size)
    width, height = map(int, sides.groups()) if sides else (0, 0)
    if not (min(width, height) >= SHORTEST_SIDE and width % 8 == height % 8 == 0):
        raise BadInput(
            "clip-size-malformed",
            f"{size} is not a size of a clip; write WIDTHxHEIGHT, multiples of 8 such as 256x256.",
        )
    return SystemOptions(size=(width, height), **said)


@dataclass(frozen=True)
class Contender:
    """A system as a `generators.Maker`."""

    system: System
    settings: "Settings"

    def films(
        self, services: "Services", suite: "Suite", seeds: Sequence[int], observer: "Observer", report: Progress
    ) -> tuple[list[VideoInput], list[LeftOut]]:
        """Implement `Maker.films`. Raises WeightsMissing, since without weights no film can be made."""
        maker = _film_maker(services, self.system, self.settings, observer)
        made: list[VideoInput] = []
        failed: list[LeftOut] = []
        asked = [(wanted, seed) for wanted in suite.prompts for seed in seeds]
        for place, (wanted, seed) in enumerate(asked):
            report("generating", place, len(asked))
            name = f"{wanted.text}-{seed}"
            try:
                made.append(_film(maker, wanted, seed, name))
            except WeightsMissing:
                raise
            except (AgentError, BadInput) as error:
                failed.append(LeftOut(name, "", str(error)))
        report("generating", len(asked), len(asked))
        return made, failed

    def origin(self, suite: str, seeds: Sequence[int]) -> Origin:
        """Implement `Maker.origin`."""
        return Origin(self.system.name, suite, {**self.system.settings, "seed": seeds[0], "samples": len(seeds)})


@dataclass(frozen=True)
class _FilmMaker:
    services: "Services"
    system: System
    profile: str
    """The profile whose A2 draws first frames."""
    numerics: "dict[str, JsonValue]"
    lender: Any
    observer: "Observer"


def _film_maker(services: "Services", system: System, settings: "Settings", observer: "Observer") -> _FilmMaker:
    from graph.configure import numerics_of
    from models.lenders.local import LocalLender

    table = tuple(row for row in (system.row, system.image_preset) if row is not None)
    numerics: dict[str, Any] = numerics_of(settings)
    lender = LocalLender(system.name, gib=settings.memory_gib, table=table, **numerics)
    return _FilmMaker(services, system, settings.profile, numerics, lender, observer)


def _film(maker: _FilmMaker, wanted: SuitePrompt, seed: int, name: str) -> VideoInput:
    from graph.planning.profiles import PROFILES
    from tools.uploads.pictures import take_picture

    row = maker.system.row
    begins = maker.system.image_preset is not None
    picture = take_picture(wanted.image, (row.width, row.height)) if begins and wanted.image is not None else None
    if begins and picture is None:
        fault = PROFILES[maker.profile].check_picture(wanted.text)
        if fault is not None:
            raise BadInput(
                "first-frame-not-drawn",
                f"A2 of {maker.profile} cannot draw a first frame: {fault}; choose another profile.",
                profile=maker.profile,
            )
    with _run(maker, wanted, seed) as tool_context:
        first = _first_frame(tool_context, wanted, seed, picture) if begins else None
        clip = _clip(maker, tool_context, wanted.text, seed, first)
        film = _assembled(tool_context, clip)
        maker.services.archive.set_status(tool_context.lease, "done", film=film.id)
    archive = maker.services.archive
    image = None if first is None else archive.path(first)
    return VideoInput(name, archive.path(film), prompt=wanted.text, style=wanted.style, image=image)


@contextmanager
def _run(maker: _FilmMaker, wanted: SuitePrompt, seed: int) -> "Iterator[ToolContext]":
    """Create a run for one film, so that its row records the system and the outcome."""
    from graph.runs.cancellation import StoppableLender
    from graph.runs.driver import outcome_recorded
    from graph.runs.observer import report_to
    from graph.state.channels import GRAPH_VERSION
    from memory.records import Request
    from tools.context import ToolContext

    services, row = maker.services, maker.system.row
    request = Request(
        prompt=wanted.text, task="text-to-video", seed=seed, profile=maker.system.name, planner=NO_PLANNER
    )
    stored = {**maker.numerics, **maker.system.settings, "planner": NO_PLANNER}
    run = services.archive.create_run(request, settings=stored, graph_version=GRAPH_VERSION)
    with services.archive.hold(run.id, pause=services.pause) as lease, outcome_recorded(services.archive, lease):
        tool_context = ToolContext(
            lender=StoppableLender(maker.lender, services.stop_if_asked),
            archive=services.archive,
            lease=lease,
            size=(row.width, row.height),
            fps=row.fps,
            num_frames=row.num_frames,
            report=report_to(maker.observer, services.stop_if_asked),
            bookmarks=services.bookmarks,
        )
        yield tool_context


def _first_frame(tool_context: "ToolContext", wanted: SuitePrompt, seed: int, picture: Any) -> "Artifact":
    """Return the given picture, or the one that A2 draws from the prompt."""
    from pydantic import ValidationError

    from tools.text_to_image import TextToImage, text_to_image
    from tools.uploads.pictures import store

    if picture is not None:
        return store(tool_context, picture).artifact
    try:
        asked = TextToImage(prompt=wanted.text)
    except ValidationError as error:
        raise BadInput(
            "prompt-unusable", f"A2 cannot read this prompt ({error.errors()[0]['msg']}); write another one."
        ) from error
    return text_to_image(tool_context, asked, seed=seed).artifact


def _clip(
    maker: _FilmMaker, tool_context: "ToolContext", prompt: str, seed: int, first: "Artifact | None"
) -> "Artifact":
    from tools.context import clip_product, made_on, progress_of, recipe_of, stored_picture
    from tools.media.codecs import clip_writer, fit

    row = maker.system.row
    # All of the row's settings: two rows may share weights.
    sampling: dict[str, Any] = {
        "num_frames": row.num_frames, "num_inference_steps": row.steps, "guidance_scale": row.guidance,
    }  # fmt: skip
    asked = {"prompt": prompt, "seed": seed, **sampling, "width": row.width, "height": row.height, "fps": row.fps}
    parents = () if first is None else (first,)
    spec: Any = TextToVideoSpec(prompt=prompt, seed=seed, **sampling)
    if first is not None:
        picture = Picture(fit(stored_picture(tool_context, first).pixels, row.width, row.height))
        spec = VideoSpec(prompt=prompt, image=picture, seed=seed, **sampling)

    def produce(bookmark: "Bookmark | None") -> Any:
        steps = progress_of(tool_context.report, row.role, row.num_frames)
        with maker.lender.lend(row.role) as agent:
            return clip_product(agent(spec, progress=steps, bookmark=bookmark))

    recipe = recipe_of(
        tool_context, row.profile, row.role, {**asked, **row.options}, writer=clip_writer(), parents=parents
    )
    return made_on(tool_context, recipe, produce, parents=parents).artifact


def _assembled(tool_context: "ToolContext", clip: "Artifact") -> "Artifact":
    from tools.assemble_film import AssembleFilm, assemble_film

    return assemble_film(tool_context, AssembleFilm(clips=[clip.id])).artifact
