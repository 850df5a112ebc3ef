"""Train each network of the embedded agents: one function per stage, with its samples, loss and schedule."""

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
from models.embedded.pipelines import a3_conditioning, a4_conditioning, a5_conditioning, encode
from models.training.embedded import samples
from models.training.loop import Loss, Progress, Schedule, fit

SEED = 20260301
NO_TEXT_SHARE = 0.1
"""Share of samples with an empty prompt, for classifier-free guidance."""
OBJECT_WEIGHT = 4.0
"""Extra loss weight on the object's cells: a twentieth of the picture carries most of the sentence."""
SNR_GAMMA = 6.0
"""Upper bound of the loss weight SNR + 1 on predicted clean latents (min-SNR weighting, Hang et al. 2023)."""
IMAGE_NOISE, EDIT_NOISE = 0.15, 0.05
"""Largest noise, in standard deviations, on an agent's input picture. A3 has less: with as much as the others it cannot
recognise the shape of an object in a night scene."""
NO_PICTURE_SHARE = 0.03
"""Share of A3's samples without an input picture, for image guidance."""
SCALE_FRAMES = 256
"""Frames whose latents give the autoencoder's scaling factor."""
PLACE_ERROR, RADIUS_ERROR = 0.004, 0.02
"""Standard deviations of a locator's error, as a fraction of the side and in log radius."""


@dataclass(frozen=True)
class TrainingSetup:
    """Folder, device and arithmetic of a stage, and the function that reports its progress."""

    folder: Path
    device: torch.device
    autocast: torch.dtype | None
    report: Callable[[Progress], None]

    def fit(self, stage: str, network: nn.Module, loss: Loss, schedule: Schedule) -> None:
        """Run or resume the stage; its checkpoint is `folder/stage.safetensors`."""
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
    """Convert frames, uint8 (..., H, W, 3), to float32 (..., 3, H, W) in [-1, 1] on the device."""
    return torch.from_numpy(frames).to(device).movedim(-1, -3).float() / 127.5 - 1


def train_autoencoder(setup: TrainingSetup, schedule: Schedule) -> AutoencoderTiny:
    """Train the autoencoder on crops around the object, with noise on the latents; see `_pixel_loss`."""
    vae = networks.autoencoder().to(memory_format=torch.channels_last)

    def loss(rng: np.random.Generator, _step: int) -> Tensor:
        pixels = to_tensor(samples.crops(rng, 16), setup.device)
        latents = vae.encoder(pixels)
        decoded = vae.decoder(latents + 0.05 * torch.randn_like(latents)).float()
        return _pixel_loss(decoded, pixels) + 1e-3 * latents.float().square().mean()

    setup.fit("autoencoder", vae, loss, schedule)
    return vae


def _pixel_loss(decoded: Tensor, pixels: Tensor) -> Tensor:
    """Compare pixels and differences of neighbours: blocks of the digital style are flat with hard edges."""
    error = 4 * F.mse_loss(decoded, pixels) + F.l1_loss(decoded, pixels)
    for dim in (-1, -2):
        steps, wanted = decoded.diff(dim=dim), pixels.diff(dim=dim)
        error = error + 4 * F.mse_loss(steps, wanted) + 1.5 * F.l1_loss(steps, wanted)
    return error


def measure_scale(vae: AutoencoderTiny, device: torch.device) -> float:
    """Return the autoencoder's `scaling_factor`: 1 / standard deviation of the latents of SCALE_FRAMES."""
    frames = samples.any_frames(np.random.default_rng(SEED), SCALE_FRAMES).frames
    with torch.no_grad():
        return round(1.0 / vae.encode(to_tensor(frames, device)).latents.std().item(), 4)


class Tokens:
    """Sentences -> token ids (B, 24), int64."""

    def __init__(self, tokenizer: PreTrainedTokenizerFast, device: torch.device) -> None:
        self.tokenizer, self.device = tokenizer, device

    def __call__(self, sentences: tuple[str, ...]) -> Tensor:
        """Return the token ids (B, 24) of (B,) sentences."""
        ids: Tensor = self.tokenizer(list(sentences), padding="max_length", return_tensors="pt").input_ids
        return ids.to(self.device)


