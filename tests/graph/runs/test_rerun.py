"""A run once more: the same film from the records alone, or made anew and compared; what is damaged is made again."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from graph.errors import PlannerError, Stopped
from graph.planners import planner as planners
from graph.runs.observer import Event, NodeEnded, Noted
from graph.runs.rerun import Rerun, rerun
from graph.runs.runner import resume, start
from graph.runs.services import Services
from memory.archive import Archive
from memory.errors import ArchiveError, DamagedArtifact, OtherBytes
from memory.recorded import Agents, Place
from memory.records import Artifact, Request, Run
from support.tiny_agents import SENTENCES, TWO_SHOTS, Identity, TinyLender, rooms_with

TOOLS: dict[str, tuple[str, ...]] = {
    "clip": ("image_to_video",),
    "picture, clip and film": ("text_to_image", "image_to_video", "assemble_film"),
}


@dataclass
class Ear:
    """Hears a run."""

    heard: list[Event] = field(default_factory=list)

    def __call__(self, event: Event) -> None:
        self.heard.append(event)

    @property
    def notes(self) -> list[str]:
        return [note for event in self.heard if isinstance(event, Noted) for note in event.notes]


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with Archive.open(f"sqlite:///{tmp_path / 'mora.db'}", tmp_path) as known:
        yield known


def made(archive: Archive, lender: TinyLender | None = None, **asked: Any) -> Run:
    request = Request(**{"prompt": TWO_SHOTS, "seed": 1, **asked})
    run = start(rooms_with(archive, lender or TinyLender()), request, {}, Ear())
    assert run.status == "done"
    return run


def nobody(_request: Request) -> Any:
    raise PlannerError("planner-failed", "a rerun asks nobody")


def rooms_without_planner(archive: Archive, lender: TinyLender | None = None) -> Services:
    return rooms_with(archive, lender or TinyLender(), planner=nobody)


def again(archive: Archive, run: Run, agents: Agents, lender: TinyLender | None = None) -> Rerun:
    return rerun(rooms_without_planner(archive, lender), run, Ear(), agents=agents)


def products(archive: Archive, run: Run, *agents: str) -> list[Artifact]:
    found = [artifact for artifact in archive.artifacts(run.id) if artifact.recipe.agent in agents]
    assert found
    return found


def damage(archive: Archive, run: Run, *agents: str) -> list[Artifact]:
    """Flips a byte of each product of these agents."""
    found = products(archive, run, *agents)
    for artifact in found:
        path = archive.path(artifact)
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
    return found


def everything(archive: Archive) -> dict[str, Any]:
    """All that is stored: rows and files."""
    files = {str(path): path.read_bytes() for path in (archive.home / "artifacts").rglob("*") if path.is_file()}
    runs = archive.runs()
    return {
        "files": files,
        "runs": runs,
        "calls": [archive.ledger(run.id) for run in runs],
        "llm": [archive.llm_calls(run.id) for run in runs],
        "products": [archive.artifacts(run.id) for run in runs],
    }


# Nobody works


@pytest.mark.parametrize("lender", [TinyLender(), TinyLender(blanks=1, frozen=1)], ids=["at once", "after repeats"])
def test_the_film_again_from_the_records_alone(archive: Archive, lender: TinyLender) -> None:
    run, forbidden = made(archive, lender), TinyLender(trouble=AssertionError("an agent was called"))
    before = everything(archive)
    came = again(archive, run, "none", forbidden)
    assert came.film == archive.artifact(str(run.film))
    assert (came.remade, came.stopped) == ((), None)
    assert not forbidden.called
    assert everything(archive) == before


def test_the_film_again_where_other_weights_and_numbers_are_installed(archive: Archive) -> None:
    run = made(archive)
    other = TinyLender(known_as=Identity(weights="8" * 64, numerics="tiny 2"))
    assert again(archive, run, "none", other).film == archive.artifact(str(run.film))


@pytest.mark.parametrize("tool", ["text_to_image", "image_to_video", "assemble_film"])
def test_what_is_damaged_is_told_with_its_call(archive: Archive, tool: str) -> None:
    run = made(archive)
    broken = damage(archive, run, tool)[0]
    with pytest.raises(DamagedArtifact, match="missing or damaged in the store") as told:
        again(archive, run, "none")
    assert tool in str(told.value)
    if tool != "assemble_film":
        assert "attempt 1" in str(told.value)
    assert broken.media.kind in told.value.artifact


def test_a_planner_whose_wording_has_changed_since_is_answered_from_the_record(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = made(archive)
    monkeypatch.setattr(planners, "read_prompt", lambda step: f"Other words for {step}.")
    assert again(archive, run, "none").film == archive.artifact(str(run.film))


def test_a_question_that_was_never_answered_is_told(archive: Archive) -> None:
    run = made(archive)
    other = run.model_copy(update={"request": run.request.model_copy(update={"prompt": "a green box grows at night"})})
    with pytest.raises(PlannerError, match="no recorded answer"):
        again(archive, other, "none")


# Everybody works


def test_everything_anew_is_the_same_and_nothing_is_stored(archive: Archive) -> None:
    run = made(archive, TinyLender(blanks=1))
    before = everything(archive)
    lender = TinyLender(blanks=1)
    came = again(archive, run, "fresh", lender)
    assert came.film == archive.artifact(str(run.film))
    assert [remade.place for remade in came.remade if not remade.same] == []
    assert {remade.kept.id for remade in came.remade} == {artifact.id for artifact in archive.artifacts(run.id)}
    assert sum(lender.called.values()) == 6
    assert everything(archive) == before


def test_a_difference_is_located_to_the_call_that_made_it(archive: Archive) -> None:
    run = made(archive)
    lender = TinyLender(called=Counter({("image_to_video", SENTENCES[1]): -9}))  # this call gives another clip now
    came = again(archive, run, "fresh", lender)
    different = [remade for remade in came.remade if not remade.same]
    assert [remade.place for remade in different] == [Place("2.image_to_video", 2, 0)]
    assert different[0].sha256 != different[0].kept.sha256


def test_what_is_lost_is_made_again_in_passing_and_compared(archive: Archive) -> None:
    run = made(archive)
    for artifact in products(archive, run, *TOOLS["picture, clip and film"]):
        archive.path(artifact).unlink()
    came = again(archive, run, "fresh")
    assert came.stopped is None
    assert [remade.place for remade in came.remade if not remade.same] == []
    assert not list((archive.home / "artifacts").rglob("*.*"))


def test_what_is_lost_and_comes_out_different_ends_the_comparison_with_a_sentence(archive: Archive) -> None:
    run = made(archive)
    damage(archive, run, "text_to_image")
    came = again(archive, run, "fresh", TinyLender(blanks=9))
    assert came.stopped is not None and "image-" in came.stopped
    assert {remade.kept.recipe.agent for remade in came.remade if not remade.same} == {"text_to_image"}


# What is damaged


@pytest.mark.parametrize("tools", TOOLS.values(), ids=TOOLS)
def test_resume_of_a_finished_run_makes_what_is_damaged_again(archive: Archive, tools: tuple[str, ...]) -> None:
    run = made(archive)
    known = archive.read(archive.artifact(str(run.film)))
    broken, ear, lender = damage(archive, run, *tools), Ear(), TinyLender()
    assert resume(rooms_without_planner(archive, lender), run.id, ear) == archive.run(run.id)
    assert archive.read(archive.artifact(str(run.film))) == known
    for artifact in broken:
        archive.read(artifact)
        assert len([note for note in ear.notes if artifact.id in note]) == 1
    assert sum(lender.called.values()) == sum(artifact.recipe.agent != "assemble_film" for artifact in broken)
    assert again(archive, run, "none").film == archive.artifact(str(run.film))


@pytest.mark.parametrize("tools", TOOLS.values(), ids=TOOLS)
def test_the_same_request_makes_what_is_damaged_again_and_tells(archive: Archive, tools: tuple[str, ...]) -> None:
    run = made(archive)
    broken, ear, lender = damage(archive, run, *tools), Ear(), TinyLender()
    second = start(rooms_with(archive, lender), run.request, {}, ear)
    assert second.film == run.film
    for artifact in broken:
        archive.read(artifact)
        assert any(artifact.id in note for note in ear.notes)
    assert sum(lender.called.values()) == sum(artifact.recipe.agent != "assemble_film" for artifact in broken)


def test_a_run_that_meets_a_damaged_product_makes_it_again_and_goes_on(archive: Archive) -> None:
    """The product is another run's: this one begins with it."""
    first = made(archive)
    clip = products(archive, first, "image_to_video")[0]
    damage(archive, first, "text_to_image", "image_to_video")
    lender, ear = TinyLender(), Ear()
    request = Request(prompt="make it green", clips=(clip.id,), seed=3)
    second = start(rooms_with(archive, lender), request, {}, ear)
    assert second.status == "done"
    archive.read(clip)
    assert [note for note in ear.notes if clip.id in note]
    assert any(line.artifact == clip.id for line in archive.ledger(second.id))


