"""The film's gradient is right, from its pixels back to every agent, by finite differences in float64."""

from collections.abc import Callable, Iterator

import pytest
import torch
from torch import Tensor

from models.backends.tokens import Token
from models.training.together.agents.embedded import LocatedClip
from models.training.together.chain import Chain, Start
from models.training.together.contract import Inputs, Trainable, Winners
from models.training.together.losses import film_loss
from support.winners import WITH_EDIT, embedded_path, rendered

STEPS = {"text_to_image": 6, "edit_image": 4, "image_to_video": 3}


@pytest.fixture
def exact(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Trainable, ...]]:
    """A2, A3 and A4 in float64, also where the networks and layouts would go through float32."""
    monkeypatch.setattr(torch.Tensor, "float", lambda self: self.to(torch.float64))
    agents = embedded_path(WITH_EDIT)
    for agent in agents:
        agent.pipeline.to(torch.float64)
    torch.set_default_dtype(torch.float64)
    yield agents
    torch.set_default_dtype(torch.float32)


def film(agents: tuple[Trainable, ...], winners: Winners, start: Start = "target", *, first: bool = True) -> Tensor:
    """The film's loss; first: whether its first frame, which is A2's or A3's own picture, has a gradient."""
    drawn = Chain(agents, STEPS, 2, start).draw(winners, torch.Generator().manual_seed(1))  # type: ignore[arg-type]
    return film_loss(agents, winners, drawn.picture if first else drawn.picture.detach(), drawn.frames)


class Blind(LocatedClip):
    """A4 whose picture keeps no gradient."""

    def given(self, winners: Winners, told: Inputs, picture: Tensor | None, draw: torch.Generator) -> Inputs:
        return super().given(winners, told, None if picture is None else picture.detach(), draw)


def differs_by(loss: Callable[[], Tensor], value: Tensor, width: float) -> tuple[float, float]:
    """The derivative of `loss` along a random direction of `value`: by backward, and by a central difference."""
    way = torch.randn(value.shape, generator=torch.Generator().manual_seed(2), dtype=value.dtype)
    way /= way.norm()
    value.grad = None
    loss().backward()
    assert value.grad is not None
    by_backward = (value.grad * way).sum().item()
    ends = []
    with torch.no_grad():
        for sign in (1, -1):
            value.add_(sign * width * way)
            ends.append(loss().item())
            value.sub_(sign * width * way)
    value.grad = None
    return by_backward, (ends[0] - ends[1]) / (2 * width)


@pytest.mark.slow
@pytest.mark.parametrize("edited", [False, True], ids=["A2 A4", "A2 A3 A4"])
def test_the_films_gradient_is_that_of_finite_differences(exact: tuple[Trainable, ...], edited: bool) -> None:
    """Of each UNet's first convolution and each z. `pace` is left out: its track stops at the frame's border, and its
    fields jump where an object's nearness begins.
    """
    agents = exact if edited else (exact[0], exact[2])
    winners = rendered(1, edited=edited, frames=(7,)).to(torch.float64)
    tokens = [Token.beginning(a.modulation_start(winners.pictures)[0], a.modulation()) for a in agents]
    weights = [agent.denoiser.conv_in.weight for agent in agents]
    for agent, token, weight in zip(agents, tokens, weights, strict=True):
        token.attach(agent.denoiser)
        weight.requires_grad_(True)
    try:
        of_all = [((weight, 1e-6), (token.z, 1e-4)) for weight, token in zip(weights, tokens, strict=True)]
        for value, width in of_all[1] if edited else (*of_all[0], *of_all[1]):  # with A3, its own
            by_backward, numeric = differs_by(lambda: film(agents, winners), value, width)
            assert by_backward == pytest.approx(numeric, rel=1e-3), tuple(value.shape)
    finally:
        for token, weight in zip(tokens, weights, strict=True):
            token.remove()
            weight.requires_grad_(False)


@pytest.mark.slow
def test_a2_learns_from_the_later_frames_through_a4s_picture_alone() -> None:
    (first, last), winners = embedded_path(), rendered(1, frames=(9,))
    weight = first.denoiser.conv_in.weight.requires_grad_(True)
    blind = Blind(last.pipeline)
    assert not film((first, blind), winners, first=False).requires_grad
    film((first, last), winners, first=False).backward()
    assert weight.grad is not None and weight.grad.norm() > 0


@pytest.mark.slow
@pytest.mark.parametrize("pixels_to_pace", [False, True])
def test_pace_learns_from_pixels_only_when_asked(pixels_to_pace: bool) -> None:
    first, last = embedded_path()
    last = LocatedClip(last.pipeline, pixels_to_pace=pixels_to_pace)
    pace = last.parts()["pace"].requires_grad_(True)
    last.denoiser.requires_grad_(True)
    film((first, last), rendered(1, frames=(9,))).backward()
    assert any(p.grad is not None and p.grad.any() for p in pace.parameters()) == pixels_to_pace


@pytest.mark.slow
def test_from_own_noise_the_gradient_runs_through_the_last_steps(exact: tuple[Trainable, ...]) -> None:
    agents, winners = (exact[0], exact[2]), rendered(1, frames=(7,)).to(torch.float64)
    weight = agents[0].denoiser.conv_in.weight.requires_grad_(True)
    film(agents, winners, "own-noise").backward()
    assert weight.grad is not None and weight.grad.norm() > 0
    weight.requires_grad_(False)
