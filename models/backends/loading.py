"""Load the pipeline of a preset and compute its digests. No other module calls `from_pretrained` on pipelines."""

import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import diffusers
import torch
import transformers
from safetensors import SafetensorError

from models.backends.tokens import attach_stored
from models.embedded.pipelines import (
    ClipBetweenImagesPipeline,
    ClipFromImagePipeline,
    EditImagePipeline,
    ImageFromLayoutPipeline,
)
from models.errors import WeightsMissing
from models.presets import Preset

CODE = 3
"""Version of the generation code. Increase it whenever a change to the code changes the output bytes."""

_WITH_SAFETY_CHECKER = ("StableDiffusionPipeline", "StableDiffusionInstructPix2PixPipeline")


DAMAGE = (OSError, ValueError, TypeError, LookupError, AttributeError, SafetensorError)
"""Exceptions that the libraries raise for a truncated, altered or unrelated folder."""


@dataclass(frozen=True)
class Placement:
    """Device, number of CPU threads and dtype of the models."""

    device: str
    threads: int
    dtype: str | None = None

    def dtype_of(self, row: Preset) -> torch.dtype:
        """Return the requested dtype, else the row's; float16 becomes float32 on a CPU, which cannot multiply it."""
        name = self.dtype or row.dtype
        if self.device == "cpu" and name == "float16":
            name = "float32"
        dtype = getattr(torch, name)
        assert isinstance(dtype, torch.dtype), name
        return dtype


def load(row: Preset, placement: Placement) -> Any:
    """Return the row's pipeline on the device, without safety checker and progress bar. Raises WeightsMissing."""
    _silence_libraries()
    ours = (ImageFromLayoutPipeline, EditImagePipeline, ClipFromImagePipeline, ClipBetweenImagesPipeline)
    own = {pipeline.__name__: pipeline for pipeline in ours}
    pipeline_class = own.get(row.pipeline) or getattr(diffusers, row.pipeline)
    options = {"safety_checker": None, "requires_safety_checker": False} if row.pipeline in _WITH_SAFETY_CHECKER else {}
    folder = folder_of(row)
    check_class(row, folder)
    how = {"dtype": placement.dtype_of(row), "use_safetensors": True, "local_files_only": True}
    try:
        read = _transformers_models(folder, **how)
        pipeline = pipeline_class.from_pretrained(folder, **how, **read, **options)
        attach_stored(pipeline, folder)
    except DAMAGE as error:
        raise WeightsMissing(
            "weights-damaged", _fault(row, (str(error) or type(error).__name__).splitlines()[0]), weights=row.weights
        ) from error
    if missing := _missing_weights(pipeline):
        raise WeightsMissing("weights-damaged", _fault(row, missing), weights=row.weights)
    torch.set_num_threads(placement.threads)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline.to(placement.device)


def check_class(row: Preset, folder: Path) -> None:
    """Raise WeightsMissing unless the folder's model_index.json names the pipeline class of the row."""
    index = folder / "model_index.json"
    try:
        held = json.loads(index.read_text(encoding="utf-8"))["_class_name"]
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise WeightsMissing(
            "weights-damaged",
            f"{row.weights} holds no pipeline of diffusers ({index.name} is missing or damaged); get a whole copy",
            weights=row.weights,
        ) from error
    if held != row.pipeline:
        raise WeightsMissing(
            "weights-of-other-pipeline",
            f"{row.weights} holds a {held}, and {row.profile} needs a {row.pipeline}; name another one",
            weights=row.weights,
            pipeline=row.pipeline,
        )


def _transformers_models(folder: Path, **how: Any) -> dict[str, Any]:
    """Return the transformers models of a pipeline by component name. Raises ValueError for missing weights.

    `DiffusionPipeline.from_pretrained` would initialise those at random and only log it.
    """
    models = {}
    for name, entry in json.loads((folder / "model_index.json").read_text(encoding="utf-8")).items():
        is_transformers = isinstance(entry, list) and entry[0] == "transformers"
        kind: Any = getattr(transformers, entry[1], None) if is_transformers else None
        if hasattr(kind, "_from_config"):  # models have it; tokenizers and processors do not
            models[name], info = kind.from_pretrained(
                folder / name, output_loading_info=True, ignore_mismatched_sizes=True, **how
            )
            faults = {"missing": info["missing_keys"], "misshapen": [each[0] for each in info["mismatched_keys"]]}
            for what, keys in faults.items():
                if keys:
                    raise ValueError(_some(what, name, keys))
    return models


def _missing_weights(pipeline: Any) -> str | None:
    """Return which weights the diffusers models lack; None if they are complete."""
    for name, model in pipeline.components.items():
        if isinstance(model, torch.nn.Module):
            missing = [key for key, tensor in model.state_dict().items() if tensor.is_meta]
            if missing:
                return _some("missing", name, missing)
    return None


def _some(what: str, name: str, keys: Collection[str]) -> str:
    return f"{what}: {name}.{min(keys)}" + (f" and {len(keys) - 1} more" if len(keys) > 1 else "")


def _fault(row: Preset, what: str) -> str:
    return f"the weights of {row.role} in {row.weights} do not load: {what}"


def _silence_libraries() -> None:
    """Silence the libraries' remarks while loading (a tiny autoencoder, no torchvision); errors are still raised."""
    for library in (diffusers.utils.logging, transformers.utils.logging):
        library.disable_progress_bar()
        library.set_verbosity_error()


def folder_of(row: Preset) -> Path:
    """Return the local folder of the row's weights, or of their snapshot in the hub's cache. Raises WeightsMissing."""
    folder = Path(row.weights)
    if folder.is_dir():
        return folder
    if folder.is_absolute():
        raise WeightsMissing(
            "weights-untrained", f"there are no weights for {row.role} in {folder}", role=row.role, path=str(folder)
        )
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        return Path(snapshot_download(row.weights, revision=row.revision, local_files_only=True))
    except LocalEntryNotFoundError as error:
        raise WeightsMissing(
            "weights-not-fetched", f"the weights of {row.weights} are not on this machine", weights=row.weights
        ) from error


def weights_digest(row: Preset) -> str:
    """Return the sha256 over names and bytes of all weight and configuration files of the row, 64 hex digits."""
    digest = hashlib.sha256(row.pipeline.encode())
    folder = folder_of(row)
    for path in sorted(p for p in folder.rglob("*") if p.suffix in {".safetensors", ".json", ".txt", ".model"}):
        digest.update(path.relative_to(folder).as_posix().encode())
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def numerics(row: Preset, placement: Placement) -> str:
    """Describe what the output bytes depend on besides weights and spec: device, dtype, versions, CPU threads."""
    dtype = str(placement.dtype_of(row)).removeprefix("torch.")
    device = placement.device if placement.device != "cuda" else f"cuda:{torch.cuda.get_device_name(0)}"
    parts = (device, dtype, f"torch {torch.__version__}", f"diffusers {version('diffusers')}", f"code {CODE}")
    return ", ".join((*parts, f"threads {placement.threads}") if placement.device == "cpu" else parts)