class Prompts:
    """Sentences -> hidden states of the stage's own text encoder."""

    def __init__(self, tokens: Tokens, encoder: CLIPTextModel) -> None:
        self.tokens, self.encoder = tokens, encoder

    def __call__(self, sentences: tuple[str, ...], *, empty: NDArray[np.bool_] | None = None) -> Tensor:
        """Return the hidden states (B, 24, 96) of (B,) sentences; those marked in `empty` are replaced by ""."""
        dropped = empty if empty is not None else [False] * len(sentences)
        words = tuple("" if drop else s for s, drop in zip(sentences, dropped, strict=True))
        hidden: Tensor = self.encoder(self.tokens(words)).last_hidden_state
        return hidden


def train_text(setup: TrainingSetup, prompts: Prompts, schedule: Schedule) -> None:
    """Pretrain the text encoder to classify the attributes, so that the denoiser starts with meaningful text states."""
    kinds: tuple[tuple[str, ...], ...] = (OBJECTS, COLOURS, SCENES, MOTIONS, ("", "digital"))
    heads = nn.ModuleList([nn.Linear(networks.TEXT_WIDTH, len(kind)) for kind in kinds])
    network = nn.ModuleDict({"encoder": prompts.encoder, "heads": heads})

    def loss(rng: np.random.Generator, _step: int) -> Tensor:
        wanted = [samples.scenery(rng) for _ in range(64)]
        pooled = prompts(tuple(s.sentence for s in wanted)).mean(dim=1)
        answers = [(s.object, s.colour, s.scene, s.motion, "digital" if s.digital else "") for s in wanted]
        targets = torch.tensor([[k.index(a) for k, a in zip(kinds, row, strict=True)] for row in answers]).to(
            setup.device
        )
        return torch.stack([F.cross_entropy(head(pooled), targets[:, i]) for i, head in enumerate(heads)]).sum()

    setup.fit("text", network, loss, schedule)


def train_layout(
    setup: TrainingSetup, tokens: Tokens, layout_encoder: CLIPTextModelWithProjection, schedule: Schedule
) -> None:
    """Train the layout encoder: the object's first position for a sentence. Room for the motion is learned."""

    def loss(rng: np.random.Generator, _step: int) -> Tensor:
        wanted = [samples.scenery(rng) for _ in range(256)]
        where = torch.from_numpy(np.array([samples.beginning(s, rng) for s in wanted], dtype=np.float32))
        logits = layout_encoder(tokens(tuple(s.sentence for s in wanted))).text_embeds.float()
        bins = layout.bins_of(where).to(setup.device)
        parts = logits.split(layout.BINS, dim=1)
        return torch.stack([F.cross_entropy(part, bins[:, i]) for i, part in enumerate(parts)]).sum()

    setup.fit("layout", layout_encoder, loss, schedule)


def train_pace(
    setup: TrainingSetup, tokens: Tokens, pace_encoder: CLIPTextModelWithProjection, schedule: Schedule
) -> None:
    """Train the pace encoder: the change of the layout that a sentence describes."""

    def loss(rng: np.random.Generator, _step: int) -> Tensor:
        sentences, changes = samples.paces(rng, 128)
        predicted = pace_encoder(tokens(sentences)).text_embeds.float()
        return F.mse_loss(predicted, torch.from_numpy(changes).to(setup.device))

    setup.fit("pace", pace_encoder, loss, schedule)


def train_locator(setup: TrainingSetup, vae: AutoencoderTiny, locator: UNet2DModel, schedule: Schedule) -> None:
    """Train the locator: where the object is in any frame, to a fraction of a pixel."""

    def loss(rng: np.random.Generator, _step: int) -> Tensor:
        pictures = samples.any_frames(rng, 16)
        with torch.no_grad():
            latents = _with_noise(_encode_frames(vae, pictures.frames, setup.device))
        found, where = layout.locate(locator, latents), torch.from_numpy(pictures.where).to(setup.device)
        return (found[:, :2] - where[:, :2]).abs().mean() + 0.1 * (found[:, 2].log() - where[:, 2].log()).abs().mean()

    setup.fit("locator", locator, loss, schedule)


