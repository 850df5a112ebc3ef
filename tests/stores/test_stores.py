"""Stores that earlier releases made are shown, replayed, gone on with and compared by today's code.

Everything is asked through the command line. A store's products were made on another machine, whose last bits may be
others than this one's: what is stored is compared by its digest, which holds everywhere; what is made here is compared
only with what was made here from the same store (`test_an_unfinished_run_ends_as_a_new_one`).
"""

import json
import tarfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import main

STORES = sorted(Path(__file__).parent.glob("*.tar.gz"))
UNFINISHED = ("interrupted", "killed")
DONE, WAITING = 0, 3


@dataclass(frozen=True)
class Store:
    """A store of an earlier release in a folder of this test. expected: what that release said of it."""

    packed: Path
    folder: Path

    @cached_property
    def expected(self) -> Any:
        return json.loads(self.packed.with_name(f"{self.packed.name.removesuffix('.tar.gz')}.json").read_text())

    @property
    def runs(self) -> dict[str, str]:
        """Ids by name."""
        return dict(self.expected["named"])

    def unpacked(self, folder: Path) -> "Store":
        """The same store as it was, in a new folder."""
        with tarfile.open(self.packed) as tar:
            tar.extractall(folder, filter="data")
        return Store(self.packed, folder)

    def lines(self, *words: str, code: int = DONE, home: str = "home", given: str | None = None) -> list[Any]:
        """Every line of standard output of `main.py WORDS --json`."""
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(self.folder)
            patch.setenv("MORA_HOME", home)
            answer = CliRunner().invoke(main.app, [*words, "--json"], input=given)
        if answer.exception is not None and not isinstance(answer.exception, SystemExit):
            raise answer.exception
        assert answer.exit_code == code, answer.stderr
        return [json.loads(line) for line in answer.stdout.splitlines()]

    def told(self, *words: str, code: int = DONE, home: str = "home") -> Any:
        """The last one."""
        return self.lines(*words, code=code, home=home)[-1]

    def talk(self, run: str, *said: str) -> list[Any]:
        """A conversation: what there is, an object for every line, the run as it is left."""
        return self.lines("chat", run, given="".join(json.dumps({"say": words}) + "\n" for words in said))

    def products(self, run: str) -> dict[str, str]:
        """Digest by id, of all products of a run."""
        return {one["id"]: one["sha256"] for one in self.told("show", run)["artifacts"]}


