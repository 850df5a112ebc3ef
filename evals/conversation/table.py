"""The shares of right, harmless and wrong, as text."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from evals.conversation.measure import Graded
from evals.conversation.outcomes import Grade
from evals.conversation.phrases import Part

_GRADES: tuple[Grade, ...] = ("right", "harmless", "wrong")


def table_of(part: Part, found: Mapping[str, Counter[Grade]]) -> str:
    """Return a table with a row per kind of phrase."""
    lines = [f"{part:<14}{'n':>5}{'right':>8}{'harmless':>10}{'wrong':>7}"]
    for kind, counts in found.items():
        n = counts.total()
        right, harmless, wrong = (counts[grade] for grade in _GRADES)
        lines.append(f"{kind:<14}{n:>5}{right / n:>8.2f}{harmless:>10}{wrong:>7}")
    return "\n".join(lines)


def failure_lines(graded: Sequence[Graded]) -> Iterator[str]:
    """Yield a line for every phrase that is not right: what was said, what was wanted, what was done."""
    for each in graded:
        if each.grade == "right":
            continue
        phrase, did = each.phrase, each.did
        wanted = [want.model_dump(exclude_defaults=True, mode="json") for want in phrase.want]
        done = [
            f"{act.do} {sorted(act.of) or ''} {dict(act.to) or ''} {dict(act.more) or ''}".strip() for act in did.acts
        ]
        yield f"{each.grade.upper():<9}[{phrase.state}, {phrase.kind}] {phrase.say!r}"
        yield f"          want {wanted}"
        yield f"          did {done or did.local or 'nothing'}; {did.answer[:300]!r}"
