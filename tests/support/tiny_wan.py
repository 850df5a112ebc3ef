"""Tiny random weights of Wan's image-to-video classes, saved as their repositories are."""

from pathlib import Path

import torch
from diffusers import (
    AutoencoderKLWan,
    UniPCMultistepScheduler,
    WanImageToVideoPipeline,
    WanTransformer3DModel,
)
from transformers import (
    CLIPImageProcessor,
    CLIPVisionConfig,
    CLIPVisionModel,
    T5Tokenizer,
    UMT5Config,
    UMT5EncoderModel,
)


def wan(folder: Path, *, one_time_a_token: bool = False, sees_picture: bool = False) -> None:
    """Wan 2.1's image-to-video, sees_picture: with its image encoder; one_time_a_token: Wan 2.2's 5B."""
    torch.manual_seed(0)
    characters = ["<pad>", "</s>", "<unk>", "▁", *map(chr, range(33, 127))]
    latents = 48 if one_time_a_token else 16
    wide = {"in_channels": 12, "out_channels": 12, "is_residual": True, "patch_size": 2, "scale_factor_spatial": 16,
            "latents_mean": [0.1] * 48, "latents_std": [1.5] * 48} if one_time_a_token else {}  # fmt: skip
    vision = CLIPVisionConfig(
        hidden_size=32, projection_dim=32, num_hidden_layers=2, num_attention_heads=4, image_size=224,
        intermediate_size=37, patch_size=32,
    )  # fmt: skip
    seen = {"image_dim": 32, "added_kv_proj_dim": 24} if sees_picture else {}
    WanImageToVideoPipeline(
        tokenizer=T5Tokenizer(vocab=[(c, -float(i)) for i, c in enumerate(characters)], extra_ids=0),
        text_encoder=UMT5EncoderModel(
            UMT5Config(vocab_size=128, d_model=32, d_kv=8, d_ff=37, num_layers=1, num_heads=4)
        ),
        vae=AutoencoderKLWan(
            base_dim=3, z_dim=latents, dim_mult=[1, 1, 1, 1], num_res_blocks=1, temperal_downsample=[False, True, True],
            **wide,
        ),
        scheduler=UniPCMultistepScheduler(flow_shift=3.0, use_flow_sigmas=True, prediction_type="flow_prediction"),
        transformer=WanTransformer3DModel(
            patch_size=(1, 2, 2), num_attention_heads=2, attention_head_dim=12, text_dim=32, freq_dim=256, ffn_dim=32,
            in_channels=latents if one_time_a_token else 36, out_channels=latents, num_layers=2, cross_attn_norm=True,
            qk_norm="rms_norm_across_heads", rope_max_seq_len=32, **seen,
        ),
        image_encoder=CLIPVisionModel(vision) if sees_picture else None,
        image_processor=CLIPImageProcessor(crop_size=224, size=224) if sees_picture else None,
        expand_timesteps=one_time_a_token,
    ).save_pretrained(folder)  # fmt: skip
