"""Frames -> what the networks are fed, number by number as VBench does with torchvision, decord and PIL.

Each step is small and each was measured: another filter, rounding where there is none, or none where there is, moves a
score by up to 0.02 (DINO squared: 0.045).
"""

from typing import Final

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

from models.agent import UInt8Array

SIDE: Final = 224
"""Pixels; what DINO, CLIP and ViCLIP were trained on."""
IMAGENET: Final = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
"""Mean and deviation of the channels."""
CLIP: Final = ((0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711))


def floats(frames: UInt8Array) -> Tensor:
    """uint8 (N, H, W, 3) -> float32 (N, 3, H, W), still 0..255."""
    return torch.from_numpy(np.ascontiguousarray(frames)).permute(0, 3, 1, 2).to(torch.float32)


def dino_transform(frames: UInt8Array, side: int = SIDE) -> Tensor:
    """Shorter side to `side`, bilinear, without antialias; not cropped: a wide video stays wide. ImageNet's scale."""
    pixels = floats(frames)
    resized = functional.interpolate(pixels, _size(pixels, side), mode="bilinear", align_corners=False, antialias=False)
    return _normalised(resized / 255.0, IMAGENET)


def dino_transform_square(frames: UInt8Array, side: int = SIDE, around: int = 256) -> Tensor:
    """As VBench-I2V feeds DINO: shorter side to `around`, bicubic, with antialias, the centre square of `side`.

    VBench says nothing of antialias there, and torchvision does it unless told otherwise (since 0.17; before, it did
    not: up to 3e-3 of a score).
    """
    return _normalised(centre(_bicubic(floats(frames), around, antialias=True), side) / 255.0, IMAGENET)


def dino_transform_square_pil(pictures: UInt8Array, side: int = SIDE, around: int = 256) -> Tensor:
    """The same through PIL, which smooths when it shrinks: VBench-I2V's way with the picture a video is made from."""
    return _normalised(centre(_by_pil(pictures, around), side) / 255.0, IMAGENET)


def clip_transform(frames: UInt8Array, side: int = SIDE) -> Tensor:
    """Shorter side to `side`, bicubic, without antialias, the centre square; overshoot is neither cut nor rounded."""
    return _normalised(centre(_bicubic(floats(frames), side), side) / 255.0, CLIP)


def clip_transform_uint8(frames: UInt8Array, side: int = SIDE) -> Tensor:
    """The same as torchvision does it with uint8, as VBench feeds ViCLIP: rounded and cut to 0..255 after resizing."""
    resized = _bicubic(floats(frames), side).clamp(0, 255).round()
    return _normalised(centre(resized, side) / 255.0, CLIP)


def clip_transform_pil(frames: UInt8Array, side: int = SIDE) -> Tensor:
    """The same through PIL's bicubic, which smooths when it shrinks, as OpenAI's own preprocessing does it."""
    return _normalised(centre(_by_pil(frames, side), side) / 255.0, CLIP)


def padded(pixels: Tensor, multiple: int) -> Tensor:
    """(N, 3, H, W) with both sides filled up to a multiple, half on either edge, by repeating the edge."""
    top, left = ((-side % multiple) // 2 for side in pixels.shape[-2:])
    bottom, right = (-side % multiple - near for side, near in zip(pixels.shape[-2:], (top, left), strict=True))
    return functional.pad(pixels, (left, right, top, bottom), mode="replicate")


def unpadded(pixels: Tensor, height: int, width: int) -> Tensor:
    """Takes off what `padded` added to frames of height x width."""
    top, left = (pixels.shape[-2] - height) // 2, (pixels.shape[-1] - width) // 2
    return pixels[..., top : top + height, left : left + width]


def centre(pixels: Tensor, side: int) -> Tensor:
    """The centre square of (N, 3, H, W), whose sides are at least `side`; where it lies between pixels, to the even."""
    top, left = (round((extent - side) / 2.0) for extent in pixels.shape[-2:])
    return pixels[..., top : top + side, left : left + side]


def _bicubic(pixels: Tensor, side: int, *, antialias: bool = False) -> Tensor:
    size = _size(pixels, side)
    return functional.interpolate(pixels, size, mode="bicubic", align_corners=False, antialias=antialias)


def _by_pil(frames: UInt8Array, side: int) -> Tensor:
    height, width = frames.shape[1:3]
    size = _sides(height, width, side)[::-1]
    images = (Image.fromarray(frame).resize(size, Image.Resampling.BICUBIC) for frame in frames)
    return floats(np.stack([np.asarray(image) for image in images]))


def _size(pixels: Tensor, side: int) -> tuple[int, int]:
    height, width = pixels.shape[-2:]
    return _sides(height, width, side)


def _sides(height: int, width: int, side: int) -> tuple[int, int]:
    """(height, width) with the shorter one `side`; the longer is cut down to whole pixels, not rounded."""
    if height <= width:
        return side, int(side * width / height)
    return int(side * height / width), side


def _normalised(pixels: Tensor, scale: tuple[tuple[float, ...], tuple[float, ...]]) -> Tensor:
    mean, deviation = (torch.tensor(values).view(1, 3, 1, 1) for values in scale)
    return (pixels - mean) / deviation
