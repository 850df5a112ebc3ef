"""Verbs and directions of the motions of the embedded world, and motions it does not have. Data only.

Phrases are separated by commas; verbs stand in their base form and are inflected on their first word. `~` marks a
word that gives way when a clearer one is near (`dark` beside `desert`).
"""

from models.embedded.language import Motion

MOTION_VERBS: dict[Motion, str] = {
    "moves right": "",
    "moves left": "",
    "moves up": "rise, climb, ascend, take off, lift off, lift, levitate, blast off, arise, soar~, mount, "
    "take flight, "
    "head skyward, shoot skyward, rocket~, launch~, scale the sky, gain height, gain altitude, lift itself, float up",
    "moves down": "fall, drop, sink, descend, land, plunge, plummet, dive, tumble down, touch down, lower, "
    "come down, "
    "lose height, lose altitude, nosedive, fall down, drop down, topple~, submerge, sink down, settle down to earth",
    "stays still": "stay, wait, rest, sit, hover, stop, pause, remain, halt, stand, freeze~, idle, linger, sleep, "
    "lie, stand still, stay still, hold still, keep still, sit still, stay put, stay in place, stop moving, "
    "come to rest, come to a stop, come to a halt, come to a standstill, stay where it is, remain where it is, "
    "hold its place, hold its position, keep its place, stay motionless, doze, stay the same, remain still, "
    "stay the same size, do nothing, keep to the spot, stick to the spot, do not move, hang in the air, hang, "
    "keep its position, hold position, loiter, "
    "nap, "
    "rest in place, stand in place, lie still, hover in place, hang around, dwell, settle, take a break, go nowhere, "
    "hold on, chill, just be there",
    "grows": "grow, expand, inflate, swell, enlarge, get bigger, get larger, get big, get huge, become bigger, "
    "become larger, become huge, become big, grow bigger, grow larger, grow big, double, double in size, "
    "increase in size, increase, blow up, puff up, puff, bulge, widen, scale up, turn bigger, turn huge, "
    "turn larger, gain size, gain in size, make bigger, make larger, get enormous, become enormous, become gigantic, "
    "get gigantic, become giant, turn gigantic, grow huge, fatten, gain weight, magnify, amplify, double its size, "
    "grow twice its size, grow to twice its size, bloat, spread out, come closer, come nearer, get closer, "
    "get nearer, approach, grow in size, billow, look bigger, get fat, get fatter, become twice as big, grow up, "
    "become twice as large, become massive, get massive, fill the frame, fill the screen, plump up, gain volume, "
    "get wider, loom, loom larger, swell up, go bigger, go large",
    "shrinks": "shrink, contract, deflate, get smaller, get tiny, get small, become smaller, become tiny, "
    "become small, grow smaller, grow tiny, grow small, dwindle, diminish, decrease, decrease in size, halve, "
    "halve in size, reduce, reduce in size, scale down, shrivel, turn smaller, turn tiny, lose size, make smaller, "
    "shrink to half, shrink to half its size, halve its size, wither, go away into the distance, shrink away, "
    "wane, compress, collapse, recede, lose volume, lose half its size, half its size, miniaturise, miniaturize, "
    "shrink in size, get further away, get farther away, recede into the distance, look smaller, become half as big, "
    "become half as large, become minuscule, get minuscule, lose air, lose mass, get thinner, condense, go smaller, "
    "become microscopic, slim down, minimise, minimize, get littler, become little, get little, dwindle away",
}
STILL_WORDS = (
    "still~, motionless, stationary, static, immobile, idle, frozen~, unmoving, asleep, at rest, at a standstill, "
    "standstill, in place, no motion, no movement, without moving, without motion, without movement, "
    "without any motion, without any movement, fixed, on the spot, resting, waiting, at peace, calmly in place, "
    "not going anywhere, does not go anywhere, go nowhere, going nowhere, lifeless, paralysed, paralyzed, inert, "
    "parked"
)
SIZE_WORDS: dict[Motion, str] = {
    "grows": "bigger, larger, growth, expansion, ever bigger, ever larger, bigger and bigger, larger and larger, "
    "more and more massive, twice the size, twice its size, double the size, double its size, twice as big, "
    "twice as large",
    "shrinks": "smaller, tinier, ever smaller, smaller and smaller, tinier and tinier, half the size, half as big, "
    "half as large, into nothing, to nothing, shrinkage, down to half, half of its size",
}
RISING_WORDS: dict[Motion, str] = {
    "moves up": "takeoff, liftoff, ascent, ascension, airborne~, rise, climb",
    "moves down": "descent, fall, drop, plunge",
}
WALKS = (
    "roll, slide, skate, sail, run, drive, walk, cross, march, crawl, creep, coast, cruise, scoot, stroll, trundle, "
    "hike, ski, jog, sprint, gallop, canter, trot, swim, slither, ride, wheel, saunter, amble, shuffle, hurry, "
    "sneak, "
    "bowl, paddle, row, cycle, tiptoe, sashay, parade, surf, make its way, wend its way, find its way, traverse"
)
"""Ways of moving along the ground: without a direction, right or left."""
MOVES = (
    "move, go, travel, glide, fly, drift, race, float, wander, dash, zoom, zip, speed, slip, head, pass, push, "
    "shift, "
    "swoosh, whoosh, dart, rush, shoot, come, proceed, advance, tumble, hurtle, sweep, migrate, scurry, journey, "
    "wend, sneak, leave, flow, pan, stream, streak, whizz, whiz, fling, send, carry, bring, pull, drag, throw, kick, "
    "toss, drive, steer, nudge, blow, waft, meander, roam, navigate, progress, relocate, transport, displace, "
    "propel, venture, flit, scud, careen, barrel, bolt, swoop, exit, enter, point, aim, slink, breeze, jet, "
    "get going, be on its way, set off, set out, depart, retreat, commute, gravitate, veer, catapult, "
    "turn, escape, flee, motor, plod, trek, voyage, edge, inch, ease, squeeze, swing, direct, guide, lead, "
    "take, wash, end up, finish, make for, strike out, pull away, tend, stray, press on, whirl away, blast, launch"
)
"""Ways of moving anywhere: without a direction, any of the four. WEAK_MOVES mean that beside a direction only."""
WEAK_MOVES = (
    "come leave send carry bring pull throw kick toss blow exit enter point aim turn take wash direct guide "
    "lead push swing pass tend head get end finish make edge ease strike press blast launch"
)
LEFT = "left, leftward, leftwards, leftwardly, west, westward, westwards"
RIGHT = "right, rightward, rightwards, east, eastward, eastwards"
UP = (
    "up, upward, upwards, skyward, skywards, aloft, north, northward, northwards, into the sky, to the sky, "
    "toward the sky, towards the sky, into the air, heavenward, heavenwards, up high, to the top, into the heavens, "
    "toward the heavens, to the upper edge, towards the top, toward the top, off the ground, overhead, "
    "straight up, vertically, higher, higher and higher, ever higher, to the ceiling, to the top edge"
)
DOWN = (
    "down, downward, downwards, south, southward, southwards, to the ground, toward the ground, towards the ground, "
    "to the bottom, toward the bottom, towards the bottom, earthward, earthwards, groundward, to earth, "
    "out of the sky, from the sky, to the floor, lower, lower and lower, ever lower, straight down, "
    "to the lower edge, "
    "to the bottom edge"
)
EDGES = (
    "edges, sides, corners, borders, ends, edge, side, border, margin, end, corner, part, half, direction, hand side, "
    "hand edge, hand border, hand"
)
FROM = {"left": "right", "right": "left", "top": "down", "above": "down", "bottom": "up", "below": "up",
        "west": "right", "east": "left", "north": "down", "south": "up"}  # fmt: skip
