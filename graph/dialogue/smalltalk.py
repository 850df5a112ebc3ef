"""What is said beside the work, and deserves an answer: greetings, thanks, displeasure, questions about Mora herself.

Data and one function; what it finds is a reply, and never a move.
"""

import re

from graph.dialogue.phrases import HELP
from graph.planning.turn import TalkBrief

EXAMPLE = "`a red ball moves right in the snow`"
NOT_LIKED = (
    "Say `again` for another one, or what shall be otherwise, like `make it blue`; `undo` takes the last turn back."
)
ABOUT = (
    "I am Mora: agents draw a picture of what you say, change it, set it in motion and join clips to a film. `help` "
    "says what you can say."
)
KEPT = "Nothing that was made is deleted. `undo` takes the last turn back; what does not stand is in no film."
SAVING = "`/save ball.mp4` writes a copy of the last product, `/save ball.png 2` one of number 2."
SHOWING = "The file stands below each product; open that. `/show 2` shows number 2 again, /takes lists every one."
UNSEEN = "I cannot see which one is best; that is yours to say, by its number."
SHORTER = "Nothing is cut off a clip; `make it 1 second long` animates it anew, as long as you say."
WHY = "I cannot tell why an agent painted it so; `what did you do?` tells what everything was made of."
STRANGE = "I read English only; say it in English, like {example}."

_BAD = (
    r"ugly|bad|wrong|awful|terrible|horrible|boring|too (?:big|small|dark|bright|fast|slow)|not (?:good|nice|right|"
    r"what i (?:want|wanted|meant|asked for)|it)"
)
_IT = r"(?:it|that|this|them|these|those|all|everything|number \d+)"
SMALL: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(said), answer)
    for said, answer in (
        (r"(?:who|what) are you|what is (?:this|mora)|tell me about yourself|introduce yourself", ABOUT),
        (r"what (?:can|do|could) you (?:do|make|draw|understand|know)|what else(?: can (?:i|you) \w+)?", HELP),
        (rf"(?:no|nope|nah|{_IT} (?:is |looks |are )?(?:really |so |very )?(?:{_BAD})|{_BAD}|yuck|bah)", NOT_LIKED),
        (rf"i (?:do not|dont|really do not) (?:like|want|love) {_IT}(?: at all)?|i (?:hate|dislike) {_IT}", NOT_LIKED),
        (rf"(?:do|did) you (?:like|love) {_IT}|what do you think(?: (?:of|about) {_IT})?|which (?:one )?is (?:best|"
         r"better|nicer|the best)(?: one)?|which (?:one )?do you (?:like|prefer)(?: best| more)?", UNSEEN),
        (rf"(?:delete|remove|erase|drop|discard|throw away|clear)(?: {_IT}| the .+)?(?: away)?", KEPT),
        (rf"(?:save|store|export|download|keep a copy of)(?: {_IT}| the .+)?", SAVING),
        (rf"(?:play|show|open|display|view|watch|see|look at)(?: me)?(?: {_IT}| the .+)?(?: again)?", SHOWING),
        (rf"(?:where is|how long is|how big is|what size is) (?:{_IT}|the .+)", SHOWING),
        (r"(?:why|how come)\b.*", WHY),
        (r"(?:make (?:it|this|that) (?:a bit )?shorter|(?:cut|trim|shorten)\b.*)", SHORTER),
        (r"(?:add|with|give it) (?:some )?(?:music|sound|audio|a voice|a song)", "The films are silent."),
        (r"sorry|oops|my mistake|my bad", "No harm done; `undo` takes the last turn back."),
        (r"(?:wait|stop|pause|hold on|one moment|a moment|halt)(?: a (?:moment|second))?",
         "Nothing is made until you say so."),
        (r"(?:quit|exit|bye|goodbye|good bye|leave|see you)", "Leave when you like; nothing is lost."),
    )
)  # fmt: skip
_THANKS = re.compile(r"\b(?:thanks|thank you|thx|cheers)\b")
_HELLO = re.compile(r"(?:good (?:morning|day|evening|afternoon)|how are you|how do you do|what is up|hiya|greetings)")
_FOREIGN = (
    "nochmal einmal weiter bitte danke hallo ihn mach mache macht zeig zeige blau rot gruen grün gelb schnee nacht "
    "links rechts zurueck zurück guten wie hilfe nein ja warum ist das encore merci bonjour salut rouge bleu suite "
    "oui aide hola otra vez gracias ayuda azul rojo ciao grazie ancora"
)
"""Words that a person of another language begins with, and English has not."""


def small_talk(brief: TalkBrief, said: str, text: str) -> str | None:
    """The answer to what is no wish and no order; None for everything else. said: lower-case words with a space
    between them; text: those without what is only polite."""
    if not text or _HELLO.fullmatch(text):
        return _greeted(brief, said)
    whole = said.rstrip(" .!?,")  # `what can you do` is polite and a question
    return next((answer for pattern, answer in SMALL if pattern.fullmatch(text) or pattern.fullmatch(whole)), None)


def _greeted(brief: TalkBrief, said: str) -> str:
    if _THANKS.search(said):
        return "You are welcome."
    if brief.things:
        return "Hello. Say what becomes of what is there, or what you want to see; `what do I have?` tells it."
    return f"Hello. Say what you want to see, like {EXAMPLE}, or `help`."


def not_understood(brief: TalkBrief, said: str) -> str:
    """What is told of words that mean nothing here: what can be said instead, as the board is."""
    if set(said.split()) & set(_FOREIGN.split()):
        return STRANGE.format(example="`make it blue`" if brief.things else EXAMPLE)
    what = f"I did not understand `{brief.said.strip()[:80]}`"
    if not brief.things:
        return f"{what}; say what you want to see, like {EXAMPLE}, or `help`."
    if any(thing.waits for thing in brief.things):
        return (
            f"{what}; say `go on`, `again`, what becomes of it (`make it blue`, `let it fly to the left`), or `help`."
        )
    return f"{what}; say what becomes of it (`make it blue`, `extend it`), wish for something new, or `help`."
