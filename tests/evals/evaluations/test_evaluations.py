"""Evaluations: what is judged, what is stored when, what is found again, and what two systems amount to."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from evals.evaluations import scorer_identity
from evals.evaluations.evaluate import Judgement, Origin, evaluate, stored_judgement
from evals.evaluations.published import BASELINES, baselines
from evals.evaluations.report import page_of
from evals.evaluations.scorer_identity import OLDER_CODES, identity_of, scorers_for
from evals.evaluations.statistics import Difference, aggregates, compare, counted, figures, gate, holm
from evals.evaluations.suites import read_suite
from evals.evaluations.tables import as_json
from evals.evaluations.videos import VideoInput, gather, prompts_in, read_json
from evals.evaluations.workers import ScoringContext
from evals.intervals import Estimate
from evals.metrics import frames
from evals.metrics.aggregates import VIDEO_QUALITY
from evals.metrics.base import mean
from evals.metrics.names import NAMES
from evals.metrics.registry import METRICS
from memory.archive import Archive
from memory.records import Evaluation
from memory.scores import evaluation_of, keep_evaluation, keep_score, keep_scorers
from support.vbench import DATA, EXPECTED
from tools.errors import BadInput

ROOT = Path(__file__).parents[3]
CLIPS = sorted((DATA / "clips").glob("*.mp4"))
FREE = ("temporal_flickering", "video_length")
"""Metrics that need no weights."""


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with Archive.open(f"sqlite:///{tmp_path / 'mora.db'}", tmp_path / "home") as opened:
        yield opened


@pytest.fixture
def bench(archive: Archive) -> ScoringContext:
    return ScoringContext(archive, None, "cpu")


def judged(bench: ScoringContext, given: list[VideoInput], *metrics: str, system: str = "ours") -> Judgement:
    return evaluate(bench, given, metrics or FREE, Origin(system))


def of(*paths: Path, prompt: str | None = None) -> list[VideoInput]:
    return [VideoInput(path.name, path, prompt=prompt) for path in paths]


def test_the_names_are_those_of_the_table() -> None:
    assert tuple(row.name for row in METRICS)[: len(NAMES)] == NAMES


def test_scores_are_the_official_ones_and_found_again_without_a_decode(
    bench: ScoringContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = judged(bench, of(*CLIPS))
    flicker = {video.name: score.value for video, scorer, score in first.rows() if scorer.metric == FREE[0]}
    for name, value in EXPECTED["scores"]["temporal_flickering"].items():
        assert flicker[name] == pytest.approx(value, abs=1e-6)
    assert (first.made, first.bad) == (2 * len(CLIPS), [])

    monkeypatch.setattr(frames, "judge", None)  # whoever asks it now fails
    again = judged(bench, of(*CLIPS))
    assert again.made == 0
    assert again.scores == first.scores
    assert again.evaluation == first.evaluation
    assert stored_judgement(bench.archive, first.evaluation).scores == first.scores


@pytest.mark.slow
def test_a_second_evaluation_imports_no_torch(bench: ScoringContext, tmp_path: Path) -> None:
    judged(bench, of(CLIPS[0]))
    code = f"""
import sys
from pathlib import Path
from memory.archive import Archive
from evals.evaluations.evaluate import Origin, evaluate
from evals.evaluations.videos import gather
from evals.evaluations.workers import ScoringContext
from evals.evaluations.tables import judgement_table
archive = Archive.open({bench.archive.url!r}, Path({str(bench.archive.home)!r}))
given, _ = gather([Path({str(CLIPS[0])!r})])
found = evaluate(ScoringContext(archive, None, 'cpu'), given, {FREE!r}, Origin('ours'))
judgement_table(found)
assert found.made == 0 and len(found.scores) == 2, found
sys.exit('torch' in sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_other_words_are_other_scores_only_for_who_reads_them(bench: ScoringContext, weights: Path) -> None:
    able = ScoringContext(bench.archive, weights, "cpu")
    metrics = ("appearance_style", "temporal_flickering")

    def styled(style: str | None) -> Judgement:
        return judged(able, [VideoInput("one", CLIPS[0], style=style)], *metrics)

    assert styled("oil painting").made == 2
    assert styled("oil painting").made == 0
    assert styled("pixel art").made == 1
    plain = styled(None)
    assert plain.made == 0
    assert [one.metric for one in plain.left_out] == ["appearance_style"]
    assert "needs the words of its style" in plain.left_out[0].why


def test_other_weights_are_another_scorer(archive: Archive, weights: Path, tmp_path: Path) -> None:
    (first,), _ = scorers_for(archive, ["imaging_quality"], weights, "cpu")
    file = next(iter(first.weights))
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / file).write_bytes(b"others")
    (second,), _ = scorers_for(archive, ["imaging_quality"], tmp_path / "other", "cpu")
    assert second.digest != first.digest
    assert second.model_copy(update={"weights": first.weights}) == first
    none, missing = scorers_for(archive, ["imaging_quality"], None, "cpu")
    assert none == []
    assert file in missing["imaging_quality"]
    with pytest.raises(BadInput, match="no metric 'beauty'"):
        scorers_for(archive, ["beauty"], None, "cpu")


