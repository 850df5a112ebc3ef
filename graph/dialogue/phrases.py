"""Patterns for the phrases of a conversation, over lower-case words with a space between them. Data only."""

import re

HELP = (
    "Say what you want to see (`a red ball in the snow`). About what is shown: `go on`, `again`, `another three`, `use "
    "the second one`, `make it night`, `now let it fly to the left`. About clips and films: `extend it by two seconds, it "
    "keeps moving right`, `what happened before?`, `connect it with the first film`, `make a film of it`. Always: `undo`, "
    "`refresh`, `what did you do?`, `what do I have?`. Name products by number, `number 3`, or by what they show: "
    "`the blue one`, `the last clip`."
)

POLITE = re.compile(
    r"(?<= )(?:please|kindly|thanks|thank you|mora|hello|hi|hey|(?:can|could|would|will) you(?= )|now(?= )|just(?= )|"
    r"i (?:want|would like|d like|like) you to|lets|let us|maybe|perhaps|actually)(?= )"
)
LEADS = re.compile(r"(?:(?:ok|okay|well|so|and|then|great|fine|alright|all right|good|nice|no|yes|hm|hmm|oh|,|\.|!) )+")

AGREED = re.compile(
    r"(?:yes|y|yep|yeah|yup|sure|ok|okay|k|good|great|perfect|nice|fine|cool|wonderful|lovely|beautiful|excellent|super|"
    r"(?:yes |ok |okay )?go(?: on| ahead)?(?: with (?:it|that|this|them|both))?|next(?: step| stage| one)?|"
    r"proceed|continue|carry on|keep going|move on|on|"
    r"(?:(?:it|that|this|they|both) )?(?:looks?|is|are|seems?)? ?(?:all )?(?:good|great|perfect|nice|fine|right|lovely|"
    r"ok|okay|beautiful|wonderful)(?: (?:go on|to me|like that|enough|so far|as it is))?|"
    r"i (?:like|love) (?:it|that|this|them|both)(?: (?:go on|very much|a lot|so much))?|"
    r"(?:accept|keep|approve|take|use)(?: (?:it|that|this|them|both))?(?: as it is)?|accepted|approved|agreed|"
    r"do it|do that|that (?:will|should) do|that s it|animate (?:it|them|both|that|this)|(?:set|put) (?:it|them) in motion|"
    r"make (?:it|them) (?:move|a clip|a video)|all good|well done|very (?:good|nice)|not bad|yes(?: ,)? (?:good|great))"
)
AGREED_ONCE_MORE = re.compile(rf"{AGREED.pattern}(?: [.,!;](?: and)? {AGREED.pattern})*")
"""`that's great, go ahead`."""
UNDOING = re.compile(
    r"(?:undo(?: (?:it|that|this|the last(?: one| step| change)?))?|(?:take|put) (?:it|that|this) back|back|go back|"
    r"(?:go )?(?:one )?step back|revert(?: it| that)?|never mind|nevermind|forget (?:it|that)|cancel(?: it| that)?|"
    r"(?:as|like) it was(?: before)?|i take (?:it|that) back|not like that|no ,? not that|rather not)"
)
REFRESHING = re.compile(
    r"(?:refresh|renew|rebuild|bring)(?: (?:it|them|that|all|everything|the rest|what is stale|the stale ones?|"
    r"the (?:clips?|films?|videos?)))?(?: up to date)?|update(?: (?:it|them|that|all|everything|the rest|"
    r"what is stale|the (?:clips?|films?|videos?)))?|(?:make|do) (?:the )?(?:stale ones?|what is stale)(?: again| anew)?|"
    r"(?:make|do) what(?: is|s) stale(?: again)?"
)
CHOOSING = re.compile(
    r"(?:i (?:would |d |do )?(?:like|love|prefer|want|take|choose|pick|ll take|will take|mean|meant)|let us (?:use|take)|"
    r"use|take|choose|pick|select|keep|prefer|(?:go|continue) (?:on |back |ahead )?(?:with|to)|back to|return to|accept|(?:it|that) is|rather)"
    r"(?: to (?:use|take|keep|have))? (?:more |most |rather |best )?"
)
TAILS = re.compile(
    r" (?:instead|better|best|more|most|please|then|again|for it|is (?:better|best|nicer|good|great|fine)|"
    r"looks (?:better|best|nicer|good|great))(?: then| please)?$"
)
AGAIN = re.compile(
    r"\b(?:once again|again|once more|one more time|one more|try it again|try again|another|redo|repeat|retry|reroll|"
    r"re roll|more|others?|anew|new ones?|different ones?|a new one|a different one|(?:with )?(?:a )?(?:new|other|"
    r"different) seed|differently|something else|afresh)\b"
)
AGAIN_ASIDE = {
    "give", "me", "make", "draw", "show", "do", "try", "create", "generate", "i", "we", "want", "would", "like", "to",
    "see", "need", "let", "have", "it", "one", "ones", "take", "takes", "version", "versions", "time", "times",
    "picture", "pictures", "clip", "clips", "candidates", "candidate", "of", "them", "that", "this", "those", "these",
    "the", "a", "for", "same", "words", "with", ",", "and", "please", "different", "new", "attempt", "tries", "go",
    "variants", "variant", "some", "few", "couple", "animate", "paint", "motion",
}  # fmt: skip
FILMING = re.compile(
    r"(?:make|create|cut|build|assemble|produce|give me)(?: me)? (?:a|the|one|my|our)? ?(?:whole |complete |single )?"
    r"(?:film|movie|video)(?: (?:of|from|out of|with) (.+))?|"
    r"(?:put|cut|join|stick|glue|bring|merge) (it|them|these|those|all|everything|all of (?:it|them)|all clips|"
    r"the clips|both) (?:all )?together|assemble(?: (.+))?|(?:the )?film(?: it)?|"
    r"(?:make|turn|cut) (?:it|them|these|those|all|everything|both|that) (?:all )?(?:into )?(?:a|one) (?:film|movie)|"
    r"join (everything|all|all clips|all of them)"
)
CONNECTING = re.compile(
    r"(?:connect|join|link|merge|bridge|combine|chain|attach|couple|(?:make )?(?:a )?(?:transition|bridge|way)"
    r"(?: from| between)|lead over(?: from)?)\b ?"
)
ANYTHING = re.compile(
    r"(?:(?:you )?surprise me|(?:make|show me|give me|do) (?:anything|something|whatever)(?: you (?:like|want))?|"
    r"anything|whatever(?: you (?:like|want))?)"
)
GOES_ON = re.compile(r"\b(?:keeps?|continues?|goes on) (?:on )?(?:to \w+|\w+ing)\b")
FOLLOWING = re.compile(r"(?:and |so |ok |okay )*(?:then|after that|afterwards|afterward|next|after it|later)\b")
ASK_HELP = re.compile(
    r"(?:help(?: me)?|what can (?:i|you|we) (?:say|do|ask)(?: here| now)?|how does (?:this|it) work|commands|"
    r"what now|what (?:do|should|can) i do(?: now| next)?|\?)"
)
ASK_BOARD = re.compile(
    r"(?:so )?(?:what (?:do|have) (?:i|we) (?:have|got)(?: (?:so far|now|there))?|what is (?:there|on the board|here)|"
    r"what s (?:there|on the board)|(?:show|list|tell)(?: me)? (?:the board|everything|all(?: of it| products)?|"
    r"what (?:i|we) have|what is there|the products|my products|the takes)|list|board|where are we|status|"
    r"what have (?:i|we)(?: got)?|what is stale|which (?:clips|pictures|films|products|takes) (?:are there|do i have|"
    r"have i|do we have))"
)
ASK_DONE = re.compile(
    r"(?:so )?(?:what (?:did|have) you (?:do|done|make|made|just do|just made)(?: (?:so far|now|just now|there|last|with "
    r".+))?|what (?:was|has been|just) ?(?:made|done|happened)(?: (?:so far|just now))?|what happened|"
    r"how (?:did you make|was|did you do|is) (.+?)(?: made)?|tell me (?:about|of|how you made) (.+)|"
    r"what is (number \d+|that|this|it)|what did you do (?:to|with) (.+))"
)
