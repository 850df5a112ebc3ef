"""The weight files of the metrics, as data: how each is called, how large it is, what licence it carries, where it is.

Mora neither ships nor fetches them. A row names the official file; what reads it was written here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

SAFETENSORS: Final = ".safetensors"
SETTING: Final = "MORA_METRIC_WEIGHTS"


@dataclass(frozen=True)
class WeightFile:
    """One official checkpoint. megabytes: about, 10^6 bytes. licence: of the file as its publisher states it."""

    key: str
    file: str
    network: str
    megabytes: float
    licence: str
    url: str

    def found_in(self, folder: Path | None) -> Path | None:
        """The file in a folder, or up to two folders below it as VBench's own cache has it; None if it is not there.

        The same name with the suffix .safetensors is taken too, and comes first.
        """
        if folder is None or not folder.is_dir():
            return None
        names = (str(Path(self.file).with_suffix(SAFETENSORS)), self.file)
        for below in ("", "*/", "*/*/"):
            for name in names:
                if found := sorted(path for path in folder.glob(below + name) if path.is_file()):
                    return found[0]
        return None

    @property
    def size(self) -> str:
        """How large it is, in words: "343 MB"."""
        return f"{self.megabytes / 1000:.1f} GB" if self.megabytes >= 1000 else f"{self.megabytes:.3g} MB"


def missing_sentence(what: str, missing: Sequence[WeightFile], folder: Path | None) -> str:
    """Which files a metric or a network lacks, from where, how large, and where to put them."""
    files = " and ".join(f"{weights.file} ({weights.size}, from {weights.url})" for weights in missing)
    where = f"put it into {folder}" if folder else f"put it into a folder and set {SETTING} to that"
    return f"{what} needs {files}; {where}."


_OPENAI = "https://openaipublic.azureedge.net/clip/models"
_CLIP_B32 = f"{_OPENAI}/40d365715913c9da98579312b702a82c18be219cc2a73407c4526f58eba950af/ViT-B-32.pt"
_CLIP_L14 = f"{_OPENAI}/b8cca3fd41ae0c99ba7e8951adf17d267cdb84cd88be6f7c2e0eca1737a03836/ViT-L-14.pt"
_DINO = "https://dl.fbaipublicfiles.com/dino/dino_vitbase16_pretrain/dino_vitbase16_pretrain.pth"
_AESTHETIC = "https://github.com/LAION-AI/aesthetic-predictor/raw/main/sa_0_4_vit_l_14_linear.pth"
_MUSIQ = "https://github.com/chaofengc/IQA-PyTorch/releases/download/v0.1-weights/musiq_spaq_ckpt-358bb6af.pth"
_VICLIP = "https://huggingface.co/OpenGVLab/VBench_Used_Models/resolve/main/ViClip-InternVid-10M-FLT.pth"
_RAFT = "https://dl.dropboxusercontent.com/s/4j4z58wuv8o0mfz/models.zip"
_AMT = "https://huggingface.co/lalala125/AMT/resolve/main/amt-s.pth"

# fmt: off
_ROWS: Final[tuple[WeightFile, ...]] = (
    WeightFile("dino",      "dino_vitbase16_pretrain.pth",      "DINO ViT-B/16",           343,    "Apache-2.0", _DINO),
    WeightFile("clip_b32",  "ViT-B-32.pt",                      "CLIP ViT-B/32",           354,    "MIT", _CLIP_B32),
    WeightFile("clip_l14",  "ViT-L-14.pt",                      "CLIP ViT-L/14",           933,    "MIT", _CLIP_L14),
    WeightFile("aesthetic", "sa_0_4_vit_l_14_linear.pth",       "LAION aesthetic head",    0.004,  "MIT", _AESTHETIC),
    WeightFile("musiq",     "musiq_spaq_ckpt-358bb6af.pth",     "MUSIQ, trained on SPAQ",  109,
               "PolyForm Noncommercial 1.0.0 and S-Lab (pyiqa, who publish it); SPAQ: research only", _MUSIQ),
    WeightFile("viclip",    "ViClip-InternVid-10M-FLT.pth",     "ViCLIP-L/14",             1710,   "MIT", _VICLIP),
    WeightFile("raft",      "raft-things.pth",                  "RAFT",                    21,
               "BSD-3-Clause", _RAFT),
    WeightFile("amt",       "amt-s.pth",                        "AMT-S",                   12,
               "CC BY-NC 4.0: non-commercial", _AMT),
)
# fmt: on

WEIGHTS: Final[dict[str, WeightFile]] = {row.key: row for row in _ROWS}