def stored_before(archive: Archive, found: Judgement, python: int) -> Evaluation:
    """What release 6d1a25b stores of an evaluation: the same scores, by scorers with the codes of then."""
    older = json.loads(OLDER_CODES.read_text(encoding="utf-8"))
    scorers = {
        identity_of(scorer): scorer.model_copy(update={"code": older[scorer.metric][python]})
        for scorer in found.evaluation.scorers
    }
    keep_scorers(archive, scorers.values())
    for score in found.scores.values():
        keep_score(archive, score.model_copy(update={"scorer": scorers[score.scorer].digest}))
    evaluation = found.evaluation.model_copy(update={"system": "before", "scorers": tuple(scorers.values())})
    keep_evaluation(archive, evaluation)
    return evaluation


def test_scores_stored_under_older_codes_are_found_again_and_compared(
    bench: ScoringContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    metrics, few = (*FREE, "temporal_flickering_clipwise"), of(*CLIPS[1:3])
    found = judged(bench, few, *metrics)
    monkeypatch.setattr(frames, "judge", None)  # whoever asks it now fails
    monkeypatch.setattr(scorer_identity, "_row", None)  # nor is the table of metrics imported
    for python in range(3):  # 3.11, 3.12, 3.13
        with Archive.open(f"sqlite:///{tmp_path / f'older {python}.db'}", tmp_path / "older") as archive:
            older = stored_judgement(archive, evaluation_of(archive, stored_before(archive, found, python).digest))
            assert older.scores == found.scores
            again = judged(ScoringContext(archive, None, "cpu"), few, *metrics, system="now")
            assert again.made == 0
            assert again.scores == found.scores
            assert again.evaluation.scorers == found.evaluation.scorers
    comparison = compare(older, again)
    assert comparison.left_out == ()
    assert [(one.metric, one.difference.value) for one in comparison.differences] == [(name, 0) for name in metrics]
    page, _ = page_of((older, again))
    assert "not scored by the same scorer" not in page
    assert as_json(older)["metrics"] == as_json(again)["metrics"]


def test_of_two_scores_of_one_scorer_the_first_stands(bench: ScoringContext) -> None:
    found = judged(bench, of(CLIPS[0]), "video_length")
    (score,) = found.scores.values()
    other = found.evaluation.model_copy(update={"system": "other"})
    later = Judgement(other, {("v", "t", "s"): score.model_copy(update={"value": 99.0})})
    stored_before(bench.archive, later, 0)
    assert stored_judgement(bench.archive, found.evaluation).scores == found.scores
    assert judged(bench, of(CLIPS[0]), "video_length").scores == found.scores


def test_bad_files_are_set_apart_and_the_rest_goes_on(bench: ScoringContext, tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("no video")
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "half.mp4").write_bytes(CLIPS[0].read_bytes()[:4000])
    bad = [tmp_path / name for name in ("text.mp4", "empty.mp4", "half.mp4", "gone.mp4")]
    found = judged(bench, of(*bad, CLIPS[0], tmp_path))
    assert sorted(one.name for one in found.bad) == sorted([*(path.name for path in bad), tmp_path.name])
    assert all(one.why.endswith(".") for one in found.bad)
    assert [video.name for video in found.evaluation.videos] == [CLIPS[0].name]
    assert found.made == 2


def test_no_number_stays_none_and_is_in_no_mean(bench: ScoringContext, tmp_path: Path) -> None:
    from PIL import Image

    one = tmp_path / "one.gif"
    Image.fromarray(np.zeros((16, 16, 3), np.uint8)).save(one)
    found = judged(bench, [*of(one), *of(CLIPS[0])])
    flicker, length = figures(found)
    assert (flicker.mean.n, flicker.undefined, flicker.set_score) == (1, 1, None)
    assert flicker.mean.value == pytest.approx(EXPECTED["scores"]["temporal_flickering"][CLIPS[0].name], abs=1e-6)
    assert (length.mean.n, length.undefined) == (2, 0)
    (score,) = [score for video, scorer, score in found.rows() if video.name == "one.gif" and scorer.metric == FREE[0]]
    assert score.value is None
    assert score.note is not None
    broken = gate({FREE[0]: 0.0}, {FREE[0]: (flicker.mean, flicker.undefined)})
    assert [(one.holds, one.why) for one in broken] == [(False, "1 video without a number")]


def test_folders_lists_and_names_say_what_a_video_was_made_from(tmp_path: Path) -> None:
    names = ("a red fox-0.mp4", "a red fox-1.mp4", "clip-1.mp4", "deeper/a dog.webm", "notes.txt")
    (tmp_path / "deeper").mkdir()
    for name in names:
        (tmp_path / name).touch()
    given, _ = gather([tmp_path])
    assert [(one.name, one.prompt) for one in given] == [
        ("a red fox-0.mp4", "a red fox"), ("a red fox-1.mp4", "a red fox"), ("clip-1.mp4", None),
        ("deeper/a dog.webm", None),
    ]  # fmt: skip

    suite = tmp_path / "suite.json"
    style = {"appearance_style": {"appearance_style": "Van Gogh style"}}
    entries = [{"prompt_en": "clip", "dimension": ["scene"]}, {"prompt_en": "a red fox", "auxiliary_info": style}]
    suite.write_text(json.dumps(entries))
    given, notes = gather([tmp_path], suite)
    assert [(one.prompt, one.style) for one in given[:3]] == [("a red fox", "Van Gogh style")] * 2 + [("clip", None)]
    assert notes == [f"1 of 4 videos have no prompt in {suite}, deeper/a dog.webm first"]
    assert [one.dimensions for one in prompts_in(read_json(suite), suite)] == [("scene",), ()]

    suite.write_text(json.dumps({"clip-1.mp4": "a tiger"}))
    assert gather([tmp_path / "clip-1.mp4"], suite)[0][0].prompt == "a tiger"

    listed = tmp_path / "list.json"
    listed.write_text(json.dumps(["clip-1.mp4", {"video": "x.mp4", "prompt": "y" * 10_000, "before": "z.mp4"}]))
    one, two = gather([listed])[0]
    assert (one.path, one.prompt) == (tmp_path / "clip-1.mp4", None)
    assert (two.path, two.prompt, two.before) == (tmp_path / "x.mp4", "y" * 10_000, tmp_path / "z.mp4")


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("{", "is not JSON"),
        ("[]", "is not a list of videos"),
        ("[3]", "where a video should be"),
        ('[{"video": "x.mp4", "prompt": 3}]', "a prompt that is not text"),
        ('[{"video": "x.mp4", "image": 3}]', "where a video should be"),
    ],
)
def test_a_list_that_is_none_is_one_sentence(said: str, told: str, tmp_path: Path) -> None:
    file = tmp_path / "list.json"
    file.write_text(said)
    with pytest.raises(BadInput, match=told):
        gather([file])