@pytest.fixture(params=STORES, ids=lambda packed: packed.name.removesuffix(".tar.gz"))
def store(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    for name in ("MORA_DATABASE_URL", "MORA_PROFILE", "MORA_PLANNER", "OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    return Store(request.param, tmp_path).unpacked(tmp_path / "store")


def lacking(expected: Any, told: Any, where: str = "") -> list[str]:
    """Where `told` lacks something that was expected, or has another value; what is new in it is no fault."""
    if isinstance(expected, dict) and isinstance(told, dict):
        absent = [f"{where}.{name}: absent" for name in expected if name not in told]
        both = [(name, value) for name, value in expected.items() if name in told]
        return absent + [fault for name, value in both for fault in lacking(value, told[name], f"{where}.{name}")]
    if isinstance(expected, list) and isinstance(told, list) and len(expected) == len(told):
        pairs = zip(expected, told, strict=True)
        return [fault for at, pair in enumerate(pairs) for fault in lacking(*pair, f"{where}[{at}]")]
    return [] if expected == told else [f"{where}: {str(told)[:200]} and not {str(expected)[:200]}"]


def test_there_is_a_store() -> None:
    assert STORES


def test_every_run_is_shown_as_it_was(store: Store) -> None:
    assert lacking(store.expected["runs"], store.told("runs")) == []
    for name, expected in store.expected["shown"].items():
        assert lacking(expected, store.told("show", store.runs[name], "--checkpoints"), name) == []


def test_every_ended_run_is_replayed_to_the_same_bytes(store: Store) -> None:
    for name, expected in store.expected["replayed"].items():
        again = store.told("replay", store.runs[name])
        assert again["same"], name
        assert again.get("agent_calls", 0) == 0
        kept = ("run", "status", "artifact", "sha256", "compared", "differences", "stopped")
        assert lacking({field: expected[field] for field in kept if field in expected}, again, name) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", UNFINISHED)
def test_an_unfinished_run_ends_as_a_new_one(store: Store, tmp_path: Path, name: str) -> None:
    """Sound on any machine: the new run begins in a second copy of the store, so that it finds there what the resumed
    one has, products and bookmarks of the other machine, and both make the rest here. If other libraries than the
    store's are installed here, recipes differ and the new run makes everything anew; then what has the same recipe,
    which names the digests of all that it is made from, is still to have the same bytes."""
    shown = store.expected["shown"][name]
    before = {one["id"]: one["sha256"] for one in shown["artifacts"]}
    assert before, "it was stopped before it had made anything"
    resumed = store.told("resume", store.runs[name])
    assert resumed["status"] == "done"
    copy = store.unpacked(tmp_path / "copy")
    new = copy.told("generate", shown["request"]["prompt"], "--seed", str(shown["request"]["seed"]))
    ours, theirs = store.products(resumed["run"]), copy.products(new["run"])
    assert before.items() <= ours.items()
    assert all(theirs.get(id, digest) == digest for id, digest in ours.items())
    if before.keys() <= theirs.keys():
        assert (ours, resumed["sha256"]) == (theirs, new["sha256"])


def test_a_waiting_run_goes_on_to_its_film(store: Store) -> None:
    run = store.runs["waiting"]
    told = store.talk(run, "use the second one", "go on", "go on")
    assert (told[-1]["run"], told[-1]["status"]) == (run, "done")
    assert [each["error"] for each in told[:-1]] == [None] * (len(told) - 1)
    again = store.told("replay", run)
    assert (again["same"], again["sha256"]) == (True, told[-1]["sha256"])


def test_a_conversation_goes_on(store: Store) -> None:
    run, said = store.runs["conversation"], store.expected["conversation"]
    known = [one for turn in said for one in turn.get("made", [])]
    begun, likes, board, turn, ended = store.talk(run, "/likes", "/takes", "refresh")
    assert begun["run"] == ended["run"] == run
    assert "digital" in " ".join(likes["told"])
    there = {one["number"]: one for one in board["products"]}
    for one in known:
        kept = ("number", "kind", "artifact", "sha256", "words", "of", "call", "take", "seed", "num_frames")
        assert lacking({field: one[field] for field in kept}, there[one["number"]]) == []
        assert (store.folder / there[one["number"]]["file"]).exists()
    assert [one["kind"] for one in turn["made"]] == ["clip"]
    assert turn["made"][0]["number"] == max(there) + 1
    assert store.told("replay", run)["same"]


def test_a_finished_run_is_forked(store: Store) -> None:
    parent = store.runs["short"]
    branch = store.told("fork", parent, "--at", "4", "--seed", "12")
    shown = store.told("show", branch["run"])
    assert (branch["status"], shown["parent"]) == ("done", parent)
    assert branch["sha256"] != store.expected["replayed"]["short"]["sha256"]
    assert store.told("replay", branch["run"])["sha256"] == branch["sha256"]
    # The stored branch stands below its parent, and begins with the products that it has from it.
    assert store.told("show", store.runs["fork"])["parent"] == parent


def test_scores_are_found_again(store: Store) -> None:
    assert lacking(store.expected["listed"], store.told("evaluate", "list")) == []
    for expected in store.expected["judged"]:
        [run] = [one["name"] for one in expected["videos"]]
        metrics = ",".join(one["metric"] for one in expected["scorers"])
        judged = store.told("evaluate", "runs", run, "--metrics", metrics)
        # A scorer names the libraries that it ran with: judged again is what others are installed for here.
        stored, now = settings_of(expected), settings_of(judged)
        same = {metric for metric in stored if stored[metric] == now[metric]}
        assert judged["made"] == len(stored) - len(same)
        known = {metric: score for metric, score in scores_of(expected).items() if metric in same}
        assert lacking(known, scores_of(judged)) == []
        assert store.told("evaluate", "runs", run, "--metrics", metrics)["made"] == 0


def settings_of(judged: Any) -> dict[str, Any]:
    """By metric, what its numbers rest on beside its code and weights."""
    return {one["metric"]: one["settings"] for one in judged["scorers"]}


def scores_of(judged: Any) -> Any:
    """By metric, all that was said of the only film."""
    return {one["metric"]: {"value": one["value"], "values": one["values"]} for one in judged["scores"]}


def test_stored_evaluations_are_compared(store: Store) -> None:
    first, second = store.expected["judged"]
    compared = store.told("evaluate", "compare", first["evaluation"], second["evaluation"])
    found = {one["metric"]: (one["first"], one["second"]) for one in compared["differences"]}
    means = [{one["metric"]: one["mean"]["value"] for one in judged["metrics"]} for judged in (first, second)]
    assert found == {name: pytest.approx((means[0][name], means[1][name])) for name in found}
    assert found


def test_a_film_that_was_handed_out_is_verified(store: Store) -> None:
    expected, found = store.expected["verified"], store.told("verify", "short.mp4")
    assert found["verified"]
    kept = ("verified", "problem", "fault", "run", "run_here", "film", "sha256", "film_here", "statement")
    assert lacking({field: expected[field] for field in kept}, found) == []
    assert found["signer"]["name"] == expected["signer"]["name"]


def elsewhere(shown: Any) -> Any:
    """What a run is shown as after it travelled: the lines of the ledger have other numbers there."""
    calls = [{name: value for name, value in call.items() if name != "id"} for call in shown["agent_calls"]]
    return {**shown, "agent_calls": calls}


def test_an_exported_run_is_imported(store: Store) -> None:
    run, expected = store.runs["short"], store.expected
    assert store.told("import", "short.zip", home="elsewhere")["runs"] == [run]
    shown = store.told("show", run, "--checkpoints", home="elsewhere")
    assert lacking(elsewhere(expected["shown"]["short"]), shown) == []
    assert store.told("replay", run, home="elsewhere")["sha256"] == expected["replayed"]["short"]["sha256"]


def test_a_stored_conversation_travels(store: Store) -> None:
    run = store.runs["conversation"]
    store.told("export", run, "--out", "conversation.zip")
    assert store.told("import", "conversation.zip", home="elsewhere")["runs"] == [run]
    expected = store.expected["shown"]["conversation"]
    assert lacking(elsewhere(expected), store.told("show", run, "--checkpoints", home="elsewhere")) == []
