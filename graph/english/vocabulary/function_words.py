"""Words that hold a sentence together, numbers, and words that say nothing of the film. Data only.

Phrases are separated by commas; verbs stand in their base form and are inflected on their first word. `~` marks a
word that gives way when a clearer one is near (`dark` beside `desert`).
"""

BECOME = (
    "turn into, change into, transform into, morph into, become, evolve into, mutate into, turn to, change to, "
    "shift to, switch to, be replaced by, give way to, metamorphose into, end up as, get replaced by, turn, change, "
    "transform to, morph to, convert to, convert into, grow into, shrink into, swap to, swap for, switch into, "
    "go from, make way for, recolour, recolor, paint, fade to, dissolve into, dissolve to, cut to, fade into, "
    "melt into, blend into, transition into, transition to"
)
THEN = (
    "then, and then, after that, afterwards, afterward, next, finally, later, later on, followed by, subsequently, "
    "eventually, lastly, secondly, thirdly, in the end, at the end, at last, before, until, till, thereafter, "
    "and next, "
    "whereupon, after which, upon which, once done, when done, another, one more, a second, a third, a fourth, "
    "second, third, fourth, fifth, sixth, seventh, eighth, at which point, and finally, and after that, but then, "
    "cut to, soon, soon after, shortly after, moments later, a moment later, once there, when it arrives, "
    "when that is done, after a while, in turn, second shot, third shot, last shot, final shot, the last, "
    "and afterwards, after, once, when, as soon as, presently, by and by, only then, now, from there, thirdly, "
    "fourthly, which is followed by"
)
CORRECTIONS = (
    "no wait, oh wait, wait no, no sorry, sorry no, scratch that, i mean, i meant, sorry i meant, or rather, actually, "
    "on second thought, on second thoughts, correction"
)
"""What follows is said instead of something before it, and is no event of its own."""
FIRST = "first, firstly, at first, to begin with, initially, in the beginning, to start, for starters, first of all, "
FIRST += "first shot, first up, at the start, at the beginning, to start with, start with, begin with, open with"
AT_ONCE = (
    "at once, together, at the same time, simultaneously, both, side by side, next to, beside, behind, on top of, "
    "in front of, alongside, each other, meanwhile, accompanied by, in parallel, as well as, along with, beneath a, "
    "surrounded by, inside a, chased by, following a, chasing a, all at once, in unison, one another"
)
WHILE = "while, whilst, as, during which, with"
NOT = (
    "not, no, never, without, instead of, rather than, anything but, except, other than, neither, nor, apart from, "
    "except for, avoid, nothing, isnt, doesnt, dont, any colour but, any color but, everything but"
)
PRONOUNS = "it, its, itself, that, this, they, them, he, she, which"
FILLERS = (
    "hmm, hm, mm, mhm, uh, uhm, um, umm, er, erm, oh, ooh, ah, aha, yo, huh, "
    "one after the other, one after another, one by one, "
    "nothing but, nothing else, nothing more, nothing special, nothing fancy, nothing less, something like, "
    "viewer, viewers, audience, favourite, favorite, spot, grace, ease, elegance, care, energy, joy, pride, "
    "enthusiasm, "
    "purpose, determination, pace, speed, rate, manner, fashion, course, route, trip, adventure, beauty, glory, "
    "splendour, splendor, perfection, tranquillity, tranquility, stillness, peace, emptiness, wilderness, nature, "
    "outdoors, weather, temperature, heat, warmth, breeze, wind, rays, glow, reflection, reflections, shine, texture, "
    "pattern, floor, terrain, territory, realm, vista, panorama, viewpoint, angle, perspective, composition, focus, "
    "detail, details, foreground, canvas, monitor, page, word, words, question, answer, reason, result, effect, "
    "effects, version, appearance, aesthetic, design, graphics, visual, visuals, artwork, art, render, rendering, "
    "simulation, demo, demonstration, test, project, presentation, lesson, birthday, simplicity, noon, midday, "
    "morning, "
    "afternoon, sake, fun, thing is, front, rear, ending, everyday, title, caption, whim, mine, yours, "
    "a, an, the, some, of, is, are, was, be, been, being, am, has, have, having, had, do, does, did, will, would, "
    "should, could, can, may, might, must, shall, let, lets, there, here, so, just, only, very, quite, rather, "
    "really, "
    "too, also, please, kindly, thanks, thank, hi, hello, hey, dear, you, your, i, we, me, my, us, our, want, like, "
    "need, love, wish, see, show, shows, showing, shown, give, make, makes, making, made, create, creating, "
    "generate, "
    "produce, render, animate, animated, animating, animation, animations, draw, drawn, film, films, filmed, "
    "filming, "
    "movie, video, videos, vid, "
    "clip, clips, shot, shots, scene, scenes, footage, sequence, gif, cartoon~, picture, pictured, pictures, image, "
    "photo, imagine, watch, look, looks, looking, view, viewed, depict, depicting, depicts, display, display, "
    "featuring, feature, features, starring, about, where, who, whose, whom, what, how, if, because, "
    "since, though, although, mind, call, called, named, kind, sort, type, style, color, colour, colors, colours, "
    "coloured, colored, hued, tinted, hue, shade, tone, shaped, motion, movement, direction, background, backdrop, "
    "setting, set, landscape, scenery, environment, surroundings, world, place, placed, ground, horizon, screen, "
    "frame, "
    "centre, center, middle, edge, side, part, line, way, path, air, surface, top of, start, starts, starting, "
    "begin, begins, beginning, keep, keeps, keeping, continue, continues, continuing, get, gets, getting, got, "
    "go and, "
    "gets to, try, tries, seem, seems, appear, appears, appearing, hold, holds, now and, again, still more, "
    "more, most, much, many, few, lot, bit, little bit, one, single, alone, lone, lonely, solitary, whole, entire, "
    "entirely, all, every, each, any, other, same, own, once more, time, while also, ready, able, such, than, even, "
    "ever, always, forever, away, off, around, about to, back, forward, ahead, along, out, inside, outside, okay, "
    "ok, "
    "well, right now, right away, just right, all right, right there, right here, right in the middle, "
    "right in the center, right in the centre, left alone, left behind, "
    "close up, closeup, wide shot, medium shot, long shot, lights up, speed up, slow down, wake up, show up, "
    "calm down, made up, set up, start out, starts out, starting out, in total, total, long, length, lasting, "
    "lasts, last, "
    "duration, for me, would like, want to see, i want, tell, ask, request, wanted, asked, think, need to, going to, "
    "gonna, wanna, got to, used to, able to, help, option, default, choose, pick, surprise, random, up to you, free, "
    "your choice, quality, hd, 4k, hdr, masterpiece, trending, resolution, description, prompt, camera still, "
    "light, lights, day, daytime, daylight, sunlight, sunlit, sunshine, sunny, bright day, sky, skies, mood, "
    "feeling, "
    "vibe, atmosphere, shadow, shadows, contents, content, subject, main, hero, character, protagonist, story, "
    "against, amid, amidst, among, amongst, between, upon, onto, into, through, throughout, across, over, above, "
    "under, "
    "near, by, at, on, in, to, from, toward, towards, for, per, via, within, beyond, past, "
    "and, or, but, whereas, however, yet, plus, s, t, re, ve, ll, d, m, whats, thats, heres, theres, thatll, "
    "whole thing, thing happens, happen, happens, happening, event, occurs, occur, take place, takes place, "
    "wants, wanted, asks, likes, loves, needs, wishes, requested, 4 k, 8 k, 4, k, "
    "else, instead, everything, everywhere, somewhere, anywhere, nowhere, these, those, use, using, used, "
    "possible, if possible, could you, would you, can you, seconds, minute, idea, example, basically, "
    "literally, kinda, somewhat, maybe, perhaps, simply, slightly, overall, thereby, thus, therefore, hence, "
    "location, position, size, initial, final, said, says, aims, fine, good, great, extent, stretch of, expanse of, "
    "expanse, patch of, patch, stretch, plain, plains, land, area, region, zone, bed of, blanket of, blanket, "
    "carpet of, layer of, sheet of, distance, spectacle, sight, moment, instant, present, depiction"
)
FOREIGN = (
    "der die das ein eine einen und ist nach rechts links oben unten im auf roter rote rotes blauer blaue grüner "
    "grüne gelber gelbe bewegt sich schnee kugel wiese wüste meer nacht stern dreieck kasten über durch "
    "le la les un une des du et est vers droite gauche dans sur rouge bleu bleue vert verte jaune balle boule neige "
    "étoile mer désert nuit boîte se déplace "
    "el los las una unos y es hacia derecha izquierda en rojo roja azul verde amarillo amarilla pelota bola nieve "
    "estrella desierto noche caja se mueve por la "
    "il lo gli uno e verso destra sinistra nel nella sulla rosso rossa blu giallo gialla palla stella notte deserto "
    "mare scatola si muove neve "
    "o os um uma para direita esquerda na no vermelho vermelha amarelo amarela estrela neve noite caixa move "
    "een het de naar links rechts rode blauwe groene gele bal sneeuw ster nacht woestijn beweegt zich op door "
    "czerwona piłka niebieska śniegu prawo lewo kula röd blå grön boll höger vänster snön rør rød"
)
"""Common words of seven other languages that use our letters; enough to tell that a wish is not English."""
NOT_FOREIGN = "die no on me do a e o y i in is de se as an by to so na use un la den men es os el"
"""Words of that list that English also has, or that say nothing alone."""
COUNTING = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen twenty"
)
TENS = {
    "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90,
}  # fmt: skip
NUMBERS = {word: number for number, word in enumerate(COUNTING.split())} | TENS
