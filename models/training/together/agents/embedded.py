"""The embedded agents A2, A3 and A4 as trainables. Their frames are drawn one by one, for known places."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.agent import Role
from models.backends.tokens import Modulation
from models.embedded import layout
from models.embedded.pipelines import a3_conditioning, a4_conditioning, encode
from models.training.together.contract import Inputs, Winners
from models.training.together.levels import Prediction, TableLevels, precise
from models.training.together.modulation import word_state

OBJECT_WEIGHT = 4.0
"""rho is 1, and this more on the object's cells: a twentieth of the picture carries most of the sentence."""
EARLINESS = 2.0
PACE_WORDS = "the state of [Mod] in the pace encoder"


@dataclass(frozen=True)
class _Embedded:
    """What A2, A3 and A4 share. pipeline: theirs, loaded."""

    pipeline: Any
    prediction: Prediction = "x0"

    @property
    def denoiser(self) -> nn.Module:
        """The UNet."""
        unet: nn.Module = self.pipeline.unet
        return unet

    @property
    def levels(self) -> TableLevels:
        """The cosine schedule; high noise levels are drawn more often, as in the recipe."""
        return TableLevels(self.pipeline.scheduler, EARLINESS)

    def _decoded(self, latents: Tensor) -> Tensor:
        vae = self.pipeline.vae
        pixels: Tensor = vae.decode(latents / vae.config.scaling_factor).sample
        return pixels.clamp(-1, 1)

    def _encoded(self, pixels: Tensor) -> Tensor:
        return encode(self.pipeline.vae, pixels)

    def _states(self, prompts: tuple[str, ...]) -> Tensor:
        hidden: Tensor = self.pipeline.text_encoder(self._tokens(prompts)).last_hidden_state
        return hidden

    def _tokens(self, prompts: tuple[str, ...]) -> Tensor:
        ids: Tensor = self.pipeline._tokens(list(prompts))
        return ids

    def _located(self, pixels: Tensor) -> Tensor:
        """Return the layouts (B, 3) that the locator sees in pictures, without gradient."""
        with torch.no_grad():
            return layout.locate(self.pipeline.locator, self._encoded(pixels))


@dataclass(frozen=True)
class LayoutImage(_Embedded):
    """A2: the winner's layout is given, since a drawn place has no gradient; `layout` is trained on its bins."""

    role: Role = "text_to_image"

    def parts(self) -> dict[str, nn.Module]:
        """The UNet, its text encoder, and the layout encoder."""
        return {name: getattr(self.pipeline, name) for name in ("unet", "text_encoder", "layout")}

    def condition(self, prompts: tuple[str, ...]) -> Inputs:
        """Return the text states, (B, 24, 96)."""
        return {"states": self._states(prompts)}

    def given(self, winners: Winners, told: Inputs, picture: Tensor | None, draw: torch.Generator) -> Inputs:  # noqa: ARG002
        """Return the fields of the winners' layouts, (B, 4, 16, 16)."""
        return {"fields": layout.fields(_layouts(winners)).to(winners.pictures)}

    def target(self, winners: Winners) -> Tensor:
        """Return the latents of the pictures, (B, 8, 16, 16)."""
        with torch.no_grad():
            return self._encoded(winners.pictures)

    def predict(self, noisy: Tensor, t: Tensor, condition: Inputs, given: Inputs) -> Tensor:
        """Return the clean latents, (B, 8, 16, 16)."""
        stacked = torch.cat([noisy, given["fields"]], dim=1)
        predicted: Tensor = self.pipeline.unet(stacked, t, condition["states"]).sample
        return predicted

    def decode(self, latents: Tensor, winners: Winners) -> Tensor:  # noqa: ARG002
        """Decode to (B, 3, 64, 64)."""
        return self._decoded(latents)

    def emphasis(self, winners: Winners) -> Tensor:
        """Return rho on the winners' objects, (B, 1, 16, 16)."""
        return 1 + OBJECT_WEIGHT * layout.object_cells(_layouts(winners))

    def pixel_emphasis(self, winners: Winners) -> Tensor:
        """Return rho on the winners' objects, (B, 1, 64, 64)."""
        return 1 + OBJECT_WEIGHT * layout.object_pixels(_layouts(winners))

    def small_losses(self, winners: Winners) -> dict[str, Tensor]:
        """Equation 3b: cross-entropy of the winner's bins of x, y and radius."""
        read = precise(self.pipeline.layout(self._tokens(winners.prompts[self.role])).text_embeds)
        logits = torch.split(read, list(layout.BINS), dim=1)
        bins = layout.bins_of(_layouts(winners).float().cpu()).to(logits[0].device)
        return {"layout": torch.stack([F.cross_entropy(part, bins[:, i]) for i, part in enumerate(logits)]).sum()}

    def modulation(self) -> Modulation:
        """A token after the text states."""
        return "token"

    def modulation_start(self, pictures: Tensor) -> tuple[Tensor, str]:  # noqa: ARG002
        """Return z0, (1, 96)."""
        return _text_start(self.pipeline)


