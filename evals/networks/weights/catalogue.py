"""The catalogue of the metrics' weight files: name, size, licence and source of each, and where to find them locally.

Mora does not ship them and downloads none unless asked to.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tools.errors import BadInput

SAFETENSORS: Final = ".safetensors"
SETTING: Final = "MORA_METRIC_WEIGHTS"
ON_THE_HUB: Final = re.compile(r"https://huggingface\.co/(?P<repo>[^/]+/[^/]+)/resolve/[^/]+/(?P<file>.+)")
HUB_ID: Final = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")


@dataclass(frozen=True)
class Places:
    """Where to look for weight files: in folders, in order, or at the path given for a file's key."""

    folders: tuple[Path, ...] = ()
    named: Mapping[str, Path] = field(default_factory=dict)


Where = Path | Places | None
"""A folder, or several places; None: only the hub's cache."""


def places_of(locations: Sequence[str], folder: Path | None = None) -> Places:
    """Parse `[NAME=]WHERE`, where WHERE is a folder, a file, or a hub id with a copy in the hub's cache.

    NAME: key of a weight file. folder: searched last, may be a hub id. Raises BadInput for what does not exist.
    """
    folders, named = list[Path](), dict[str, Path]()
    for one in locations:
        name, _, where = one.rpartition("=") if not Path(one).expanduser().exists() else ("", "", one)
        if name and name not in WEIGHTS:
            raise BadInput(
                "metric-weights-unknown",
                f"There are no metric weights {name!r}; name one of {', '.join(WEIGHTS)}.",
                weights=name,
            )
        path = _existing_path(where, name)
        if name:
            named[name] = path
        elif path.is_dir():
            folders.append(path)
        else:
            named[_row_of(path).key] = path
    if folder is not None:
        hub = not folder.expanduser().exists() and HUB_ID.fullmatch(str(folder))
        folders.append(_existing_path(str(folder), "") if hub else folder.expanduser())
    return Places(tuple(folders), named)


def _existing_path(where: str, name: str) -> Path:
    path = Path(where).expanduser()
    if path.exists():
        return path.absolute()
    if not HUB_ID.fullmatch(where) or where.startswith("."):
        raise BadInput(
            "metric-weights-place-missing",
            f"There is no weight file or folder {where}; check its path.",
            weights=str(where),
        )
    folder = cached_repository(where)
    if folder is None:
        raise BadInput("weights-not-fetched", f"The repository {where} is not on this machine.", weights=str(where))
    row = WEIGHTS.get(name)
    return folder if row is None else row.found_in(folder) or folder


def _row_of(path: Path) -> "WeightFile":
    row = next((row for row in WEIGHTS.values() if Path(row.file).stem == path.stem), None)
    if row is None:
        names = ", ".join(WEIGHTS)
        raise BadInput(
            "metric-weights-unnamed",
            f"{path} has no official name; say what it is, as NAME={path} with one of {names}.",
            path=str(path),
        )
    return row


