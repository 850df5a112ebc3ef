"""Parse a wish about given clips for the embedded world: which task it is, and its parameters."""

from graph.english.clauses import Heard, Said, clauses, refuse_foreign
from graph.english.connectives import goes_back, goes_on
from graph.english.durations import checked, shared
from graph.english.edits import CHANGEABLE, Changes, changes_in
from graph.english.lexicon import Word, verb_forms
from graph.english.refusals import Refusal
from graph.english.tagger import hear, tokens
from graph.planning.brief import Brief
from graph.planning.plan import EnhancedShot, Enhancement
from graph.state.tasks import Procedural, decided
from models.embedded.language import MOTIONS, motion_sentence

WORDS_SHOWN = 200


def read_clips(brief: Brief) -> Enhancement:
    """Act as A1 for a wish about clips. Raises Refusal with one sentence if it cannot be done."""
    refuse_foreign(hear(brief.prompt), brief.prompt)
    task = decided(brief.task, len(brief.clips)) or _task(brief)
    if task == "connect":
        return _connect(brief)
    return _extend(brief) if task == "extend" else _edit(brief)


def _task(brief: Brief) -> Procedural:
    """Return the task that the words mean: a motion alone extends the clip, a new attribute edits it."""
    if len(brief.clips) > 1:
        if changes_in(hear(brief.prompt), bare=False).asked:
            raise Refusal("Several clips are connected as they are; to change one of them, give it alone.")
        return "connect"
    text, back = goes_back(brief.prompt)
    text, on = goes_on(text)
    longer = on or back or brief.before
    heard = hear(text)
    moves = _moves(heard, text)
    asked = changes_in(heard, bare=not longer and not moves).asked
    if asked and longer:
        raise Refusal("A run makes a clip longer or changes it; wish for one, then for the other on what comes out.")
    if asked or brief.motion == "new":
        return "edit"
    if longer or brief.seconds is not None or moves:
        return "extend"
    if any(word.kind == "other motion" for word in heard):
        clauses(heard, text, given=True)  # raises the sentence about a motion that the world does not have
    if {token.text for token in tokens(brief.prompt)} & (verb_forms("connect") | verb_forms("join")):
        raise Refusal("Connecting takes two clips or more, and one is given; give the others too, each with --video.")
    raise Refusal(f"Say what becomes of the clip: how it goes on (`it keeps moving right`), or {CHANGEABLE}.")


def _moves(heard: list[Word], text: str) -> bool:
    """Return True if the words contain a motion."""
    rest = changes_in(heard, bare=False).rest
    try:
        return bool(_motions(clauses(rest, text, given=True)))
    except Refusal:
        return False


def _connect(brief: Brief) -> Enhancement:
    spoken = next((word.amount for word in hear(brief.prompt) if word.kind == "seconds"), None)
    seconds = checked(brief.seconds if brief.seconds is not None else spoken)
    shot = EnhancedShot(words=brief.prompt[:WORDS_SHOWN], seconds=seconds)
    return Enhancement(task="connect", shots=[shot] * (len(brief.clips) - 1), notes=_read_as(brief, "connect"))


def _extend(brief: Brief) -> Enhancement:
    text, back = goes_back(brief.prompt)
    text, _ = goes_on(text)
    before = back or brief.before
    heard = clauses(hear(text), text, given=True)
    motions = _motions(heard)
    if not motions or len(motions) < len(heard.said):
        how = (
            "what it did before (`before that it moved right`)"
            if before
            else "how it goes on (`it keeps moving right`)"
        )
        raise Refusal(f"I cannot see how the clip moves; say {how}.")
    if before and len(motions) > 1:
        raise Refusal("What comes before a clip is one motion; wish for one, then for the other before what comes out.")
    lengths, told = shared([said.seconds for said in heard.said], brief.seconds, heard.film_seconds)
    shots = [
        EnhancedShot(words=said.words[:WORDS_SHOWN], motion=motion, seconds=seconds)
        for said, motion, seconds in zip(heard.said, motions, lengths, strict=True)
    ]
    notes = [*_read_as(brief, "extend"), *heard.notes, *told]
    return Enhancement(task="extend", shots=shots, before=before, notes=list(dict.fromkeys(notes)))


def _edit(brief: Brief) -> Enhancement:
    digital = brief.task == "simulate"
    changes = changes_in(hear(brief.prompt), bare=True)
    heard = clauses(changes.rest, brief.prompt, given=True)
    motions = _motions(heard)
    if len(motions) > 1:
        raise Refusal("An edited clip keeps its motion or gets one other; wish for one.")
    if brief.motion == "new" and not motions:
        raise Refusal("Say how the clip is to move instead, for example: make it blue and let it move left.")
    if any(said.seconds is not None for said in heard.said) or brief.seconds is not None:
        raise Refusal("An edited clip keeps its length; leave the seconds out, or extend what comes out.")
    shot = EnhancedShot(
        words=brief.prompt[:WORDS_SHOWN],
        edit=_instruction(changes, digital=digital),
        motion=motions[0] if motions else None,
    )
    return Enhancement(task="edit", shots=[shot], notes=[*_read_as(brief, "edit"), *heard.notes])


def _instruction(changes: Changes, *, digital: bool) -> str:
    if not changes.asked and not digital:
        raise Refusal(f"Say what becomes of the clip: {CHANGEABLE}.")
    return changes.edit(digital=digital).instruction


def _motions(heard: Heard) -> list[str]:
    """Return `it moves left` for each clause with one motion; open motions do not count."""
    return [motion for said in heard.said if (motion := _motion(said)) is not None]


def _motion(said: Said) -> str | None:
    known = said.values.get("motion", ())
    return next((motion_sentence(motion) for motion in MOTIONS if known == (motion,)), None)


def _read_as(brief: Brief, task: Procedural) -> list[str]:
    return [f"I read your wish as the task {task}."] if brief.task == "auto" else []