@dataclass(frozen=True)
class LocatedEdit(_Embedded):
    """A3: InstructPix2Pix on a located object; the locator is not trained, and its gradient flows through."""

    role: Role = "edit_image"

    def parts(self) -> dict[str, nn.Module]:
        """The UNet and its text encoder."""
        return {name: getattr(self.pipeline, name) for name in ("unet", "text_encoder")}

    def condition(self, prompts: tuple[str, ...]) -> Inputs:
        """Return the text states of the instructions, (B, 24, 96)."""
        return {"states": self._states(prompts)}

    def given(self, winners: Winners, told: Inputs, picture: Tensor | None, draw: torch.Generator) -> Inputs:  # noqa: ARG002
        """Return latents and layout of the picture, (B, 12, 16, 16)."""
        if picture is None:
            with torch.no_grad():
                return {"seen": self._seen(winners.pictures)}
        return {"seen": self._seen(picture)}

    def _seen(self, picture: Tensor) -> Tensor:
        known = self._encoded(picture)
        return a3_conditioning(known, layout.locate(self.pipeline.locator, known))

    def target(self, winners: Winners) -> Tensor:
        """Return the latents of the edited pictures, (B, 8, 16, 16)."""
        with torch.no_grad():
            return self._encoded(winners.first)

    def predict(self, noisy: Tensor, t: Tensor, condition: Inputs, given: Inputs) -> Tensor:
        """Return the clean latents, (B, 8, 16, 16)."""
        stacked = torch.cat([noisy, given["seen"]], dim=1)
        predicted: Tensor = self.pipeline.unet(stacked, t, condition["states"]).sample
        return predicted

    def decode(self, latents: Tensor, winners: Winners) -> Tensor:  # noqa: ARG002
        """Decode to (B, 3, 64, 64)."""
        return self._decoded(latents)

    def emphasis(self, winners: Winners) -> Tensor:
        """Return rho on the objects that the locator sees in the edited pictures, (B, 1, 16, 16)."""
        return 1 + OBJECT_WEIGHT * layout.object_cells(self._located(winners.first))

    def pixel_emphasis(self, winners: Winners) -> Tensor:
        """Return rho on the same objects, (B, 1, 64, 64)."""
        return 1 + OBJECT_WEIGHT * layout.object_pixels(self._located(winners.first))

    def small_losses(self, winners: Winners) -> dict[str, Tensor]:  # noqa: ARG002
        """There are none."""
        return {}

    def modulation(self) -> Modulation:
        """A token after the text states."""
        return "token"

    def modulation_start(self, pictures: Tensor) -> tuple[Tensor, str]:  # noqa: ARG002
        """Return z0, (1, 96)."""
        return _text_start(self.pipeline)


