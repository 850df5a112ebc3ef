"""Where weight files are looked for: folders, files, the hub's cache; and that only who asks for it fetches."""

import hashlib
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from huggingface_hub import constants

from evals.networks.weights.catalogue import WEIGHTS, Places, missing_sentence, places_of
from evals.networks.weights.download import fetch
from tools.errors import BadInput

DINO, VICLIP, RAFT, CLIP = (WEIGHTS[key] for key in ("dino", "viclip", "raft", "clip_b32"))


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of the hub."""
    folder = tmp_path / "hub"
    folder.mkdir()
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(folder))
    return folder


def cached(cache: Path, repo: str, file: str) -> Path:
    kept, commit = cache / f"models--{repo.replace('/', '--')}", "0" * 40
    path = kept / "snapshots" / commit / file
    path.parent.mkdir(parents=True)
    path.write_bytes(b"weights")
    (kept / "refs").mkdir()
    (kept / "refs" / "main").write_text(commit)
    return path


def test_folders_in_order_files_and_names(tmp_path: Path, cache: Path) -> None:
    one, two, own = tmp_path / "one", tmp_path / "two=2", tmp_path / "my dino.pth"
    for folder in (one, two):
        folder.mkdir()
        (folder / DINO.file).touch()
    own.touch()
    (two / RAFT.file).touch()
    assert DINO.found_in(places_of([str(one)], two)) == one / DINO.file
    assert RAFT.found_in(places_of([str(one), str(two)])) == two / RAFT.file
    assert DINO.found_in(places_of([f"dino={own}"], two)) == own
    assert RAFT.found_in(places_of([str(two / RAFT.file)])) == two / RAFT.file
    assert places_of([], tmp_path / "later") == Places((tmp_path / "later",))
    assert f"put it into {tmp_path / 'later'}" in missing_sentence("DINO", [DINO], places_of([], tmp_path / "later"))


def test_a_hub_id_is_what_the_cache_has_of_it(tmp_path: Path, cache: Path) -> None:
    path = cached(cache, "somebody/metrics", f"deep/{DINO.file}")
    assert DINO.found_in(places_of(["somebody/metrics"])) == path
    assert DINO.found_in(places_of(["dino=somebody/metrics"])) == path
    assert DINO.found_in(places_of([], Path("somebody/metrics"))) == path
    assert VICLIP.published is not None and VICLIP.found_in(None) is None
    kept = cached(cache, *VICLIP.published)
    assert VICLIP.found_in(None) == VICLIP.found_in(tmp_path) == kept


def test_what_is_not_there_is_one_sentence(tmp_path: Path, cache: Path) -> None:
    (tmp_path / "strange.pth").touch()
    for said, told in (
        ("nobody/nothing", "repository nobody/nothing is not on this machine"),
        ("/no/where", "There is no weight file or folder /no/where"),
        ("beauty=/no/where", "no metric weights 'beauty'"),
        (str(tmp_path / "strange.pth"), "has no official name"),
        ("./nobody", "There is no weight file or folder"),
    ):
        with pytest.raises(BadInput, match=told):
            places_of([said])


def test_who_asks_for_it_fetches(tmp_path: Path, cache: Path) -> None:
    source, folder, told = tmp_path / "source", tmp_path / "weights", list[str]()
    digest = hashlib.sha256(b"clip").hexdigest()
    (source / digest).mkdir(parents=True)
    (source / digest / CLIP.file).write_bytes(b"clip")
    with zipfile.ZipFile(source / "models.zip", "w") as archive:
        archive.writestr("models/other.pth", b"other")
        archive.writestr(f"models/{RAFT.file}", b"raft")
    clip = replace(CLIP, url=f"{(source / digest).as_uri()}/{CLIP.file}")
    raft = replace(RAFT, url=(source / "models.zip").as_uri())
    fetch([clip, raft], folder, told.append)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {CLIP.file: b"clip", RAFT.file: b"raft"}
    assert "354 MB, licence: MIT" in told[0] and len(told) == 2


def test_what_cannot_be_had_is_one_sentence_and_leaves_nothing(tmp_path: Path, cache: Path) -> None:
    (tmp_path / ("0" * 64)).mkdir()
    (tmp_path / ("0" * 64) / CLIP.file).write_bytes(b"another file")
    other = replace(CLIP, url=f"{(tmp_path / ('0' * 64)).as_uri()}/{CLIP.file}")
    gone = replace(DINO, url=(tmp_path / "gone.pth").as_uri())
    for row in (other, gone):
        with pytest.raises(BadInput, match="could not be fetched"):
            fetch([row], tmp_path / "weights", lambda _: None)
    assert list((tmp_path / "weights").iterdir()) == []