"""Who comes from there goes there."""
OTHER_MOTIONS: dict[str, Motion] = {
    "spin": "stays still", "rotate": "stays still", "twirl": "stays still", "whirl": "stays still",
    "revolve": "stays still", "bounce": "moves up", "jump": "moves up", "leap": "moves up", "hop": "moves up",
    "shake": "stays still",
    "wobble": "stays still", "explode": "grows", "burst": "grows", "pop": "shrinks", "vanish": "shrinks",
    "disappear": "shrinks", "melt": "shrinks", "zigzag": "moves right", "orbit": "stays still",
    "circle around": "stays still", "circle about": "stays still", "dance": "stays still", "blink": "stays still",
    "flash": "stays still", "fade": "shrinks", "vibrate": "stays still", "spiral": "moves up", "flip": "stays still",
    "split": "shrinks", "sing": "stays still", "talk": "stays still", "speak": "stays still", "eat": "grows",
    "oscillate": "moves right", "pulsate": "grows", "pulse": "grows", "throb": "grows", "flicker": "stays still",
    "wave": "stays still", "juggle": "moves up", "collide": "moves right", "crash": "moves down",
    "smile": "stays still",
    "laugh": "stays still", "swirl": "stays still", "somersault": "moves up", "teleport": "moves right",
    "burn": "grows", "sway": "stays still", "twist": "stays still", "jiggle": "stays still", "shatter": "shrinks",
    "break": "shrinks", "crumble": "shrinks", "dissolve": "shrinks", "stretch": "grows", "bend": "stays still",
    "fight": "moves right", "chase": "moves right", "read": "stays still", "write": "stays still",
    "cook": "stays still",
    "drink": "stays still", "play": "moves right", "wink": "stays still", "ricochet": "moves right",
    "tilt": "stays still", "tremble": "stays still", "pirouette": "stays still", "go around": "stays still",
    "back and forth": "moves right", "up and down": "moves up", "side to side": "moves right",
    "from side to side": "moves right", "round and round": "stays still", "in circles": "stays still",
    "in a circle": "stays still", "diagonally": "moves right", "in zigzags": "moves right",
    "to and fro": "moves right",
    "forward and backward": "moves right", "turn around": "stays still",
    "upside down": "stays still", "in a spiral": "moves up", "left and right": "moves right",
}  # fmt: skip
"""Motions the world has not, and the nearest one it has."""
IRREGULAR = {
    "fly": "flew flown", "go": "went gone", "run": "ran", "fall": "fell fallen", "rise": "rose risen",
    "sink": "sank sunk sunken", "grow": "grew grown", "shrink": "shrank shrunk shrunken", "stand": "stood",
    "sit": "sat", "slide": "slid", "swim": "swam swum", "sweep": "swept", "swell": "swollen",
    "freeze": "froze frozen",
    "shoot": "shot", "come": "came", "keep": "kept", "lie": "lay lain lying", "blow": "blew blown", "dive": "dove",
    "speed": "sped", "get": "got gotten", "become": "became", "take": "took taken", "ride": "rode",
    "drive": "drove driven", "creep": "crept", "be": "is are was were been being", "throw": "threw thrown",
    "send": "sent", "bring": "brought", "hold": "held", "lead": "led", "sleep": "slept", "lose": "lost",
    "begin": "began begun", "arise": "arose arisen", "flee": "fled", "make": "made", "spread": "spread",
    "set": "set", "swing": "swung", "strike": "struck", "spin": "spun", "burst": "burst", "eat": "ate eaten",
    "speak": "spoke spoken", "sing": "sang sung", "shake": "shook shaken", "break": "broke broken", "cut": "cut",
    "write": "wrote written", "drink": "drank drunk", "fling": "flung", "slink": "slunk", "find": "found",
    "die": "dying", "tie": "tying", "do": "does did done doing", "hang": "hung", "half": "halves", "plod": "plodded",
}  # fmt: skip