def train_text_to_image(
    setup: TrainingSetup, vae: AutoencoderTiny, prompts: Prompts, unet: UNet2DConditionModel, schedule: Schedule
) -> None:
    """Train A2: denoise first frames given their sentence and layout."""
    noise_schedule = networks.scheduler()
    unet.set_attn_processor(AttnProcessor())
    network = nn.ModuleDict({"unet": unet, "text_encoder": prompts.encoder})

    def loss(rng: np.random.Generator, _step: int) -> Tensor:
        pictures = samples.first_frames(rng, 16)
        with torch.no_grad():
            clean = _encode_frames(vae, pictures.frames, setup.device)
        hidden = prompts(pictures.sentences, empty=rng.random(16) < NO_TEXT_SHARE)
        t, noisy, alpha_bar = _add_noise(noise_schedule, clean, earliness=2)
        where = torch.from_numpy(pictures.where).to(setup.device)
        predicted = unet(torch.cat([noisy, layout.fields(where)], dim=1), t, hidden).sample.float()
        near = layout.object_cells(where)
        weight = _snr_weight(alpha_bar) * (1 + OBJECT_WEIGHT * alpha_bar * near)
        return (weight * (predicted - clean).square()).mean()

    setup.fit("text_to_image", network, loss, schedule)


def train_edit_image(
    setup: TrainingSetup, vae: AutoencoderTiny, prompts: Prompts, unet: UNet2DConditionModel, schedule: Schedule
) -> None:
    """Train A3: denoise the edited picture given the original and the instruction (InstructPix2Pix)."""
    noise_schedule = networks.scheduler()
    unet.set_attn_processor(AttnProcessor())
    network = nn.ModuleDict({"unet": unet, "text_encoder": prompts.encoder})

    def loss(rng: np.random.Generator, _step: int) -> Tensor:
        wanted = samples.edits(rng, 16)
        where, _ = _with_locator_error(wanted.where, wanted.where, setup.device)
        with torch.no_grad():
            known = _encode_frames(vae, wanted.before, setup.device)
            clean = _encode_frames(vae, wanted.after, setup.device)
        blind = torch.from_numpy(rng.random(16) < NO_PICTURE_SHARE).view(-1, 1, 1, 1).to(setup.device)
        given = a3_conditioning(_with_noise(known, EDIT_NOISE), where) * ~blind
        hidden = prompts(wanted.instructions, empty=rng.random(16) < NO_TEXT_SHARE)
        t, noisy, alpha_bar = _add_noise(noise_schedule, clean, earliness=2)
        predicted = unet(torch.cat([noisy, given], dim=1), t, hidden).sample.float()
        near = layout.object_cells(where)
        return (_snr_weight(alpha_bar) * (1 + OBJECT_WEIGHT * near) * (predicted - clean).square()).mean()

    setup.fit("edit_image", network, loss, schedule)


def train_image_to_video(setup: TrainingSetup, vae: AutoencoderTiny, unet: UNet2DModel, schedule: Schedule) -> None:
    """Train A4: denoise a later frame of a clip given an earlier one, as it is and moved to the later layout."""
    noise_schedule = networks.scheduler()

    def loss(rng: np.random.Generator, _step: int) -> Tensor:
        wanted = samples.moves(rng, 16)
        origin, target = _with_locator_error(wanted.origin, wanted.target, setup.device)
        with torch.no_grad():
            pixels = to_tensor(wanted.before, setup.device)
            clean = _encode_frames(vae, wanted.after, setup.device)
            known, carried = (_with_noise(encode(vae, each)) for each in (pixels, layout.move(pixels, origin, target)))
            given = a4_conditioning(known, carried, origin, target)
        t, noisy, alpha_bar = _add_noise(noise_schedule, clean, earliness=2)
        predicted = unet(torch.cat([noisy, given], dim=1), t).sample.float()
        near = torch.maximum(layout.object_cells(origin), layout.object_cells(target))
        return (_snr_weight(alpha_bar) * (1 + OBJECT_WEIGHT * near) * (predicted - clean).square()).mean()

    setup.fit("image_to_video", unet, loss, schedule)


