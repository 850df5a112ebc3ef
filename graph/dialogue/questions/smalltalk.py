"""Answer small talk: greetings, thanks, complaints, questions about Mora. It gives replies and never moves."""

import re

from graph.dialogue.products.candidates import UNSEEN
from graph.dialogue.questions.texts import HELP
from graph.planning.turn import TalkBrief

EXAMPLE = "`a red ball moves right in the snow`"
NOT_LIKED = "Say `again` for another one, or what to change, like `make it blue`; `undo` takes back the last turn."
ABOUT = (
    "I am Mora: my agents draw a picture of what you describe, edit it, animate it and join clips into a film. `help` "
    "lists what you can say."
)
KEPT = "Nothing that was made is deleted. `undo` takes back the last turn; what is not chosen is in no film."
SAVING = "Say `save it as ball.mp4` for a copy of the last product, or `save number 2 as ball.png`."
SHOWING = "Open the file of a product to see it whole; `what do I have?` lists what there is."
SHORTER = "Say the times to keep, in seconds, like `trim number 2 from 0 to 1.5 seconds`; it costs nothing."
WHY = "I cannot tell why an agent painted it like that; `what did you do?` shows what everything was made from."
STRANGE = "I read English only; say it in English, like {example}."

_BAD = (
    r"ugly|bad|wrong|awful|terrible|horrible|boring|too (?:big|small|dark|bright|fast|slow)|not (?:good|nice|right|"
    r"what i (?:want|wanted|meant|asked for)|it)"
)
_IT = r"(?:it|that|this|them|these|those|all|everything|number \d+)"
SMALL: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), answer)
    for pattern, answer in (
        (r"(?:who|what) are you|what is (?:this|mora)|tell me about yourself|introduce yourself", ABOUT),
        (r"what (?:can|do|could) you (?:do|make|draw|understand|know)|what else(?: can (?:i|you) \w+)?", HELP),
        (rf"(?:no|nope|nah|{_IT} (?:is |looks |are )?(?:really |so |very )?(?:{_BAD})|{_BAD}|yuck|bah)", NOT_LIKED),
        (rf"i (?:do not|dont|really do not) (?:like|want|love) {_IT}(?: at all)?|i (?:hate|dislike) {_IT}", NOT_LIKED),
        (rf"(?:do|did) you (?:like|love) {_IT}|what do you think(?: (?:of|about) {_IT})?|which (?:one )?is (?:best|"
         r"better|nicer|the best)(?: one)?|which (?:one )?do you (?:like|prefer)(?: best| more)?", UNSEEN),
        (rf"(?:where is|how long is|how big is|what size is) (?:{_IT}|the .+)", SHOWING),
        (r"(?:why|how come)\b.*", WHY),
        (r"(?:add|with|give it) (?:some )?(?:music|sound|audio|a voice|a song)", "The films are silent."),
        (r"sorry|oops|my mistake|my bad", "No problem; `undo` takes back the last turn."),
        (r"(?:wait|stop|pause|hold on|one moment|a moment|halt)(?: a (?:moment|second))?",
         "Nothing is made until you ask for it."),
        (r"(?:quit|exit|bye|goodbye|good bye|leave|see you)", "You can leave at any time; nothing is lost."),
    )
)  # fmt: skip
LATE: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), answer)
    for pattern, answer in (
        (rf"(?:delete|remove|erase|drop|discard|throw away|clear)(?: {_IT}| the .+)?(?: away)?", KEPT),
        (r"(?:save|store|export|download|keep a copy of)\b.*|.*\b(?:as|to) (?:a )?(?:gif|mp4|webm|png)", SAVING),
        (rf"(?:play|show|open|display|view|watch|see|look at)(?: me)?(?: {_IT}| the .+)?(?: again)?", SHOWING),
        (r"(?:make (?:it|this|that) (?:a bit )?shorter|(?:cut|trim|shorten)\b.*)", SHORTER),
    )
)
"""Answers to lines that were not understood as a request."""
_THANKS = re.compile(r"\b(?:thanks|thank you|thx|cheers)\b")
_HELLO = re.compile(r"(?:good (?:morning|day|evening|afternoon)|how are you|how do you do|what is up|hiya|greetings)")
_GREETING = re.compile(
    r"(?:(?:hi|hello|hey|hiya|yo|thanks|thank you|cheers|thx|greetings|mora|there|a lot|so much|very much|everyone|"
    r"many thanks|thank you so much|much appreciated|nice to meet you|welcome|[,.!]) ?)+"
)
_FOREIGN = (
    "nochmal einmal weiter bitte danke hallo ihn mach mache macht zeig zeige blau rot gruen grün gelb schnee nacht "
    "links rechts zurueck zurück guten wie hilfe nein ja warum ist das encore merci bonjour salut rouge bleu suite "
    "oui aide hola otra vez gracias ayuda azul rojo ciao grazie ancora"
)
"""Frequent words of other languages that English does not have."""


def small_talk(brief: TalkBrief, normalized: str, text: str) -> str | None:
    """Return the reply to small talk, or None for everything else.

    normalized: lower-case words with a space between them; text: the same without polite phrases.
    """
    if not text or _HELLO.fullmatch(text) or _GREETING.fullmatch(text):
        return _greeted(brief, normalized)
    whole = normalized.rstrip(" .!?,")  # `what can you do`: "can you" would be removed as a polite phrase
    return next((answer for pattern, answer in SMALL if pattern.fullmatch(text) or pattern.fullmatch(whole)), None)


def late_talk(text: str) -> str | None:
    """Return what to say to a line that was not understood as a request, if it is near one."""
    return next((answer for pattern, answer in LATE if pattern.fullmatch(text)), None)


def _greeted(brief: TalkBrief, normalized: str) -> str:
    if _THANKS.search(normalized):
        return "You are welcome."
    if brief.things:
        return "Hello. Say what to change, or what you want to see; `what do I have?` lists what there is."
    return f"Hello. Say what you want to see, like {EXAMPLE}, or `help`."


def is_foreign(text: str) -> bool:
    """Return whether a line of lower-case words has a frequent word of another language."""
    return bool(set(text.split()) & set(_FOREIGN.split()))


def not_understood(brief: TalkBrief, normalized: str) -> str:
    """Return the reply to a sentence without known words: what can be said instead on this board."""
    if is_foreign(normalized):
        return STRANGE.format(example="`make it blue`" if brief.things else EXAMPLE)
    what = f"I did not understand `{brief.said.strip()[:80]}`"
    if not brief.things:
        return f"{what}; say what you want to see, like {EXAMPLE}, or `help`."
    if any(product.waits for product in brief.things):
        return f"{what}; say `go on`, `again`, what to change (`make it blue`, `let it fly to the left`), or `help`."
    return f"{what}; say what to do with it (`make it blue`, `extend it`), wish for something new, or `help`."
