"""The networks of the embedded agents: stock diffusers and transformers classes in small sizes. No training."""

from diffusers import AutoencoderTiny, DDIMScheduler, UNet2DConditionModel, UNet2DModel
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import (
    CLIPConfig,
    CLIPModel,
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    PreTrainedTokenizerFast,
)

from models.embedded import layout
from models.embedded.language import SIDE, VOCABULARY

LATENT_CHANNELS = 8
LATENT_SIDE = layout.LATENT_SIDE
MAX_TOKENS = 24
TEXT_WIDTH = 96
SCORE_WIDTH = 64


def autoencoder() -> AutoencoderTiny:
    """Frames in [-1, 1], (B, 3, 64, 64) <-> latents (B, 8, 16, 16). Without norms, so that it can learn from crops."""
    return AutoencoderTiny(
        encoder_block_out_channels=(32,) * 3,
        decoder_block_out_channels=(32,) * 3,
        num_encoder_blocks=(0, 0, 3),
        num_decoder_blocks=(2, 2, 1),
        latent_channels=LATENT_CHANNELS,
    )


def tokenizer() -> PreTrainedTokenizerFast:
    """One token per word of the world's vocabulary; an unknown word is a planner's mistake and becomes <unk>."""
    special = ["<pad>", "<start>", "<end>", "<unk>"]
    words = {word: index for index, word in enumerate([*special, *VOCABULARY])}
    tok = Tokenizer(models.WordLevel(words, unk_token="<unk>"))
    tok.normalizer = normalizers.Lowercase()
    tok.pre_tokenizer = pre_tokenizers.Whitespace()
    tok.post_processor = processors.TemplateProcessing(
        single="<start> $A <end>", special_tokens=[("<start>", words["<start>"]), ("<end>", words["<end>"])]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tok,
        pad_token="<pad>",
        bos_token="<start>",
        eos_token="<end>",
        unk_token="<unk>",
        model_max_length=MAX_TOKENS,
    )


def text_encoder(tok: PreTrainedTokenizerFast) -> CLIPTextModel:
    """Token ids (B, 24) -> hidden states (B, 24, 96)."""
    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(tok),
            hidden_size=TEXT_WIDTH,
            intermediate_size=2 * TEXT_WIDTH,
            num_hidden_layers=2,
            num_attention_heads=4,
            max_position_embeddings=MAX_TOKENS,
            bos_token_id=tok.bos_token_id,
            eos_token_id=tok.eos_token_id,
            pad_token_id=tok.pad_token_id,
        )
    )


def layout_encoder(tok: PreTrainedTokenizerFast) -> CLIPTextModelWithProjection:
    """Token ids (B, 24) -> logits of the object's first layout: bins of x, y and log radius, (B, 32 + 32 + 16)."""
    return _reader(tok, sum(layout.BINS))


def pace_encoder(tok: PreTrainedTokenizerFast) -> CLIPTextModelWithProjection:
    """Token ids (B, 24) -> change of x, y and log radius over a clip of 16 frames, (B, 3)."""
    return _reader(tok, 3)


def _reader(tok: PreTrainedTokenizerFast, answers: int) -> CLIPTextModelWithProjection:
    width = 64
    return CLIPTextModelWithProjection(
        CLIPTextConfig(
            vocab_size=len(tok),
            hidden_size=width,
            intermediate_size=2 * width,
            num_hidden_layers=1,
            num_attention_heads=4,
            max_position_embeddings=MAX_TOKENS,
            projection_dim=answers,
            bos_token_id=tok.bos_token_id,
            eos_token_id=tok.eos_token_id,
            pad_token_id=tok.pad_token_id,
        )
    )