@pytest.mark.parametrize("node", ["act", "review"])
def test_a_run_that_was_stopped_and_damaged_meanwhile_is_resumed(archive: Archive, node: str) -> None:
    services = rooms_with(archive, TinyLender())

    def stop(event: Event) -> None:
        if event == NodeEnded(node):
            services.stop.set()

    with pytest.raises(Stopped):
        start(services, Request(prompt=TWO_SHOTS, seed=1), {}, stop)
    [run] = archive.runs()
    broken, ear, lender = damage(archive, run, "text_to_image"), Ear(), TinyLender()
    ended = resume(rooms_with(archive, lender), run.id, ear)
    assert ended.status == "done"
    assert ended.film == made(archive).film
    for artifact in broken:
        archive.read(artifact)
        assert len([note for note in ear.notes if artifact.id in note]) == 1


def test_what_comes_out_different_is_refused_with_the_reason(archive: Archive) -> None:
    run = made(archive)
    damage(archive, run, "text_to_image", "assemble_film")
    other = TinyLender(blanks=9, known_as=Identity(weights="8" * 64))
    with pytest.raises(OtherBytes, match="777777777777 and 888888888888 are installed"):
        resume(rooms_with(archive, other), run.id, Ear())
    assert archive.run(run.id).status == "done"


