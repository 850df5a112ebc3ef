"""Min-SNR weights and the sum of losses, against numbers computed by hand."""

from typing import get_args

import pytest
import torch

from models.embedded import networks
from models.training.together.levels import (
    Level,
    Prediction,
    TableLevels,
    clean_from,
    ddim_step,
    noised,
    wanted,
)
from models.training.together.losses import FILM, GAMMA, Sizes, min_snr

PREDICTIONS: tuple[Prediction, ...] = get_args(Prediction)


@pytest.mark.parametrize(
    ("prediction", "at_snr_3", "at_snr_20"),
    [("x0", 3.0, 5.0), ("eps", 1.0, 0.25), ("v", 3 / 4, 5 / 21), ("flow", 1.0, 1.0)],
)
def test_min_snr_weights(prediction: Prediction, at_snr_3: float, at_snr_20: float) -> None:
    weights = min_snr(prediction, torch.tensor([3 / 4, 20 / 21], dtype=torch.float64))
    assert weights.tolist() == pytest.approx([at_snr_3, at_snr_20])


@pytest.mark.parametrize(("prediction", "weight"), [("x0", 0.0), ("eps", 1.0), ("v", 0.0), ("flow", 1.0)])
def test_at_zero_terminal_snr_nothing_is_divided_by_zero(prediction: Prediction, weight: float) -> None:
    levels = TableLevels(networks.scheduler())
    level = levels.at(torch.tensor([999, 0]), torch.zeros(2, 1))
    assert level.alpha_bar[0] == 0, "the embedded schedule ends in pure noise"
    weights = min_snr(prediction, level.alpha_bar)
    assert weights[0] == weight and torch.isfinite(weights).all()
    assert 0 < weights[1] <= GAMMA


@pytest.mark.parametrize("prediction", ["x0", "eps", "v"])
def test_the_same_estimate_has_the_same_loss_whatever_is_predicted(prediction: Prediction) -> None:
    """w on a network's own prediction is min(SNR, gamma) on its estimate of x_0."""
    draw = torch.Generator().manual_seed(0)
    clean, noise, guess = (torch.randn(6, 4, generator=draw, dtype=torch.float64) for _ in range(3))
    alpha_bar = torch.linspace(0.05, 0.99, 6, dtype=torch.float64).view(-1, 1)
    level = Level(alpha_bar.sqrt(), (1 - alpha_bar).sqrt())
    noisy = noised(clean, noise, level)
    own_noise = (noisy - level.signal * guess) / level.noise
    predicted = wanted(prediction, guess, own_noise, level)
    torch.testing.assert_close(clean_from(prediction, predicted, noisy, level), guess)
    loss = min_snr(prediction, alpha_bar) * (predicted - wanted(prediction, clean, noise, level)).square()
    snr = alpha_bar / (1 - alpha_bar)
    torch.testing.assert_close(loss, snr.clamp(max=GAMMA) * (guess - clean).square())


@pytest.mark.parametrize("prediction", PREDICTIONS)
def test_a_perfect_prediction_gives_the_clean_latents(prediction: Prediction) -> None:
    draw = torch.Generator().manual_seed(0)
    clean, noise = (torch.randn(3, 4, generator=draw, dtype=torch.float64) for _ in range(2))
    sigma = torch.tensor([[0.1], [0.5], [0.9]], dtype=torch.float64)
    level = Level(1 - sigma, sigma) if prediction == "flow" else Level((1 - sigma**2).sqrt(), sigma)
    noisy = noised(clean, noise, level)
    torch.testing.assert_close(clean_from(prediction, wanted(prediction, clean, noise, level), noisy, level), clean)
    there = Level(1 - sigma / 2, sigma / 2)
    torch.testing.assert_close(ddim_step(noisy, clean, level, there), noised(clean, noise, there))


def test_losses_are_added_up_in_units_of_their_first_size() -> None:
    sizes = Sizes.measured([{"a": 0.1, "b": 4.0, FILM: 0.01}, {"a": 0.3, "b": 4.0, FILM: 0.03}])
    assert dict(sizes.means) == pytest.approx({"a": 0.2, "b": 4.0, FILM: 0.02})
    losses = {"a": torch.tensor(0.4), "b": torch.tensor(2.0), FILM: torch.tensor(0.05)}
    assert sizes.total(losses, 0.5).item() == pytest.approx(0.5 * 2.5 + 0.5 * (2 + 0.5) / 2)
    assert sizes.total(losses, 1).item() == pytest.approx(2.5)
    del losses[FILM]
    assert sizes.total(losses, 0).item() == pytest.approx(1.25)
