"""Count the denoising steps of one agent call, checkpoint them in a bookmark, and resume from it after a crash.

No pipeline can start in the middle of its loop, but replaying the loop from the start costs almost nothing: up to the
saved step the denoiser returns zeros without computing, and at the end of that step the saved latents, scheduler and
generators replace the results. Everything outside the loop (encoding of text and pictures, drawing of noise) runs again
from the same seed. This works for every pipeline that calls diffusers' `callback_on_step_end` and uses the latents that
it returns; the module knows no pipeline by name.
"""

import hashlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from types import TracebackType
from typing import Any, Protocol, Self

import torch
from diffusers.models.modeling_outputs import Transformer2DModelOutput
from torch import Tensor

from models.agent import Bookmark, Picture, Progress
from models.backends.tensor_state import Unpackable, pack, unpack

log = logging.getLogger(__name__)

LAYOUT = 1
"""Version of the bookmark format. Increase it whenever an older bookmark would be misread."""

DENOISERS = ("unet", "transformer", "transformer_2")
"""Attributes under which pipelines hold the network of their loop."""


class Loaded(Protocol):
    """A loaded agent: its pipeline, and everything that its output bytes depend on."""

    @property
    def pipeline(self) -> Any:
        """The diffusers pipeline."""

    @property
    def weights(self) -> str:
        """sha256 of the weights, 64 hex digits."""

    @property
    def numerics(self) -> str:
        """Device kind, dtype, library versions, threads and code version."""


@dataclass(frozen=True)
class Place:
    """The state after step `step` of loop `loop` (both 0-based). The field names are part of the bookmark format.

    latents: those at the end of the step; finished: the final latents of each earlier loop; answer: shape and dtype of
    the denoiser's output.
    """

    loop: int
    step: int
    latents: Tensor
    finished: list[Tensor]
    answer: tuple[list[int], str]
    scheduler: dict[str, Any]
    generators: list[Tensor]


