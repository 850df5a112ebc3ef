"""The embedded agents' own pipelines: stock networks of diffusers and transformers around one denoising loop."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from diffusers import AutoencoderTiny, DDIMScheduler, DiffusionPipeline, UNet2DConditionModel, UNet2DModel
from diffusers.pipelines.pipeline_utils import ImagePipelineOutput
from PIL import Image
from torch import Tensor
from transformers import CLIPTextModel, CLIPTextModelWithProjection, PreTrainedTokenizerFast

from models.embedded import layout
from models.embedded.language import SIDE

FRAMES_AT_ONCE = 16
"""Frames that are denoised together; what is longer goes in pieces, for memory's sake."""

StepEnd = Callable[[Any, int, Any, dict[str, Any]], dict[str, Any]]
"""diffusers' `callback_on_step_end`: (pipeline, step, timestep, tensors) -> tensors to go on with."""


def pieces(num_frames: int, frames_at_once: int | None = None) -> int:
    """How many loops draw so many frames; frames_at_once: None for as many as usual."""
    return -(-num_frames // (frames_at_once or FRAMES_AT_ONCE))


class _Denoising(DiffusionPipeline):
    """What they have in common: words to tokens, and the DDIM loop."""

    def _tokens(self, prompts: list[str]) -> Tensor:
        ids: Tensor = self.tokenizer(
            prompts,
            padding="max_length",
            max_length=self.tokenizer.model_max_length,
            truncation=True,
            return_tensors="pt",
        ).input_ids
        return ids.to(self._execution_device)

    def _denoise(
        self,
        noisy: Tensor,
        steps: int,
        predict: Callable[[Tensor, Tensor], Tensor],
        callback: StepEnd | None,
    ) -> Tensor:
        """Noise (B, C, h, w) -> clean latents; predict: (noisy latents, timestep) -> clean latents."""
        self.scheduler.set_timesteps(steps)
        for i, t in enumerate(self.scheduler.timesteps):
            noisy = self.scheduler.step(predict(noisy, t), t, noisy).prev_sample
            if callback is not None:
                noisy = callback(self, i, t, {"latents": noisy})["latents"]
        return noisy

    def _drawn(self, noise: Tensor, given: Tensor, steps: int, callback: StepEnd | None) -> Tensor:
        """The frames of one chunk, all from the same noise, so that nothing flickers: latents (B, C, h, w)."""
        start = noise.expand(len(given), -1, -1, -1)

        def predict(noisy: Tensor, t: Tensor) -> Tensor:
            predicted: Tensor = self.unet(torch.cat([noisy, given], dim=1), t).sample
            return predicted

        return self._denoise(start, steps, predict, callback)

    def _decode(self, latents: Tensor) -> Tensor:
        pixels: Tensor = self.vae.decode(latents / self.vae.config.scaling_factor).sample
        return pixels.clamp(-1, 1)

    def _picture(self, latents: Tensor) -> ImagePipelineOutput:
        pixels = self._decode(latents) / 2 + 0.5
        return ImagePipelineOutput(images=pixels.float().movedim(1, -1).cpu().numpy())


class ImageFromLayoutPipeline(_Denoising):
    """Sentence -> where the object begins -> picture. Called like diffusers' own text-to-image pipelines."""

    model_cpu_offload_seq = "layout->text_encoder->unet->vae"

    def __init__(
        self,
        vae: AutoencoderTiny,
        layout: CLIPTextModelWithProjection,
        text_encoder: CLIPTextModel,
        tokenizer: PreTrainedTokenizerFast,
        unet: UNet2DConditionModel,
        scheduler: DDIMScheduler,
    ) -> None:
        super().__init__()
        self.register_modules(
            vae=vae, layout=layout, text_encoder=text_encoder, tokenizer=tokenizer, unet=unet, scheduler=scheduler
        )

    @torch.no_grad()
    def __call__(
        self,
        prompt: str,
        *,
        num_inference_steps: int,
        guidance_scale: float,
        generator: torch.Generator | Sequence[torch.Generator],
        num_images_per_prompt: int = 1,
        width: int = SIDE,
        height: int = SIDE,
        output_type: str = "np",
        callback_on_step_end: StepEnd | None = None,
    ) -> ImagePipelineOutput:
        """One picture a generator: float32 (B, H, W, 3) in 0..1. Raises ValueError on another size, output type, or
        number of generators."""
        if (width, height, output_type) != (SIDE, SIDE, "np"):
            raise ValueError(f"Pictures are {SIDE} x {SIDE} arrays, not {width} x {height}, {output_type}.")
        sources = [generator] if isinstance(generator, torch.Generator) else list(generator)
        if len(sources) != num_images_per_prompt:
            raise ValueError(f"{num_images_per_prompt} pictures need as many generators, not {len(sources)}.")
        fields = layout.fields(self._places(prompt, sources)).to(self._execution_device, self.unet.dtype)
        shape = (self.unet.config.out_channels, *fields.shape[-2:])
        noisy = torch.stack([torch.randn(shape, generator=source) for source in sources]).to(fields)

        prompts = [prompt] if guidance_scale == 1.0 else [prompt, ""]
        hidden = self.text_encoder(self._tokens(prompts)).last_hidden_state.repeat_interleave(len(noisy), dim=0)

        def predict(noisy: Tensor, t: Tensor) -> Tensor:
            told = torch.cat([noisy, fields], dim=1).repeat(len(prompts), 1, 1, 1)
            predicted: Tensor = self.unet(told, t, hidden).sample
            if len(prompts) == 1:
                return predicted
            with_words, without = predicted.chunk(2)
            return without + guidance_scale * (with_words - without)

        return self._picture(self._denoise(noisy, num_inference_steps, predict, callback_on_step_end))

    def _places(self, prompt: str, sources: Sequence[torch.Generator]) -> Tensor:
        logits = self.layout(self._tokens([prompt])).text_embeds[0].float().cpu()
        return torch.cat([layout.drawn(logits, source) for source in sources])


class EditImagePipeline(_Denoising):
    """InstructPix2Pix (Brooks et al. 2023) on a located object. Called like diffusers' pipeline of that name."""

    model_cpu_offload_seq = "locator->text_encoder->unet->vae"

    def __init__(
        self,
        vae: AutoencoderTiny,
        locator: UNet2DModel,
        text_encoder: CLIPTextModel,
        tokenizer: PreTrainedTokenizerFast,
        unet: UNet2DConditionModel,
        scheduler: DDIMScheduler,
    ) -> None:
        super().__init__()
        self.register_modules(
            vae=vae, locator=locator, text_encoder=text_encoder, tokenizer=tokenizer, unet=unet, scheduler=scheduler
        )

    @torch.no_grad()
    def __call__(
        self,
        prompt: str,
        *,
        image: Image.Image,
        num_inference_steps: int,
        guidance_scale: float,
        image_guidance_scale: float,
        generator: torch.Generator,
        output_type: str = "np",
        callback_on_step_end: StepEnd | None = None,
    ) -> ImagePipelineOutput:
        """One picture, float32 (1, H, W, 3) in 0..1. Raises ValueError on another size or output type."""
        if (image.width, image.height, output_type) != (SIDE, SIDE, "np"):
            raise ValueError(f"Pictures are {SIDE} x {SIDE} arrays, not {image.width} x {image.height}, {output_type}.")
        pixels = torch.from_numpy(np.array(image)).movedim(-1, 0).unsqueeze(0) / 127.5 - 1
        known = encoded(self.vae, pixels.to(self._execution_device, self.unet.dtype))
        given = given_to_a3(known, layout.located(self.locator, known))
        noise = torch.randn(known.shape, generator=generator).to(known)
        hidden = self.text_encoder(self._tokens([prompt, ""])).last_hidden_state
        # Each branch knows less: instruction and picture, the picture, nothing.
        branches = 1 if guidance_scale == image_guidance_scale == 1.0 else 3 if image_guidance_scale != 1.0 else 2
        told = hidden[[0, 1, 1][:branches]]
        seen = torch.cat([given, given, torch.zeros_like(given)][:branches])

        def predict(noisy: Tensor, t: Tensor) -> Tensor:
            best: Tensor
            everything = torch.cat([noisy.expand(branches, -1, -1, -1), seen], dim=1)
            best, *less = self.unet(everything, t, told).sample.split(1)
            if not less:
                return best
            result = less[0] + guidance_scale * (best - less[0])
            if len(less) == 2:
                result = result + (image_guidance_scale - 1) * (less[0] - less[1])
            return result

        return self._picture(self._denoise(noise, num_inference_steps, predict, callback_on_step_end))


def given_to_a3(latents: Tensor, where: Tensor) -> Tensor:
    """What A3's UNet sees beside the noisy latents: (B, 12, 16, 16) of the picture's latents and layout (B, 3)."""
    return torch.cat([latents, layout.fields(where).to(latents)], dim=1)


class ClipFromImagePipeline(_Denoising):
    """Picture and sentence -> clip: the object is located, the words say how far it goes, and every frame is drawn
    from the picture and from the picture moved that far. Loads with `from_pretrained`, like any other."""

    model_cpu_offload_seq = "pace->locator->unet->vae"

    def __init__(
        self,
        vae: AutoencoderTiny,
        locator: UNet2DModel,
        pace: CLIPTextModelWithProjection,
        tokenizer: PreTrainedTokenizerFast,
        unet: UNet2DModel,
        scheduler: DDIMScheduler,
    ) -> None:
        super().__init__()
        self.register_modules(vae=vae, locator=locator, pace=pace, tokenizer=tokenizer, unet=unet, scheduler=scheduler)

    @torch.no_grad()
    def __call__(
        self,
        prompt: str,
        image: Tensor,
        *,
        num_frames: int,
        num_inference_steps: int,
        guidance_scale: float,
        generator: torch.Generator,
        frames_at_once: int | None = None,
        callback_on_step_end: StepEnd | None = None,
    ) -> Tensor:
        """image float (3, H, W) in [-1, 1] -> frames float32 (num_frames, 3, H, W) in [-1, 1].

        Frame 0 is the given image. guidance_scale: how far the words carry, 1 as trained.
        """
        picture = image.to(self._execution_device, self.unet.dtype).unsqueeze(0)
        first = encoded(self.vae, picture)
        origin = layout.located(self.locator, first)
        told, untold = self.pace(self._tokens([prompt, ""])).text_embeds.float()
        places = layout.track(origin[0], untold + guidance_scale * (told - untold), num_frames)
        noise = torch.randn((1, *first.shape[1:]), generator=generator, dtype=torch.float32).to(first)
        frames: list[Tensor] = []
        unseen = torch.zeros_like(picture)
        for targets in torch.split(places, frames_at_once or FRAMES_AT_ONCE):
            pictures, start = picture.expand(len(targets), -1, -1, -1), origin.expand(len(targets), -1)
            # Encoded again in this batch: alone, its last bits are others, and so would the clip's be.
            known, carried = (encoded(self.vae, each) for each in (pictures, layout.moved(pictures, start, targets)))
            given = given_to_a4(known, carried, start, targets)
            drawn = self._decode(self._drawn(noise, given, num_inference_steps, callback_on_step_end))
            if not frames:
                unseen = picture - drawn[:1]
            frames.append((drawn + detail(unseen.expand_as(drawn), start, targets)).clamp(-1, 1))
        return torch.cat([picture, torch.cat(frames)[1:]]).float()


class ClipBetweenImagesPipeline(_Denoising):
    """Two pictures -> the clip that leads from one to the other."""

    model_cpu_offload_seq = "locator->unet->vae"

    def __init__(self, vae: AutoencoderTiny, locator: UNet2DModel, unet: UNet2DModel, scheduler: DDIMScheduler) -> None:
        super().__init__()
        self.register_modules(vae=vae, locator=locator, unet=unet, scheduler=scheduler)

    @torch.no_grad()
    def __call__(
        self,
        before: Tensor,
        after: Tensor,
        *,
        num_frames: int,
        num_inference_steps: int,
        generator: torch.Generator,
        frames_at_once: int | None = None,
        callback_on_step_end: StepEnd | None = None,
    ) -> Tensor:
        """before, after float (3, H, W) in [-1, 1] -> frames float32 (num_frames, 3, H, W) in [-1, 1].

        The first and the last frame are the given pictures.
        """
        ends = torch.stack([before, after]).to(self._execution_device, self.unet.dtype)
        known = encoded(self.vae, ends)
        places = layout.located(self.locator, known)
        noise = torch.randn((1, *known.shape[1:]), generator=generator, dtype=torch.float32).to(known)
        shares = torch.linspace(0, 1, num_frames, device=known.device)
        chunks = [
            self._drawn(noise, self._given(ends, known, places, share), num_inference_steps, callback_on_step_end)
            for share in torch.split(shares, frames_at_once or FRAMES_AT_ONCE)
        ]
        drawn = torch.cat([self._decode(chunk) for chunk in chunks])
        origins = [place.expand(num_frames, -1) for place in places]
        here, way = layout.between(origins[0], origins[1], shares), shares.view(-1, 1, 1, 1)
        for weight, picture, own, origin in zip((1 - way, way), ends, (drawn[0], drawn[-1]), origins, strict=True):
            drawn = drawn + weight * detail((picture - own).expand_as(drawn), origin, here)
        return torch.cat([ends[:1], drawn[1:-1].clamp(-1, 1), ends[1:]]).float()

    def _given(self, ends: Tensor, known: Tensor, places: Tensor, share: Tensor) -> Tensor:
        before, after, first, last, origin, end = (
            value.expand(len(share), *value.shape[1:])
            for pair in (ends, known, places)
            for value in torch.split(pair, 1)
        )
        here = layout.between(origin, end, share)
        carried = [encoded(self.vae, layout.moved(*way, here)) for way in ((before, origin), (after, end))]
        return given_to_a5((first, last, *carried), (origin, end, here), share)


def detail(unseen: Tensor, origin: Tensor, target: Tensor) -> Tensor:
    """What a drawn frame lacked of its picture, (B, 3, H, W), where it belongs in one whose object is at `target`: the
    object's moves with it, the rest stays. So a clip begins without a step and keeps the looks that the world lacks."""
    here, there = layout.object_pixels(origin).to(unseen), layout.object_pixels(target).to(unseen)
    return (1 - there) * (1 - here) * unseen + there * layout.moved(here * unseen, origin, target)


def given_to_a4(known: Tensor, carried: Tensor, origin: Tensor, target: Tensor) -> Tensor:
    """What A4's UNet sees beside the noisy latents: (B, 24, 16, 16) of the picture's latents, as it is and moved
    (B, 8, 16, 16 each), and both layouts (B, 3)."""
    return torch.cat([known, carried, *(layout.fields(where).to(known) for where in (origin, target))], dim=1)


def given_to_a5(seen: Sequence[Tensor], places: Sequence[Tensor], share: Tensor) -> Tensor:
    """What A5's UNet sees beside the noisy latents: (B, 45, 16, 16).

    seen: latents of both pictures, then of both moved; places: layouts of both and of the frame between, (B, 3);
    share: (B,) of the way from the first to the second.
    """
    told = [layout.fields(where).to(seen[0]) for where in places]
    return torch.cat([*seen, *told, share.to(seen[0]).view(-1, 1, 1, 1).expand(-1, 1, *seen[0].shape[2:])], dim=1)


def encoded(vae: AutoencoderTiny, pixels: Tensor) -> Tensor:
    """Pictures (B, 3, H, W) in [-1, 1] -> scaled latents (B, 8, H / 4, W / 4)."""
    latents: Tensor = vae.encode(pixels).latents * vae.config.scaling_factor
    return latents
