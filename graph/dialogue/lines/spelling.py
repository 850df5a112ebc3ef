"""How people write: contractions, slang, words that carry no meaning, the endings of files. Data only."""

import re

from graph.dialogue.lines.phrases import phrases

SPELLED = {
    "thats": "that is", "whats": "what is", "wheres": "where is", "hows": "how is", "its": "it is", "dont": "do not",
    "doesnt": "does not", "didnt": "did not", "isnt": "is not", "wasnt": "was not", "cant": "can not",
    "wont": "will not", "shouldnt": "should not", "arent": "are not", "im": "i am", "ive": "i have", "id": "i would",
    "ill": "i will", "lets": "let us", "youre": "you are", "theres": "there is", "u": "you", "ur": "your", "r": "are",
    "pls": "please", "plz": "please", "plss": "please", "thx": "thanks", "ty": "thanks", "gimme": "give me",
    "lemme": "let me", "wanna": "want to", "gonna": "going to", "gotta": "have to", "yea": "yes", "yeah": "yes",
    "yep": "yes", "yup": "yes", "yess": "yes", "ya": "yes", "yh": "yes", "aye": "yes", "nope": "no", "nah": "no",
    "naw": "no", "noo": "no", "nooo": "no", "noooo": "no", "okay": "ok", "okey": "ok", "k": "ok", "kk": "ok",
    "okk": "ok", "alright": "ok", "oki": "ok", "ohh": "oh", "ooh": "oh", "hmm": "hm", "hmmm": "hm", "umm": "hm",
    "um": "hm", "uh": "hm", "uhm": "hm", "er": "hm", "erm": "hm", "colour": "colour", "color": "colour",
    "colors": "colours", "pic": "picture", "pics": "pictures", "img": "image", "vid": "video", "vids": "videos",
    "pix": "pictures", "movie": "film", "movies": "films", "secs": "seconds", "sec": "seconds", "s": "seconds",
    "bg": "background", "nr": "number", "num": "number", "nvm": "never mind", "nevermind": "never mind",
    "tho": "though", "cuz": "because", "coz": "because", "abit": "a bit", "alot": "a lot", "alil": "a little",
    "gud": "good", "gr8": "great", "1st": "first", "pleaze": "please", "plese": "please", "pleas": "please",
    "hw": "how", "ofc": "of course", "n": "and", "xtend": "extend", "splendid": "great", "teh": "the", "adn": "and",
    "hte": "the", "taht": "that", "waht": "what", "wiht": "with", "fo": "of", "ti": "it", "jsut": "just",
    "2nd": "second", "3rd": "third", "4th": "fourth", "5th": "fifth", "undoo": "undo", "stahp": "stop",
    "stopp": "stop", "wat": "what", "wut": "what", "tnx": "thanks", "thankyou": "thanks", "mk": "make", "bck": "back",
    "whoops": "oops", "woops": "oops", "ooops": "oops", "gify": "gif", "2x": "2 times", "3x": "3 times",
    "4x": "4 times", "x2": "2 times", "x3": "3 times", "x4": "4 times",
}  # fmt: skip
"""Words as typed -> as read. `its` is read as `it is`: the possessive means nothing else here."""

FILLERS = phrases(
    "before you go on, before you continue, i would rather, i would, i will, i am going to, i think i, "
    "i would like you to, i would like it if you could, i would love you to, i want you to, i would love to, "
    "i would like to, i want to, i think we should, i think you should, i think i would, i think, i guess, "
    "i was wondering if you could, i wonder if you could, is it possible to, would it be possible to, "
    "would you mind to, do you mind, would you mind, could you please, can you please, could you, can you, "
    "would you, will you, can we, could we, can i, could i, may i, shall we, should we, might you, you can, "
    "you could, you should, you may, we can, we could, we should, let us, let me, please, kindly, just, now, maybe, "
    "perhaps, actually, really, simply, basically, ok, so, well, hey, hi, hello, mora, hm, oh, ah, thanks, "
    "thank you, a bit, a little bit, a little, slightly, a lot, somehow, if possible, if you can, if you could, "
    "if that is possible, for me, for us, then, though, right now, right away, quickly, also, too, as well, "
    "how about, what about, what if we, why not, why do not you, why do not we, and then, after all, dear, man, "
    "dude, buddy, bro, mate, will be, yes, great, nice, good, fine, cool, perfect, awesome, lovely, all right, "
    "next, i mean, you know, like that, as you like, if you want, go ahead and, try to, need to, have to, "
    "i need you to, i need to, it would be nice if, it would be great if, it would be cool if, my, own, very, "
    "quite, rather, pretty, totally, completely, entire, entirely, whole thing, sir, friend, guys, here, today, "
    "for a change, once, immediately, asap, lol, haha, sorry, and, but, of course, if it is not too much trouble, "
    "if that is ok, this time, on top of that, for my taste, meh, argh, ugh, ideally, preferably, obviously, "
    "on your list, in the list, in your list, on the list, from the list, of the list, hopefully, thing is, be, "
    "not bad, much, even, still, already"
)
"""Phrases that carry no meaning, at any place of a line."""

FILE_ENDINGS = (
    "mp4", "webm", "gif", "png", "jpg", "jpeg", "mov", "avi", "mkv", "webp", "apng", "m4v", "bmp", "zip", "txt", "json",
)  # fmt: skip
"""Endings by which a word is a file."""

PENULTIMATE = re.compile(
    r"\b(?:the )?"
    r"(?:(?:one|clip|picture|take) before (?:the )?last(?: one)?|last but one"
    r"|second to last(?: one)?|next to last(?: one)?|second last(?: one)?)\b"
)
"""Phrases for the last one but one."""
