"""VideoTI with a tiny LLaVA and a tiny BERT of transformers' own classes."""

import json
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch
import transformers
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from torch import Tensor

from evals.evaluations.scorer_identity import scorers_for
from evals.metrics.base import Score, Video, chunks, read
from evals.metrics.frames import Conditioning, Skipped, judge
from evals.metrics.mora.video_ti import CAPTIONER, CLIP_CAPTIONER, video_ti
from evals.metrics.registry import metric
from evals.networks.language import Bert, Describer, NoLanguageModel
from evals.networks.weights.catalogue import places_of
from evals.networks.weights.loader import NetworkLoader
from memory.archive import Archive
from models.agent import UInt8Array
from support.vbench import DATA

CLIP = DATA / "clips" / "static.mp4"
MARKS = ["<pad>", "<unk>", "<s>", "</s>", "<image>"]
WORDS = [*MARKS, "USER", ":", "ASSISTANT", "Describe", "what", "this", "shows", "a", "ball", "rolls", "."]
TEMPLATE = (
    "{% for m in messages %}USER : {% for c in m['content'] %}{% if c['type'] == 'image' %}<image> "
    "{% else %}{{ c['text'] }} {% endif %}{% endfor %}{% endfor %}ASSISTANT :"
)
NARROW = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}


def tokenizer() -> transformers.PreTrainedTokenizerFast:
    words = Tokenizer(WordLevel({word: number for number, word in enumerate(WORDS)}, unk_token="<unk>"))
    words.pre_tokenizer = Whitespace()
    special = {"unk_token": "<unk>", "pad_token": "<pad>", "bos_token": "<s>", "eos_token": "</s>"}
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=words, **special, additional_special_tokens=["<image>"], model_max_length=64
    )


@pytest.fixture(scope="module")
def llava(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("llava")
    torch.manual_seed(0)
    vision = transformers.CLIPVisionConfig(**NARROW, image_size=28, patch_size=14, projection_dim=16)
    text = transformers.LlamaConfig(**NARROW, vocab_size=len(WORDS), pad_token_id=0, bos_token_id=2, eos_token_id=3)
    config = transformers.LlavaConfig(
        vision_config=vision, text_config=text, image_token_index=4, vision_feature_layer=-1
    )
    model = transformers.LlavaForConditionalGeneration(config)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.5)  # so that what it says hangs on what it sees
    model.save_pretrained(folder)
    transformers.LlavaProcessor(
        image_processor=transformers.CLIPImageProcessorPil(
            size={"shortest_edge": 28}, crop_size={"height": 28, "width": 28}
        ),
        tokenizer=tokenizer(),
        patch_size=14,
        vision_feature_select_strategy="default",
        chat_template=TEMPLATE,
        num_additional_image_tokens=1,
    ).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bert")
    torch.manual_seed(1)
    config = transformers.BertConfig(**NARROW, vocab_size=len(WORDS), max_position_embeddings=64)
    transformers.BertModel(config).save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    return folder


def noise(count: int, seed: int = 0) -> UInt8Array:
    return np.random.default_rng(seed).integers(0, 256, (count, 30, 40, 3), dtype=np.uint8)


def scored(metric, frames: UInt8Array, image: UInt8Array, loader: NetworkLoader | None = None) -> Score:
    video = Video(len(frames), Fraction(8), 40, 30, prompt="a ball rolls", image=image)
    assert metric.lacks(video) is None
    return read([metric.begin(video, loader or NetworkLoader(None))], chunks(((frame, None) for frame in frames), 5))[0]


def test_a_score_comes_with_its_captions_and_who_wrote_them(llava: Path, bert: Path) -> None:
    describer = Describer(llava)
    score = scored(video_ti(describer, describer, Bert(bert)), noise(12), noise(1, 5)[0])
    assert -1 <= score.value <= 1 and score.note is None
    assert score.details["said"].startswith("a ball rolls ") and score.details["seen"]
    assert len(score.details["frames"]) == 8
    assert score.details["text_encoder"]["pooling"] == "mean"
    assert len(score.details["clip_captioner"]["weights_sha256"]) == 64
    assert score.details["clip_captioner"]["weights_sha256"] != score.details["text_encoder"]["weights_sha256"]
    json.dumps(score.details)


