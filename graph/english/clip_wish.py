"""Parse a wish about given clips for the embedded world: which task it is, and its parameters."""

from graph.english.clauses import Clause, ParsedWish, parse_clauses, refuse_foreign
from graph.english.connectives import strip_backward_phrases, strip_extension_phrases
from graph.english.durations import check_seconds, share_seconds
from graph.english.edits import CHANGEABLE, Changes, changes_in
from graph.english.lexicon import Word, verb_forms
from graph.english.refusals import Refusal
from graph.english.tagger import tag_words, tokens
from graph.planning.brief import Brief
from graph.planning.plan import EnhancedShot, Enhancement
from graph.state.tasks import Procedural, decided
from models.embedded.language import MOTIONS, Motion, motion_sentence

WORDS_SHOWN = 200


def read_clips(brief: Brief) -> Enhancement:
    """Act as A1 for a wish about clips. Raises Refusal with one sentence if it cannot be done."""
    refuse_foreign(tag_words(brief.prompt), brief.prompt)
    task = decided(brief.task, len(brief.clips)) or _task(brief)
    if task == "connect":
        return _connect(brief)
    return _extend(brief) if task == "extend" else _edit(brief)


def _task(brief: Brief) -> Procedural:
    """Return the task that the words mean: a motion alone extends the clip, a new attribute edits it."""
    if len(brief.clips) > 1:
        if changes_in(tag_words(brief.prompt), bare=False).asked:
            raise Refusal(
                "wish-of-two-tasks", "Several clips are connected as they are; to change one of them, give it alone."
            )
        return "connect"
    text, back = strip_backward_phrases(brief.prompt)
    text, on = strip_extension_phrases(text)
    longer = on or back or brief.before
    tagged = tag_words(text)
    moves = _moves(tagged, text, open=_own_motion(brief) is not None)
    asked = changes_in(tagged, bare=not longer and not moves).asked
    if asked and longer:
        raise Refusal(
            "wish-of-two-tasks",
            "A run makes a clip longer or changes it; wish for one, then for the other on what comes out.",
        )
    if asked or brief.motion == "new":
        return "edit"
    if longer or brief.seconds is not None or moves:
        return "extend"
    if any(word.kind == "other motion" for word in tagged):
        parse_clauses(tagged, text, given=True)  # raises the sentence about a motion that the world does not have
    if {token.text for token in tokens(brief.prompt)} & (verb_forms("connect") | verb_forms("join")):
        raise Refusal("connect-one-clip", "Connecting takes two clips or more, and one is given; give the others too.")
    raise Refusal(
        "clip-wish-empty", f"Say what becomes of the clip: how it goes on (`it keeps moving right`), or {CHANGEABLE}."
    )


def _moves(tagged: list[Word], text: str, *, open: bool) -> bool:
    """Return True if the words contain a motion. open: one that leaves open where (`it keeps moving`) counts, too."""
    rest = changes_in(tagged, bare=False).rest
    try:
        parsed = parse_clauses(rest, text, given=True)
    except Refusal:
        return False
    return bool(_motions(parsed)) or (open and any(clause.values.get("motion") for clause in parsed.clauses))


def _connect(brief: Brief) -> Enhancement:
    spoken = next((word.amount for word in tag_words(brief.prompt) if word.kind == "seconds"), None)
    seconds = check_seconds(brief.seconds if brief.seconds is not None else spoken)
    shot = EnhancedShot(words=brief.prompt[:WORDS_SHOWN], seconds=seconds)
    return Enhancement(task="connect", shots=[shot] * (len(brief.clips) - 1), notes=_read_as(brief, "connect"))


def _extend(brief: Brief) -> Enhancement:
    text, back = strip_backward_phrases(brief.prompt)
    text, _ = strip_extension_phrases(text)
    before = back or brief.before
    parsed = parse_clauses(tag_words(text), text, given=True)
    motions, kept = _with_own_motion(parsed, brief)
    if not motions or len(motions) < len(parsed.clauses):
        how = (
            "what it did before (`before that it moved right`)"
            if before
            else "how it goes on (`it keeps moving right`)"
        )
        raise Refusal("motion-not-said", f"I cannot see how the clip moves; say {how}.")
    if before and len(motions) > 1:
        raise Refusal(
            "motion-not-said",
            "What comes before a clip is one motion; wish for one, then for the other before what comes out.",
        )
    lengths, remarks = share_seconds([clause.seconds for clause in parsed.clauses], brief.seconds, parsed.film_seconds)
    shots = [
        EnhancedShot(words=(clause.words or brief.prompt)[:WORDS_SHOWN], motion=motion, seconds=seconds)
        for clause, motion, seconds in zip(parsed.clauses, motions, lengths, strict=True)
    ]
    notes = [*_read_as(brief, "extend"), *parsed.notes, *kept, *remarks]
    return Enhancement(task="extend", shots=shots, before=before, notes=list(dict.fromkeys(notes)))


def _with_own_motion(parsed: ParsedWish, brief: Brief) -> tuple[list[str], list[str]]:
    """Return the motions of the clauses, and a note if the first one names none and keeps what is seen in the clip."""
    motions, own = _motions(parsed), _own_motion(brief)
    if own is None or not parsed.clauses or len(motions) != len(parsed.clauses) - 1:
        return motions, []
    first = parsed.clauses[0]
    if _motion(first) is not None or own in first.excluded or own not in first.values.get("motion", MOTIONS):
        return motions, []
    return [motion_sentence(own), *motions], [f"It {own}; I kept that."]


def _own_motion(brief: Brief) -> Motion | None:
    """Return the motion that is seen in the only clip, or None."""
    shown = brief.clips[0].shows if len(brief.clips) == 1 else None
    return next((motion for motion in MOTIONS if f" {motion} in the " in (shown or "")), None)


def _edit(brief: Brief) -> Enhancement:
    digital = brief.task == "simulate"
    changes = changes_in(tag_words(brief.prompt), bare=True)
    parsed = parse_clauses(changes.rest, brief.prompt, given=True)
    motions = _motions(parsed)
    if len(motions) > 1:
        raise Refusal("wish-of-two-motions", "An edited clip keeps its motion or gets one other; wish for one.")
    if brief.motion == "new" and not motions:
        raise Refusal(
            "wish-of-two-motions",
            "Say how the clip is to move instead, for example: make it blue and let it move left.",
        )
    if any(clause.seconds is not None for clause in parsed.clauses) or brief.seconds is not None:
        raise Refusal(
            "motion-not-said", "An edited clip keeps its length; leave the seconds out, or extend what comes out."
        )
    shot = EnhancedShot(
        words=brief.prompt[:WORDS_SHOWN],
        edit=_instruction(changes, digital=digital),
        motion=motions[0] if motions else None,
    )
    return Enhancement(task="edit", shots=[shot], notes=[*_read_as(brief, "edit"), *parsed.notes])


def _instruction(changes: Changes, *, digital: bool) -> str:
    if not changes.asked and not digital:
        raise Refusal("clip-wish-empty", f"Say what becomes of the clip: {CHANGEABLE}.")
    return changes.edit(digital=digital).instruction


def _motions(parsed: ParsedWish) -> list[str]:
    """Return `it moves left` for each clause with one motion; open motions do not count."""
    return [motion for clause in parsed.clauses if (motion := _motion(clause)) is not None]


def _motion(clause: Clause) -> str | None:
    known = clause.values.get("motion", ())
    return next((motion_sentence(motion) for motion in MOTIONS if known == (motion,)), None)


def _read_as(brief: Brief, task: Procedural) -> list[str]:
    return [f"I read your wish as the task {task}."] if brief.task == "auto" else []
