"""The recipe of the embedded agents: autoencoder, then A2 and A4 on its latents. `python main.py train embedded`."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderTiny, DDIMScheduler, UNet2DConditionModel, UNet2DModel
from diffusers.models.attention_processor import AttnProcessor
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import CLIPModel, CLIPTextModel, CLIPTextModelWithProjection, PreTrainedTokenizerFast

from models.agent import UInt8Array
from models.embedded import layout, networks
from models.embedded.language import COLOURS, MOTIONS, OBJECTS, SCENES
from models.embedded.pipelines import encoded, given_to_a3, given_to_a4, given_to_a5
from models.training.embedded import samples
from models.training.loop import Loss, Progress, Schedule, fit

SEED = 20260301
NO_TEXT_SHARE = 0.1
"""Share of samples that see an empty prompt, for classifier-free guidance."""
OBJECT_WEIGHT = 4.0
"""Extra loss on the object's cells at low noise: a twentieth of the picture carries most of the sentence."""
SNR_GAMMA = 6.0
"""Clip of the loss weight SNR + 1 on predicted clean latents (min-SNR weighting, Hang et al. 2023)."""
IMAGE_NOISE, EDIT_NOISE = 0.15, 0.05
"""Largest noise, in standard deviations, on the picture that an agent is given. With as much as the others, A3 cannot
see which shape an object in the night has."""
NO_PICTURE_SHARE = 0.03
"""Share of A3's samples that see no picture, for image guidance."""
PLACE_ERROR, RADIUS_ERROR = 0.004, 0.02
"""Standard deviations of what a locator gets wrong, in sides and in log radius."""


@dataclass(frozen=True)
class Workshop:
    """Where and on what a stage trains."""

    folder: Path
    device: torch.device
    autocast: torch.dtype | None
    report: Callable[[Progress], None]

    def fit(self, stage: str, network: nn.Module, loss: Loss, schedule: Schedule) -> None:
        """Runs or resumes the stage; its checkpoint is `folder/stage.safetensors`."""
        network.to(self.device).train()
        checkpoint = self.folder / f"{stage}.safetensors"
        fit(
            stage, network, loss, schedule, checkpoint=checkpoint, seed=SEED, autocast=self.autocast, report=self.report
        )
        network.eval()


SCHEDULES = {
    "autoencoder": Schedule(steps=8000, learning_rate=2e-3, warmup=100, decay=0.4),
    "text": Schedule(steps=600, learning_rate=1e-3, warmup=50),
    "layout": Schedule(steps=600, learning_rate=3e-3, warmup=50),
    "pace": Schedule(steps=400, learning_rate=2e-3, warmup=50, decay=0.5),
    "locator": Schedule(steps=1000, learning_rate=2e-3, warmup=50, decay=0.5),
    "text_to_image": Schedule(steps=8000, learning_rate=1e-3),
    "edit_image": Schedule(steps=16000, learning_rate=1e-3),
    "image_to_video": Schedule(steps=6000, learning_rate=1e-3),
    "connect_videos": Schedule(steps=6000, learning_rate=1e-3),
    "scorer": Schedule(steps=6000, learning_rate=1e-3),
}


def to_tensor(frames: UInt8Array, device: torch.device) -> Tensor:
    """uint8 (..., H, W, 3) -> float32 (..., 3, H, W) in [-1, 1]."""
    return torch.from_numpy(frames).to(device).movedim(-1, -3).float() / 127.5 - 1


def train_autoencoder(shop: Workshop, schedule: Schedule) -> AutoencoderTiny:
    """Errors of pixels and of steps between pixels on crops around the object, with noise on the latents."""
    vae = networks.autoencoder().to(memory_format=torch.channels_last)

    def loss(rng: np.random.Generator, _step: int) -> Tensor:
        pixels = to_tensor(samples.crops(rng, 16), shop.device)
        latents = vae.encoder(pixels)
        decoded = vae.decoder(latents + 0.05 * torch.randn_like(latents)).float()
        return _pixel_loss(decoded, pixels) + 1e-3 * latents.float().square().mean()

    shop.fit("autoencoder", vae, loss, schedule)
    return vae


def _pixel_loss(decoded: Tensor, pixels: Tensor) -> Tensor:
    """Pixels, and the steps between neighbours: blocks of the digital world are flat inside, and their edges hard."""
    error = 4 * F.mse_loss(decoded, pixels) + F.l1_loss(decoded, pixels)
    for dim in (-1, -2):
        steps, wanted = decoded.diff(dim=dim), pixels.diff(dim=dim)
        error = error + 4 * F.mse_loss(steps, wanted) + 1.5 * F.l1_loss(steps, wanted)
    return error