def cached_repository(repo: str) -> Path | None:
    """Return the newest copy of a hub repository in the hub's cache; None if there is none. Uses no network."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        return Path(snapshot_download(repo, local_files_only=True))
    except (LocalEntryNotFoundError, ValueError):
        return None


@dataclass(frozen=True)
class WeightFile:
    """An official checkpoint. megabytes: approximate, 10^6 bytes. licence: as its publisher states it."""

    key: str
    file: str
    network: str
    megabytes: float
    licence: str
    url: str

    def found_in(self, where: Where) -> Path | None:
        """Return the file at its given path, in a folder or up to two levels below (as in VBench's cache), or in the
        hub's cache if it is published there; None if it is not found.

        A file of the same name with the suffix .safetensors is preferred.
        """
        if isinstance(where, Places) and self.key in where.named:
            return where.named[self.key]
        for folder in _folders(where):
            for below in ("", "*/", "*/*/"):
                for name in (str(Path(self.file).with_suffix(SAFETENSORS)), self.file):
                    if found := sorted(path for path in folder.glob(below + name) if path.is_file()):
                        return found[0]
        return self._cached()

    @property
    def published(self) -> tuple[str, str] | None:
        """The (repository, file) on the hub; None if it is published elsewhere."""
        match = ON_THE_HUB.fullmatch(self.url)
        return None if match is None else (match["repo"], match["file"])

    def _cached(self) -> Path | None:
        if self.published is None or not _has_cache(self.published[0]):
            return None
        from huggingface_hub import try_to_load_from_cache

        found = try_to_load_from_cache(*self.published)
        return Path(found) if isinstance(found, str) else None

    @property
    def size(self) -> str:
        """The size as text: "343 MB"."""
        return f"{self.megabytes / 1000:.1f} GB" if self.megabytes >= 1000 else f"{self.megabytes:.3g} MB"


@dataclass(frozen=True)
class ModelFolder(WeightFile):
    """A model in a folder, as transformers saves it. file: the folder's name. fallback: key of the model to use."""

    fallback: str = ""

    def found_in(self, where: Where) -> Path | None:
        """Return the folder at its given path, under its name in one of the folders, or in the hub's cache."""
        if isinstance(where, Places) and self.key in where.named:
            return where.named[self.key]
        if self.fallback:
            return WEIGHTS[self.fallback].found_in(where)
        for folder in _folders(where):
            if (folder / self.file / "config.json").is_file():
                return folder / self.file
        return cached_repository(self.repository) if _has_cache(self.repository) else None

    @property
    def repository(self) -> str:
        """The hub id."""
        return self.url.removeprefix("https://huggingface.co/")


def missing_sentence(what: str, missing: Sequence[WeightFile], where: Where) -> str:
    """Return a sentence on the files that a metric or a network lacks: source, size, and where to put them."""
    descriptions = (f"{weights.file} ({weights.size}, from {weights.url})" for weights in missing)
    files = " and ".join(dict.fromkeys(descriptions))
    folder = next(iter(where.folders), None) if isinstance(where, Places) else where
    into = f"put it into {folder}" if folder else f"put it into a folder and set {SETTING} to that"
    return f"{what} needs {files}; {into}, or have it fetched."


def _has_cache(repo: str) -> bool:
    from huggingface_hub import constants  # cheap to import, unlike the functions that read the cache

    return (Path(constants.HF_HUB_CACHE) / f"models--{repo.replace('/', '--')}").is_dir()


def _folders(where: Where) -> Iterator[Path]:
    for folder in where.folders if isinstance(where, Places) else (where,):
        if folder is not None and folder.is_dir():
            yield folder


_OPENAI = "https://openaipublic.azureedge.net/clip/models"
_CLIP_B32 = f"{_OPENAI}/40d365715913c9da98579312b702a82c18be219cc2a73407c4526f58eba950af/ViT-B-32.pt"
_CLIP_L14 = f"{_OPENAI}/b8cca3fd41ae0c99ba7e8951adf17d267cdb84cd88be6f7c2e0eca1737a03836/ViT-L-14.pt"
_DINO = "https://dl.fbaipublicfiles.com/dino/dino_vitbase16_pretrain/dino_vitbase16_pretrain.pth"
_AESTHETIC = "https://github.com/LAION-AI/aesthetic-predictor/raw/main/sa_0_4_vit_l_14_linear.pth"
_MUSIQ = "https://github.com/chaofengc/IQA-PyTorch/releases/download/v0.1-weights/musiq_spaq_ckpt-358bb6af.pth"
_VICLIP = "https://huggingface.co/OpenGVLab/VBench_Used_Models/resolve/main/ViClip-InternVid-10M-FLT.pth"
_RAFT = "https://dl.dropboxusercontent.com/s/4j4z58wuv8o0mfz/models.zip"
_LLAVA = "https://huggingface.co/llava-hf/llava-1.5-7b-hf"
_BERT = "https://huggingface.co/google-bert/bert-base-uncased"
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
    ModelFolder("captioner", "llava-1.5-7b-hf",                 "LLaVA 1.5 7B",            14100,
                "Llama 2 Community License", _LLAVA),
    ModelFolder("clip_captioner", "llava-1.5-7b-hf",            "LLaVA 1.5 7B",            14100,
                "Llama 2 Community License", _LLAVA, "captioner"),
    ModelFolder("text_encoder", "bert-base-uncased",            "BERT base, uncased",      440,    "Apache-2.0", _BERT),
)
# fmt: on

WEIGHTS: Final[dict[str, WeightFile]] = {row.key: row for row in _ROWS}
