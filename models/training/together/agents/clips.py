"""Stable Video Diffusion and Wan as trainables: networks of diffusers that denoise a whole clip at once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from diffusers.pipelines.stable_video_diffusion.pipeline_stable_video_diffusion import _resize_with_antialiasing
from torch import Tensor, nn

from models.agent import Role
from models.backends.tokens import Modulation
from models.training.together.contract import Inputs, Winners
from models.training.together.levels import OF_DIFFUSERS, FlowLevels, Prediction, SigmaLevels
from models.training.together.modulation import word_state

CLIP_SIDE = 224
MOST_TOKENS = 512
"""Wan's text is always padded to as many."""


@dataclass(frozen=True)
class _LatentClip:
    """What both share. pipeline: theirs, loaded; its autoencoder keeps gradients and learns nothing."""

    pipeline: Any
    role: Role = "image_to_video"

    def emphasis(self, winners: Winners) -> Tensor:
        """Return 1: nothing is known of where what matters is."""
        return torch.ones((), device=winners.pictures.device)

    def pixel_emphasis(self, winners: Winners) -> Tensor:
        """Return 1."""
        return self.emphasis(winners)

    def small_losses(self, winners: Winners) -> dict[str, Tensor]:  # noqa: ARG002
        """There are none."""
        return {}


@dataclass(frozen=True)
class StableVideoClip(_LatentClip):
    """A4 on `StableVideoDiffusionPipeline`, which takes no text. Latents are (B, T, 4, h, w).

    options, fps: as in the preset. tower: tokenizer and text model paired with the image encoder, if there is one here.
    """

    options: Mapping[str, float] = field(default_factory=dict)
    fps: float = 7.0
    tower: tuple[Any, Any] | None = None

    @property
    def prediction(self) -> Prediction:
        """v, as the scheduler says."""
        return OF_DIFFUSERS[self.pipeline.scheduler.config.prediction_type]

    @property
    def denoiser(self) -> nn.Module:
        """The UNet."""
        unet: nn.Module = self.pipeline.unet
        return unet

    @property
    def levels(self) -> SigmaLevels:
        """The scheduler's sigmas."""
        return SigmaLevels(self.pipeline.scheduler)

    def parts(self) -> dict[str, nn.Module]:
        """The UNet."""
        return {"unet": self.denoiser}

    def condition(self, prompts: tuple[str, ...]) -> Inputs:  # noqa: ARG002
        """There is no text."""
        return {}

    def given(self, winners: Winners, told: Inputs, picture: Tensor | None, draw: torch.Generator) -> Inputs:  # noqa: ARG002
        """Return what the pipeline makes of the picture: its embedding (B, 1, 1024), its latents with some noise."""
        vae, pixels = self.pipeline.vae, winners.first if picture is None else picture
        strength = self.options.get("noise_aug_strength", 0.02)
        with torch.set_grad_enabled(picture is not None and torch.is_grad_enabled()):
            noise = torch.randn(pixels.shape, generator=draw).to(pixels)
            seen = vae.encode((pixels + strength * noise).to(vae.dtype)).latent_dist.mode()
            embedding = self._embedding(pixels)
        # The model was conditioned on the frames a second less one.
        numbers = torch.tensor([[self.fps - 1, self.options.get("motion_bucket_id", 127), strength]])
        return {
            "embedding": embedding,
            "seen": seen.unsqueeze(1).expand(-1, winners.clips.shape[1], -1, -1, -1),
            "time_ids": numbers.expand(len(pixels), -1).to(embedding),
        }

    def _embedding(self, pixels: Tensor) -> Tensor:
        """Return the CLIP embedding of pictures (B, 3, H, W) in [-1, 1], as `_encode_image` does, with gradient."""
        p = self.pipeline
        small = (_resize_with_antialiasing(pixels, (CLIP_SIDE, CLIP_SIDE)) + 1) / 2
        mean, std = (
            torch.tensor(v).view(1, 3, 1, 1).to(small)
            for v in (p.feature_extractor.image_mean, p.feature_extractor.image_std)
        )
        embedding: Tensor = p.image_encoder(((small - mean) / std).to(p.image_encoder.dtype)).image_embeds
        return embedding.unsqueeze(1)

    def target(self, winners: Winners) -> Tensor:
        """Return the latents of the whole clips, (B, T, 4, h, w)."""
        vae = self.pipeline.vae
        with torch.no_grad():
            latents: Tensor = vae.encode(winners.clips.flatten(0, 1).to(vae.dtype)).latent_dist.mode()
        scaled = latents * vae.config.scaling_factor
        return scaled.reshape(*winners.clips.shape[:2], *latents.shape[1:])

    def predict(self, noisy: Tensor, t: Tensor, condition: Inputs, given: Inputs) -> Tensor:  # noqa: ARG002
        """Return the UNet's prediction."""
        unet = self.pipeline.unet
        stacked = torch.cat([noisy, given["seen"].to(noisy)], dim=2).to(unet.dtype)
        predicted: Tensor = unet(
            stacked,
            self.levels.network_time(t),
            encoder_hidden_states=given["embedding"],
            added_time_ids=given["time_ids"],
        ).sample
        return predicted

    def decode(self, latents: Tensor, winners: Winners) -> Tensor:
        """Decode the compared frames alone, as many at once as the preset says: (B, F, 3, H, W)."""
        vae, chunk = self.pipeline.vae, int(self.options.get("decode_chunk_size", 8))
        chosen = latents[:, 1:] if winners.frames is None else latents[:, winners.frames]
        scaled = (chosen / vae.config.scaling_factor).to(vae.dtype)
        # One clip after the other: the decoder's time is within one.
        chunks = [torch.split(clip, chunk) for clip in scaled]
        frames = [torch.cat([vae.decode(some, num_frames=len(some)).sample for some in clip]) for clip in chunks]
        return torch.stack(frames).clamp(-1, 1)

    def modulation(self) -> Modulation:
        """A token after the picture's embedding; the UNet takes it in both guidance branches."""
        return "image token"

    @torch.no_grad()
    def modulation_start(self, pictures: Tensor) -> tuple[Tensor, str]:
        """Return z0, (1, 1024): [Mod] as the paired text model reads it, or, without one, the pictures' mean."""
        if self.tower is not None:
            tokenizer, text = self.tower
            state = text.text_projection(word_state(tokenizer, text))
            return state, "the projected state of [Mod] in the text model paired with the image encoder"
        mean = torch.cat([self._embedding(one) for one in torch.split(pictures, 8)]).mean(dim=0)
        return mean, "the mean embedding of the winners' pictures, since there is no text model"


