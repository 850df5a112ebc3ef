"""The table of models: one row per profile and role. Rows are data; one loader serves all of them."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from models.errors import WeightsMissing

if TYPE_CHECKING:
    from models.agent import AnyRole, Role

MAX_SEED = 2**63 - 1
"""The largest seed that PyTorch's generators and the databases' integers both take."""

EMBEDDED_WEIGHTS = Path(__file__).parent / "embedded" / "weights"


@dataclass(frozen=True)
class Preset:
    """One model in one role. weights: a folder or a hub id; gib: memory that it needs on the device, in GiB."""

    profile: str
    role: "AnyRole"
    pipeline: str
    weights: str
    revision: str | None
    dtype: str
    steps: int
    guidance: float
    width: int
    height: int
    num_frames: int
    fps: float
    gib: float
    options: dict[str, float] = field(default_factory=dict)


def _embedded(role: "Role", pipeline: str, steps: int, guidance: float = 1.0, **options: float) -> Preset:
    folder = str(EMBEDDED_WEIGHTS / role)
    return Preset("embedded", role, pipeline, folder, None, "float32", steps, guidance, 64, 64, 16, 8.0, 0.2, options)


_SDXL = ("stabilityai/stable-diffusion-xl-base-1.0", None)
_PIX2PIX = ("timbrooks/instruct-pix2pix", None)
_SVD = ("stabilityai/stable-video-diffusion-img2vid-xt", None)
_SVD_OPTIONS = {"motion_bucket_id": 180, "noise_aug_strength": 0.1, "decode_chunk_size": 12}
_SVD_AS_PUBLISHED = {"motion_bucket_id": 127, "noise_aug_strength": 0.02, "decode_chunk_size": 8}

# fmt: off
PRESETS: tuple[Preset, ...] = (
    _embedded("text_to_image", "ImageFromLayoutPipeline", 20, 1.5),
    _embedded("edit_image", "EditImagePipeline", 10, 1.5, image_guidance_scale=1.0),
    _embedded("image_to_video", "ClipFromImagePipeline", 5),
    _embedded("connect_videos", "ClipBetweenImagesPipeline", 5),
    Preset("paper", "text_to_image", "StableDiffusionXLPipeline", *_SDXL, "float16", 40, 5.0, 1024, 576, 1, 7.0, 12.0),
    Preset("paper", "edit_image", "StableDiffusionInstructPix2PixPipeline", *_PIX2PIX, "float16", 100, 7.5, 1024, 576,
           1, 7.0, 4.0, {"image_guidance_scale": 1.5}),
    Preset("paper", "image_to_video", "StableVideoDiffusionPipeline", *_SVD, "float16", 25, 3.0, 1024, 576, 25, 7.0,
           20.0, _SVD_OPTIONS),
)

SYSTEMS: tuple[Preset, ...] = (
    Preset("modelscope", "text_to_video", "TextToVideoSDPipeline", "damo-vilab/text-to-video-ms-1.7b", None, "float16",
           50, 9.0, 256, 256, 16, 8.0, 8.0),
    Preset("cogvideox", "text_to_video", "CogVideoXPipeline", "zai-org/CogVideoX-2b", None, "float16",
           50, 6.0, 720, 480, 49, 8.0, 20.0),
    Preset("svd", "image_to_video", "StableVideoDiffusionPipeline", *_SVD, "float16", 25, 3.0, 1024, 576, 25, 7.0, 20.0,
           _SVD_AS_PUBLISHED),
)
"""Systems that Mora is compared with, one model each, with the defaults of diffusers. Planners do not know them."""
# fmt: on

PROFILES: tuple[str, ...] = tuple(dict.fromkeys(row.profile for row in PRESETS))


def roles(profile: str, *, table: tuple[Preset, ...] = PRESETS) -> "tuple[AnyRole, ...]":
    """Return the roles that a profile has models for."""
    return tuple(row.role for row in table if row.profile == profile)


def preset(profile: str, role: "AnyRole", *, table: tuple[Preset, ...] = PRESETS) -> Preset:
    """Return the row of a profile and role. Raises WeightsMissing, which lists the known profiles."""
    for row in table:
        if (row.profile, row.role) == (profile, role):
            return row
    known = ", ".join(dict.fromkeys(row.profile for row in table))
    raise WeightsMissing(
        "model-unknown",
        f"no model for {role} in profile {profile!r}; the profiles are {known}",
        role=role,
        profile=profile,
    )
