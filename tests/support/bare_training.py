"""The losses of a training step on A2 and A4, written out for these two networks in plain PyTorch, as a yardstick."""

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from models.embedded import layout
from models.embedded.pipelines import a4_conditioning
from models.training.together.contract import Winners
from models.training.together.settings import Settings
from models.training.together.trainer import Trainer


def losses(trainer: Trainer, step: int) -> dict[str, Tensor]:
    """The same as the trainer's for that step, from the same draws; what two losses need is computed once."""
    s: Settings = trainer.settings
    a2, a4 = (agent.pipeline for agent in trainer.agents)
    rng = np.random.default_rng([s.seed, 1, step])
    rows = torch.from_numpy(rng.choice(len(trainer.winners), s.batch, replace=len(trainer.winners) < s.batch))
    length = trainer.winners.clips.shape[1]
    at = torch.from_numpy(np.sort(1 + rng.choice(length - 1, s.frames, replace=False)))
    w: Winners = replace(trainer.winners[rows], frames=at)
    assert w.layouts is not None
    draws = [torch.Generator().manual_seed(int(rng.integers(2**62))) for _ in range(3)]
    vae, bars, scale = a2.vae, a2.scheduler.alphas_cumprod, a2.vae.config.scaling_factor

    def coded(pixels: Tensor) -> Tensor:
        latents: Tensor = vae.encode(pixels).latents * scale
        return latents

    def shown(latents: Tensor) -> Tensor:
        pixels: Tensor = vae.decode(latents / scale).sample
        return pixels.clamp(-1, 1)

    def tokens(pipeline: object, role: str) -> Tensor:
        ids: Tensor = pipeline._tokens(list(w.prompts[role]))  # type: ignore[attr-defined, index]
        return ids

    with torch.no_grad():
        pictures, frames = coded(w.pictures), coded(w.compared.flatten(0, 1))
        origin, places = layout.locate(a4.locator, pictures), layout.locate(a4.locator, frames)
        start = origin.repeat_interleave(s.frames, 0)
        moved = coded(layout.move(w.pictures.repeat_interleave(s.frames, 0), start, places))
        seen = a4_conditioning(pictures.repeat_interleave(s.frames, 0), moved, start, places)
        near = [torch.maximum(f(start), f(places)) for f in (layout.object_cells, layout.object_pixels)]

    def own(unet: object, clean: Tensor, given: Tensor, near: Tensor, draw: torch.Generator, *states: Tensor) -> Tensor:
        u = torch.rand(len(clean), generator=draw)
        t = ((1 - u**2) * 1000).long().clamp(max=999)
        bar = bars[t].view(-1, 1, 1, 1)
        noisy = bar.sqrt() * clean + (1 - bar).sqrt() * torch.randn(clean.shape, generator=draw)
        predicted = unet(torch.cat([noisy, given], 1), t, *states).sample  # type: ignore[operator]
        weight = (bar / (1 - bar).clamp(min=1e-8)).clamp(max=5) * (1 + 4 * near)
        return (weight * (predicted - clean).square()).mean()

    ids, fields = tokens(a2, "text_to_image"), layout.fields(w.layouts)
    hidden = a2.text_encoder(ids).last_hidden_state
    found = {"text_to_image": own(a2.unet, pictures, fields, layout.object_cells(w.layouts), draws[0], hidden)}
    logits, bins = a2.layout(ids).text_embeds, layout.bins_of(w.layouts)
    parts = logits.split(list(layout.BINS), dim=1)
    found["text_to_image/layout"] = torch.stack([F.cross_entropy(p, bins[:, i]) for i, p in enumerate(parts)]).sum()
    found["image_to_video"] = own(a4.unet, frames, seen, near[0], draws[1])

    half, draw = s.batch // 2, draws[2]
    a2.scheduler.set_timesteps(trainer.steps_of["text_to_image"])
    times = a2.scheduler.timesteps[-s.last_steps :]
    x = pictures[:half]
    noisy = bars[times[0]].sqrt() * x + (1 - bars[times[0]]).sqrt() * torch.randn(x.shape, generator=draw)
    states = a2.text_encoder(ids[:half]).last_hidden_state
    for i, t in enumerate(times):
        x = a2.unet(torch.cat([noisy, fields[:half]], 1), t, states).sample
        if i + 1 < len(times):
            here, there = bars[t], bars[times[i + 1]]
            noisy = there.sqrt() * x + (1 - there).sqrt() * (noisy - here.sqrt() * x) / (1 - here).sqrt()
    picture = shown(x)
    known = coded(picture)
    origins = layout.locate(a4.locator, known)
    with torch.no_grad():
        change = a4.pace(tokens(a4, "image_to_video")[:half]).text_embeds
    targets = torch.cat([layout.track(o, c, length)[at] for o, c in zip(origins, change, strict=True)])
    begun = origins.repeat_interleave(s.frames, 0)
    carried = coded(layout.move(picture.repeat_interleave(s.frames, 0), begun, targets))
    given = a4_conditioning(known.repeat_interleave(s.frames, 0), carried, begun, targets)
    a4.scheduler.set_timesteps(trainer.steps_of["image_to_video"])
    times = a4.scheduler.timesteps
    t = times[int(torch.randint(len(times), (1,), generator=draw))]
    clean = frames[: half * s.frames]
    late = bars[t].sqrt() * clean + (1 - bars[t]).sqrt() * torch.randn(clean.shape, generator=draw)
    drawn = shown(a4.unet(torch.cat([late, given], 1), t).sample)
    weight = 1 + 4 * near[1][: len(clean)]
    later = (weight * (drawn - w.compared[:half].flatten(0, 1)).square()).mean()
    first = ((1 + 4 * layout.object_pixels(w.layouts[:half])) * (picture - w.pictures[:half]).square()).mean()
    found["film"] = (later * s.frames + first) / (s.frames + 1)
    return found
