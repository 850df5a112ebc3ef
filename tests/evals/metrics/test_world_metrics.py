"""The oracle as metrics: what the words decide, what it sees of it, and when it has no say."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from evals.evaluations.evaluate import Judgement, Origin, evaluate
from evals.evaluations.scorer_identity import names_for
from evals.evaluations.statistics import compare, figures
from evals.evaluations.videos import VideoInput
from evals.evaluations.workers import ScoringContext
from evals.metrics.base import Score, Video, chunks, read
from evals.metrics.frames import Conditioning, judge
from evals.metrics.names import NAMES
from evals.metrics.world.world import METRICS, centre_square
from evals.networks.weights.loader import NetworkLoader
from evals.world.prompt import parse_prompt, reason_to_skip
from memory.archive import Archive
from models.agent import UInt8Array
from models.embedded.language import FPS, Scenery, combinations
from models.embedded.world import render, track
from tools.media.codecs import encode_film

WORLD = tuple(row.name for row in METRICS)
STAR = Scenery("star", "yellow", "sea", "moves up", digital=True)
BALL = Scenery("ball", "red", "snow", "moves right")


def clip(scenery: Scenery, num_frames: int = 16) -> UInt8Array:
    return render(scenery, track(scenery, np.random.default_rng(2), num_frames=num_frames))


def scored(frames: UInt8Array, prompt: str) -> dict[str, Score]:
    video = Video(len(frames), Fraction(8), frames.shape[2], frames.shape[1], prompt=prompt)
    rows = [row for row in METRICS if reason_to_skip(row.name, prompt) is None]
    said = read([row.begin(video, NetworkLoader(None)) for row in rows], chunks((frame, None) for frame in frames))
    return {row.name: score for row, score in zip(rows, said, strict=True)}


def right(frames: UInt8Array, prompt: str) -> dict[str, float]:
    return {name.removeprefix("world_"): score.value for name, score in scored(frames, prompt).items()}


def test_every_sentence_of_the_world_is_read_back() -> None:
    for digital in (False, True):
        for scenery in combinations(digital=digital):
            asked = parse_prompt(scenery.sentence)
            assert asked is not None and asked.digital == digital
            assert [asked.values[kind] for kind in ("object", "colour", "scene", "motion")] == [
                (scenery.object,), (scenery.colour,), (scenery.scene,), (scenery.motion,)
            ]  # fmt: skip


@pytest.mark.parametrize("shown", [STAR, BALL])
def test_a_true_clip_is_right_and_another_wrong_where_it_differs(shown: Scenery) -> None:
    assert set(right(clip(shown), shown.sentence).values()) == {1.0}
    other = Scenery("box", shown.colour, "desert", shown.motion, shown.digital)
    assert right(clip(shown), other.sentence) == {
        "object": 0, "colour": 1, "scene": 0, "motion": 1, "style": 1, "prompt_following": 0
    }  # fmt: skip
    natural = Scenery(shown.object, shown.colour, shown.scene, shown.motion, not shown.digital)
    assert right(clip(shown), natural.sentence)["style"] == 0


def test_a_persons_words_decide_what_they_say_and_leave_open_what_they_do_not() -> None:
    said = right(clip(BALL), "a red or blue ball over the snow")
    assert said == {"object": 1, "colour": 1, "scene": 1, "style": 1, "prompt_following": 1}
    assert right(clip(BALL), "a ball, but not in the snow")["prompt_following"] == 1
    score = scored(clip(BALL), "A golden sphere rolls to the right over the snow")["world_prompt_following"]
    assert score.value == 0
    assert score.details["asked"]["colour"] == ["yellow"] and score.details["saw"]["colour"] == "red"


@pytest.mark.parametrize(
    "prompt",
    ["a red fox in the snow", "make it purple", "x" * 10_000, "", "a ball moves left, then a box grows", "日本語"],
)
def test_of_another_world_the_oracle_has_no_say(prompt: str) -> None:
    assert "not of one clip of the embedded world" in str(reason_to_skip("world_object", prompt))
    assert "temporal_flickering" in names_for([prompt]) and not set(WORLD) & set(names_for([prompt]))
    assert names_for([prompt, BALL.sentence]) == NAMES
    assert "does not say the motion" in str(reason_to_skip("world_motion", "a red ball in the snow"))


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (40, 90), (130, 64)])
def test_any_size_is_looked_at(shape: tuple[int, int]) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (3, *shape, 3), dtype=np.uint8)
    assert right(noise, BALL.sentence)["prompt_following"] == 0
    large = np.repeat(np.repeat(clip(BALL)[0], 2, axis=0), 2, axis=1)
    assert np.array_equal(centre_square(large), clip(BALL)[0])


def test_of_a_long_video_so_many_frames_are_kept() -> None:
    frames = clip(BALL, 400)
    assert set(right(frames, BALL.sentence).values()) == {1.0}


def test_a_films_coarse_colours_are_no_digital_style(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    for shown in (Scenery("ball", "yellow", "snow", "moves down"), STAR):
        encode_film(iter(clip(shown)), path, width=64, height=64, fps=FPS)
        (row,) = [row for row in METRICS if row.name == "world_style"]
        (score,) = judge(path, [row], NetworkLoader(None), Conditioning(prompt=shown.sentence)).values()
        assert isinstance(score, Score) and score.value == 1, shown


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[ScoringContext]:
    with Archive.open(f"sqlite:///{tmp_path / 'mora.db'}", tmp_path / "home") as archive:
        yield ScoringContext(archive, None, "cpu")


def judged(bench: ScoringContext, folder: Path, prompts: list[str | None], shown: Scenery = BALL) -> Judgement:
    given = []
    for number, prompt in enumerate(prompts):
        path = folder / f"{number}.gif"
        first, *rest = [Image.fromarray(frame) for frame in clip(shown)]
        first.save(path, save_all=True, append_images=rest, duration=125, comment=str(number).encode())
        given.append(VideoInput(path.name, path, prompt=prompt))
    return evaluate(bench, given, (*WORLD, "video_length"), Origin("ours"))


def test_shares_have_wilsons_intervals_in_the_same_table(bench: ScoringContext, tmp_path: Path) -> None:
    found = judged(bench, tmp_path, [BALL.sentence, STAR.sentence, "a red fox", None])
    rows = {figure.metric: figure for figure in figures(found)}
    colour = rows["world_colour"].mean
    assert (colour.n, colour.value) == (2, 0.5)
    assert colour.low == pytest.approx(0.0945, abs=1e-3) and colour.high == pytest.approx(0.9055, abs=1e-3)
    assert rows["video_length"].mean.n == 4
    whys = {one.name: one.why for one in found.left_out if one.metric == "world_object"}
    assert "not of one clip" in whys["2.gif"] and "needs the video's prompt" in whys["3.gif"]
    again = judged(bench, tmp_path, [BALL.sentence, STAR.sentence, "a red fox", None])
    assert again.made == 0
    assert compare(found, again).differences[0].difference.value == 0