def measure_scale(vae: AutoencoderTiny, device: torch.device) -> float:
    """1 / standard deviation of the latents of 256 frames: the autoencoder's `scaling_factor`."""
    frames = samples.any_frames(np.random.default_rng(SEED), 256).frames
    with torch.no_grad():
        return round(1.0 / vae.encode(to_tensor(frames, device)).latents.std().item(), 4)


class Tokens:
    """Sentences -> token ids (B, 24), int64."""

    def __init__(self, tokenizer: PreTrainedTokenizerFast, device: torch.device) -> None:
        self.tokenizer, self.device = tokenizer, device

    def __call__(self, sentences: tuple[str, ...]) -> Tensor:
        """(B,) sentences -> (B, 24)."""
        ids: Tensor = self.tokenizer(list(sentences), padding="max_length", return_tensors="pt").input_ids
        return ids.to(self.device)


class Prompts:
    """Sentences -> hidden states of the stage's own text encoder, with some left empty."""

    def __init__(self, tokens: Tokens, encoder: CLIPTextModel) -> None:
        self.tokens, self.encoder = tokens, encoder

    def __call__(self, sentences: tuple[str, ...], *, empty: NDArray[np.bool_] | None = None) -> Tensor:
        """(B,) sentences -> (B, 24, 96)."""
        dropped = empty if empty is not None else [False] * len(sentences)
        words = tuple("" if drop else s for s, drop in zip(sentences, dropped, strict=True))
        hidden: Tensor = self.encoder(self.tokens(words)).last_hidden_state
        return hidden


def train_text(shop: Workshop, prompts: Prompts, schedule: Schedule) -> None:
    """The text encoder first learns to tell the attributes apart, so that the denoiser starts from words, not noise."""
    kinds: tuple[tuple[str, ...], ...] = (OBJECTS, COLOURS, SCENES, MOTIONS, ("", "digital"))
    heads = nn.ModuleList([nn.Linear(networks.TEXT_WIDTH, len(kind)) for kind in kinds])
    network = nn.ModuleDict({"encoder": prompts.encoder, "heads": heads})

    def loss(rng: np.random.Generator, _step: int) -> Tensor:
        wanted = [samples.scenery(rng) for _ in range(64)]
        pooled = prompts(tuple(s.sentence for s in wanted)).mean(dim=1)
        answers = [(s.object, s.colour, s.scene, s.motion, "digital" if s.digital else "") for s in wanted]
        targets = torch.tensor([[k.index(a) for k, a in zip(kinds, row, strict=True)] for row in answers]).to(
            shop.device
        )
        return torch.stack([F.cross_entropy(head(pooled), targets[:, i]) for i, head in enumerate(heads)]).sum()

    shop.fit("text", network, loss, schedule)


def train_layout(
    shop: Workshop, tokens: Tokens, layout_encoder: CLIPTextModelWithProjection, schedule: Schedule
) -> None:
    """Where the object begins, from the sentence: room for the motion is learned, not computed."""

    def loss(rng: np.random.Generator, _step: int) -> Tensor:
        wanted = [samples.scenery(rng) for _ in range(256)]
        where = torch.from_numpy(np.array([samples.beginning(s, rng) for s in wanted], dtype=np.float32))
        logits = layout_encoder(tokens(tuple(s.sentence for s in wanted))).text_embeds.float()
        bins = layout.bins_of(where).to(shop.device)
        parts = logits.split(layout.BINS, dim=1)
        return torch.stack([F.cross_entropy(part, bins[:, i]) for i, part in enumerate(parts)]).sum()

    shop.fit("layout", layout_encoder, loss, schedule)


def train_pace(shop: Workshop, tokens: Tokens, pace_encoder: CLIPTextModelWithProjection, schedule: Schedule) -> None:
    """How far what the words say goes."""

    def loss(rng: np.random.Generator, _step: int) -> Tensor:
        sentences, changes = samples.paces(rng, 128)
        predicted = pace_encoder(tokens(sentences)).text_embeds.float()
        return F.mse_loss(predicted, torch.from_numpy(changes).to(shop.device))

    shop.fit("pace", pace_encoder, loss, schedule)


def train_locator(shop: Workshop, vae: AutoencoderTiny, locator: UNet2DModel, schedule: Schedule) -> None:
    """Where the object is in any frame, to a fraction of a pixel."""

    def loss(rng: np.random.Generator, _step: int) -> Tensor:
        pictures = samples.any_frames(rng, 16)
        with torch.no_grad():
            latents = _spoilt(_encoded(vae, pictures.frames, shop.device))
        found, where = layout.located(locator, latents), torch.from_numpy(pictures.where).to(shop.device)
        return (found[:, :2] - where[:, :2]).abs().mean() + 0.1 * (found[:, 2].log() - where[:, 2].log()).abs().mean()

    shop.fit("locator", locator, loss, schedule)


