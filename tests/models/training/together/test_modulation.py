"""[Mod] tokens: where they begin, that they can be taken off again, and what the factors of each mode are."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from models.agent import ImageSpec, Picture, VideoSpec
from models.backends.image_to_video import ImageToVideo
from models.backends.text_to_image import TextToImage
from models.backends.tokens import Token, projection
from models.presets import preset
from models.training.together.modulation import Factors, Mode, with_mod, word_state
from models.training.together.settings import Settings
from models.training.together.stepper import Stepper, ema_decay
from support.winners import WITH_EDIT, embedded_path, rendered

ROLES = ("a", "b")


def token(norm: float = 2.0) -> Token:
    return Token.beginning(torch.tensor([[0.6, 0.8]]) * norm, "token")


def test_mod_is_a_word_whose_embedding_is_the_words_mean() -> None:
    (a2, a4), winners = embedded_path(), rendered(1)
    starts = [agent.modulation_start(winners.pictures)[0] for agent in (a2, a4)]
    assert [tuple(start.shape) for start in starts] == [(1, 96), (1, 64)]
    # The figures of the finding: 9.44 among words of 9.4 to 10.8, and 7.88.
    assert [start.norm().item() for start in starts] == pytest.approx([9.44, 7.88], abs=0.01)
    pipeline = a2.pipeline
    grown = with_mod(pipeline.tokenizer)
    assert grown.tokenize("[Mod]") == ["[Mod]"] and "[Mod]" not in pipeline.tokenizer.get_vocab()
    # The same by an embedding table that really has the row.
    words = pipeline.text_encoder.get_input_embeddings()
    known = [i for i in range(words.num_embeddings) if i not in set(pipeline.tokenizer.all_special_ids)]
    before = words.weight
    try:
        rows = torch.cat([before.detach(), before.detach()[known].mean(0, keepdim=True)])
        words.weight = nn.Parameter(rows)
        state = pipeline.text_encoder(torch.tensor([grown("[Mod]").input_ids])).last_hidden_state[:, 1]
    finally:
        words.weight = before
    torch.testing.assert_close(word_state(pipeline.tokenizer, pipeline.text_encoder), state)


@pytest.mark.slow
def test_the_old_bytes_come_back_when_the_tokens_go() -> None:
    """Through the pipelines that generate: with a moved z in place they draw something else, without it the same."""
    agents = embedded_path()
    a2, a4 = (agent.pipeline for agent in agents)
    draw = TextToImage(a2, replace(preset("embedded", "text_to_image"), steps=2), "w", "n")
    animate = ImageToVideo(a4, replace(preset("embedded", "image_to_video"), steps=2), "w", "n")
    given = Picture(draw(ImageSpec("a red ball grows in the sea", 1), progress=lambda *_: None).pixels)

    def drawn() -> list[bytes]:
        picture = draw(ImageSpec("a red ball grows in the sea", 2), progress=lambda *_: None)
        clip = animate(VideoSpec("it grows", given, 3, 1), progress=lambda *_: None)
        return [picture.pixels.tobytes(), clip.frames.tobytes()]

    before = drawn()
    tokens = [Token.beginning(a.modulation_start(rendered(1).pictures)[0], a.modulation()) for a in agents]
    for agent, each in zip(agents, tokens, strict=True):
        each.attach(agent.denoiser)
    assert drawn()[1] == before[1], "an offset of the time embedding begins at nothing"
    with torch.no_grad():
        for each in tokens:
            each.z.mul_(-3)
    moved = drawn()
    assert all(new != old for new, old in zip(moved, before, strict=True))
    for each in tokens:
        each.remove()
    assert drawn() == before


def test_every_guidance_branch_sees_the_token() -> None:
    class Denoiser(nn.Module):
        def forward(self, noisy: torch.Tensor, t: int, encoder_hidden_states: torch.Tensor) -> torch.Tensor:
            return encoder_hidden_states

    denoiser, z = Denoiser(), token()
    z.attach(denoiser)
    for seen in (
        denoiser(None, 0, torch.zeros(2, 3, 2)),
        denoiser(None, 0, encoder_hidden_states=torch.zeros(2, 3, 2)),
    ):
        assert seen.shape == (2, 4, 2)
        assert torch.equal(seen[:, 3], z.z.expand(2, -1)) and not seen[:, :3].any()
    z.full = True
    assert denoiser(None, 0, torch.zeros(2, 3, 2)).shape == (2, 3, 2)


def test_the_carrier_into_a_time_embedding_keeps_lengths() -> None:
    carry = projection(64, 256)
    torch.testing.assert_close(carry @ carry.T, torch.eye(64), atol=1e-5, rtol=0)
    assert torch.equal(carry, projection(64, 256))


def test_a_random_start_has_the_same_length() -> None:
    start = torch.tensor([[3.0, 4.0]])
    made = Token.beginning(start, "token", random=1)
    assert made.size == pytest.approx(5.0) and not torch.equal(made.z, start)


@pytest.mark.parametrize(
    ("mode", "at_first", "later"),
    [
        ("none", 1.0, 1.0),
        ("token", 1.0, 1.0),
        ("printed", 1.0, 1.5),  # |z| / n, n = 2
        ("normalised", 1.0, 1.5),  # |z| / |z0|
        ("constant", 1.0, 1.0),
        ("gradnorm", 1.0, 0.9 + 0.1 * 2.5),  # (mean g) / g
    ],
)
def test_factors(mode: Mode, at_first: float, later: float) -> None:
    tokens = {"a": token(2.0), "b": token(2.0)}
    factors = Factors.beginning(mode, tokens, ROLES)
    assert factors.alpha["a"] == pytest.approx(at_first)
    with torch.no_grad():
        tokens["a"].z.mul_(1.5)
    factors.follow(tokens, {"a": 1.0, "b": 4.0})
    assert factors.alpha["a"] == pytest.approx(later)


def test_gradnorm_stays_within_bounds() -> None:
    gradients = dict.fromkeys("abcdefgh", 1e-9) | {"h": 1e9}
    factors = Factors.beginning("gradnorm", {}, tuple(gradients))
    for _ in range(100):
        factors.follow({}, gradients)
    assert factors.alpha == pytest.approx(dict.fromkeys("abcdefgh", 4.0) | {"h": 0.25}, rel=1e-3)


def adamw(steps: list[tuple[float, float]], value: float, decay: float) -> float:
    """AdamW by hand: (gradient, rate) a step."""
    m = v = 0.0
    for k, (gradient, rate) in enumerate(steps, start=1):
        m, v = 0.9 * m + 0.1 * gradient, 0.999 * v + 0.001 * gradient**2
        value -= rate * decay * value
        value -= rate * (m / (1 - 0.9**k)) / ((v / (1 - 0.999**k)) ** 0.5 + 1e-8)
    return value


def test_two_steps_of_algorithm_1_by_hand() -> None:
    """z first, then alpha from the new z, then theta by a rate of alpha times its own; the average last."""
    settings = Settings(modulation="printed", rate=0.1, z_rate=0.5, weight_decay=0.01, clip=10.0)
    theta, z = nn.Parameter(torch.tensor([2.0])), Token.beginning(torch.tensor([[3.0]]), "token")
    other = Token.beginning(torch.tensor([[5.0]]), "token")
    tokens = {"a": z, "b": other}
    stepper = Stepper({"a/unet": {"w": theta}}, tokens, Factors.beginning("printed", tokens, ROLES), settings)
    taken: list[tuple[float, float]] = []
    zs: list[tuple[float, float]] = []
    average = 2.0
    for step, (gradient, of_z) in enumerate([(0.5, 1.0), (-0.25, 2.0)]):
        theta.grad, z.z.grad = torch.tensor([gradient]), torch.tensor([[of_z]])
        norms = stepper.update(step)
        zs.append((of_z, 0.5))
        alpha = adamw(zs, 3.0, 0.0) / 2
        taken.append((gradient, alpha * 0.1))
        expected = adamw(taken, 2.0, 0.01)
        share = min(0.999, (2 + step) / (11 + step))
        average = share * average + (1 - share) * expected
        assert stepper.factors.alpha["a"] == pytest.approx(alpha, rel=1e-6)
        assert theta.item() == pytest.approx(expected, rel=1e-5)
        assert stepper.averages["a/unet/w"].item() == pytest.approx(average, rel=1e-5)
        assert norms["a/unet"] == pytest.approx(abs(gradient)), "alpha scales the rate, not the gradient"
    assert stepper.factors.alpha["b"] == 2.5


def test_each_part_is_clipped_by_itself() -> None:
    small, large = nn.Parameter(torch.zeros(1)), nn.Parameter(torch.zeros(1))
    parts = {"a/unet": {"w": small}, "a/pace": {"w": large}}
    stepper = Stepper(parts, {}, Factors.beginning("none", {}, ("a",)), Settings(clip=1.0))
    small.grad, large.grad = torch.tensor([0.5]), torch.tensor([100.0])
    stepper._clipped()
    assert (small.grad.item(), large.grad.item()) == pytest.approx((0.5, 1.0), rel=1e-4)


def test_the_average_follows_faster_at_first() -> None:
    assert [ema_decay(step) for step in (1, 12, 10**6)] == pytest.approx([2 / 11, 13 / 22, 0.999])


@pytest.mark.slow
def test_all_three_agents_take_a_token() -> None:
    agents, winners = embedded_path(WITH_EDIT), rendered(1, edited=True)
    for agent in agents:
        start, words = agent.modulation_start(winners.pictures)
        assert start.shape[0] == 1 and torch.isfinite(start).all() and "[Mod]" in words