def test_prompts_that_fit_nothing_are_refused(tmp_path: Path) -> None:
    file, empty = tmp_path / "prompts.json", tmp_path / "folder"
    empty.mkdir()
    for said, told in (([], "has no prompts"), ([{"x": 1}], "where a prompt should be"), (["a fox"], "No prompt of")):
        file.write_text(json.dumps(said))
        with pytest.raises(BadInput, match=told):
            gather([CLIPS[0]], file)
    with pytest.raises(BadInput, match="has no videos"):
        gather([empty])
    with pytest.raises(BadInput, match="cannot be read"):
        gather([CLIPS[0]], tmp_path / "gone.json")


def test_the_suite_that_ships_is_held_out_and_of_its_own_language() -> None:
    from models.embedded.language import combinations

    held_out = {scenery.sentence for scenery in combinations(held_out=True)}
    prompts = [wanted.text for wanted in read_suite("embedded").prompts]
    assert len(set(prompts)) == len(prompts) == 40
    assert {prompt.removesuffix(" in digital world style") for prompt in prompts} <= held_out
    with pytest.raises(BadInput, match="no suite 'nothing'"):
        read_suite("nothing")


def side(bench: ScoringContext, clips: list[Path], system: str) -> Judgement:
    given = [VideoInput(path.name, path, prompt=f"prompt {place}") for place, path in enumerate(clips)]
    return judged(bench, given, system=system)