@dataclass(frozen=True)
class LocatedClip(_Embedded):
    """A4: frames are drawn one by one from the picture and the picture moved to where the object will be.

    `pace` tells from the words how far it goes. pixels_to_pace: whether it learns from the film's pixels too. By
    default it does not: it was exact, Adam would move it all the same, and the whole film with it.
    """

    role: Role = "image_to_video"
    pixels_to_pace: bool = False

    def parts(self) -> dict[str, nn.Module]:
        """The UNet and the pace encoder."""
        return {name: getattr(self.pipeline, name) for name in ("unet", "pace")}

    def condition(self, prompts: tuple[str, ...]) -> Inputs:
        """Return the change of the layout over 16 frames, (B, 3)."""
        with torch.set_grad_enabled(self.pixels_to_pace and torch.is_grad_enabled()):
            return {"change": precise(self.pipeline.pace(self._tokens(prompts)).text_embeds)}

    def given(self, winners: Winners, told: Inputs, picture: Tensor | None, draw: torch.Generator) -> Inputs:  # noqa: ARG002
        """Return what the UNet sees of each compared frame, (B F, 24, 16, 16).

        Of the stored picture, where the locator sees the object in the winners; of a drawn one, where it sees it in the
        picture, and where the words lead from there, all with gradient.
        """
        if picture is None:
            with torch.no_grad():
                return {"seen": self._seen(winners.first, self._located(winners.first), self._places(winners))}
        origin = layout.locate(self.pipeline.locator, self._encoded(picture))
        at, count = _numbers(winners), winners.clips.shape[1]
        tracks = [layout.track(o, c, count)[at] for o, c in zip(origin, told["change"], strict=True)]
        return {"seen": self._seen(picture, origin, torch.stack(tracks))}

    def _places(self, winners: Winners) -> Tensor:
        """Return the layouts of the compared frames as the locator sees them, (B, F, 3)."""
        frames = winners.compared
        return self._located(frames.flatten(0, 1)).reshape(*frames.shape[:2], 3)

    def _seen(self, picture: Tensor, origin: Tensor, target: Tensor) -> Tensor:
        """Return A4's conditioning, (B F, 24, 16, 16), of pictures, layouts (B, 3) and their targets (B, F, 3)."""
        count = target.shape[1]
        pictures, start = picture.repeat_interleave(count, dim=0), origin.repeat_interleave(count, dim=0)
        known = self._encoded(picture).repeat_interleave(count, dim=0)
        targets = target.flatten(0, 1)
        carried = self._encoded(layout.move(pictures, start, targets))
        return a4_conditioning(known, carried, start, targets)

    def target(self, winners: Winners) -> Tensor:
        """Return the latents of the compared frames, (B F, 8, 16, 16)."""
        with torch.no_grad():
            return self._encoded(winners.compared.flatten(0, 1))

    def predict(self, noisy: Tensor, t: Tensor, condition: Inputs, given: Inputs) -> Tensor:  # noqa: ARG002
        """Return the clean latents, (B F, 8, 16, 16)."""
        predicted: Tensor = self.pipeline.unet(torch.cat([noisy, given["seen"]], dim=1), t).sample
        return predicted

    def decode(self, latents: Tensor, winners: Winners) -> Tensor:
        """Decode to the compared frames, (B, F, 3, 64, 64)."""
        frames = self._decoded(latents)
        return frames.reshape(len(winners), -1, *frames.shape[1:])

    def emphasis(self, winners: Winners) -> Tensor:
        """Return rho where the object begins and where it is in the frame, (B F, 1, 16, 16)."""
        return 1 + OBJECT_WEIGHT * self._near(winners, layout.object_cells)

    def pixel_emphasis(self, winners: Winners) -> Tensor:
        """Return rho at the same places, (B, F, 1, 64, 64)."""
        near = self._near(winners, layout.object_pixels)
        return 1 + OBJECT_WEIGHT * near.reshape(len(winners), -1, *near.shape[1:])

    def _near(self, winners: Winners, mask: Callable[[Tensor], Tensor]) -> Tensor:
        places = self._places(winners)
        origin = self._located(winners.first).repeat_interleave(places.shape[1], dim=0)
        return torch.maximum(mask(origin), mask(places.flatten(0, 1)))

    def small_losses(self, winners: Winners) -> dict[str, Tensor]:
        """Equation 3b: squared error to the change between first and last frame that the locator sees."""
        first, last = self._located(winners.first), self._located(winners.clips[:, -1])
        seen = torch.cat([last[:, :2] - first[:, :2], (last[:, 2:] / first[:, 2:]).log()], dim=1)
        read = precise(self.pipeline.pace(self._tokens(winners.prompts[self.role])).text_embeds)
        return {"pace": F.mse_loss(read, seen.to(read))}

    def modulation(self) -> Modulation:
        """An offset of the time embedding: A4 has no tokens, and in `pace` one would destroy the motion."""
        return "time offset"

    def modulation_start(self, pictures: Tensor) -> tuple[Tensor, str]:  # noqa: ARG002
        """Return z0, (1, 64)."""
        return word_state(self.pipeline.tokenizer, self.pipeline.pace), PACE_WORDS


def _text_start(pipeline: Any) -> tuple[Tensor, str]:
    return word_state(pipeline.tokenizer, pipeline.text_encoder), "the state of [Mod] in the text encoder"


def _layouts(winners: Winners) -> Tensor:
    assert winners.layouts is not None, "embedded winners hold the layout that A2 drew"
    return winners.layouts


def _numbers(winners: Winners) -> Tensor:
    """The numbers of the compared frames."""
    return torch.arange(1, winners.clips.shape[1]) if winners.frames is None else winners.frames
