"""The scorer that ships with the code: picture and text encoders trained on the embedded world and valid only there."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from torch import Tensor, nn
from transformers import CLIPModel, PreTrainedTokenizerFast

from evals.networks.weights.catalogue import WeightFile, Where
from evals.networks.weights.network import Network
from models.presets import EMBEDDED_WEIGHTS

FILE: Final = EMBEDDED_WEIGHTS / "scorer" / "model.safetensors"


@dataclass(frozen=True)
class BundledWeights(WeightFile):
    """A weight file in the repository, wherever the other weight files are."""

    def found_in(self, where: Where) -> Path | None:  # noqa: ARG002 - the base class's signature
        """Return the file; None if the repository was cloned without it."""
        return FILE if FILE.is_file() else None


class Scorer(nn.Module):
    """The picture and text encoders. Embeddings are not normalised."""

    def __init__(self, model: CLIPModel, tokenizer: PreTrainedTokenizerFast) -> None:
        super().__init__()
        self.model, self.tokenizer = model, tokenizer

    def forward(self, pixels: Tensor) -> Tensor:
        """Embed frames: (N, 3, 64, 64), -1..1 -> (N, 64)."""
        answer: Tensor = self.model.get_image_features(pixel_values=pixels).pooler_output
        return answer

    def of_texts(self, ids: Tensor) -> Tensor:
        """Embed token ids: (N, 24) -> (N, 64)."""
        mask = (ids != self.tokenizer.pad_token_id).long()
        answer: Tensor = self.model.get_text_features(input_ids=ids, attention_mask=mask).pooler_output
        return answer

    def tokens(self, text: str) -> Tensor:
        """Tokenise a text: (1, 24). Words outside the vocabulary become `<unk>`."""
        encoded = self.tokenizer(
            [text],
            padding="max_length",
            truncation=True,
            max_length=self.tokenizer.model_max_length,
            return_tensors="pt",
        )
        ids: Tensor = encoded.input_ids
        return ids


def _load(path: Path) -> Scorer:
    folder = path.parent
    return Scorer(CLIPModel.from_pretrained(folder), PreTrainedTokenizerFast.from_pretrained(folder))


SCORER: Final = Network(
    BundledWeights("embedded", FILE.name, "the embedded scorer", 2.0, "Apache-2.0", "this repository"), _load
)
