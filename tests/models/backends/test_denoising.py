"""A call that is stopped after any of its steps goes on there and ends in the same bytes, in every kind of pipeline."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import diffusers
import numpy as np
import pytest

from models.agent import ConnectSpec, EditSpec, ImageSpec, Picture, Progress, Role, VideoSpec
from models.lenders.local import LocalLender
from models.presets import Preset

Table = tuple[Preset, ...]
WIDE = Picture(np.random.default_rng(0).integers(0, 255, (32, 64, 3), dtype=np.uint8))
SQUARE = Picture(np.random.default_rng(1).integers(0, 255, (64, 64, 3), dtype=np.uint8))
BALL = ImageSpec("a red ball moves right in the snow", 3)


class Stop(Exception):
    """Somebody stopped the call."""


class Remembered:
    """A bookmark in memory."""

    def __init__(self, state: bytes | None = None, *, due: bool = True) -> None:
        self.state, self.due, self.saves = state, due, 0

    def is_due(self) -> bool:
        return self.due

    def load(self) -> bytes | None:
        return self.state

    def save(self, state: bytes) -> None:
        self.state, self.saves = state, self.saves + 1


Call = Callable[..., bytes]


def call_of(agent: Any, spec: Any) -> Call:
    """The call of an agent, or of `many` for several specs, answered as bytes."""

    def call(progress: Progress, bookmark: Remembered | None = None) -> bytes:
        if isinstance(spec, Sequence):
            return b"".join(one.pixels.tobytes() for one in agent.many(spec, progress=progress, bookmark=bookmark))
        made = agent(spec, progress=progress, bookmark=bookmark)
        return bytes((made.pixels if isinstance(made, Picture) else made.frames).tobytes())

    return call


def heard_by(call: Call, bookmark: Remembered | None = None) -> tuple[bytes, list[int]]:
    """What the call makes, and the steps it takes."""
    steps: list[int] = []
    return call(lambda step, of: steps.append(step), bookmark), steps


def stopped_after(call: Call, last: int, *, due: bool = True) -> Remembered:
    """The bookmark of a call that is stopped when it tells of step `last`."""

    def progress(step: int, of: int) -> None:
        if step == last:
            raise Stop

    bookmark = Remembered(due=due)
    with pytest.raises(Stop):
        call(progress, bookmark)
    return bookmark


def assert_goes_on_anywhere(agent: Any, spec: Any, stops: Sequence[int] | None = None) -> None:
    call = call_of(agent, spec)
    whole, steps = heard_by(call)
    assert steps == list(range(1, len(steps) + 1))
    for last in stops or steps:
        made, rest = heard_by(call, stopped_after(call, last))
        assert rest == steps[last:]
        assert made == whole, f"stopped after step {last}"


@pytest.fixture(scope="module")
def paper(tiny_table: Table) -> LocalLender:
    return LocalLender("paper", device="cpu", table=tuple(replace(row, steps=4) for row in tiny_table))


@pytest.fixture(scope="module")
def embedded() -> LocalLender:
    return LocalLender("embedded", device="cpu")


SOLVERS: dict[str, Sequence[int] | None] = {
    "EulerDiscreteScheduler": None,
    "EulerAncestralDiscreteScheduler": (2,),  # draws noise at each step
    "DPMSolverMultistepScheduler": (1, 3),  # looks at the step before
    "UniPCMultistepScheduler": (1, 3),  # corrects it
    "HeunDiscreteScheduler": (2, 5),  # two evaluations a step
    "PNDMScheduler": (2, 11),  # a list of the past, and arrays
    "SASolverScheduler": (2, 3),  # both noise and past
}


@pytest.mark.slow
@pytest.mark.parametrize("solver", SOLVERS)
def test_every_solver_goes_on_after_a_step(paper: LocalLender, solver: str) -> None:
    with paper.lend("text_to_image") as draw:
        before = draw.pipeline.scheduler
        draw.pipeline.scheduler = getattr(diffusers, solver).from_config(before.config)
        try:
            assert_goes_on_anywhere(draw, BALL, SOLVERS[solver])
        finally:
            draw.pipeline.scheduler = before


STOCK: dict[str, tuple[Role, Any, Sequence[int] | None]] = {
    "candidates": ("text_to_image", [BALL, replace(BALL, seed=4)], (2,)),
    "pix2pix": ("edit_image", EditSpec("make it blue", WIDE, 3), (1, 3)),
    "segments": ("image_to_video", VideoSpec("it moves", WIDE, 7, 3, 2), (2, 3)),
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", STOCK)
def test_every_stock_pipeline_goes_on_after_a_step(paper: LocalLender, kind: str) -> None:
    role, spec, stops = STOCK[kind]
    with paper.lend(role) as agent:
        assert_goes_on_anywhere(agent, spec, stops)


TURNED = Picture(SQUARE.pixels[::-1].copy())
OWN: dict[str, tuple[Role, Any, Sequence[int]]] = {
    "A2": ("text_to_image", replace(BALL, num_inference_steps=3), (1, 3)),
    "A2, candidates": ("text_to_image", [replace(BALL, num_inference_steps=2, seed=seed) for seed in (1, 2)], (1,)),
    "A3": ("edit_image", EditSpec("make it blue", SQUARE, 3, 2), (1,)),
    "A4, two pieces": ("image_to_video", VideoSpec("it moves right", SQUARE, 18, 3, 2), (1, 3)),
    "A5, two pieces": ("connect_videos", ConnectSpec(SQUARE, TURNED, 18, 3, 2), (2, 3)),
}


@pytest.mark.parametrize("kind", OWN)
@pytest.mark.slow
def test_every_embedded_agent_goes_on_after_a_step(embedded: LocalLender, kind: str) -> None:
    role, spec, stops = OWN[kind]
    with embedded.lend(role) as agent:
        assert_goes_on_anywhere(agent, spec, stops)


def test_up_to_the_kept_step_nothing_is_computed(paper: LocalLender) -> None:
    computed: list[int] = []
    with paper.lend("text_to_image") as draw:
        bookmark = stopped_after(call_of(draw, BALL), 3)
        hook = draw.pipeline.unet.conv_in.register_forward_hook(lambda *_: computed.append(1))
        heard_by(call_of(draw, BALL), bookmark)
        hook.remove()
    assert len(computed) == 1


def test_whoever_stops_a_call_loses_no_step(paper: LocalLender) -> None:
    with paper.lend("text_to_image") as draw:
        bookmark = stopped_after(call_of(draw, BALL), 2, due=False)
        assert bookmark.saves == 1
        assert heard_by(call_of(draw, BALL), bookmark)[1] == [3, 4]


def test_nothing_is_kept_while_nothing_is_due(paper: LocalLender) -> None:
    bookmark = Remembered(due=False)
    with paper.lend("text_to_image") as draw:
        heard_by(call_of(draw, BALL), bookmark)
    assert (bookmark.saves, bookmark.state) == (0, None)


def test_the_denoiser_is_left_as_it_was_found(paper: LocalLender) -> None:
    with paper.lend("text_to_image") as draw:
        stopped_after(call_of(draw, BALL), 2)
        assert "forward" not in vars(draw.pipeline.unet)
        wrapped = draw.pipeline.unet.forward
        draw.pipeline.unet.forward = wrapped  # as accelerate does when it moves weights
        heard_by(call_of(draw, BALL), Remembered())
        assert draw.pipeline.unet.forward is wrapped
        del draw.pipeline.unet.forward


STRANGERS: dict[str, Callable[[Any], Any]] = {
    "weights": lambda agent: replace(agent, weights="0" * 64),
    "numerics": lambda agent: replace(agent, numerics="cpu, float32, torch 1.0"),
    "wish": lambda agent: agent,
}


@pytest.mark.parametrize("other", STRANGERS)
def test_a_bookmark_of_something_else_is_told_and_not_used(
    paper: LocalLender, other: str, caplog: pytest.LogCaptureFixture
) -> None:
    asked = replace(BALL, seed=8) if other == "wish" else BALL
    with paper.lend("text_to_image") as draw:
        bookmark = stopped_after(call_of(STRANGERS[other](draw), asked), 2)
        whole, steps = heard_by(call_of(draw, BALL))
        made, taken = heard_by(call_of(draw, BALL), bookmark)
    assert (made, taken) == (whole, steps)
    assert "another" in caplog.text


@pytest.mark.parametrize("cut", [0, 7, 200, -1])
def test_a_damaged_bookmark_is_told_and_not_used(
    paper: LocalLender, cut: int, caplog: pytest.LogCaptureFixture
) -> None:
    with paper.lend("text_to_image") as draw:
        state = stopped_after(call_of(draw, BALL), 2).state
        assert state is not None
        whole, steps = heard_by(call_of(draw, BALL))
        made, taken = heard_by(call_of(draw, BALL), Remembered(state[:cut]))
    assert (made, taken) == (whole, steps)
    assert "damaged" in caplog.text


class Secretive(diffusers.DDIMScheduler):  # type: ignore[misc]
    """Keeps something that is no data."""

    def set_timesteps(self, *given: Any, **named: Any) -> None:
        super().set_timesteps(*given, **named)
        self.secret = object()


def test_a_solver_that_cannot_be_kept_does_its_work_without(
    paper: LocalLender, caplog: pytest.LogCaptureFixture
) -> None:
    bookmark = Remembered()
    with paper.lend("text_to_image") as draw, caplog.at_level(logging.WARNING):
        before = draw.pipeline.scheduler
        draw.pipeline.scheduler = Secretive.from_config(before.config)
        _, steps = heard_by(call_of(draw, BALL), bookmark)
        draw.pipeline.scheduler = before
    assert steps == [1, 2, 3, 4]
    assert bookmark.saves == 0
    assert caplog.text.count("state of Secretive cannot be saved") == 1
