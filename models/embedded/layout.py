"""Layouts: where the object is, (B, 3) of x, y and radius as fractions of the side. Encodes, locates and moves them."""

import torch
from diffusers import UNet2DModel
from torch import Tensor
from torch.nn import functional as F

from models.embedded.language import NUM_FRAMES, SIDE
from models.embedded.world import GROWTH, MARGIN, RADIUS

LATENT_SIDE = SIDE // 4
FIELDS = 4
BINS = (32, 32, 16)
"""Number of bins of x, y and log radius. x and y are relative to the range in which an object of that radius fits."""
FIRST_RADIUS = (0.084, 0.256)
"""Smallest and largest radius in a first frame."""
SILHOUETTE = 1.2
"""Distance from the centre, in radii, that contains the whole object."""
LEAST_SHARE = 0.2
"""Bins less likely than this share of the likeliest are never drawn: they are residue of the encoder's training."""
ANY_RADIUS = (RADIUS[0] / GROWTH**0.5, RADIUS[1] * GROWTH**0.5)


def bins_of(where: Tensor) -> Tensor:
    """Return the bins of x, y and log radius, int64 (B, 3), of layouts (B, 3)."""
    low, high = (torch.tensor(r).log() for r in FIRST_RADIUS)
    radius = where[:, 2:]
    place = (where[:, :2] - radius) / (1 - 2 * radius)
    share = torch.cat([place, (radius.log() - low) / (high - low)], dim=1)
    bins = torch.tensor(BINS)
    return (share * bins).long().clamp(min=torch.tensor(0), max=bins - 1)


def in_bins(bins: Tensor, inside: Tensor) -> Tensor:
    """Invert `bins_of`: bins (B, 3) and positions inside them, (B, 3) in 0..1, to layouts (B, 3)."""
    low, high = (torch.tensor(r).log() for r in FIRST_RADIUS)
    share = (bins + inside) / torch.tensor(BINS)
    radius = (low + share[:, 2:] * (high - low)).exp()
    return torch.cat([radius + share[:, :2] * (1 - 2 * radius), radius], dim=1)


def draw(logits: Tensor, generator: torch.Generator) -> Tensor:
    """Draw a layout (1, 3) from logits (sum of BINS,)."""
    shares = [part.softmax(dim=0) for part in torch.split(logits, list(BINS))]
    likely = [share * (share >= LEAST_SHARE * share.max()) for share in shares]
    bins = torch.cat([torch.multinomial(share, 1, generator=generator) for share in likely])
    return in_bins(bins.unsqueeze(0), torch.rand((1, 3), generator=generator))


def fields(where: Tensor) -> Tensor:
    """Encode layouts (B, 3) as conditioning channels of a UNet, float32 (B, 4, 16, 16), one value per latent cell.

    Channels: x and y offset from the object's centre in radii, clamped to two; nearness, 2 at the centre and 0 from two
    radii on; and 8 times the radius where the nearness is positive.
    """
    centre = _centres(where)
    x, y, radius = (where[:, i].view(-1, 1, 1) for i in range(3))
    dx = ((centre.view(1, 1, -1) - x) / radius).expand(-1, LATENT_SIDE, -1)
    dy = ((centre.view(1, -1, 1) - y) / radius).expand(-1, -1, LATENT_SIDE)
    near = (1 - torch.hypot(dx, dy) / 2).clamp(min=0)
    return torch.stack([dx.clamp(-2, 2), dy.clamp(-2, 2), 2 * near, 8 * radius * (near > 0)], dim=1)


def object_cells(where: Tensor) -> Tensor:
    """Return a mask, float32 (B, 1, 16, 16): 1 on latent cells within one radius and one cell of the object."""
    centre = _centres(where)
    x, y, radius = (where[:, i].view(-1, 1, 1) for i in range(3))
    near = ((centre.view(1, 1, -1) - x) ** 2 + (centre.view(1, -1, 1) - y) ** 2).sqrt() < radius + 1 / LATENT_SIDE
    return near.float().unsqueeze(1)


def object_pixels(where: Tensor) -> Tensor:
    """Return a mask, float32 (B, 1, H, W): 1 on the object and a small margin, falling to 0 over two more pixels."""
    centre = (torch.arange(SIDE, device=where.device) + 0.5) / SIDE
    x, y, radius = (where[:, i].view(-1, 1, 1) for i in range(3))
    away = ((centre.view(1, 1, -1) - x) ** 2 + (centre.view(1, -1, 1) - y) ** 2).sqrt() - SILHOUETTE * radius
    return (1 - away * SIDE / 2).clamp(0, 1).unsqueeze(1)


def locate(locator: UNet2DModel, latents: Tensor) -> Tensor:
    """Locate the object in scaled latents (B, 8, 16, 16): the centre of mass of the heat map and the radius, (B, 3)."""
    heat, log_radius = locator(latents, 0).sample.float().flatten(2).unbind(dim=1)
    share, centre = heat.softmax(dim=1), _centres(latents)
    x, y = centre.repeat(LATENT_SIDE), centre.repeat_interleave(LATENT_SIDE)
    return torch.stack([(share * x).sum(1), (share * y).sum(1), (share * log_radius).sum(1).exp()], dim=1)


def track(origin: Tensor, change: Tensor, num_frames: int) -> Tensor:
    """Return the layouts (num_frames, 3) of a motion with constant speed.

    origin: the first layout (3,); change: of x, y and log radius over a clip of 16 frames, (3,). The object stops at
    the border of the frame, and its radius is limited.
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
    """Interpolate layouts (B, 3) at shares (B,) in 0..1: x and y linearly, the radius geometrically."""
    way = share.view(-1, 1)
    centre = (1 - way) * origin[:, :2] + way * end[:, :2]
    radius = ((1 - way) * origin[:, 2:].log() + way * end[:, 2:].log()).exp()
    return torch.cat([centre, radius], dim=1)


def move(pixels: Tensor, origin: Tensor, target: Tensor) -> Tensor:
    """Shift and scale pictures (B, 3, H, W) so that the object at layout `origin` (B, 3) lands on `target` (B, 3)."""
    scale = origin[:, 2] / target[:, 2]
    shift = (2 * origin[:, :2] - 1) - scale.unsqueeze(1) * (2 * target[:, :2] - 1)
    zero = torch.zeros_like(scale)
    theta = torch.stack([scale, zero, shift[:, 0], zero, scale, shift[:, 1]], dim=1).view(-1, 2, 3)
    grid = F.affine_grid(theta.to(pixels), list(pixels.shape), align_corners=False)
    return F.grid_sample(pixels, grid, padding_mode="border", align_corners=False)


def _centres(like: Tensor) -> Tensor:
    return (torch.arange(LATENT_SIDE, device=like.device) + 0.5) / LATENT_SIDE