def train_text_to_image(
    shop: Workshop, vae: AutoencoderTiny, prompts: Prompts, unet: UNet2DConditionModel, schedule: Schedule
) -> None:
    """A2: denoise first frames under their sentence and layout."""
    noise_schedule = networks.scheduler()
    unet.set_attn_processor(AttnProcessor())
    network = nn.ModuleDict({"unet": unet, "text_encoder": prompts.encoder})

    def loss(rng: np.random.Generator, _step: int) -> Tensor:
        pictures = samples.first_frames(rng, 16)
        with torch.no_grad():
            clean = _encoded(vae, pictures.frames, shop.device)
        hidden = prompts(pictures.sentences, empty=rng.random(16) < NO_TEXT_SHARE)
        t, noisy, alpha_bar = _noised(noise_schedule, clean, earliness=2)
        where = torch.from_numpy(pictures.where).to(shop.device)
        predicted = unet(torch.cat([noisy, layout.fields(where)], dim=1), t, hidden).sample.float()
        near = layout.object_cells(where)
        weight = _snr_weight(alpha_bar) * (1 + OBJECT_WEIGHT * alpha_bar * near)
        return (weight * (predicted - clean).square()).mean()

    shop.fit("text_to_image", network, loss, schedule)


def train_edit_image(
    shop: Workshop, vae: AutoencoderTiny, prompts: Prompts, unet: UNet2DConditionModel, schedule: Schedule
) -> None:
    """A3: denoise the changed picture, given the unchanged one and the instruction (InstructPix2Pix)."""
    noise_schedule = networks.scheduler()
    unet.set_attn_processor(AttnProcessor())
    network = nn.ModuleDict({"unet": unet, "text_encoder": prompts.encoder})

    def loss(rng: np.random.Generator, _step: int) -> Tensor:
        wanted = samples.edits(rng, 16)
        where, _ = _misjudged(wanted.where, wanted.where, shop.device)
        with torch.no_grad():
            known = _encoded(vae, wanted.before, shop.device)
            clean = _encoded(vae, wanted.after, shop.device)
        blind = torch.from_numpy(rng.random(16) < NO_PICTURE_SHARE).view(-1, 1, 1, 1).to(shop.device)
        given = given_to_a3(_spoilt(known, EDIT_NOISE), where) * ~blind
        hidden = prompts(wanted.instructions, empty=rng.random(16) < NO_TEXT_SHARE)
        t, noisy, alpha_bar = _noised(noise_schedule, clean, earliness=2)
        predicted = unet(torch.cat([noisy, given], dim=1), t, hidden).sample.float()
        near = layout.object_cells(where)
        return (_snr_weight(alpha_bar) * (1 + OBJECT_WEIGHT * near) * (predicted - clean).square()).mean()

    shop.fit("edit_image", network, loss, schedule)


def train_image_to_video(shop: Workshop, vae: AutoencoderTiny, unet: UNet2DModel, schedule: Schedule) -> None:
    """A4: denoise any later frame of a clip, given an earlier one as it is and moved to where its object will be."""
    noise_schedule = networks.scheduler()

    def loss(rng: np.random.Generator, _step: int) -> Tensor:
        wanted = samples.moves(rng, 16)
        origin, target = _misjudged(wanted.origin, wanted.target, shop.device)
        with torch.no_grad():
            pixels = to_tensor(wanted.before, shop.device)
            clean = _encoded(vae, wanted.after, shop.device)
            known, carried = (_spoilt(encoded(vae, each)) for each in (pixels, layout.moved(pixels, origin, target)))
            given = given_to_a4(known, carried, origin, target)
        t, noisy, alpha_bar = _noised(noise_schedule, clean, earliness=2)
        predicted = unet(torch.cat([noisy, given], dim=1), t).sample.float()
        near = torch.maximum(layout.object_cells(origin), layout.object_cells(target))
        return (_snr_weight(alpha_bar) * (1 + OBJECT_WEIGHT * near) * (predicted - clean).square()).mean()

    shop.fit("image_to_video", unet, loss, schedule)


