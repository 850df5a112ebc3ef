"""What a turn said and made is stored: once, whoever drives the run, also after a stop, an undo, a crash, in a fork."""

import ast
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from graph.planning.turn import Answer
from graph.runs import chat, turns
from graph.runs.chat.conversation import Conversation
from graph.runs.chat.opening import give_up_turn, new_chat
from graph.runs.chat.results import Help, Leave, OneProduct, Products, Result, Save, Sentence, TurnResult
from graph.runs.observer import unobserved
from graph.runs.runner import answer, question_of_run, resume, start
from graph.runs.services import Services
from graph.runs.time_travel import Changes, fork
from graph.state.moves import Again, GoOn, Undo, Wish
from graph.views import run_as_json
from memory.archive import Archive
from memory.database.tables import TurnRow
from memory.errors import DatabaseTrouble
from memory.records import Request, Run, TurnRecord
from memory.turns import turns_of
from models.errors import OutOfMemory
from support.tiny_agents import TinyLender, rooms_with

WISH = "a red ball moves right in the snow"
STAR = "a blue star moves up in the sea"


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with Archive.open(f"sqlite:///{tmp_path / 'mora.db'}", tmp_path) as opened:
        yield opened


@pytest.fixture
def lender() -> TinyLender:
    return TinyLender()


@pytest.fixture
def services(archive: Archive, lender: TinyLender) -> Services:
    return rooms_with(archive, lender)


def begun(services: Services, **asked: Any) -> Conversation:
    request = Request(prompt="", review="chat", seed=5).model_copy(update=asked)
    return conversation(services, new_chat(services, request, {}, unobserved))


def conversation(services: Services, run: Run) -> Conversation:
    talked = Conversation(services, run, lambda: nullcontext(unobserved))
    list(talked.begin())
    return talked


def turn_of(results: Iterator[Result]) -> TurnResult:
    *_, result = results
    assert isinstance(result, TurnResult)
    return result


def says(talked: Conversation, *lines: str) -> list[TurnRecord]:
    """The turns that are stored once all the lines were said."""
    for line in lines:
        list(talked.say(line))
    return turns_of(talked.services.archive, talked.run.id)


def told(result: TurnResult) -> dict[str, Any]:
    """What a face is told of a turn, in the form in which it is stored."""
    ids = {number: artifact for artifact, number in result.numbers.items()}
    changed = [(number, ids[number], mark) for mark, numbers in result.changed.items() for number in numbers]
    return {
        "moves": list(result.moves),
        "reply": result.reply,
        "voice": result.voice,
        "notes": list(result.notes),
        "made": [(product.number, product.id, mark) for product, mark in result.made],
        "changed": sorted(changed),
        "asked": result.question,
    }


def stored(turn: TurnRecord) -> dict[str, Any]:
    products = [(product.number, product.artifact, product.mark, product.made) for product in turn.products]
    return {
        "moves": list(turn.moves),
        "reply": turn.reply,
        "voice": turn.voice,
        "notes": list(turn.notes),
        "made": [tuple(rest) for *rest, made in products if made],
        "changed": [tuple(rest) for *rest, made in products if not made],
        "asked": turn.asked,
    }


def test_what_a_face_is_told_is_what_is_stored(services: Services) -> None:
    talked = begun(services)
    lines = [WISH, "again", "/use 1", "go on", "make it blue", "undo", "undo", "what do I have?", "go on", "xyzzy"]
    results = [turn_of(talked.say(line)) for line in lines]
    kept = turns_of(services.archive, talked.run.id)
    assert [stored(turn) for turn in kept] == [told(result) for result in results]
    assert [turn.words for turn in kept] == [WISH, "again", None, *lines[3:]]
    assert [turn.number for turn in kept] == [*range(1, 11)]
    assert all(turn.state == "done" and turn.ended_at is not None and turn.ended_at >= turn.at for turn in kept)
    undone = {turn.number: turn.undone_by for turn in kept if turn.undone}
    assert undone == {5: 6, 4: 7}
    told_turns = run_as_json(services.archive, talked.run)["turns"]
    assert [(turn["number"], turn["words"], turn["undone"]) for turn in told_turns[:5]] == [
        (1, WISH, False), (2, "again", False), (3, None, False), (4, "go on", True), (5, "make it blue", True),
    ]  # fmt: skip


def test_moves_need_no_line(services: Services) -> None:
    talked = begun(services)
    first = turn_of(talked.play([Wish(words=WISH)]))
    [(picture, mark)] = first.made
    assert (picture.kind, mark, first.question and len(first.question["waiting"])) == ("picture", "waits", 1)
    turn_of(talked.play([Again(call=picture.call, count=2), GoOn()]))
    one, two = turns_of(services.archive, talked.run.id)
    assert (one.words, one.moves) == (None, ({"do": "wish", "words": WISH},))
    assert [move["do"] for move in two.moves] == ["again", "go_on"]


