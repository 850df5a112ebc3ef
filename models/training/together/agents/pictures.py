"""SDXL and InstructPix2Pix as trainables: any UNet of diffusers that denoises one picture. Text encoders are frozen."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from models.agent import Role
from models.backends.tokens import Modulation
from models.training.together.contract import Inputs, Winners
from models.training.together.levels import OF_DIFFUSERS, Prediction, TableLevels
from models.training.together.modulation import word_state

PENULTIMATE = -2
"""SDXL reads the last but one hidden states of its text encoders."""


@dataclass(frozen=True)
class _LatentPicture:
    """What both share. pipeline: theirs, loaded; its autoencoder keeps gradients and learns nothing."""

    pipeline: Any

    @property
    def prediction(self) -> Prediction:
        """What the scheduler says."""
        return OF_DIFFUSERS[self.pipeline.scheduler.config.prediction_type]

    @property
    def denoiser(self) -> nn.Module:
        """The UNet."""
        unet: nn.Module = self.pipeline.unet
        return unet

    @property
    def levels(self) -> TableLevels:
        """The scheduler's table, drawn from uniformly."""
        return TableLevels(self.pipeline.scheduler)

    def parts(self) -> dict[str, nn.Module]:
        """The UNet."""
        return {"unet": self.denoiser}

    def decode(self, latents: Tensor, winners: Winners) -> Tensor:  # noqa: ARG002
        """Decode to (B, 3, H, W)."""
        vae = self.pipeline.vae
        pixels: Tensor = vae.decode(latents.to(vae.dtype) / vae.config.scaling_factor).sample
        return pixels.clamp(-1, 1)

    def _encoded(self, pixels: Tensor) -> Tensor:
        """Return the mean latents, scaled; the mean, so that one picture has one target."""
        vae = self.pipeline.vae
        latents: Tensor = vae.encode(pixels.to(vae.dtype)).latent_dist.mode() * vae.config.scaling_factor
        return latents

    def emphasis(self, winners: Winners) -> Tensor:
        """Return 1: nothing is known of where what matters is."""
        return torch.ones((), device=winners.pictures.device)

    def pixel_emphasis(self, winners: Winners) -> Tensor:
        """Return 1."""
        return self.emphasis(winners)

    def small_losses(self, winners: Winners) -> dict[str, Tensor]:  # noqa: ARG002
        """There are none."""
        return {}

    def modulation(self) -> Modulation:
        """A token after the text states."""
        return "token"


@dataclass(frozen=True)
class Sdxl(_LatentPicture):
    """A2 on `StableDiffusionXLPipeline`; z joins (B, 77, 2048), the pooled embedding stays."""

    role: Role = "text_to_image"

    def condition(self, prompts: tuple[str, ...]) -> Inputs:
        """Return text states (B, 77, 2048) and the pooled one."""
        with torch.no_grad():
            states, _, pooled, _ = self.pipeline.encode_prompt(list(prompts), do_classifier_free_guidance=False)
        return {"states": states, "pooled": pooled}

    def given(self, winners: Winners, told: Inputs, picture: Tensor | None, draw: torch.Generator) -> Inputs:  # noqa: ARG002
        """Return SDXL's six numbers: asked size, no cropping, asked size again."""
        size = tuple(winners.pictures.shape[-2:])
        numbers = torch.tensor([[*size, 0, 0, *size]], dtype=self.pipeline.unet.dtype)
        return {"time_ids": numbers.expand(len(winners), -1).to(winners.pictures.device)}

    def target(self, winners: Winners) -> Tensor:
        """Return the latents of the pictures."""
        with torch.no_grad():
            return self._encoded(winners.pictures)

    def predict(self, noisy: Tensor, t: Tensor, condition: Inputs, given: Inputs) -> Tensor:
        """Return the UNet's prediction."""
        unet = self.pipeline.unet
        added = {"text_embeds": condition["pooled"], "time_ids": given["time_ids"]}
        predicted: Tensor = unet(
            noisy.to(unet.dtype), t, encoder_hidden_states=condition["states"], added_cond_kwargs=added
        ).sample
        return predicted

    def modulation_start(self, pictures: Tensor) -> tuple[Tensor, str]:  # noqa: ARG002
        """Return z0, (1, 2048): the states of both text encoders side by side, as the prompt's."""
        p = self.pipeline
        pairs = ((p.tokenizer, p.text_encoder), (p.tokenizer_2, p.text_encoder_2))
        states = [word_state(*pair, layer=PENULTIMATE) for pair in pairs]
        return torch.cat(states, dim=-1), "the states of [Mod] in both text encoders"


@dataclass(frozen=True)
class Pix2Pix(_LatentPicture):
    """A3 on `StableDiffusionInstructPix2PixPipeline`; z joins (B, 77, 768)."""

    role: Role = "edit_image"

    def condition(self, prompts: tuple[str, ...]) -> Inputs:
        """Return the text states of the instructions."""
        p = self.pipeline
        asked = {"padding": "max_length", "max_length": p.tokenizer.model_max_length, "truncation": True}
        ids = p.tokenizer(list(prompts), return_tensors="pt", **asked).input_ids
        with torch.no_grad():
            return {"states": p.text_encoder(ids.to(p.text_encoder.device))[0]}

    def given(self, winners: Winners, told: Inputs, picture: Tensor | None, draw: torch.Generator) -> Inputs:  # noqa: ARG002
        """Return the latents of the picture, which InstructPix2Pix takes unscaled."""
        vae = self.pipeline.vae
        pixels = winners.pictures if picture is None else picture
        with torch.set_grad_enabled(picture is not None and torch.is_grad_enabled()):
            return {"seen": vae.encode(pixels.to(vae.dtype)).latent_dist.mode()}

    def target(self, winners: Winners) -> Tensor:
        """Return the latents of the edited pictures."""
        with torch.no_grad():
            return self._encoded(winners.first)

    def predict(self, noisy: Tensor, t: Tensor, condition: Inputs, given: Inputs) -> Tensor:
        """Return the UNet's prediction."""
        unet = self.pipeline.unet
        stacked = torch.cat([noisy, given["seen"]], dim=1).to(unet.dtype)
        predicted: Tensor = unet(stacked, t, encoder_hidden_states=condition["states"]).sample
        return predicted

    def modulation_start(self, pictures: Tensor) -> tuple[Tensor, str]:  # noqa: ARG002
        """Return z0, (1, 768)."""
        return word_state(self.pipeline.tokenizer, self.pipeline.text_encoder), "the state of [Mod] in the text encoder"
