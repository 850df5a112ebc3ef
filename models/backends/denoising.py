"""The denoising loops of one agent call, in any pipeline: counted, kept in a bookmark, gone on from after a crash.

No pipeline can begin in the middle of its loop. But it can be run through from its beginning for next to nothing: up to
the kept step the denoiser answers zeros without computing, and at the end of that step the kept latents, scheduler and
generators take the place of what came of the zeros. All that lies outside the loop (words and pictures encoded, noise
drawn) happens again, from the same seed. So this serves every pipeline that calls diffusers' `callback_on_step_end` and
takes the latents it answers with; none is known here by name.
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
from models.backends.tensor_state import Unpackable, packed, unpacked

log = logging.getLogger(__name__)

LAYOUT = 1
"""Raised whenever an older bookmark would be misread."""

DENOISERS = ("unet", "transformer", "transformer_2")
"""What pipelines call the network of their loop."""


class Loaded(Protocol):
    """A loaded agent: its pipeline, and what its bytes depend on."""

    @property
    def pipeline(self) -> Any:
        """Of diffusers."""

    @property
    def weights(self) -> str:
        """sha256 of them."""

    @property
    def numerics(self) -> str:
        """Device kind, dtype, library versions, threads, code version."""


@dataclass(frozen=True)
class Place:
    """How far the loops are: step `step` of loop `loop` has ended, both from 0, in `latents`.

    finished: the latents that each earlier loop ended in. answer: shape and dtype of what the denoiser answers.
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
    """The loops of one call of `agent`, to be passed as `callback_on_step_end` of each of its pipeline calls.

    asked: what the agent was given. steps: those of one loop. The loops go on from where `bookmark` says, if it fits;
    `progress` hears the steps that are taken.
    """

    agent: Loaded
    asked: Sequence[Any]
    generators: Sequence[torch.Generator]
    steps: int
    progress: Progress
    bookmark: Bookmark | None
    loops: int = 1
    _kept: Place | None = None
    _loop: int = -1
    _latents: list[Tensor] = field(default_factory=list)
    """The newest of each loop."""
    _answer: tuple[list[int], str] = ([], "")
    _forwards: dict[str, Any] = field(default_factory=dict)

    def __enter__(self) -> Self:
        if self.bookmark is not None:
            self._kept = self._opened(self.bookmark)
            for name in DENOISERS:
                if (denoiser := getattr(self.agent.pipeline, name, None)) is not None:
                    self._forwards[name] = denoiser.__dict__.get("forward")
                    denoiser.forward = self._heard(denoiser.forward)
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
        """A step has ended; the latents of the answer are those to go on from."""
        if step == 0:
            self._loop += 1
            self._latents.append(tensors["latents"])
        if self._kept is not None:
            self._latents[-1] = self._gone_through(self._kept, pipeline.scheduler, step, tensors["latents"])
        else:
            self._latents[-1] = tensors["latents"]
            self._ended(pipeline, step)
        return {**tensors, "latents": self._latents[-1]}

    def _gone_through(self, kept: Place, scheduler: Any, step: int, latents: Tensor) -> Tensor:
        """The latents of a step that was taken before the crash; at the kept one, everything is as it was."""
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

    def _ended(self, pipeline: Any, step: int) -> None:
        # A solver of second order takes nearly two steps for each that is asked for.
        steps, scheduler = getattr(pipeline, "num_timesteps", self.steps), pipeline.scheduler
        due = self.bookmark is not None and self.bookmark.is_due()
        if due:
            self._keep(scheduler, step)
        try:
            self.progress(self._loop * steps + step + 1, self.loops * steps)
        except BaseException:  # whoever stops the call does not lose what was done
            if not due:
                self._keep(scheduler, step)
            raise

    def _keep(self, scheduler: Any, step: int) -> None:
        if self.bookmark is None:
            return
        place = Place(
            self._loop,
            step,
            self._latents[-1],
            self._latents[:-1],
            self._answer,
            {
                name: value
                for name, value in vars(scheduler).items()
                if name != "_internal_dict" and not callable(value)
            },
            [generator.get_state() for generator in self.generators],
        )
        try:
            state = packed({"of": self._identity(), **{each.name: getattr(place, each.name) for each in fields(place)}})
        except Unpackable as reason:
            log.warning("%s cannot be kept between its steps: %s", type(scheduler).__name__, reason)
            self.bookmark = None
            return
        self.bookmark.save(state)

    def _opened(self, bookmark: Bookmark) -> Place | None:
        """What the bookmark says, if this very call of this very agent wrote it."""
        state = bookmark.load()
        if state is None:
            return None
        try:
            told = unpacked(state)
            if told.pop("of") != self._identity():
                raise Unpackable("another agent, or another version of it, wrote it")
            place = Place(**told)
            if len(place.generators) != len(self.generators) or len(place.finished) != place.loop:
                raise Unpackable("it does not fit this call")
        except (Unpackable, KeyError, TypeError) as reason:
            log.warning("A bookmark is not used, the call begins anew: %s", reason)
            return None
        log.info("going on after step %d of loop %d of %d", place.step + 1, place.loop + 1, self.loops)
        return place

    def _identity(self) -> dict[str, Any]:
        return {
            "layout": LAYOUT,
            "weights": self.agent.weights,
            "numerics": self.agent.numerics,
            "asked": digest_of(self.asked),
        }

    def _heard(self, forward: Callable[..., Any]) -> Callable[..., Any]:
        """The denoiser's forward, or zeros in its place until the kept step is reached."""

        def answered(*given: Any, **named: Any) -> Any:
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

        return answered


def _state_of(scheduler: Any) -> dict[str, Any]:
    """All that a scheduler has beside its configuration: schedule, counters, the past of a multistep solver."""
    return {name: value for name, value in vars(scheduler).items() if name != "_internal_dict" and not callable(value)}


def digest_of(asked: Sequence[Any]) -> str:
    """sha256 over specs, pixels included, 64 hex digits."""
    digest = hashlib.sha256()
    for spec in asked:
        for each in fields(spec):
            value = getattr(spec, each.name)
            told = (value.pixels.shape, value.pixels.tobytes()) if isinstance(value, Picture) else value
            digest.update(repr((each.name, told)).encode())
    return digest.hexdigest()
