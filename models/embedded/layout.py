"""Where the object is, (B, 3) of x, y, radius in sides: what networks are told of it, and how it moves."""

import torch
from diffusers import UNet2DModel
from torch import Tensor
from torch.nn import functional as F

from models.embedded.language import NUM_FRAMES, SIDE
from models.embedded.world import GROWTH, MARGIN, RADIUS

LATENT_SIDE = SIDE // 4
FIELDS = 4
BINS = (32, 32, 16)
"""Of x, y and log radius. The place is relative to the room that the frame leaves an object of that radius."""
FIRST_RADIUS = (0.084, 0.256)
"""Smallest and largest radius that a first frame begins with."""
SILHOUETTE = 1.2
"""Radii from its centre within which an object is."""
LEAST_SHARE = 0.2
"""Bins less likely than this share of the likeliest are never drawn: they are what the encoder has not unlearned."""
ANY_RADIUS = (RADIUS[0] / GROWTH**0.5, RADIUS[1] * GROWTH**0.5)


def bins_of(where: Tensor) -> Tensor:
    """(B, 3) -> the bins of x, y and log radius, int64 (B, 3)."""
    low, high = (torch.tensor(r).log() for r in FIRST_RADIUS)
    radius = where[:, 2:]
    place = (where[:, :2] - radius) / (1 - 2 * radius)
    share = torch.cat([place, (radius.log() - low) / (high - low)], dim=1)
    bins = torch.tensor(BINS)
    return (share * bins).long().clamp(min=torch.tensor(0), max=bins - 1)


def in_bins(bins: Tensor, inside: Tensor) -> Tensor:
    """The inverse: bins (B, 3) and places inside them, (B, 3) in 0..1 -> (B, 3)."""
    low, high = (torch.tensor(r).log() for r in FIRST_RADIUS)
    share = (bins + inside) / torch.tensor(BINS)
    radius = (low + share[:, 2:] * (high - low)).exp()
    return torch.cat([radius + share[:, :2] * (1 - 2 * radius), radius], dim=1)


def drawn(logits: Tensor, generator: torch.Generator) -> Tensor:
    """Logits (sum of BINS,) -> a place (1, 3) drawn from them."""
    shares = [part.softmax(dim=0) for part in torch.split(logits, list(BINS))]
    likely = [share * (share >= LEAST_SHARE * share.max()) for share in shares]
    bins = torch.cat([torch.multinomial(share, 1, generator=generator) for share in likely])
    return in_bins(bins.unsqueeze(0), torch.rand((1, 3), generator=generator))


def fields(where: Tensor) -> Tensor:
    """(B, 3) -> float32 (B, 4, 16, 16), what a UNet is told about each latent cell.

    The way from the object's centre in radii, x and y, within two; how near that is, 2 at the centre and 0 from two
    radii; and there the radius.
    """
    centre = _centres(where)
    x, y, radius = (where[:, i].view(-1, 1, 1) for i in range(3))
    dx = ((centre.view(1, 1, -1) - x) / radius).expand(-1, LATENT_SIDE, -1)
    dy = ((centre.view(1, -1, 1) - y) / radius).expand(-1, -1, LATENT_SIDE)
    near = (1 - torch.hypot(dx, dy) / 2).clamp(min=0)
    return torch.stack([dx.clamp(-2, 2), dy.clamp(-2, 2), 2 * near, 8 * radius * (near > 0)], dim=1)


def object_cells(where: Tensor) -> Tensor:
    """(B, 3) -> 1 on latent cells within a radius and a cell of the object: float32 (B, 1, 16, 16)."""
    centre = _centres(where)
    x, y, radius = (where[:, i].view(-1, 1, 1) for i in range(3))
    near = ((centre.view(1, 1, -1) - x) ** 2 + (centre.view(1, -1, 1) - y) ** 2).sqrt() < radius + 1 / LATENT_SIDE
    return near.float().unsqueeze(1)


def object_pixels(where: Tensor) -> Tensor:
    """(B, 3) -> 1 on the object's pixels and a little around, down to 0 over two more: float32 (B, 1, H, W)."""
    centre = (torch.arange(SIDE, device=where.device) + 0.5) / SIDE
    x, y, radius = (where[:, i].view(-1, 1, 1) for i in range(3))
    away = ((centre.view(1, 1, -1) - x) ** 2 + (centre.view(1, -1, 1) - y) ** 2).sqrt() - SILHOUETTE * radius
    return (1 - away * SIDE / 2).clamp(0, 1).unsqueeze(1)


def located(locator: UNet2DModel, latents: Tensor) -> Tensor:
    """Scaled latents (B, 8, 16, 16) -> (B, 3): the centre of mass of the locator's heat, and the radius there."""
    heat, log_radius = locator(latents, 0).sample.float().flatten(2).unbind(dim=1)
    share, centre = heat.softmax(dim=1), _centres(latents)
    x, y = centre.repeat(LATENT_SIDE), centre.repeat_interleave(LATENT_SIDE)
    return torch.stack([(share * x).sum(1), (share * y).sum(1), (share * log_radius).sum(1).exp()], dim=1)


def track(origin: Tensor, change: Tensor, num_frames: int) -> Tensor:
    """Origin (3,) and change (3,) of x, y and log radius over a clip of 16 frames -> (num_frames, 3).

    Constant speed; the object stops where the frame ends, and neither grows nor shrinks without end.
    """
    t = torch.arange(num_frames, device=origin.device).view(-1, 1) / (NUM_FRAMES - 1)
    x, y, r = origin
    room = torch.stack([x, y, 1 - x, 1 - y]).min() - MARGIN / 2
    largest = torch.maximum(r, room.clamp(max=ANY_RADIUS[1]))
    radius = (r * (change[2] * t[:, 0]).exp()).clamp(r.clamp(max=ANY_RADIUS[0]), largest)
    reach = (radius + MARGIN / 2).unsqueeze(1)
    centre = origin[:2] + change[:2] * t
    inside = torch.minimum(
        torch.maximum(centre, torch.minimum(reach, origin[:2])), torch.maximum(1 - reach, origin[:2])
    )
    return torch.cat([inside, radius.unsqueeze(1)], dim=1)


def between(origin: Tensor, end: Tensor, share: Tensor) -> Tensor:
    """(B, 3), (B, 3) and shares of the way (B,) -> (B, 3): straight, the radius geometrically."""
    way = share.view(-1, 1)
    centre = (1 - way) * origin[:, :2] + way * end[:, :2]
    radius = ((1 - way) * origin[:, 2:].log() + way * end[:, 2:].log()).exp()
    return torch.cat([centre, radius], dim=1)


def moved(pixels: Tensor, origin: Tensor, target: Tensor) -> Tensor:
    """Pictures (B, 3, H, W) shifted and scaled so that what is at `origin` (B, 3) comes to `target` (B, 3)."""
    scale = origin[:, 2] / target[:, 2]
    shift = (2 * origin[:, :2] - 1) - scale.unsqueeze(1) * (2 * target[:, :2] - 1)
    zero = torch.zeros_like(scale)
    theta = torch.stack([scale, zero, shift[:, 0], zero, scale, shift[:, 1]], dim=1).view(-1, 2, 3)
    grid = F.affine_grid(theta.to(pixels), list(pixels.shape), align_corners=False)
    return F.grid_sample(pixels, grid, padding_mode="border", align_corners=False)


def _centres(like: Tensor) -> Tensor:
    return (torch.arange(LATENT_SIDE, device=like.device) + 0.5) / LATENT_SIDE