def test_two_systems_are_compared_prompt_by_prompt(bench: ScoringContext) -> None:
    first, second = side(bench, CLIPS, "one"), side(bench, CLIPS[1:] + CLIPS[:1], "two")
    flicker, _ = compare(first, second).differences
    values = [EXPECTED["scores"][FREE[0]][path.name] for path in CLIPS]
    assert flicker.first == pytest.approx(flicker.second) == pytest.approx(mean(values), abs=1e-6)
    assert flicker.difference.value == pytest.approx(0, abs=1e-9)
    assert flicker.p is not None
    assert flicker.p > 0.5
    assert flicker.conclusion("one", "two") == "no difference shown"
    same = compare(first, side(bench, CLIPS, "three")).differences[0]
    assert (same.p, same.wilcoxon, same.effect, same.difference.value) == (1.0, 1.0, None, 0.0)
    assert compare(first, side(bench, CLIPS[:2], "few")).left_out == ("Left out, present on one side only: 2 prompts.",)
    with pytest.raises(BadInput, match="no prompt in common"):
        compare(first, judged(bench, of(CLIPS[0], prompt="another")))


def test_scores_of_two_scorers_are_not_compared(bench: ScoringContext) -> None:
    first, second = side(bench, CLIPS, "one"), side(bench, CLIPS, "two")
    other = second.evaluation.scorers[0].model_copy(update={"settings": {"device": "cuda"}})
    second.evaluation = second.evaluation.model_copy(update={"scorers": (other, second.evaluation.scorers[1])})
    comparison = compare(first, second)
    assert [one.metric for one in comparison.differences] == [FREE[1]]
    assert "not scored by the same scorer" in comparison.left_out[0]


def test_holm_corrects_for_the_number_of_metrics() -> None:
    def one(p: float | None) -> Difference:
        return Difference(
            metric="m", title="M", better="higher", first=0, second=1, p=p, wilcoxon=p, effect=1,
            difference=Estimate(n=9, value=1, low=0.5, high=2),
        )  # fmt: skip

    found = holm([one(0.01), one(0.04), one(None), one(0.03)])
    assert [each.holm for each in found] == [pytest.approx(0.03), pytest.approx(0.06), None, pytest.approx(0.06)]
    assert found[0].conclusion("a", "b") == "b is better"
    assert found[1].conclusion("a", "b") == "no difference shown"


def test_the_interval_decides_a_gate() -> None:
    wide = {"m": (Estimate(n=9, value=0.9, low=0.8, high=1.0), 0)}
    for asked, holds in (
        ({"m": 0.8}, True), ({"m": 0.85}, False), ({"m": {"at_most": 1}}, True),
        ({"m": {"at_least": 0.1, "at_most": 0.95}}, False), ({"n": 0.1}, False),
    ):  # fmt: skip
        assert [one.holds for one in gate(asked, wide)] == [holds], asked
    for wrong in ({}, [], {"m": "x"}, {"m": True}, {"m": {}}, {"m": {"least": 1}}):
        with pytest.raises(BadInput):
            gate(wrong, wide)  # type: ignore[arg-type]


def test_published_rows_are_as_printed_and_scales_are_not_mixed() -> None:
    first = [row for row in BASELINES if row.scale == "mora"]
    assert len(first) == 9
    for row in first:  # the paper's own arithmetic, to the digits that it prints
        assert row.quality == pytest.approx(mean([row.scores[name] for name in VIDEO_QUALITY]), abs=1e-3), row.system
    later = baselines(scale="vbench")
    assert [row.system for row in later] == ["Emu3", "Open-Sora-Plan v1.2", "Gen-3 Alpha", "LaVie-2"]
    assert all(abs(row.quality - mean([row.scores[name] for name in VIDEO_QUALITY])) > 0.01 for row in later)
    assert [row.system for row in baselines(["sora", "gen-2"])] == ["Sora", "Gen-2"]
    with pytest.raises(BadInput, match="cannot be put into one table"):
        baselines(["Sora", "Emu3"])
    with pytest.raises(BadInput, match="no baseline 'Veo'"):
        baselines(["Veo"])


def test_aggregates_want_all_that_they_average() -> None:
    assert aggregates([]) == {}


@pytest.mark.parametrize(("number", "said"), [(0, "0 videos"), (1, "1 video"), (2, "2 videos")])
def test_one_is_no_plural(number: int, said: str) -> None:
    assert counted(number, "video") == said
