"""Words that ask for a change of what is given: an edit, a continuation, a transition. Data only.

Phrases are separated by commas; verbs stand in their base form and are inflected on their first word. `~` marks a
word that gives way when a clearer one is near (`dark` beside `desert`).
"""

CHANGES = (
    "make, paint, repaint, color, recolour, recolor, dye, tint, replace, exchange, substitute, swap, put, place, set, "
    "give, let, want, turn, change, become, transform, convert, morph, have, edit, modify, adjust, alter, render, "
    "restyle, redraw, show, need, should, must, were, be"
)
"""Verbs that ask for a change of what is given; they stand in their base form."""
RELOCATIONS = "move, bring, take, transport, send, transfer, relocate"
"""Verbs that ask for another scene: `move it to the sea`."""
STATES = "is, are, am, was, being, been"
"""Forms of such a verb that tell what is there already."""
TO_CHANGE = "into, to, with, by, as, for, in"
"""What leads to that which something is changed into."""
GOING_ON = (
    "go on, keep on, carry on, continue, extend, lengthen, prolong, elongate, keep going, go further, go on and on, "
    "last longer, run longer, make longer, make it longer, play on, stretch out, be continued, add to the end, "
    "add to its end, what happens next, happen next, happen afterwards, happen after that, come next"
)
"""A clip is to last longer; verbs on their first word."""
GOING_BACK = (
    "before, before that, before this, beforehand, earlier, what came before, come before, happen before, "
    "what happened before, lead up, lead up to, lead up to it, lead up to this, prequel, prepend, precede, "
    "how it got there, how did it get there, how it got here, at the front, to the front, in the past, "
    "to the beginning, at the beginning, to the start, at the start, prior, prior to this, previously, backwards, "
    "backwards in time, go back, just before, a beginning, an intro, intro, an introduction, an opening, a lead in"
)
"""What is added goes before the clip."""
MORE = (
    "more, longer, extra, additional, further, another, as before, like before, in the same way, the same way, "
    "the same as before, just like that, like that, as it does, as it did, as it was, still further, keep, "
    "what happens, from there, from here, afterwards, after that, next, on and on, a bit more, a little more, "
    "now, then, and so on, onwards, onward, the clip, the video, this clip, this video, my clip, my video, the film, "
    "this film, the movie, the footage, this footage, it all, the end, its end, add, add on, append"
)
"""Says of a clip only that there is more of it."""
TRANSITIONS = (
    "transition, transitions, crossfade, crossfades, cross fade, cross fades, cross fading, crossfading, "
    "transitioning, blending, morphing, seamless, seamlessly, blended"
)
MORPHS = "morph, melt, blend, dissolve, transition, fade, merge, flow"
"""Verbs of becoming that ask for a transition: `it morphs into a star`."""
CUTS = "hard cut, hard cuts, cuts, plain cuts, straight cuts, jump cuts, jump cut, simple cuts, cut"