def scorer(tok: PreTrainedTokenizerFast) -> CLIPModel:
    """A CLIP: frames in [-1, 1], (B, 3, 64, 64), and token ids (B, 24) -> embeddings in one space, (B, 64) each."""
    text = {
        "vocab_size": len(tok),
        "hidden_size": TEXT_WIDTH,
        "intermediate_size": 2 * TEXT_WIDTH,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "max_position_embeddings": MAX_TOKENS,
        "bos_token_id": tok.bos_token_id,
        "eos_token_id": tok.eos_token_id,
        "pad_token_id": tok.pad_token_id,
    }
    vision = {
        "image_size": SIDE,
        "patch_size": 8,
        "hidden_size": 128,
        "intermediate_size": 256,
        "num_hidden_layers": 4,
        "num_attention_heads": 4,
    }
    return CLIPModel(CLIPConfig(text_config=text, vision_config=vision, projection_dim=SCORE_WIDTH))


def locator() -> UNet2DModel:
    """Latents (B, 8, 16, 16) -> heat map and log radius, (B, 2, 16, 16); see `layout.locate`."""
    return _plain_unet(LATENT_CHANNELS, 2, (32, 64))


def denoiser(in_channels: int, out_channels: int, widths: tuple[int, int]) -> UNet2DConditionModel:
    """A UNet on (B, in, 16, 16) latents. The text enters pooled in the time embedding and through cross-attention."""
    return UNet2DConditionModel(
        sample_size=LATENT_SIDE,
        in_channels=in_channels,
        out_channels=out_channels,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        mid_block_type="UNetMidBlock2D",
        block_out_channels=widths,
        layers_per_block=1,
        norm_num_groups=16,
        cross_attention_dim=TEXT_WIDTH,
        attention_head_dim=32,
        addition_embed_type="text",
        addition_embed_type_num_heads=4,
        resnet_time_scale_shift="scale_shift",
    )


def text_to_image_unet() -> UNet2DConditionModel:
    """A2: noisy latents and the fields of the layout -> clean latents.

    The layout is drawn before the picture. Without it the position stays undecided for most of the denoising, and the
    mean over many positions has no shape (after 99,000 pictures only half of the shapes were right).
    """
    return denoiser(LATENT_CHANNELS + layout.FIELDS, LATENT_CHANNELS, (64, 128))


def edit_image_unet() -> UNet2DConditionModel:
    """A3: noisy latents, latents of the picture and fields of its layout -> clean latents of the edited picture."""
    return denoiser(2 * LATENT_CHANNELS + layout.FIELDS, LATENT_CHANNELS, (64, 128))


def image_to_video_unet() -> UNet2DModel:
    """A4: noisy latents of a frame, latents of the given and of the moved picture, fields of both layouts -> clean.

    The layouts already describe the motion, so there is no text input.
    """
    return _plain_unet(3 * LATENT_CHANNELS + 2 * layout.FIELDS, LATENT_CHANNELS, (64, 96))


def connect_videos_unet() -> UNet2DModel:
    """A5: as A4's for a frame between two pictures, with a channel for the share of the way between them."""
    return _plain_unet(5 * LATENT_CHANNELS + 3 * layout.FIELDS + 1, LATENT_CHANNELS, (64, 96))


def _plain_unet(in_channels: int, out_channels: int, widths: tuple[int, int]) -> UNet2DModel:
    return UNet2DModel(
        sample_size=LATENT_SIDE,
        in_channels=in_channels,
        out_channels=out_channels,
        down_block_types=("DownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "UpBlock2D"),
        block_out_channels=widths,
        layers_per_block=1,
        norm_num_groups=16,
        attention_head_dim=32,
        resnet_time_scale_shift="scale_shift",
    )


def scheduler() -> DDIMScheduler:
    """Cosine schedule that predicts clean latents; zero terminal SNR, so that sampling can reach dark pictures."""
    return DDIMScheduler(
        num_train_timesteps=1000,
        beta_schedule="squaredcos_cap_v2",
        prediction_type="sample",
        rescale_betas_zero_snr=True,
        timestep_spacing="trailing",
        clip_sample=False,
        set_alpha_to_one=True,
        steps_offset=1,
    )