def train_connect_videos(setup: TrainingSetup, vae: AutoencoderTiny, unet: UNet2DModel, schedule: Schedule) -> None:
    """Train A5: denoise a frame between two pictures given both, as they are and moved to the frame's layout."""
    noise_schedule = networks.scheduler()

    def loss(rng: np.random.Generator, _step: int) -> Tensor:
        wanted = samples.transitions(rng, 16)
        origin, end = _with_locator_error(wanted.origin, wanted.end, setup.device)
        share = torch.from_numpy(wanted.share).to(setup.device)
        with torch.no_grad():
            ends = [to_tensor(frames, setup.device) for frames in (wanted.before, wanted.after)]
            clean = _encode_frames(vae, wanted.frames, setup.device)
            here = layout.between(origin, end, share)
            carried = [layout.move(*way, here) for way in zip(ends, (origin, end), strict=True)]
            seen = [_with_noise(encode(vae, each)) for each in (*ends, *carried)]
            given = a5_conditioning(seen, (origin, end, here), share)
        t, noisy, alpha_bar = _add_noise(noise_schedule, clean, earliness=2)
        predicted = unet(torch.cat([noisy, given], dim=1), t).sample.float()
        near = torch.stack([layout.object_cells(where) for where in (origin, end, here)]).amax(dim=0)
        return (_snr_weight(alpha_bar) * (1 + OBJECT_WEIGHT * near) * (predicted - clean).square()).mean()

    setup.fit("connect_videos", unet, loss, schedule)


def train_scorer(setup: TrainingSetup, tokens: Tokens, scorer: CLIPModel, schedule: Schedule) -> None:
    """Train the scorer: a frame is near the sentences that are true of it and of no other (CLIP, Radford et al. 2021).

    Sentences that differ only in the motion share their frames, since a single frame shows no motion.
    """

    def loss(rng: np.random.Generator, _step: int) -> Tensor:
        frames, sentences, shown = samples.captioned(rng, 64)
        pixels = to_tensor(frames, setup.device)
        noisy = pixels + 0.05 * torch.rand(len(pixels), 1, 1, 1, device=setup.device) * torch.randn_like(pixels)
        ids = tokens(sentences)
        answer = scorer(input_ids=ids, attention_mask=(ids != tokens.tokenizer.pad_token_id).long(), pixel_values=noisy)
        numbers = torch.from_numpy(shown).to(setup.device)
        true = (numbers[:, None] == numbers[None, :]).float()
        wanted = true / true.sum(dim=1, keepdim=True)
        logits = answer.logits_per_image.float()
        return (F.cross_entropy(logits, wanted) + F.cross_entropy(logits.T, wanted)) / 2

    setup.fit("scorer", scorer, loss, schedule)


def _encode_frames(vae: AutoencoderTiny, frames: UInt8Array, device: torch.device) -> Tensor:
    return encode(vae, to_tensor(frames, device)).float()


def _with_noise(latents: Tensor, most: float = IMAGE_NOISE) -> Tensor:
    """Add noise to an agent's input, so that it tolerates errors of the agent before it and its own."""
    strength = most * torch.rand(len(latents), 1, 1, 1, device=latents.device)
    return latents + strength * torch.randn_like(latents)


def _with_locator_error(
    first: NDArray[np.float32], second: NDArray[np.float32], device: torch.device
) -> tuple[Tensor, Tensor]:
    """Perturb both layouts by the same random error, as a locator does."""
    step = torch.randn(len(first), 3) * torch.tensor([PLACE_ERROR, PLACE_ERROR, 0.0])
    grown = torch.exp(torch.randn(len(first), 1) * RADIUS_ERROR)
    scale = torch.cat([torch.ones(len(first), 2), grown], dim=1)
    origin, target = (((torch.from_numpy(where) + step) * scale).to(device) for where in (first, second))
    return origin, target


def _add_noise(schedule: DDIMScheduler, clean: Tensor, *, earliness: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return (t (B,), noisy latents, alpha_bar (B, 1, 1, 1)) of clean latents at timesteps T (1 - u ** earliness).

    High noise levels are drawn more often: there, everything must come from the sentence and the given frame; at low
    levels the input already shows position and shape.
    """
    u = torch.rand(len(clean))
    t = ((1 - u**earliness) * schedule.config.num_train_timesteps).long()
    t = t.clamp(max=schedule.config.num_train_timesteps - 1).to(clean.device)
    alpha_bar = schedule.alphas_cumprod.to(clean.device)[t].view(-1, 1, 1, 1)
    return t, schedule.add_noise(clean, torch.randn_like(clean), t), alpha_bar


def _snr_weight(alpha_bar: Tensor) -> Tensor:
    """Return min(SNR + 1, gamma) with SNR + 1 = 1 / (1 - alpha_bar)."""
    return (1 / (1 - alpha_bar).clamp(min=1e-6)).clamp(max=SNR_GAMMA)