def test_a_product_that_nobody_here_made_is_told(archive: Archive) -> None:
    run = made(archive)
    film = damage(archive, run, "assemble_film")[0]
    stranger = run.model_copy(update={"film": film.id})

    class Forgetful(Archive):
        def keepers(self, artifact_id: str) -> list[Run]:
            return []

    with Forgetful.open(archive.url, archive.home) as forgetful, pytest.raises(DamagedArtifact, match="no run"):
        resume(rooms_with(forgetful, TinyLender()), stranger.id, Ear())


def test_a_damaged_gift_is_told_in_one_sentence(archive: Archive, tmp_path: Path) -> None:
    from PIL import Image

    from graph.runs.requests.options import GivenFiles, RequestOptions
    from graph.runs.requests.resolve import request_with_files

    Image.effect_noise((64, 64), 90).convert("RGB").save(tmp_path / "gift.png")
    options, files = RequestOptions(prompt="it moves left", seed=1), GivenFiles((tmp_path / "gift.png",))
    request, uploads = request_with_files(options, files, RequestOptions(), size=(64, 64))
    run = start(rooms_with(archive, TinyLender()), request, {}, Ear(), uploads=uploads)
    damage(archive, run, "upload")
    ear = Ear()
    assert resume(rooms_with(archive, TinyLender()), run.id, ear).film == run.film
    [note] = [note for note in ear.notes if "nobody can make it again" in note]
    assert request.images[0] in note
    damage(archive, run, "image_to_video", "assemble_film")
    with pytest.raises(ArchiveError, match="nobody can make it again; put its file back") as told:
        resume(rooms_with(archive, TinyLender()), run.id, Ear())
    assert "\n" not in str(told.value)
    once_more = start(rooms_with(archive, TinyLender()), request, {}, Ear(), uploads=uploads)
    assert once_more.film == run.film
    archive.read(archive.artifact(request.images[0]))
