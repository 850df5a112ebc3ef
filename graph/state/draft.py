"""A working copy of the board on which the moves of one turn are applied."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, cast

from graph.errors import RequestError
from graph.state.channels import MOVE_RULES, Call, Limits, Past, Round, RunState, Take
from graph.state.products import numbers_of
from graph.state.takes import best, call_of, chosen, round_of, takes_of
from graph.state.tasks import AnyTool
from memory.records import Media
from tools.registry import TOOLS

MediaOf = Callable[[str], Media]
"""Describes a stored product by its artifact id. Raises UnknownArtifact."""


def no_media(artifact: str) -> Media:
    """Describe no product: for moves that do not depend on lengths."""
    raise AssertionError(f"nobody said how long {artifact} is")


@dataclass
class BoardDraft:
    """A working copy of the board for one turn, and the previous values of what the turn has changed.

    media: describes stored products. notes: sentences about what the moves decided. rules: as `MOVE_RULES`.
    """

    state: RunState
    limits: Limits
    past: Past
    media: MediaOf = no_media
    rules: int = MOVE_RULES
    notes: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, state: RunState, limits: Limits, media: MediaOf = no_media, rules: int = MOVE_RULES) -> "BoardDraft":
        """Return a copy of the board of a state."""
        copy = RunState(**state)
        copy["calls"] = list(state.get("calls", []))
        copy["rounds"], copy["choices"] = dict(state.get("rounds", {})), dict(state.get("choices", {}))
        return cls(copy, limits, Past(calls={}, rounds={}, choices={}), media, rules)

    def call(self, call_id: str) -> Call:
        """Return the call with this id. Raises RequestError if it is not on the board."""
        try:
            return call_of(self.state, call_id)
        except StopIteration:
            raise RequestError(
                "call-unknown", f"There is no call {call_id} on the board; look at what is there first.", call=call_id
            ) from None

    def put(self, call: Call, *, after: str | None = None) -> None:
        """Replace the call with this id, or insert a new one (after the call `after`, else at the end)."""
        calls = self.state["calls"]
        at = next((i for i, each in enumerate(calls) if each["id"] == call["id"]), None)
        self.past["calls"].setdefault(call["id"], None if at is None else calls[at])
        if at is not None:
            calls[at] = call
        elif after is None:
            calls.append(call)
        else:
            calls.insert(1 + next(i for i, each in enumerate(calls) if each["id"] == after), call)

    def put_behind(self, new: Call, call: Call) -> None:
        """Insert a call that changes the product of `call`, and make its dependents depend on the new call."""
        for each in [other for other in self.state["calls"] if call["id"] in other["needs"]]:
            needs = [new["id"] if need == call["id"] else need for need in each["needs"]]
            self.put(Call(**{**each, "needs": needs}))
        self.put(new, after=call["id"])

    def begin_round(self, call: Call, count: int = 1, **more: Any) -> None:
        """Begin a new round of a call: `count` more takes, none of the old ones selected."""
        old, made = self.state["rounds"].get(call["id"]), len(takes_of(self.state, call["id"]))
        before: Round = round_of(self.state, call)
        if made:
            self.past["rounds"].setdefault(call["id"], {**before, "upto": before.get("upto", made)})
        else:
            self.past["rounds"].setdefault(call["id"], old)
        kept = {name: before[name] for name in ("again", "most") if name in before}
        self.state["rounds"][call["id"]] = cast(Round, {"since": made, "count": count, **kept, **more})
        self.stand(call["id"], None)

    def stand(self, call_id: str, attempt: int | None) -> None:
        """Select the take of an attempt; None clears the selection."""
        choices = self.state["choices"]
        self.past["choices"].setdefault(call_id, choices.get(call_id))
        if attempt is None:
            choices.pop(call_id, None)
        else:
            choices[call_id] = attempt

    def standing(self, call: Call) -> Take | None:
        """Return the selected take of a call, or None."""
        return chosen(self.state, call["id"], self.limits)

    def ensure_chosen(self, call: Call) -> None:
        """Select a take of a call that is about to be built on, if none is selected yet."""
        if self.standing(call) is None:
            take = best(self.state, call) or next(iter(takes_of(self.state, call["id"])[-1:]), None)
            if take is None:
                raise RequestError(
                    "product-not-made",
                    f"The {made_by(call)} of shot {call['shot']} is not made yet; say `go on` first.",
                )
            self.stand(call["id"], take["attempt"])

    def next_shot(self) -> int:
        """Return a shot number that was never used: the takes of an undone call stay stored under its id."""
        return 1 + max((int(call_id.split(".")[0]) for call_id in self.ids()), default=0)

    def ids(self) -> set[str]:
        """Return the ids of all calls that are or were on the board."""
        return {call["id"] for call in self.state["calls"]} | set(self.state.get("takes", {}))

    def free_id(self, shot: int, tool: AnyTool) -> str:
        """Return an id for a call of a shot that was never used."""
        taken, plain = self.ids(), f"{shot}.{tool}"
        numbered = (f"{plain}.{number}" for number in range(2, 1000))
        return plain if plain not in taken else next(name for name in numbered if name not in taken)

    def new_call(self, tool: AnyTool, arguments: dict[str, Any], *needs: str) -> Call:
        """Add a call for a new shot. needs: the calls whose products it uses."""
        shot = self.next_shot()
        call = Call(id=f"{shot}.{tool}", shot=shot, tool=tool, arguments=arguments, needs=list(needs))
        self.put(call)
        return call

    def numbered(self, artifacts: Iterable[str]) -> list[str]:
        """Return `number 3` for each product that has a number."""
        numbers = numbers_of(self.state)
        return [f"number {number}" for number in sorted({numbers[each] for each in artifacts if each in numbers})]

    def named(self, artifact: str) -> str:
        """Return a product as the subject of a sentence: `Number 3`, or its id if it has no number."""
        return next((name.capitalize() for name in self.numbered([artifact])), artifact)


def made_by(call: Call) -> str:
    """Return what a call makes, in the user's terms: picture, clip or film."""
    makes = TOOLS[call["tool"]].makes
    return "picture" if makes == "image" else makes
