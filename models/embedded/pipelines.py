"""The pipelines of the embedded agents: stock networks of diffusers and transformers around one denoising loop."""

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
"""Frames that are denoised together; longer clips are split into chunks to save memory."""

StepEnd = Callable[[Any, int, Any, dict[str, Any]], dict[str, Any]]
"""diffusers' `callback_on_step_end`: (pipeline, step, timestep, tensors) -> tensors to continue with."""


def num_chunks(num_frames: int, frames_at_once: int | None = None) -> int:
    """Return the number of denoising loops for `num_frames`; frames_at_once: None for `FRAMES_AT_ONCE`."""
    return -(-num_frames // (frames_at_once or FRAMES_AT_ONCE))


class _Denoising(DiffusionPipeline):
    """The common part of the pipelines: tokens, the DDIM loop, decoding."""

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
        """Denoise (B, C, h, w); predict: (noisy latents, timestep) -> clean latents."""
        self.scheduler.set_timesteps(steps)
        for i, t in enumerate(self.scheduler.timesteps):
            noisy = self.scheduler.step(predict(noisy, t), t, noisy).prev_sample
            if callback is not None:
                noisy = callback(self, i, t, {"latents": noisy})["latents"]
        return noisy

    def _draw_chunk(self, noise: Tensor, given: Tensor, steps: int, callback: StepEnd | None) -> Tensor:
        """Denoise the frames of one chunk, all from the same noise to avoid flicker: latents (B, C, h, w)."""
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
    """Sentence -> layout -> picture. Called like the text-to-image pipelines of diffusers."""

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
        """Return one picture per generator: float32 (B, H, W, 3) in 0..1.

        Raises ValueError for another size or output type, or a wrong number of generators.
        """
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
            stacked = torch.cat([noisy, fields], dim=1).repeat(len(prompts), 1, 1, 1)
            predicted: Tensor = self.unet(stacked, t, hidden).sample
            if len(prompts) == 1:
                return predicted
            with_words, without = predicted.chunk(2)
            return without + guidance_scale * (with_words - without)

        return self._picture(self._denoise(noisy, num_inference_steps, predict, callback_on_step_end))

    def _places(self, prompt: str, sources: Sequence[torch.Generator]) -> Tensor:
        logits = self.layout(self._tokens([prompt])).text_embeds[0].float().cpu()
        return torch.cat([layout.draw(logits, source) for source in sources])


class EditImagePipeline(_Denoising):
    """InstructPix2Pix (Brooks et al. 2023) on a located object. Called like the diffusers pipeline of that name."""

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
        """Return one picture, float32 (1, H, W, 3) in 0..1. Raises ValueError for another size or output type."""
        if (image.width, image.height, output_type) != (SIDE, SIDE, "np"):
            raise ValueError(f"Pictures are {SIDE} x {SIDE} arrays, not {image.width} x {image.height}, {output_type}.")
        pixels = torch.from_numpy(np.array(image)).movedim(-1, 0).unsqueeze(0) / 127.5 - 1
        known = encode(self.vae, pixels.to(self._execution_device, self.unet.dtype))
        given = a3_conditioning(known, layout.locate(self.locator, known))
        noise = torch.randn(known.shape, generator=generator).to(known)
        hidden = self.text_encoder(self._tokens([prompt, ""])).last_hidden_state
        # Guidance branches: instruction and picture, picture only, nothing.
        branches = 1 if guidance_scale == image_guidance_scale == 1.0 else 3 if image_guidance_scale != 1.0 else 2
        texts = hidden[[0, 1, 1][:branches]]
        seen = torch.cat([given, given, torch.zeros_like(given)][:branches])

        def predict(noisy: Tensor, t: Tensor) -> Tensor:
            best: Tensor
            everything = torch.cat([noisy.expand(branches, -1, -1, -1), seen], dim=1)
            best, *less = self.unet(everything, t, texts).sample.split(1)
            if not less:
                return best
            result = less[0] + guidance_scale * (best - less[0])
            if len(less) == 2:
                result = result + (image_guidance_scale - 1) * (less[0] - less[1])
            return result

        return self._picture(self._denoise(noise, num_inference_steps, predict, callback_on_step_end))


def a3_conditioning(latents: Tensor, where: Tensor) -> Tensor:
    """Return the conditioning of A3's UNet, (B, 12, 16, 16): latents of the picture and fields of its layout (B, 3)."""
    return torch.cat([latents, layout.fields(where).to(latents)], dim=1)


class ClipFromImagePipeline(_Denoising):
    """Picture and sentence -> clip.

    The object is located, the sentence gives its motion, and each frame is drawn from the picture and from the picture
    moved accordingly. Loads with `from_pretrained` like any pipeline.
    """

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
        """Return frames, float32 (num_frames, 3, H, W) in [-1, 1], for an image, float (3, H, W) in [-1, 1].

        Frame 0 is the given image. guidance_scale: factor on the motion that the sentence adds, 1 as trained.
        """
        picture = image.to(self._execution_device, self.unet.dtype).unsqueeze(0)
        first = encode(self.vae, picture)
        origin = layout.locate(self.locator, first)
        conditioned, unconditioned = self.pace(self._tokens([prompt, ""])).text_embeds.float()
        places = layout.track(origin[0], unconditioned + guidance_scale * (conditioned - unconditioned), num_frames)
        noise = torch.randn((1, *first.shape[1:]), generator=generator, dtype=torch.float32).to(first)
        frames: list[Tensor] = []
        unseen = torch.zeros_like(picture)
        for targets in torch.split(places, frames_at_once or FRAMES_AT_ONCE):
            pictures, start = picture.expand(len(targets), -1, -1, -1), origin.expand(len(targets), -1)
            # Encoded again in this batch: the last bits depend on the batch size, and those of the clip on them.
            known, carried = (encode(self.vae, each) for each in (pictures, layout.move(pictures, start, targets)))
            given = a4_conditioning(known, carried, start, targets)
            drawn = self._decode(self._draw_chunk(noise, given, num_inference_steps, callback_on_step_end))
            if not frames:
                unseen = picture - drawn[:1]
            frames.append((drawn + carry_detail(unseen.expand_as(drawn), start, targets)).clamp(-1, 1))
        return torch.cat([picture, torch.cat(frames)[1:]]).float()


class ClipBetweenImagesPipeline(_Denoising):
    """Two pictures -> the clip between them."""

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
        """Return frames, float32 (num_frames, 3, H, W) in [-1, 1], between two images, float (3, H, W) in [-1, 1].

        The first and the last frame are the given images.
        """
        ends = torch.stack([before, after]).to(self._execution_device, self.unet.dtype)
        known = encode(self.vae, ends)
        places = layout.locate(self.locator, known)
        noise = torch.randn((1, *known.shape[1:]), generator=generator, dtype=torch.float32).to(known)
        shares = torch.linspace(0, 1, num_frames, device=known.device)
        chunks = [
            self._draw_chunk(noise, self._given(ends, known, places, share), num_inference_steps, callback_on_step_end)
            for share in torch.split(shares, frames_at_once or FRAMES_AT_ONCE)
        ]
        drawn = torch.cat([self._decode(chunk) for chunk in chunks])
        origins = [place.expand(num_frames, -1) for place in places]
        here, way = layout.between(origins[0], origins[1], shares), shares.view(-1, 1, 1, 1)
        for weight, picture, own, origin in zip((1 - way, way), ends, (drawn[0], drawn[-1]), origins, strict=True):
            drawn = drawn + weight * carry_detail((picture - own).expand_as(drawn), origin, here)
        return torch.cat([ends[:1], drawn[1:-1].clamp(-1, 1), ends[1:]]).float()

    def _given(self, ends: Tensor, known: Tensor, places: Tensor, share: Tensor) -> Tensor:
        before, after, first, last, origin, end = (
            value.expand(len(share), *value.shape[1:])
            for pair in (ends, known, places)
            for value in torch.split(pair, 1)
        )
        here = layout.between(origin, end, share)
        carried = [encode(self.vae, layout.move(*way, here)) for way in ((before, origin), (after, end))]
        return a5_conditioning((first, last, *carried), (origin, end, here), share)


def carry_detail(unseen: Tensor, origin: Tensor, target: Tensor) -> Tensor:
    """Carry over what drawn frames lack of their picture, `unseen` (B, 3, H, W), to frames with the object at `target`.

    The object's part moves with the object, the rest stays. So a clip starts without a jump and keeps details that the
    world lacks.
    """
    here, there = layout.object_pixels(origin).to(unseen), layout.object_pixels(target).to(unseen)
    return (1 - there) * (1 - here) * unseen + there * layout.move(here * unseen, origin, target)


def a4_conditioning(known: Tensor, carried: Tensor, origin: Tensor, target: Tensor) -> Tensor:
    """Return the conditioning of A4's UNet, (B, 24, 16, 16).

    known, carried: latents of the picture as it is and moved, (B, 8, 16, 16); origin, target: layouts (B, 3).
    """
    return torch.cat([known, carried, *(layout.fields(where).to(known) for where in (origin, target))], dim=1)


def a5_conditioning(seen: Sequence[Tensor], places: Sequence[Tensor], share: Tensor) -> Tensor:
    """Return the conditioning of A5's UNet, (B, 45, 16, 16).

    seen: latents of both pictures, then of both moved, (B, 8, 16, 16); places: layouts of both and of the frame
    between, (B, 3); share: (B,) of the way from the first to the second.
    """
    fields = [layout.fields(where).to(seen[0]) for where in places]
    return torch.cat([*seen, *fields, share.to(seen[0]).view(-1, 1, 1, 1).expand(-1, 1, *seen[0].shape[2:])], dim=1)


def encode(vae: AutoencoderTiny, pixels: Tensor) -> Tensor:
    """Encode pictures (B, 3, H, W) in [-1, 1] as scaled latents (B, 8, H / 4, W / 4)."""
    latents: Tensor = vae.encode(pixels).latents * vae.config.scaling_factor
    return latents
