"""Download missing weight files from their publishers, on request. No other module downloads weights.

Files on the hub go to the hub's cache, all others to one folder. Every score stores the digests of its weight files; a
digest in the URL itself is checked.
"""

import re
import tempfile
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from evals.networks.weights.catalogue import ModelFolder, WeightFile
from tools.errors import BadInput

DIGEST: Final = re.compile(r"/(?P<whole>[0-9a-f]{64})/[^/]+$|-(?P<start>[0-9a-f]{8})\.pth$")
TROUBLE: Final = (OSError, ValueError, RuntimeError, zipfile.BadZipFile, KeyError)


def fetch(rows: Iterable[WeightFile], folder: Path, tell: Callable[[str], None]) -> None:
    """Download the rows' files, reporting each to `tell` first. Raises BadInput if one fails; earlier ones are kept."""
    for row in rows:
        tell(f"fetching {row.file} ({row.size}, licence: {row.licence}) from {row.url}")
        try:
            _fetched(row, folder)
        except TROUBLE as error:
            why = f"could not be fetched ({error}); get {row.url} and put it into {folder}."
            raise BadInput("metric-weights-not-fetched", f"{row.file} {why}", file=row.file) from error


def _fetched(row: WeightFile, folder: Path) -> None:
    from huggingface_hub import hf_hub_download, snapshot_download

    if isinstance(row, ModelFolder):
        snapshot_download(row.repository, allow_patterns=["*.safetensors", "*.json", "*.jinja", "*.txt", "*.model"])
    elif row.published is not None:
        hf_hub_download(*row.published)
    else:
        folder.mkdir(parents=True, exist_ok=True)
        _downloaded(row, folder / row.file)


def _downloaded(row: WeightFile, target: Path) -> None:
    from torch.hub import download_url_to_file

    known = DIGEST.search(row.url)
    digest = next(filter(None, known.groups())) if known else None
    if not urlsplit(row.url).path.endswith(".zip"):
        download_url_to_file(row.url, str(target), digest, progress=False)
        return
    with tempfile.TemporaryDirectory(dir=target.parent) as place:
        packed = Path(place) / "packed.zip"
        download_url_to_file(row.url, str(packed), progress=False)
        with zipfile.ZipFile(packed) as archive:
            member = next((name for name in archive.namelist() if Path(name).name == row.file), row.file)
            unpacked = archive.extract(member, place)
        Path(unpacked).replace(target)