def train_connect_videos(shop: Workshop, vae: AutoencoderTiny, unet: UNet2DModel, schedule: Schedule) -> None:
    """A5: denoise a frame between two pictures, given both as they are and moved to where its object will be."""
    noise_schedule = networks.scheduler()

    def loss(rng: np.random.Generator, _step: int) -> Tensor:
        wanted = samples.transitions(rng, 16)
        origin, end = _misjudged(wanted.origin, wanted.end, shop.device)
        share = torch.from_numpy(wanted.share).to(shop.device)
        with torch.no_grad():
            ends = [to_tensor(frames, shop.device) for frames in (wanted.before, wanted.after)]
            clean = _encoded(vae, wanted.frames, shop.device)
            here = layout.between(origin, end, share)
            carried = [layout.moved(*way, here) for way in zip(ends, (origin, end), strict=True)]
            seen = [_spoilt(encoded(vae, each)) for each in (*ends, *carried)]
            given = given_to_a5(seen, (origin, end, here), share)
        t, noisy, alpha_bar = _noised(noise_schedule, clean, earliness=2)
        predicted = unet(torch.cat([noisy, given], dim=1), t).sample.float()
        near = torch.stack([layout.object_cells(where) for where in (origin, end, here)]).amax(dim=0)
        return (_snr_weight(alpha_bar) * (1 + OBJECT_WEIGHT * near) * (predicted - clean).square()).mean()

    shop.fit("connect_videos", unet, loss, schedule)


def train_scorer(shop: Workshop, tokens: Tokens, scorer: CLIPModel, schedule: Schedule) -> None:
    """Both towers: a frame is near the sentences that are true of it, and of no other (CLIP, Radford et al. 2021).

    Sentences that say the same of a single frame share the frame; what moves where, no frame tells.
    """

    def loss(rng: np.random.Generator, _step: int) -> Tensor:
        frames, sentences, shown = samples.captioned(rng, 64)
        pixels = to_tensor(frames, shop.device)
        noisy = pixels + 0.05 * torch.rand(len(pixels), 1, 1, 1, device=shop.device) * torch.randn_like(pixels)
        ids = tokens(sentences)
        answer = scorer(input_ids=ids, attention_mask=(ids != tokens.tokenizer.pad_token_id).long(), pixel_values=noisy)
        numbers = torch.from_numpy(shown).to(shop.device)
        true = (numbers[:, None] == numbers[None, :]).float()
        wanted = true / true.sum(dim=1, keepdim=True)
        logits = answer.logits_per_image.float()
        return (F.cross_entropy(logits, wanted) + F.cross_entropy(logits.T, wanted)) / 2

    shop.fit("scorer", scorer, loss, schedule)


def _encoded(vae: AutoencoderTiny, frames: UInt8Array, device: torch.device) -> Tensor:
    return encoded(vae, to_tensor(frames, device)).float()


def _spoilt(latents: Tensor, most: float = IMAGE_NOISE) -> Tensor:
    """Some noise on what an agent is given, so that it forgives the errors of the agent before it and its own."""
    strength = most * torch.rand(len(latents), 1, 1, 1, device=latents.device)
    return latents + strength * torch.randn_like(latents)


def _misjudged(first: NDArray[np.float32], second: NDArray[np.float32], device: torch.device) -> tuple[Tensor, Tensor]:
    """Both layouts, wrong by the same step, as a locator may be."""
    step = torch.randn(len(first), 3) * torch.tensor([PLACE_ERROR, PLACE_ERROR, 0.0])
    grown = torch.exp(torch.randn(len(first), 1) * RADIUS_ERROR)
    scale = torch.cat([torch.ones(len(first), 2), grown], dim=1)
    origin, target = (((torch.from_numpy(where) + step) * scale).to(device) for where in (first, second))
    return origin, target


def _noised(schedule: DDIMScheduler, clean: Tensor, *, earliness: int) -> tuple[Tensor, Tensor, Tensor]:
    """Clean latents -> (t (B,), noisy latents, alpha_bar (B, 1, 1, 1)), at timesteps T (1 - u ** earliness).

    Early in the sampling, where the noise is high, all must come from the sentence and the given frame; late, what
    moves where, and which shape it has, is in the input already.
    """
    u = torch.rand(len(clean))
    t = ((1 - u**earliness) * schedule.config.num_train_timesteps).long()
    t = t.clamp(max=schedule.config.num_train_timesteps - 1).to(clean.device)
    alpha_bar = schedule.alphas_cumprod.to(clean.device)[t].view(-1, 1, 1, 1)
    return t, schedule.add_noise(clean, torch.randn_like(clean), t), alpha_bar


def _snr_weight(alpha_bar: Tensor) -> Tensor:
    """min(SNR + 1, gamma) with SNR + 1 = 1 / (1 - alpha_bar)."""
    return (1 / (1 - alpha_bar).clamp(min=1e-6)).clamp(max=SNR_GAMMA)
