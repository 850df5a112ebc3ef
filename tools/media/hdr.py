"""Map HDR pixels to the standard range with one fixed curve, whatever the content. Knows no file."""

import numpy as np
from numpy.typing import NDArray

from models.agent import UInt8Array

HDR_CURVES = {16: "PQ", 18: "HLG"}
"""HDR transfer curves by FFmpeg's codes of transfer characteristics."""

WHITE_NITS = 203.0
"""Luminance of diffuse white in both PQ and HLG (ITU-R BT.2408)."""
PEAK_NITS = 1000.0
"""Luminance mapped to the maximum of the standard range: HLG's nominal peak, and the usual mastering peak of PQ."""
SYSTEM_GAMMA = 1.2
"""HLG's system gamma at that peak (ITU-R BT.2100)."""
DISPLAY_GAMMA = 2.2

FloatArray = NDArray[np.float32]

# Linear light, ITU-R BT.2087.
BT709_OF_BT2020 = np.array(
    [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]], np.float32
)
LUMINANCE = np.array([0.2627, 0.6780, 0.0593], np.float32)


def standard_range(codes_HWC: NDArray[np.uint16], curve: str) -> UInt8Array:
    """Convert uint16 (H, W, 3) BT.2020 RGB with the "PQ" or "HLG" curve to uint8 (H, W, 3) for an SDR display."""
    light = PQ_LIGHT[codes_HWC] if curve == "PQ" else _hlg_light(codes_HWC)
    # Reinhard et al. 2002, equation 4, applied to the brightest channel to preserve hue: the peak maps to 1.
    brightest = light.max(axis=-1, keepdims=True)
    mapped = light * ((1 + brightest / (PEAK_NITS / WHITE_NITS) ** 2) / (1 + brightest))
    shown = np.clip(mapped.reshape(-1, 3) @ BT709_OF_BT2020.T, 0, 1)
    return np.asarray(SHOWN[(shown * 65535).astype(np.uint16)].reshape(codes_HWC.shape))


def _hlg_light(codes: NDArray[np.uint16]) -> FloatArray:
    """Return light relative to diffuse white on a display of PEAK_NITS."""
    scene = HLG_SCENE[codes]
    luminance = np.maximum(scene @ LUMINANCE, 1e-6)[..., None]
    return np.asarray(scene * (luminance ** (SYSTEM_GAMMA - 1) * (PEAK_NITS / WHITE_NITS)), np.float32)


def _pq_light(codes: NDArray[np.float64]) -> FloatArray:
    """Return light relative to diffuse white for codes in 0..1, SMPTE ST 2084."""
    m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
    root = codes ** (1 / m2)
    nits = 10000 * (np.maximum(root - c1, 0) / (c2 - c3 * root)) ** (1 / m1)
    return (nits / WHITE_NITS).astype(np.float32)


def _hlg_scene(codes: NDArray[np.float64]) -> FloatArray:
    """Return scene light in 0..1 for codes in 0..1, ITU-R BT.2100."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    return np.where(codes <= 0.5, codes**2 / 3, (np.exp((codes - c) / a) + b) / 12).astype(np.float32)


# Lookup tables over all codes: computing a power per channel and pixel would dominate the time of reading a clip.
CODES = np.arange(65536) / 65535
PQ_LIGHT, HLG_SCENE = _pq_light(CODES), _hlg_scene(CODES)
SHOWN = np.round(255 * CODES ** (1 / DISPLAY_GAMMA)).astype(np.uint8)
