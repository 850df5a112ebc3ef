"""Prepare frames for the networks, with the same numbers as VBench gets from torchvision, decord and PIL.

Details matter, as measured: another filter, or a change in where values are rounded, moves a score by up to 0.02 (of
DINO on square pictures by 0.045).
"""

from typing import Final

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

from models.agent import UInt8Array

SIDE: Final = 224
"""Side in pixels of the pictures that DINO, CLIP and ViCLIP were trained on."""
IMAGENET: Final = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
"""Mean and standard deviation of the channels."""
CLIP: Final = ((0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711))


def floats(frames: UInt8Array) -> Tensor:
    """Convert uint8 (N, H, W, 3) to float32 (N, 3, H, W), still 0..255."""
    return torch.from_numpy(np.ascontiguousarray(frames)).permute(0, 3, 1, 2).to(torch.float32)


def dino_transform(frames: UInt8Array, side: int = SIDE) -> Tensor:
    """Resize the shorter side to `side` (bilinear, no antialiasing), without cropping; normalise as for ImageNet."""
    pixels = floats(frames)
    resized = functional.interpolate(pixels, _size(pixels, side), mode="bilinear", align_corners=False, antialias=False)
    return _normalised(resized / 255.0, IMAGENET)


def dino_transform_square(frames: UInt8Array, side: int = SIDE, around: int = 256) -> Tensor:
    """Prepare frames for DINO as VBench-I2V does: shorter side to `around` (bicubic, antialiased), then a centre crop.

    VBench does not set antialiasing here, and torchvision's default is on since 0.17 (it was off before, which moves a
    score by up to 3e-3).
    """
    return _normalised(centre(_bicubic(floats(frames), around, antialias=True), side) / 255.0, IMAGENET)


def dino_transform_square_pil(pictures: UInt8Array, side: int = SIDE, around: int = 256) -> Tensor:
    """Do the same with PIL, as VBench-I2V does for the picture that a video was made from."""
    return _normalised(centre(_by_pil(pictures, around), side) / 255.0, IMAGENET)


def clip_transform(frames: UInt8Array, side: int = SIDE) -> Tensor:
    """Resize to `side` (bicubic, no antialiasing) and crop the centre; overshoot is neither clipped nor rounded."""
    return _normalised(centre(_bicubic(floats(frames), side), side) / 255.0, CLIP)


def clip_transform_uint8(frames: UInt8Array, side: int = SIDE) -> Tensor:
    """Do the same in uint8, as VBench does for ViCLIP: values are rounded and clipped to 0..255 after resizing."""
    resized = _bicubic(floats(frames), side).clamp(0, 255).round()
    return _normalised(centre(resized, side) / 255.0, CLIP)


def clip_transform_pil(frames: UInt8Array, side: int = SIDE) -> Tensor:
    """Do the same with PIL's bicubic filter, which is antialiased, as OpenAI's own preprocessing does."""
    return _normalised(centre(_by_pil(frames, side), side) / 255.0, CLIP)


def padded(pixels: Tensor, multiple: int) -> Tensor:
    """Pad (N, 3, H, W) to sides that are multiples of `multiple`, half on each edge, by repeating the edge."""
    top, left = ((-side % multiple) // 2 for side in pixels.shape[-2:])
    bottom, right = (-side % multiple - near for side, near in zip(pixels.shape[-2:], (top, left), strict=True))
    return functional.pad(pixels, (left, right, top, bottom), mode="replicate")


def unpadded(pixels: Tensor, height: int, width: int) -> Tensor:
    """Remove what `padded` added to frames of height x width."""
    top, left = (pixels.shape[-2] - height) // 2, (pixels.shape[-1] - width) // 2
    return pixels[..., top : top + height, left : left + width]


def centre(pixels: Tensor, side: int) -> Tensor:
    """Crop the centre square of (N, 3, H, W), whose sides are at least `side`; half pixels are rounded to even."""
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
    """Return (height, width) with the shorter one `side`; the longer one is truncated to whole pixels."""
    if height <= width:
        return side, int(side * width / height)
    return int(side * height / width), side


def _normalised(pixels: Tensor, scale: tuple[tuple[float, ...], tuple[float, ...]]) -> Tensor:
    mean, deviation = (torch.tensor(values).view(1, 3, 1, 1) for values in scale)
    return (pixels - mean) / deviation
