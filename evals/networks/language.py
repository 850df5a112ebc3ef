"""Language models for VideoTI, loaded with transformers: BERT-like encoders and models that caption pictures.

Reads local folders in the format of `save_pretrained`. Downloads nothing and runs no code from the folders.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal, Self

import torch
from PIL import Image
from torch import Tensor

from evals.networks.weights.checkpoints import BadWeights
from models.agent import UInt8Array

QUESTION: Final = "Describe what this shows in one or two sentences."
LONGEST: Final = 96
"""Most tokens of a caption."""


class NoLanguageModel(BadWeights):
    """A folder does not hold a model of the required kind. One sentence."""


class Bert:
    """Encodes a text as the mean of its tokens' last states, or as the state of [CLS]. Long texts are truncated."""

    def __init__(self, folder: Path, *, pooling: Literal["mean", "cls"] = "mean", device: str = "cpu") -> None:
        from transformers import AutoModel, AutoTokenizer

        self._tokenizer = _pretrained(AutoTokenizer, folder)
        self._model = _pretrained(AutoModel, folder, use_safetensors=True).to(device).eval()
        self._pooling = pooling
        self.identity: Mapping[str, str] = {**_identity(folder), "pooling": pooling}

    def on(self, device: str) -> Self:
        """Move the model to a device and return self."""
        self._model.to(device)
        return self

    def encode(self, text: str) -> Tensor:
        """Return the text's vector, float32 (C,) on the CPU."""
        most = self._model.config.max_position_embeddings
        tokens = self._tokenizer(text, truncation=True, max_length=most, return_tensors="pt").to(self._model.device)
        with torch.inference_mode():
            states: Tensor = self._model(**tokens).last_hidden_state[0].float().cpu()
        return states[0] if self._pooling == "cls" else states.mean(dim=0)


class Describer:
    """Captions pictures by asking a vision-language model such as LLaVA one question, with greedy decoding."""

    def __init__(self, folder: Path, *, question: str = QUESTION, device: str = "cpu") -> None:
        from transformers import AutoModelForImageTextToText, AutoProcessor

        self._processor = _pretrained(AutoProcessor, folder)
        if getattr(self._processor, "chat_template", None) is None:
            raise NoLanguageModel(
                "language-model-without-template",
                f"{folder} has no chat template, so its model cannot be asked; add chat_template.jinja.",
                path=str(folder),
            )
        self._model = _pretrained(AutoModelForImageTextToText, folder, use_safetensors=True).to(device).eval()
        self._question = question
        self.identity: Mapping[str, str] = {**_identity(folder), "question": question}

    def on(self, device: str) -> Self:
        """Move the model to a device and return self."""
        self._model.to(device)
        return self

    def caption(self, frames: UInt8Array) -> str:
        """Describe what the pictures show together: RGB uint8 (N, H, W, 3), passed to the model in order."""
        content: list[dict[str, str]] = [{"type": "image"} for _ in frames]
        messages = [{"role": "user", "content": [*content, {"type": "text", "text": self._question}]}]
        question = self._processor.apply_chat_template(messages, add_generation_prompt=True)
        pictures = [Image.fromarray(frame) for frame in frames]
        inputs = self._processor(images=pictures, text=question, return_tensors="pt").to(self._model.device)
        with torch.inference_mode():
            tokens = self._model.generate(**inputs, max_new_tokens=LONGEST, do_sample=False)
        new = tokens[0, inputs["input_ids"].shape[1] :]
        text: str = self._processor.decode(new, skip_special_tokens=True)
        return text.strip()


def _pretrained(kind: Any, folder: Path, **options: bool) -> Any:
    if not folder.is_dir():
        raise NoLanguageModel(
            "language-model-missing",
            f"{folder} is not a folder; give one that holds a model as transformers saves it.",
            path=str(folder),
        )
    try:
        return kind.from_pretrained(str(folder), local_files_only=True, trust_remote_code=False, **options)
    except (OSError, ValueError, KeyError) as error:
        raise NoLanguageModel(
            "language-model-damaged",
            f"{folder} holds no model that {kind.__name__} can read; get a whole copy of it.",
            path=str(folder),
        ) from error


def _identity(folder: Path) -> dict[str, str]:
    """Return the model's name and a digest of its weights."""
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.safetensors")):
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return {"model": _name_of(folder), "weights_sha256": digest.hexdigest()}


def _name_of(folder: Path) -> str:
    """Return the hub id of a folder in the hub's cache, else the folder's name."""
    if folder.parent.name != "snapshots":
        return folder.name
    return folder.parents[1].name.removeprefix("models--").replace("--", "/")
