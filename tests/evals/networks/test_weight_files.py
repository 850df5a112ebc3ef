"""Weight files: the official layouts are read, nothing in them is run, and what is wrong with one is named."""

import io
import os
import pickle
import zipfile
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from evals.metrics.base import Score
from evals.metrics.frames import Skipped, judge
from evals.metrics.registry import metric
from evals.networks.clip import CLIP_B32, load_clip
from evals.networks.dino import DINO
from evals.networks.musiq import load_musiq
from evals.networks.weights.catalogue import WEIGHTS
from evals.networks.weights.checkpoints import BadWeights, read_tensors
from evals.networks.weights.loader import NetworkLoader
from evals.networks.weights.network import MissingWeights
from support.vbench import DATA, SHAPES, state_of, write_torchscript

DINO_FILE = "dino_vitbase16_pretrain.pth"


def test_a_torchscript_archive_gives_what_was_put_in(tmp_path: Path) -> None:
    state = {
        "visual.proj": torch.randn(3, 4).t(),
        "logit_scale": torch.tensor(4.6),
        "a.0.weight": torch.randn(2, 2).half(),
    }
    write_torchscript(state, tmp_path / "clip.pt")
    read = read_tensors(tmp_path / "clip.pt")
    assert set(read) == {*state, "input_resolution", "vocab_size"}
    for name, value in state.items():
        assert read[name].dtype == value.dtype
        assert torch.equal(read[name], value)


