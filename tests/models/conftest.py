"""Tiny random weights of the very classes that the real profiles use, saved as their repositories are."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from diffusers import (
    AutoencoderKL,
    EulerAncestralDiscreteScheduler,
    EulerDiscreteScheduler,
    StableDiffusionInstructPix2PixPipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTextModelWithProjection,
)

from models.embedded import networks
from models.presets import Preset, preset
from support.pipelines import svd


@pytest.fixture(scope="session")
def tiny_table(tmp_path_factory: pytest.TempPathFactory) -> tuple[Preset, ...]:
    """The `paper` rows of the table, pointing at folders of tiny weights."""
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("tiny")
    _sdxl(folder / "sdxl")
    svd(folder / "svd")
    _pix2pix(folder / "pix2pix")
    edit = replace(preset("paper", "edit_image"), weights=str(folder / "pix2pix"), steps=2)
    image = replace(preset("paper", "text_to_image"), weights=str(folder / "sdxl"), steps=2, width=64, height=32)
    video = replace(
        preset("paper", "image_to_video"), weights=str(folder / "svd"), steps=2, width=64, height=32, num_frames=4,
        options={"motion_bucket_id": 180, "noise_aug_strength": 0.1, "decode_chunk_size": 2},
    )  # fmt: skip
    return (image, edit, video)


def _sdxl(folder: Path) -> None:
    tokenizer = networks.tokenizer()
    text = CLIPTextConfig(
        vocab_size=len(tokenizer), hidden_size=32, intermediate_size=37, num_hidden_layers=2, projection_dim=32,
        num_attention_heads=4, max_position_embeddings=24, hidden_act="gelu", bos_token_id=1,
        eos_token_id=2, pad_token_id=0,
    )  # fmt: skip
    unet = UNet2DConditionModel(
        block_out_channels=(32, 64), layers_per_block=1, sample_size=32, in_channels=4, out_channels=4,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"), up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        attention_head_dim=(2, 4), use_linear_projection=True, addition_embed_type="text_time",
        addition_time_embed_dim=8, transformer_layers_per_block=(1, 2), projection_class_embeddings_input_dim=80,
        cross_attention_dim=64, norm_num_groups=8,
    )  # fmt: skip
    vae = AutoencoderKL(
        block_out_channels=[32, 64], down_block_types=["DownEncoderBlock2D"] * 2, latent_channels=4,
        up_block_types=["UpDecoderBlock2D"] * 2, norm_num_groups=8,
    )  # fmt: skip
    StableDiffusionXLPipeline(
        vae=vae,
        unet=unet,
        scheduler=EulerDiscreteScheduler(timestep_spacing="leading", steps_offset=1),
        text_encoder=CLIPTextModel(text),
        text_encoder_2=CLIPTextModelWithProjection(text),
        tokenizer=tokenizer,
        tokenizer_2=tokenizer,
    ).save_pretrained(folder)


def _pix2pix(folder: Path) -> None:
    tokenizer = networks.tokenizer()
    text = CLIPTextConfig(
        vocab_size=len(tokenizer), hidden_size=32, intermediate_size=37, num_hidden_layers=2, num_attention_heads=4,
        max_position_embeddings=24, bos_token_id=1, eos_token_id=2, pad_token_id=0,
    )  # fmt: skip
    unet = UNet2DConditionModel(
        block_out_channels=(32, 64), layers_per_block=1, sample_size=32, in_channels=8, out_channels=4,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"), up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=32, norm_num_groups=8,
    )  # fmt: skip
    vae = AutoencoderKL(
        block_out_channels=[32, 64], down_block_types=["DownEncoderBlock2D"] * 2, latent_channels=4,
        up_block_types=["UpDecoderBlock2D"] * 2, norm_num_groups=8,
    )  # fmt: skip
    StableDiffusionInstructPix2PixPipeline(
        vae=vae,
        unet=unet,
        scheduler=EulerAncestralDiscreteScheduler(beta_schedule="scaled_linear"),
        text_encoder=CLIPTextModel(text),
        tokenizer=tokenizer,
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    ).save_pretrained(folder)