@dataclass(frozen=True)
class WanClip(_LatentClip):
    """A4 on `WanImageToVideoPipeline`. Latents are (B, C, T', h, w); pictures are padded in time with grey."""

    @property
    def prediction(self) -> Prediction:
        """Flow."""
        return "flow"

    @property
    def denoiser(self) -> nn.Module:
        """The transformer; of the two of Wan 2.2's 14B models, the one for high noise."""
        transformer: nn.Module = self.pipeline.transformer
        return transformer

    @property
    def levels(self) -> FlowLevels:
        """The scheduler's flow, with its shift."""
        config = self.pipeline.scheduler.config
        return FlowLevels(self.pipeline.scheduler, float(config.get("flow_shift") or config.get("shift") or 1.0))

    def parts(self) -> dict[str, nn.Module]:
        """The transformer."""
        return {"transformer": self.denoiser}

    def condition(self, prompts: tuple[str, ...]) -> Inputs:
        """Return the text states, (B, 512, d)."""
        asked = {"do_classifier_free_guidance": False, "max_sequence_length": MOST_TOKENS}
        with torch.no_grad():
            return {"states": self.pipeline.encode_prompt(list(prompts), **asked)[0]}

    def given(self, winners: Winners, told: Inputs, picture: Tensor | None, draw: torch.Generator) -> Inputs:  # noqa: ARG002
        """Return the latents of the picture as the first frame, which frames they are, and its embedding if wanted."""
        p, pixels = self.pipeline, winners.first if picture is None else picture
        length = winners.clips.shape[1]
        with torch.set_grad_enabled(picture is not None and torch.is_grad_enabled()):
            later = pixels.new_zeros(len(pixels), 3, length - 1, *pixels.shape[-2:])
            alone = bool(p.config.expand_timesteps)
            seen = self._encoded(pixels.unsqueeze(2) if alone else torch.cat([pixels.unsqueeze(2), later], dim=2))
            embedding = self._embedding(pixels) if p.transformer.config.image_dim is not None else None
        stride, shape = p.vae_scale_factor_temporal, seen.shape
        if alone:
            return {"seen": seen, "embedding": embedding}
        known = torch.zeros(len(pixels), length + stride - 1, *shape[-2:]).to(seen)
        known[:, :stride] = 1
        mask = known.reshape(len(pixels), -1, stride, *shape[-2:]).transpose(1, 2)
        return {"seen": torch.cat([mask, seen], dim=1), "embedding": embedding}

    def _embedding(self, pixels: Tensor) -> Tensor:
        """Return the CLIP states of pictures (B, 3, H, W) in [-1, 1] that Wan 2.1 takes, with gradient."""
        p = self.pipeline
        resized = nn.functional.interpolate((pixels + 1) / 2, (CLIP_SIDE, CLIP_SIDE), mode="bicubic", antialias=True)
        mean, std = (
            torch.tensor(v).view(1, 3, 1, 1).to(resized)
            for v in (p.image_processor.image_mean, p.image_processor.image_std)
        )
        seen = ((resized - mean) / std).to(p.image_encoder.dtype)
        states: Tensor = p.image_encoder(pixel_values=seen, output_hidden_states=True).hidden_states[-2]
        return states

    def _encoded(self, pixels: Tensor) -> Tensor:
        """Encode (B, 3, T, H, W) to normalised latents (B, C, T', h, w)."""
        vae = self.pipeline.vae
        mean, std = self._statistics(pixels)
        latents: Tensor = vae.encode(pixels.to(vae.dtype)).latent_dist.mode()
        return (latents - mean) / std

    def _statistics(self, like: Tensor) -> tuple[Tensor, Tensor]:
        config = self.pipeline.vae.config
        mean, std = (torch.tensor(v).view(1, -1, 1, 1, 1).to(like) for v in (config.latents_mean, config.latents_std))
        return mean, std

    def target(self, winners: Winners) -> Tensor:
        """Return the latents of the whole clips."""
        with torch.no_grad():
            return self._encoded(winners.clips.transpose(1, 2))

    def predict(self, noisy: Tensor, t: Tensor, condition: Inputs, given: Inputs) -> Tensor:
        """Return the transformer's flow; where it is told the time of each token, those of the picture have time 0."""
        transformer, seen, told = self.pipeline.transformer, given["seen"], self.levels.network_time(t)
        if self.pipeline.config.expand_timesteps:
            later = torch.ones_like(noisy[:, :1])
            later[:, :, 0] = 0
            stacked = (1 - later) * seen + later * noisy
            step = transformer.config.patch_size[-1]
            times = (later[:, 0, :, ::step, ::step] * told.view(-1, 1, 1, 1)).flatten(1)
        else:
            stacked, times = torch.cat([noisy, seen], dim=1), told
        predicted: Tensor = transformer(
            hidden_states=stacked.to(transformer.dtype),
            timestep=times,
            encoder_hidden_states=condition["states"],
            encoder_hidden_states_image=given["embedding"],
        ).sample
        if self.pipeline.config.expand_timesteps:  # the first frame is the picture's, whatever is predicted for it
            known = (noisy - seen) / self.levels.at(t, noisy).noise.clamp(min=1e-8)
            predicted = later * predicted + (1 - later) * known
        return predicted

    def decode(self, latents: Tensor, winners: Winners) -> Tensor:
        """Decode the clips, and return the compared frames, (B, F, 3, H, W): the decoder is causal in time."""
        vae = self.pipeline.vae
        mean, std = self._statistics(latents)
        frames = vae.decode((latents * std + mean).to(vae.dtype)).sample.transpose(1, 2).clamp(-1, 1)
        chosen: Tensor = frames[:, 1:] if winners.frames is None else frames[:, winners.frames]
        return chosen

    def modulation(self) -> Modulation:
        """A token after the text states."""
        return "token"

    def modulation_start(self, pictures: Tensor) -> tuple[Tensor, str]:  # noqa: ARG002
        """Return z0, (1, d)."""
        return word_state(self.pipeline.tokenizer, self.pipeline.text_encoder), "the state of [Mod] in the text encoder"
