"""Phrases that take back, stop, correct and agree, and clauses that only say what somebody thinks. Data only."""

import re

from graph.dialogue.lines.phrases import phrases

UNDO = phrases(
    "undo, undone, revert, roll back, rollback, take back, take it back, take that back, take this back, "
    "put it back, put that back, go back, step back, one step back, go one step back, never mind, forget it, "
    "forget that, forget about it, forget about that, scratch that, cancel that, cancel it, cancel, as it was, "
    "as it was before, how it was, how it was before, the way it was, the way it was before, like it was, "
    "like it was before, like before, as before, back to before, undo that, undo it, undo this, bring it back, "
    "bring back, back to how it was, set it back, change it back, make it like before, reset that, reset it, "
    "unmake, unchange, ctrl z, ctrlz, restore, restore it, unextend, get rid of it, get rid of that, "
    "get rid of this, take it away, away with it, away with that, i regret that, remove the extra ones, "
    "i did not want to accept it, i did not want to accept that"
)
"""Phrases that take back the last turn."""

STOP = phrases(
    "no, not that, not this, not like that, not like this, not it, wrong, wrong one, the wrong one, stop, stop it, "
    "stop that, stop this, wait, hold on, hang on, pause, halt, do not, do not do that, do not do it, "
    "do not do this, oops, mistake, my mistake, my bad, rather not, abort, one moment, a moment, one second please, "
    "that is wrong, that was wrong, this is wrong, i did not mean that, i did not want that, "
    "i did not ask for that, i did not say that, not what i wanted, not what i meant, not what i asked for, "
    "not what i asked, that is not what i wanted, that is not what i meant, that is not what i asked for, "
    "that is not it, that is not right, leave it, by accident, not what i had in mind, was an accident, "
    "was a mistake, it was a mistake, that was a mistake, that was not right, not yet, please do not, no no, "
    "no thanks, no thank you, no way, never, freeze, quit it, i changed my mind, changed my mind, "
    "on second thought, on second thoughts, hold it, hold up, whoa, i do not want that, i do not want it, "
    "i do not want this, do not want that, scrap that, scrap it, not what i said"
)
"""Phrases that refuse or stop."""

MEANT = phrases("i meant, i mean, meant, i said, should have been, was supposed to be, correction, sorry")
"""Phrases that correct the turn before."""

AGREED_WORDS = phrases(
    "yes, ok, sure, good, great, perfect, nice, fine, cool, wonderful, lovely, beautiful, excellent, super, after, "
    "awesome, amazing, fantastic, brilliant, neat, sweet, go, on, ahead, next, proceed, continue, keep, going, "
    "carry, move, along, it, that, this, is, looks, look, seems, all, right, i, like, love, accept, accepted, "
    "approve, approved, agreed, do, will, s, works, for, me, so, far, as, very, really, just, please, then, well, "
    "wow, yay, haha, and, with, them, both, they, are, to, step, stage, one, the, enough, now, onwards, forward, "
    "onward, absolutely, definitely, exactly, correct, indeed, certainly, of, course, animate, set, in, motion, "
    "let, us, we, can, you, should, would, be, what, wanted, thanks, thank, thumbs, up, done, happy, am, pleased, "
    "satisfied, gorgeous, pretty, hm, oh, ah, lets, not, bad, deal, y, sir, make, a, clip, video, from, here, "
    "ready, m, confirmed, confirm, okay, work, my, mora, part, same, way, much, lot, does, job, alive, into, turn, "
    "have, gave, goes, first, day, take, use, this's, bring, life"
)
"""Words that a line which agrees is made of."""

AGREED_STRONG = phrases(
    "yes, ok, sure, good, great, perfect, nice, fine, cool, wonderful, lovely, beautiful, excellent, super, "
    "awesome, amazing, fantastic, brilliant, neat, sweet, go on, go ahead, next, proceed, continue, keep going, "
    "carry on, move on, all right, i like, i love, love it, like it, accept, approve, accepted, approved, agreed, "
    "do it, works for me, that works, absolutely, definitely, exactly, correct, certainly, of course, animate it, "
    "animate that, animate this, animate them, set it in motion, not bad, what i wanted, thumbs up, happy with, "
    "pleased, gorgeous, pretty, y, confirmed, confirm, ready, that is it, it will do, that will do, make it move, "
    "keep it, keep that, keep this, take it, use it, animate, go with it, go with that, go with this, let us go, "
    "right, go, on, bring it to life, does the job"
)
"""Phrases of which a line that agrees needs one."""

OPINION = re.compile(
    r"^(?:i (?:do not |really |just )*"
    r"(?:like|love|am|was|think|feel|find|changed|see|saw|know|want|need|prefer)\b"
    r"|it |that |this |they |these |the \w+ |number \d+ |nr \d+ )?"
    r"(?:is|are|was|looks?|ends?|came|comes|seems?|feels?|went|goes)? ?"
    r"(?:a bit |a little |way |much |far |really |so |very |just |not |quite |kind of |pretty |too |over )*"
    r"(?:too |not )?"
    r"(?:good|bad|nice|great|ugly|boring|short|long|quick|fast|slow|soon|early|late|abruptly"
    r"|suddenly|close|wrong|weird|strange|odd|dark|bright|dull|plain|cool|lovely|perfect|ok|fine"
    r"|beautiful|pretty|awesome|empty|busy|small|big|large|satisfied|happy|convinced|sure|unhappy"
    r"|confused|bored|enough|over|done|finished|better|meh|hm|argh|ugh|wow|sorry|yes|well|right"
    r"|alright|the same|all the same|for my taste)"
    r"(?: for my taste| for me| to me| in my opinion| already| now| anyway)?$"
)
"""Clauses that say what somebody thinks, and ask for nothing."""

ANYTHING = re.compile(
    r"(?:(?:you )?surprise me(?: please)?"
    r"|(?:make|show me|give me|do) (?:anything|whatever)(?: you (?:like|want))?"
    r"|anything|whatever you (?:like|want)|anything you (?:like|want))"
)
"""Wishes that leave everything open."""

RETRYING = re.compile(
    r"(?:(?:ok|yes|please|so|now|well|and|then|but|,) )*"
    r"(?:(?:try|do|make|run|start|animate|draw) (?:it |that |this |them )?(?:once )?(?:again|more|anew|over)"
    r"|again|retry|redo(?: it| that)?|resume|restart|once more|one more time|go again|pick (?:it )?up(?: again)?"
    r"|carry on|finish (?:it|that))"
    r"(?: (?:please|then|now|where (?:you|we|it) (?:stopped|left off)|,))*"
)
"""Lines that try a step again that was stopped."""