class Trap:
    """Unpickled, it would make a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.path),)


def test_nothing_in_an_archive_or_a_pickle_is_run(tmp_path: Path) -> None:
    sprung = tmp_path / "sprung"
    with zipfile.ZipFile(tmp_path / "trap.pt", "w") as archive:
        archive.writestr("trap/constants.pkl", b"")
        archive.writestr("trap/data.pkl", pickle.dumps(Trap(sprung), protocol=2))
    torch.save({"weight": Trap(sprung)}, tmp_path / "trap.pth")
    for name in ("trap.pt", "trap.pth"):
        with pytest.raises(BadWeights, match="holds more than tensors"):
            read_tensors(tmp_path / name)
    assert not sprung.exists()


@pytest.mark.parametrize("file", ["archive.pt", "plain.pth"])
def test_a_damaged_file_is_a_sentence(file: str, tmp_path: Path) -> None:
    state = {"a.weight": torch.randn(4, 3), "b": torch.randn(2)}
    write_torchscript(state, tmp_path / file) if file == "archive.pt" else torch.save(state, tmp_path / file)
    whole, path, refused = (tmp_path / file).read_bytes(), tmp_path / f"damaged{Path(file).suffix}", 0
    start = whole.index(b"data.pkl")
    flips = [flipped(whole, start + 5 * step) for step in range(60)]
    for damaged in (b"", b"not weights", whole[:300], whole[:-100], *flips):
        path.write_bytes(damaged)
        try:
            read_tensors(path)
        except BadWeights as told:
            refused += 1
            assert str(path) in str(told)
    assert refused >= 4


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 0x15]) + data[at + 1 :]


def dino_without(name: str) -> dict[str, Tensor]:
    state = state_of(DINO_FILE)
    del state[name]
    return state


@pytest.mark.parametrize(
    ("state", "named"),
    [
        (dino_without("norm.bias"), "missing: norm.bias"),
        (dino_without("pos_embed"), "missing: pos_embed"),
        ({**state_of(DINO_FILE), "head.weight": torch.zeros(2)}, "unknown: head.weight"),
        ({**state_of(DINO_FILE), "norm.bias": torch.zeros(7)}, "misshapen: norm.bias is 7 instead of 192"),
        (state_of("musiq_spaq_ckpt-358bb6af.pth"), "missing: patch_embed.proj.weight"),
        ({"epoch": 3}, "no tensors"),
    ],
)
def test_what_does_not_fit_is_named(state: dict[str, Tensor], named: str, tmp_path: Path) -> None:
    torch.save(state, tmp_path / DINO_FILE)
    with pytest.raises(BadWeights, match=named):
        NetworkLoader(tmp_path).get(DINO)
    found = judge(
        DATA / "clips" / "static.mp4", [metric("subject_consistency"), metric("video_length")], NetworkLoader(tmp_path)
    )
    assert isinstance(found["subject_consistency"], Skipped)
    assert isinstance(found["video_length"], Score)


@pytest.mark.parametrize("change", ["missing", "unknown", "misshapen"])
def test_clip_names_what_is_wrong_in_openai_s_words(change: str, tmp_path: Path) -> None:
    state = state_of("ViT-B-32.pt")
    if change == "missing":
        del state["visual.transformer.resblocks.1.ln_2.bias"]
    elif change == "unknown":
        state["visual.more"] = torch.zeros(1)
    else:
        state["transformer.resblocks.0.attn.in_proj_weight"] = torch.zeros(5, 64)
    torch.save(state, tmp_path / "ViT-B-32.pt")
    with pytest.raises(BadWeights, match=f"{change}: (visual|transformer)"):
        load_clip(tmp_path / "ViT-B-32.pt")


def test_clip_s_matrices_go_through_float16_and_its_norms_do_not(tmp_path: Path) -> None:
    state = state_of("ViT-B-32.pt")
    torch.save(state, tmp_path / "ViT-B-32.pt")
    loaded = NetworkLoader(tmp_path).get(CLIP_B32).model.state_dict()
    matrix, norm = "visual.transformer.resblocks.0.mlp.c_fc.weight", "visual.ln_pre.weight"
    assert torch.equal(loaded["vision_model.encoder.layers.0.mlp.fc1.weight"], state[matrix].half().float())
    assert torch.equal(loaded["vision_model.pre_layrnorm.weight"], state[norm])


def test_wrappers_prefixes_and_safetensors_are_read(tmp_path: Path) -> None:
    state = state_of(DINO_FILE)
    torch.save(
        {"state_dict": {f"module.{name}": value for name, value in state.items()}, "epoch": 1}, tmp_path / "a.pth"
    )
    save_file(state, tmp_path / "b.safetensors")
    for name in ("a.pth", "b.safetensors"):
        read = read_tensors(tmp_path / name)
        assert set(read) == set(state)
        assert all(torch.equal(read[key], state[key]) for key in state)


def test_a_file_is_found_where_vbench_keeps_it_and_its_digest_is_told(tmp_path: Path) -> None:
    row = WEIGHTS["dino"]
    assert row.found_in(None) is None
    assert row.found_in(tmp_path / "nowhere") is None
    with pytest.raises(MissingWeights, match=r"dino_vitbase16_pretrain.pth \(343 MB, from https://"):
        NetworkLoader(tmp_path).get(DINO)
    kept = tmp_path / "dino_model" / DINO_FILE
    kept.parent.mkdir()
    torch.save(state_of(DINO_FILE), kept)
    loader = NetworkLoader(tmp_path)
    assert row.found_in(tmp_path) == kept
    assert loader.get(DINO) is loader.get(DINO)
    digests = loader.digests(metric("subject_consistency"))
    assert set(digests) == {DINO_FILE}
    assert len(digests[DINO_FILE]) == 64


def test_musiq_takes_its_sizes_from_the_file(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    torch.save(state_of("musiq_spaq_ckpt-358bb6af.pth"), buffer)
    (tmp_path / "musiq.pth").write_bytes(buffer.getvalue())
    musiq = load_musiq(tmp_path / "musiq.pth").eval()
    assert len(musiq.transformer_encoder.transformer) == 2
    assert set(musiq.state_dict()) == set(SHAPES["musiq_spaq_ckpt-358bb6af.pth"])
    with torch.inference_mode():
        together = musiq(torch.rand(2, 3, 40, 70, generator=torch.Generator().manual_seed(0)))
    assert together.shape == (2,)