def test_moves_after_an_undo_in_one_turn_are_taken_back_by_the_next(services: Services) -> None:
    talked = begun(services)
    turn_of(talked.play([Wish(words=WISH)]))
    turn_of(talked.play([Undo(), Wish(words=STAR)]))
    turn_of(talked.play([Wish(words=WISH), Undo()]))
    turn_of(talked.play([Undo()]))
    kept = turns_of(services.archive, talked.run.id)
    assert [(turn.changed, turn.undone_by) for turn in kept] == [(True, 2), (True, 4), (False, None), (False, None)]


def test_a_turn_is_found_in_the_stack_when_that_is_full(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    from graph.machine import turn as machine

    for module in (machine, turns):
        monkeypatch.setattr(module, "MOST_PAST", 2)
    talked = begun(services)
    kept = says(talked, WISH, "again", "again", "again", "undo", "undo", "undo")
    assert [turn.changed for turn in kept] == [True] * 4 + [False] * 3
    assert [turn.undone_by for turn in kept[:4]] == [None, None, 6, 5]
    assert kept[6].reply is not None and "nothing to take back" in kept[6].reply


def test_what_needs_no_turn_stores_none(services: Services) -> None:
    talked = begun(services)
    says(talked, WISH)
    kinds = {
        "/help": Help, "/takes": Products, "/board": Sentence, "/show 1": OneProduct, "save it as ball.png": Save,
        "/likes": Sentence, "remember that I like 3 seconds": Sentence, "bye": Leave,
    }  # fmt: skip
    assert {line: [type(result) for result in talked.say(line)] for line in kinds} == {
        line: [kind] for line, kind in kinds.items()
    }
    assert len(turns_of(services.archive, talked.run.id)) == 1


def full(lender: TinyLender, is_full: bool) -> None:
    lender.trouble = OutOfMemory("out-of-memory", "A picture needs 9 GiB, 1 is free") if is_full else None


def test_a_turn_that_stopped_and_is_gone_on_with_is_one(services: Services, lender: TinyLender) -> None:
    talked = begun(services)
    says(talked, WISH, "go on")
    full(lender, True)
    stopped = turn_of(talked.say(STAR))
    assert stopped.failure is not None and "9 GiB" in (stopped.failure.sentence or "")
    *_, third = turns_of(services.archive, talked.run.id)
    assert (third.state, third.words, third.error) == ("stopped", STAR, stopped.failure.sentence)
    assert [move["do"] for move in third.moves] == ["wish"]
    full(lender, False)
    *_, third = says(talked, "")
    assert (third.number, third.state, third.error, third.undone) == (3, "done", None, False)
    assert [(product.number, product.mark, product.made) for product in third.products] == [(3, "waits", True)]


def test_a_turn_that_was_given_up_stays_with_a_mark(services: Services, lender: TinyLender) -> None:
    talked = begun(services)
    full(lender, True)
    list(talked.say(WISH))
    full(lender, False)
    first, second = says(talked, STAR)
    assert (first.words, first.state, first.undone) == (WISH, "given_up", True)
    assert first.error is not None and "9 GiB" in first.error
    assert (second.words, second.state, second.changed) == (STAR, "done", True)


def test_a_command_that_resumes_or_gives_up_stores_it_too(services: Services, lender: TinyLender) -> None:
    talked = begun(services)
    for line in (WISH, STAR):
        full(lender, True)
        list(talked.say(line))
        full(lender, False)
        if line == STAR:
            give_up_turn(services, talked.run.id)
        resume(services, talked.run.id, unobserved)
        talked.look()
    first, second = turns_of(services.archive, talked.run.id)
    assert (first.state, [product.number for product in first.products]) == ("done", [1])
    assert (second.state, second.undone) == ("given_up", True)


def test_an_answer_without_a_conversation_is_stored_too(services: Services) -> None:
    """As the review of a generated film is: it is no conversation, and a person is asked all the same."""
    run = start(services, Request(prompt=WISH, review="ask", seed=5), {}, unobserved)
    for said in ("go on", "go on"):
        question = question_of_run(services, run)
        assert question is not None
        run = answer(services, run.id, question, Answer(said=said), unobserved)
    assert run.status == "done"
    one, two = turns_of(services.archive, run.id)
    assert [product.number for product in one.products] == [2, 1]
    assert (two.state, two.asked) == ("done", None)
    alone = start(services, Request(prompt=STAR, seed=5), {}, unobserved)
    assert turns_of(services.archive, alone.id) == []


Dies = Callable[[pytest.MonkeyPatch], None]


def never_stores(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the process were killed before it stores what came of the turn."""

    def dies(*_args: Any, **_named: Any) -> None:
        raise DatabaseTrouble("database-unusable", "the process was killed")

    monkeypatch.setattr(turns, "end_turn", dies)


def test_what_a_killed_process_could_not_store_the_next_turn_stores(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    talked = begun(services)
    says(talked, WISH)
    with monkeypatch.context() as killed:
        never_stores(killed)
        result = turn_of(talked.say("again"))
    *_, lost = turns_of(services.archive, talked.run.id)
    assert (lost.number, lost.words, lost.state, lost.products) == (2, "again", "working", ())
    kept = says(talked, "what do I have?")
    assert stored(kept[1]) == told(result)
    assert [turn.state for turn in kept] == ["done"] * 3


def test_an_end_that_is_stored_again_is_the_same(services: Services) -> None:
    talked = begun(services)
    before = says(talked, WISH, "go on", "make it blue", "undo")
    with services.archive.hold(talked.run.id) as lease:
        turns._store(services, lease, before[-1], [])
    after = turns_of(services.archive, talked.run.id)
    assert [turn.model_copy(update={"ended_at": None}) for turn in after] == [
        turn.model_copy(update={"ended_at": None}) for turn in before
    ]


def test_a_turn_that_was_never_heard_gives_its_place_to_the_next(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    from graph.runs import runner

    talked = begun(services)
    says(talked, WISH)
    with monkeypatch.context() as killed:
        killed.setattr(runner, "_until_it_stops", lambda *_args, **_named: (_ for _ in ()).throw(KeyboardInterrupt))
        result = turn_of(talked.say("again"))
    assert result.failure is not None and result.failure.sentence is None
    assert [turn.state for turn in turns_of(services.archive, talked.run.id)] == ["done", "stopped"]
    resume(services, talked.run.id, unobserved)
    talked.look()
    assert [turn.words for turn in says(talked, "go on")] == [WISH, "go on"]


def test_a_conversation_of_an_older_program_has_its_turns_from_now_on(services: Services, lender: TinyLender) -> None:
    talked = begun(services)
    says(talked, WISH)
    full(lender, True)
    list(talked.say(STAR))
    full(lender, False)
    with services.archive.writing() as session:  # as if the table had come with an upgrade just now
        session.query(TurnRow).delete()
    assert run_as_json(services.archive, talked.run)["turns"] == []
    [turn] = says(talked, "")
    assert (turn.number, turn.words, turn.state) == (1, STAR, "done")
    assert [product.number for product in turn.products] == [2]
    assert [turn.words for turn in says(talked, "what do I have?")] == [STAR, "what do I have?"]


def test_a_fork_has_the_turns_that_there_were(services: Services) -> None:
    talked = begun(services)
    parent = says(talked, WISH, "again", "undo", "go on")
    steps = run_as_json(services.archive, talked.run, checkpoints=True)["checkpoints"]
    ends = [step["number"] for step in steps if step["after"] == "review"]
    branch = fork(services, talked.run.id, str(ends[1]), Changes(), {}, unobserved)
    mine = turns_of(services.archive, branch.id)
    expected = [parent[0], parent[1].model_copy(update={"undone_by": None})]
    assert mine == [turn.model_copy(update={"run": branch.id}) for turn in expected]
    kept = says(conversation(services, branch), "undo")
    assert [(turn.number, turn.undone_by) for turn in kept] == [(1, None), (2, 3), (3, None)]
    assert turns_of(services.archive, talked.run.id) == parent


def test_a_fork_from_the_middle_of_a_turn_ends_it_in_its_own_way(services: Services) -> None:
    talked = begun(services)
    says(talked, WISH, "again")
    steps = run_as_json(services.archive, talked.run, checkpoints=True)["checkpoints"]
    heard = [step["number"] for step in steps if step["after"] == "think"][1]
    branch = fork(services, talked.run.id, str(heard), Changes(seed=6), {}, unobserved)
    one, two = turns_of(services.archive, branch.id)
    assert (one.words, two.words, two.state) == (WISH, "again", "done")
    assert [product.number for product in two.products] == [2]
    there = turns_of(services.archive, talked.run.id)[1]
    assert two.products[0].artifact != there.products[0].artifact


def test_a_conversation_knows_neither_keyboard_nor_page() -> None:
    faces = {"json", "rich", "prompt_toolkit", "typer", "sys", "signal", "fastapi"}
    for path in Path(str(chat.__file__)).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not {name.split(".")[0] for name in names} & faces, f"{path.name} knows a face"