@dataclass
class Loops:
    """The loops of one call of `agent`; pass it as `callback_on_step_end` to each pipeline call of the agent.

    specs: the arguments of the call; steps: number of steps of one loop. Resumes from `bookmark` if it belongs to the
    same call; reports the steps that are computed to `progress`.
    """

    agent: Loaded
    specs: Sequence[Any]
    generators: Sequence[torch.Generator]
    steps: int
    progress: Progress
    bookmark: Bookmark | None
    loops: int = 1
    _kept: Place | None = None
    _loop: int = -1
    _latents: list[Tensor] = field(default_factory=list)
    """The latest latents of each loop."""
    _answer: tuple[list[int], str] = ([], "")
    _forwards: dict[str, Any] = field(default_factory=dict)

    def __enter__(self) -> Self:
        if self.bookmark is not None:
            self._kept = self._load(self.bookmark)
            for name in DENOISERS:
                if (denoiser := getattr(self.agent.pipeline, name, None)) is not None:
                    self._forwards[name] = denoiser.__dict__.get("forward")
                    denoiser.forward = self._skip_known_steps(denoiser.forward)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for name, forward in self._forwards.items():
            denoiser = getattr(self.agent.pipeline, name)
            del denoiser.forward
            if forward is not None:
                denoiser.forward = forward

    def __call__(self, pipeline: Any, step: int, _timestep: Any, tensors: dict[str, Any]) -> dict[str, Any]:
        """Handle the end of a step; return the tensors with the latents that the pipeline must continue from."""
        if step == 0:
            self._loop += 1
            self._latents.append(tensors["latents"])
        if self._kept is not None:
            self._latents[-1] = self._replay_step(self._kept, pipeline.scheduler, step, tensors["latents"])
        else:
            self._latents[-1] = tensors["latents"]
            self._finish_step(pipeline, step)
        return {**tensors, "latents": self._latents[-1]}

    def _replay_step(self, kept: Place, scheduler: Any, step: int, latents: Tensor) -> Tensor:
        """Return the latents of a step that was computed before the crash; restore all state at the saved step."""
        if self._loop < kept.loop:
            return kept.finished[self._loop]
        if step < kept.step:
            return latents
        assert kept.latents.shape == latents.shape, "a bookmark of the same recipe has other latents"
        vars(scheduler).update(kept.scheduler)
        for generator, state in zip(self.generators, kept.generators, strict=True):
            generator.set_state(state)
        self._kept, self._answer = None, kept.answer
        return kept.latents

    def _finish_step(self, pipeline: Any, step: int) -> None:
        # A second-order solver takes almost two steps for each requested one.
        steps, scheduler = getattr(pipeline, "num_timesteps", self.steps), pipeline.scheduler
        due = self.bookmark is not None and self.bookmark.is_due()
        if due:
            self._save(scheduler, step)
        try:
            self.progress(self._loop * steps + step + 1, self.loops * steps)
        except BaseException:  # a cancelled call keeps the steps that it has computed
            if not due:
                self._save(scheduler, step)
            raise

    def _save(self, scheduler: Any, step: int) -> None:
        if self.bookmark is None:
            return
        place = Place(
            self._loop,
            step,
            self._latents[-1],
            self._latents[:-1],
            self._answer,
            _state_of(scheduler),
            [generator.get_state() for generator in self.generators],
        )
        try:
            state = pack({"of": self._identity(), **{each.name: getattr(place, each.name) for each in fields(place)}})
        except Unpackable as reason:
            log.warning("The state of %s cannot be saved between steps: %s", type(scheduler).__name__, reason)
            self.bookmark = None
            return
        self.bookmark.save(state)

    def _load(self, bookmark: Bookmark) -> Place | None:
        """Return the state in the bookmark if the same call of the same agent wrote it, else None."""
        state = bookmark.load()
        if state is None:
            return None
        try:
            values = unpack(state)
            if values.pop("of") != self._identity():
                raise Unpackable("another agent, or another version of it, wrote it")
            place = Place(**values)
            if len(place.generators) != len(self.generators) or len(place.finished) != place.loop:
                raise Unpackable("it does not fit this call")
        except (Unpackable, KeyError, TypeError) as reason:
            log.warning("Ignoring a bookmark and starting the call from the beginning: %s", reason)
            return None
        log.info("resuming after step %d of loop %d of %d", place.step + 1, place.loop + 1, self.loops)
        return place

    def _identity(self) -> dict[str, Any]:
        return {
            "layout": LAYOUT,
            "weights": self.agent.weights,
            "numerics": self.agent.numerics,
            "asked": digest_of(self.specs),
        }

    def _skip_known_steps(self, forward: Callable[..., Any]) -> Callable[..., Any]:
        """Return the denoiser's forward, which returns zeros instead until the saved step is reached."""

        def forward_or_zeros(*given: Any, **named: Any) -> Any:
            if self._kept is None:
                answer = forward(*given, **named)
                sample = answer[0]
                self._answer = list(sample.shape), str(sample.dtype).removeprefix("torch.")
                return answer
            noisy = next(each for each in (*given, *named.values()) if isinstance(each, Tensor))
            shape, dtype = self._kept.answer
            # The loops of a call may have different numbers of frames.
            zeros = torch.zeros(noisy.shape[0], *shape[1:], dtype=getattr(torch, dtype), device=noisy.device)
            return (zeros,) if named.get("return_dict") is False else Transformer2DModelOutput(sample=zeros)

        return forward_or_zeros


def _state_of(scheduler: Any) -> dict[str, Any]:
    """Return a scheduler's state without its configuration: schedule, counters, history of a multistep solver."""
    return {name: value for name, value in vars(scheduler).items() if name != "_internal_dict" and not callable(value)}


def digest_of(specs: Sequence[Any]) -> str:
    """Return the sha256 of the specs, including their pixels, as 64 hex digits."""
    digest = hashlib.sha256()
    for spec in specs:
        for each in fields(spec):
            value = getattr(spec, each.name)
            values = (value.pixels.shape, value.pixels.tobytes()) if isinstance(value, Picture) else value
            digest.update(repr((each.name, values)).encode())
    return digest.hexdigest()