def test_the_model_sees_the_pictures_and_says_the_same_twice(llava: Path) -> None:
    describer = Describer(llava)
    seen = {describer.caption(noise(1, seed)) for seed in range(6)}
    assert len(seen) > 1
    assert describer.caption(noise(3)) == describer.caption(noise(3))


def test_poolings_differ_and_long_texts_are_cut(bert: Path) -> None:
    mean, first = Bert(bert), Bert(bert, pooling="cls")
    assert mean.encode("a ball rolls").shape == (16,)
    assert not torch.allclose(mean.encode("a ball rolls"), first.encode("a ball rolls"))
    assert torch.equal(mean.encode("ball " * 10_000), mean.encode("ball " * 20_000))


def test_it_is_a_row_whose_models_a_person_names(llava: Path, bert: Path) -> None:
    row = metric("video_ti")
    assert row.needs == ("image", "prompt")
    lacks = NetworkLoader(None).lacks(row)
    assert lacks is not None and lacks.count("llava-1.5-7b-hf (14.1 GB") == 1 and "bert-base-uncased (440 MB" in lacks
    loader = NetworkLoader(places_of([f"captioner={llava}", f"text_encoder={bert}"]))
    score = scored(row, noise(12), noise(1, 5)[0], loader)
    describer = Describer(llava)
    assert score == scored(video_ti(describer, describer, Bert(bert)), noise(12), noise(1, 5)[0])
    assert loader.get(CAPTIONER) is loader.get(CLIP_CAPTIONER)


def test_its_scorer_is_known_by_the_bytes_of_its_models(llava: Path, bert: Path, tmp_path: Path) -> None:
    said = [f"captioner={llava}", f"text_encoder={bert}"]
    with Archive.open(f"sqlite:///{tmp_path / 'mora.db'}", tmp_path / "home") as archive:
        (one,), _ = scorers_for(archive, ["video_ti"], places_of(said), "cpu")
        (other,), _ = scorers_for(archive, ["video_ti"], places_of([*said, f"clip_captioner={bert}"]), "cpu")
        none, missing = scorers_for(archive, ["video_ti"], None, "cpu")
    assert one.weights["captioner/model.safetensors"] != one.weights["text_encoder/model.safetensors"]
    assert one.digest != other.digest
    assert none == [] and "VideoTI needs llava" in missing["video_ti"]


def test_folders_by_name_and_wrong_ones(llava: Path, bert: Path, tmp_path: Path) -> None:
    (tmp_path / "llava-1.5-7b-hf").symlink_to(llava)
    (tmp_path / "bert-base-uncased").mkdir()
    row, told = metric("video_ti"), Conditioning("a ball rolls", image=noise(1)[0])
    assert "needs bert-base-uncased" in str(NetworkLoader(tmp_path).lacks(row))
    found = judge(
        CLIP, [row, metric("video_length")], NetworkLoader(places_of([f"text_encoder={tmp_path}"], tmp_path)), told
    )
    assert isinstance(found["video_ti"], Skipped) and "holds no model" in found["video_ti"].why
    assert isinstance(found["video_length"], Score)


@dataclass(frozen=True)
class Says:
    """A captioner that says how many pictures it was shown."""

    identity: ClassVar = {"model": "a test's"}

    def caption(self, frames: UInt8Array) -> str:
        return f"{len(frames)} pictures"


class Letters:
    """A text's vector: how often each letter is in it."""

    identity: ClassVar = {"model": "letters"}

    def encode(self, text: str) -> Tensor:
        return torch.tensor([float(text.count(chr(letter))) for letter in range(32, 127)])


@pytest.mark.parametrize(("count", "shown"), [(1, 1), (3, 3), (30, 8)])
def test_the_instruction_stands_before_the_pictures_caption(count: int, shown: int) -> None:
    score = scored(video_ti(Says(), Says(), Letters()), noise(count), noise(1)[0])
    assert score.details["said"] == "a ball rolls 1 pictures"
    assert score.details["seen"] == f"{shown} pictures" and 0 < score.value < 1


def test_a_folder_without_a_model_is_told(tmp_path: Path, bert: Path) -> None:
    for folder in (tmp_path, tmp_path / "nowhere"):
        for kind in (Bert, Describer):
            with pytest.raises(NoLanguageModel, match=str(folder)):
                kind(folder)
    with pytest.raises(NoLanguageModel):
        Describer(bert)
