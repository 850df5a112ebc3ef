"""Questions as patterns, each with its answer: whole lines, and topics that a question mentions."""

import re
from collections.abc import Callable, Sequence

from graph.dialogue.questions.board import (
    board,
    how_long,
    how_made,
    how_many,
    kind_of_latest,
    length,
    meaning,
    next_to_say,
    parts_of_film,
    said_before,
    stale,
    still_there,
    waiting,
    what_happened,
    which,
)
from graph.dialogue.questions.texts import (
    BIGGER,
    CAMERA,
    FILES,
    GIVEN,
    HELP,
    MEANINGS,
    MEANT_AS,
    SILENT,
    SIZE,
    WORLD,
    WRITING,
)
from graph.english.refusals import listed
from graph.planning.turn import TalkBrief
from models.embedded.language import COLOURS, MOTIONS, OBJECTS, SCENES

Answer = Callable[[TalkBrief, re.Match[str]], str | None]


def _said(text: str) -> Callable[[TalkBrief, re.Match[str]], str]:
    return lambda _brief, _found: text


_QUESTIONS: Sequence[tuple[str, Answer]] = (
    (
        r"(?:what|which)(?: of them| of these| ones?| clips?| products?| pictures?| films?)? (?:is|are) "
        r"(?:stale|out of date|outdated|old|not up to date)|is (?:anything|something) stale"
        r"|anything stale|why is (?:it|that|this|number \d+|the .+) stale",
        stale,
    ),
    (
        r"what (?:do|does|is|are) (?:(?:the )?(?:word|label) )?(?:meant by |meaning of )?"
        r"(?P<word>[^?]+?) (?:mean|means|meaning)|"
        r"(?P<word2>stale|stands|kept|waits for your word|taken back|take|seed) means(?: what)?",
        meaning,
    ),
    (r"(?:explain|define|what is meant by|what is the meaning of) (?P<word>.+)", meaning),
    (
        r"what (?:is|are|was) (?:a |an |the )?"
        r"(?P<word>stale|takes?|seeds?|candidates?|board|digital|digital style|transitions?|refresh|kept"
        r"|taken back)",
        meaning,
    ),
    (
        r"(?:(?:which|what) )?(?:other )?colou?rs?"
        r"(?: (?:are there|do you have|can i (?:use|have|get|choose)|do you know|is there|exist|have you"
        r"|there are|possible|can you do|can you make|can it be|are possible|can i pick|you have"
        r"|available|are available))?(?: for .+)?",
        _said(f"Colours: {listed(COLOURS)}."),
    ),
    (r"(?:tell me|show me|list)(?: all)?(?: the)? colou?rs.*", _said(f"Colours: {listed(COLOURS)}.")),
    (
        r"(?:which|what)(?: other)? (?:objects?|things|shapes?|figures?|forms?)(?: .*)?",
        _said(f"Objects: {listed(OBJECTS)}. Colours: {listed(COLOURS)}."),
    ),
    (
        r"(?:which|what)(?: other)? (?:scenes?|places?|backgrounds?|settings?|worlds?|backdrops?|locations?)(?: .*)?",
        _said(f"Scenes: {listed(SCENES)}."),
    ),
    (
        r"(?:which|what)(?: other)? (?:motions?|movements?|moves|ways to move|directions?)(?: .*)?"
        r"|how can (?:it|things?|they|the .+) move|what (?:can|could) (?:it|the .+|they) do",
        _said(f"Motions: {listed(MOTIONS)}."),
    ),
    (r"(?:which|what)(?: other)? styles?(?: .*)?", _said("Styles: natural and digital (`in digital style`).")),
    (
        r"(?:so )?what (?:can|could|do|does) (?:you|mora|it) "
        r"(?:draw|make|show|paint|know|create|generate|render)(?: .*)?|what (?:is|exists) in "
        r"(?:the|your|this) (?:embedded )?world|what is possible|what else is possible|what else can "
        r"(?:it|you) (?:draw|show|be)|what can i (?:wish for|see|have|draw|ask for)",
        _said(WORLD),
    ),
    (
        r"(?:what|which) files? (?:can|may|could|do) (?:i|you) .*|can i (?:give|send|upload|use|add) .*"
        r"(?:file|photo|picture|video|image)s?.*|"
        r"(?:how (?:do|can) i (?:upload|give you|send|use|add|import|open) .*)|(?:which|what) formats? .*",
        _said(GIVEN),
    ),
    (
        r"(?:and )?(?:how (?:do|can|could|would|to)(?: i)? (?:i )?"
        r"(?:get|save|download|export|keep|share|send|have|find|put|copy|use) .*|where "
        r"(?:is|are|do i find|can i find|do i get|did you (?:put|save)|was|does) .*"
        r"(?:file|files|saved?|video|clip|film|it|this|that|picture)s?.*|how (?:do|can) i "
        r"(?:share|download|save|export)|which formats .*|where did it go|where is (?:it|this|that)"
        r"|can i (?:save|download|export) (?:it|this|that|them))",
        _said(FILES),
    ),
    (
        r"(?:so )?(?:what (?:now|next|should i (?:do|say)|do i (?:do|say)|can i (?:say|do)|comes? next"
        r"|is next|can be done|could i do|would you do|to do|to say|are my options|else can i (?:say|do)"
        r"|are the options)(?: (?:now|next|here|with (?:it|this|that|them)|about it))?|and now|now what"
        r"|i do not know what to (?:do|say)|what do you (?:need|want)(?: from me)?|and then what"
        r"|what are the (?:options|possibilities)|options)",
        next_to_say,
    ),
    (
        r"(?:what|which|who) (?:is|are|do|does)?(?: you| we| it| i)? ?(?:wait|waits|waiting)(?: .*)?"
        r"|what are you waiting for|what is open|what do i have to decide|is "
        r"(?:anything|something) waiting(?: .*)?",
        waiting,
    ),
    (r"what happened(?: to .+)?|what is wrong(?: with .+)?|what went wrong", what_happened),
    (
        r"how many (?P<noun>pictures|images|clips|videos|films|movies|products|things|takes|numbers|ones)(?: .*)?",
        how_many,
    ),
    (
        r"(?:which|what) (?:numbers?|ones?|clips?|pictures?|products?|of them|of these|of those|things?) "
        r"(?:has|have|is|are|shows?|contains?|show|with|was|were)(?: there)? ?(?P<what>.+)",
        which,
    ),
    (
        r"(?:what|which) (?:number|one) (?:is|was|has) (?P<what>.+)|(?:what|which) is the number of (?P<what2>.+)",
        lambda b, f: which(b, f) if f["what"] else None,
    ),
    (r"how long (?:is|are|will|does|do|was) (?P<what>.+?)(?: (?:last|be|take|get|now|long))?", how_long),
    (
        r"(?:what|which clips|which|who)(?: clips| parts| pieces)? (?:is|are|does|do|make|makes)(?: up)? "
        r"(?:in )?(?:the|this|that|my) (?:film|movie|video)"
        r"(?: made (?:of|from|up of)| consist of| contain| have)?|what is in (?:the|this|my) "
        r"(?:film|movie)|(?:which|what) clips are in .*",
        parts_of_film,
    ),
    (
        r"is (?:this|it|that) (?:a |the |already a |now a )?(?:video|clip|film|movie|picture|image|gif)"
        r"(?: (?:already|now|yet))?|is (?:the )?(?:film|clip|video|it) (?:ready|done|finished)(?: .*)?",
        kind_of_latest,
    ),
    (
        r"(?:(?:does|is) )?(?P<what>number \d+|\d+|the .+|my .+|it) (?:still )?"
        r"(?:exists?|there|gone|lost|deleted)(?: .*)?|(?:do i|do we|have you|did you|have i) (?:still )?"
        r"(?:have|keep|kept|got|lose|lost|delete|deleted) (?P<what2>.+)",
        lambda b, f: still_there(b, f) or board(b, f),
    ),
    (r"why not|why|how come|why is that|why so", said_before),
    (
        r"why (?:does|do|is|are) (?:it|this|that|they|everything|the .+) (?:look |looks |so )*(?:so )?"
        r"(?:small|tiny|pixelated|pixelly|pixelised|blurry|ugly|low|grainy|bad|blocky|unsharp|coarse"
        r"|rough|little|blurred)(?: .*)?",
        _said(SIZE),
    ),
    (
        r".*\b(?:16 9|4 3|9 16|wide ?screen|portrait|landscape format|aspect ratio|resolution|hd|4k|8k"
        r"|1080p|720p|full hd|higher quality|sharper|bigger picture|larger picture|high res)\b.*",
        _said(SIZE),
    ),
    (
        r".*\b(?:sound|sounds|music|audio|voice|voices|song|soundtrack|noise of|narrator|speech|melody"
        r"|beat|sing|singing)\b.*",
        _said(SILENT),
    ),
    (
        r".*\b(?:zoom|zooming|camera|pan|panning|tilt|close up|closeup|drone|from above|from below"
        r"|fly over|dolly|bird's eye|birds eye|point of view|angle)\b.*",
        _said(CAMERA),
    ),
    (
        r".*\b(?:text|writing|write|letters|caption|captions|title|titles|subtitle|subtitles|credits|logo"
        r"|watermark|words on)\b.*",
        _said(WRITING),
    ),
    (
        r"(?:(?:can|could) (?:it|this|that|they|the .+?) (?:be|get|look) |make "
        r"(?:it|this|that|them|the .+?|number \d+|\d+|everything|all) |let (?:it|this|that|the .+?) "
        r"(?:be|get) |i want (?:it|this|that|the .+?) |it should be |should be |(?:it|that|this|the \w+) "
        r"(?:is|looks) )?(?:to be )?(?:much |a bit |a little |a little bit |slightly |way |somewhat "
        r"|a lot |too |very |really |so )*"
        r"(?:bigger|smaller|larger|huge|tiny|big|small|large|giant|enormous|taller|wider|thinner|thicker"
        r"|fatter|closer|further away|gigantic|little|mini)"
        r"(?: (?:please|instead|than .*|in the picture|in size))?",
        _said(BIGGER),
    ),
    (
        r"(?:so )?what (?:did|have) you (?:do|done|make|made|just do|just made|change|changed)"
        r"(?: (?:so far|now|just now|there|last|with (?P<what3>.+)))?|what (?:was|has been|just|got) ?"
        r"(?:made|done|changed)(?: .*)?|(?:how (?:did you make|was|did you do)|tell me "
        r"(?:about|of|how you made)) (?P<what>.+?)(?: made)?|what did you do (?:to|with) (?P<what2>.+)",
        how_made,
    ),
    (r"(?:what is|what was|what are) (?P<what>number \d+|\d+|that|this|it)", how_made),
    (
        r"(?:so )?(?:what (?:do|have|did)? ?(?:i|we|you) (?:have|got|make|made)(?: .*)?|what is "
        r"(?:there|on the board|here|left|up|in there|new)(?: .*)?|(?:is|are) there "
        r"(?:anything|something|still .*|more)(?: .*)?|what exists|(?:show|list|tell)(?: me)? "
        r"(?:the board|everything|all(?: of it| products| clips| pictures)?|what (?:i|we) have"
        r"|what is there|the products|my products|the takes|the list|my clips|all i have|what there is)"
        r"|list|the list|board|the board|where are we|status|overview|summary|what have (?:i|we)(?: got)?"
        r"|which (?:clips|pictures|films|products|takes|things) "
        r"(?:are there|do i have|have i|do we have|exist|stand)|where was i|remind me)",
        board,
    ),
    (
        r"help(?: me)?|what can (?:i|you|we) (?:say|do|ask)(?: here| now)?|how does (?:this|it|that) work"
        r"|commands|\?|how do i (?:use|do) (?:this|it)|what do i do here|i am lost|i do not get it"
        r"|how do (?:i|you) (?:work|start|begin)",
        _said(HELP),
    ),
    (
        r"how (?:do|can|could|would) i (?:undo|go back|take (?:it|that) back|revert)(?: .*)?",
        _said("`undo` takes back the last turn; say it again for the one before."),
    ),
    (r"how (?:do|can|could|would) i .+", _said(HELP)),
)
ANSWERS: tuple[tuple[re.Pattern[str], Answer], ...] = tuple(
    (re.compile(pattern), answer) for pattern, answer in _QUESTIONS
)
_TOPIC_WORDS: Sequence[tuple[str, Answer]] = (
    (
        rf"\b(?P<word>{'|'.join(sorted((*MEANINGS, *MEANT_AS), key=len, reverse=True))})\b.*\b"
        rf"(?:mean|means|meaning|meant|stand for)\b",
        meaning,
    ),
    (
        rf"\b(?:what is|what are|what does|explain) (?:a |an |the |this )?"
        rf"(?P<word>{'|'.join(sorted(MEANINGS, key=len, reverse=True))})\b$",
        meaning,
    ),
    (r"\bcolou?rs?\b", _said(f"Colours: {listed(COLOURS)}.")),
    (
        r"\b(?:undo|go back|take back|revert|undone)\b",
        _said("`undo` takes back the last turn; say it again for the one before. Nothing that was made is deleted."),
    ),
    (r"\b(?:stale|outdated|out of date|up to date|old version)\b", stale),
    (r"\b(?:wait|waits|waiting|pending|decide|decision|approve)\b", waiting),
    (
        r"\b(?:upload|give you|send you|my own|own (?:photo|picture|video|file|clip)|import|bring in"
        r"|use a photo|use my)\b",
        _said(GIVEN),
    ),
    (
        r"\b(?:save|saved|file|files|download|export|folder|phone|share|send|store|stored|copy|disk|disc"
        r"|computer|path|mp4|gif|webm|png|email|whatsapp|instagram|youtube)\b",
        _said(FILES),
    ),
    (
        r"\b(?:16 9|4 3|9 16|widescreen|resolution|hd|4k|pixels?|pixelated|blurry|size|big|bigger|large"
        r"|larger|small|dimensions?|quality)\b",
        _said(SIZE),
    ),
    (r"\b(?:sound|music|audio|voice|song|silent|hear)\b", _said(SILENT)),
    (r"\b(?:camera|zoom|pan|angle)\b", _said(CAMERA)),
    (r"\b(?:how long|seconds?|length|duration|minutes?|long)\b(?P<what>.*)", length),
    (r"\bhow many (?P<noun>\w+)", how_many),
    (
        r"\b(?:objects?|shapes?|figures?|things) (?:can|do|are|could|there|exist)\b|\bwhat (?:else )?can "
        r"(?:i|you|we|it) (?:draw|make|show|get|have|wish)",
        _said(WORLD),
    ),
    (r"\b(?:scenes?|backgrounds?|places?|settings?)\b", _said(f"Scenes: {listed(SCENES)}.")),
    (r"\b(?:motions?|movements?|directions?|ways)\b", _said(f"Motions: {listed(MOTIONS)}.")),
    (r"\bstyles?\b", _said("Styles: natural and digital (`in digital style`).")),
    (r"\b(?:in|of|inside) (?:the|this|my|that) (?:film|movie)\b|\bfilm (?:made of|contain|consist)", parts_of_film),
    (
        r"\b(?:cost|costs|money|expensive|free|price|pay)\b",
        _said(
            "The embedded agents run on this machine and cost nothing but time. Editing a film (order, leave "
            "out, trim, speed) costs no agent at all."
        ),
    ),
    (
        r"\b(?:limit|limits|at most|how often|maximum|max)\b",
        _said(
            "The same may be made again three times; say `raise the limit to 6` for more. A wish has at most 8 shots."
        ),
    ),
    (r"\b(?:happened|happen|going on|wrong|changed|change|different|did you|have you|was that|made)\b", what_happened),
    (r"\bwhich (?:one|number|of them|of these|clip|picture|product|film)?\b(?P<what>.*)", which),
    (r"\bwhere (?:is|are) (?P<what>.*)", which),
    (
        r"\b(?:now|next|should i|can i (?:say|do)|do i (?:say|do|need|have to)|could i|options?|possible"
        r"|must i|am i supposed)\b",
        next_to_say,
    ),
    (r"\b(?:there|have|left|exist|got|list|board|so far|all)\b", board),
    (r"^(?:are|is|did|do|does|was|were|has|have)\b", board),
)
TOPICS: tuple[tuple[re.Pattern[str], Answer], ...] = tuple(
    (re.compile(pattern), answer) for pattern, answer in _TOPIC_WORDS
)
