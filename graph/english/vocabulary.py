"""What English calls the things of the embedded world, and what it asks for that the world has not. Data only.

Phrases are separated by commas; verbs stand in their base form and are inflected on their first word. `~` marks a
word that gives way when a clearer one is near (`dark` beside `desert`).
"""

from models.embedded.language import Colour, Motion, Object, Scene

OBJECT_NOUNS: dict[Object, str] = {
    "ball": "ball, circle, sphere, orb, disc, disk, dot, globe, marble, bubble, bead, pellet, beach ball, beachball, "
    "roundel, round thing, round shape, round object, something round, ball shaped, spherical~, soccer ball, "
    "football, basketball, "
    "tennis ball, roundish thing",
    "box": "box, square, cube, block, crate, package, parcel, brick, carton, chest, cuboid, quadrate, boxy thing, "
    "something square, box shaped, cube shaped, cubic~, cubical~, boxy~, "
    "square thing, square shape, dice, square shaped",
    "triangle": "triangle, pyramid, cone, wedge, trigon, tetrahedron, triangular shape, triangular thing, arrowhead, "
    "three sided shape, three cornered shape, pointy triangle, triangular~, pyramidal~, conical~, triangle shaped",
    "star": "star, pentagram, asterisk, starlet, five pointed star, five point star, star shape, starburst, sparkle, "
    "five pointed shape, star shaped",
}
THINGS = "thing, object, shape, item, something, figure, form, whatever, piece, anything, body"
"""Nouns that leave the object open."""

COLOUR_WORDS: dict[Colour, str] = {
    "red": "red, reddish, crimson, scarlet, ruby, cherry, vermilion, vermillion, maroon, burgundy, cardinal, "
    "blood red, "
    "cherry red, ruby red, fire engine red, brick red, wine red, tomato red, rose red, carmine, reddened, rosso red",
    "green": "green, greenish, lime, emerald, jade, olive, mint, chartreuse, viridian, forest green, lime green, "
    "sea green, grass green, emerald green, mint green, olive green, moss green, bottle green, pea green, "
    "fern green, "
    "apple green, leaf green, jade green, neon green",
    "blue": "blue, bluish, azure, navy, cobalt, sapphire, cerulean, ultramarine, navy blue, royal blue, sky blue, "
    "midnight blue, ocean blue, ice blue, baby blue, cobalt blue, powder blue, sea blue, cornflower, denim, "
    "azure blue, sapphire blue, turquoise~, teal~, cyan~, aqua~, aquamarine~",
    "yellow": "yellow, yellowish, golden, gold, lemon, canary, mustard, sunny yellow, lemon yellow, canary yellow, "
    "sunshine yellow, gilded, banana yellow, honey~, amber~, blond~, blonde~, saffron~, sand coloured~, "
    "straw coloured",
    "purple": "purple, purplish, violet, lilac, lavender, mauve, plum, indigo, amethyst, aubergine, royal purple, "
    "grape, magenta~, fuchsia~, orchid~",
    "orange": "orange, orangish, tangerine, apricot, carrot, pumpkin, burnt orange, blood orange, carrot coloured, "
    "mandarin, marmalade, copper~, coral~, rust~, peach~, bronze~",
}
OTHER_COLOURS: dict[str, Colour] = {
    "pink": "purple", "white": "yellow", "black": "blue", "grey": "blue", "gray": "blue", "brown": "orange",
    "silver": "blue", "beige": "yellow", "cream": "yellow", "ivory": "yellow", "tan": "orange", "khaki": "green",
    "salmon": "orange", "rose": "red", "charcoal": "blue", "chocolate": "orange", "transparent": "blue",
    "invisible": "blue", "rainbow": "purple", "multicolored": "purple", "multicoloured": "purple",
    "colorless": "blue", "colourless": "blue", "silvery": "blue", "blackish": "blue", "whitish": "yellow",
    "striped": "red", "spotted": "red", "checkered": "red", "chequered": "red", "polka dot": "red", "plaid": "red",
    "tartan": "red", "iridescent": "purple", "sepia": "orange", "monochrome": "blue", "hot pink": "purple",
    "snow white": "yellow", "jet black": "blue", "pitch black": "blue",
}  # fmt: skip
"""Colours the world has not, and the one that comes nearest."""

SCENE_WORDS: dict[Scene, str] = {
    "meadow": "meadow, meadows, meadowland, grass, grasses, grassland, grasslands, grassy, lawn, prairie, pasture, "
    "garden, field, fields, park, turf, countryside, savanna, savannah, grass field, grassy field, green hills, "
    "grassy hill, grassy hills, greensward, paddock, backyard, pastureland, lea, greenery, football pitch, "
    "village green",
    "sea": "sea, seas, ocean, oceans, water, waters, waves, lake, seaside, seascape, pond, river, lagoon, bay, surf, "
    "seashore, high seas, open water, underwater, under water, pacific, atlantic, aquatic, oceanic, shore~, coast~, "
    "harbour, harbor, marine, swimming pool, pool, billows, seawater",
    "desert": "desert, deserts, sand, sands, dune, dunes, sandy, sahara, gobi, sandy beach, beach sand, arid plain, "
    "sandbox, sand dunes, sand dune, badlands, desert sand, desert sands, parched land, beach~, sandy shore, "
    "arid land",
    "snow": "snow, snows, snowy, winter, wintry, ice, icy, arctic, antarctic, antarctica, tundra, glacier, "
    "snowfield, "
    "blizzard, snowstorm, north pole, south pole, polar, frost, frosty, snowfall, wintertime, snowscape, "
    "frozen lake, "
    "frozen sea, frozen ocean, frozen pond, frozen river, frozen water, frozen tundra, winter wonderland, snowdrift, "
    "snowdrifts, snow fall, snow storm, snow covered, ice rink, ski slope, snowbound, iceberg, icebergs, ice floe, "
    "ski resort, frosty field, icy plain, frozen field, alpine snow, white winter, "
    "snow covered field, snow covered fields, snowy field, snowy fields, snowy meadow, snowed in, snow field, "
    "snow covered plain, snow covered ground, icy lake, icy field, ice field, ice sheet, fresh powder, siberia",
    "night": "night, nights, midnight, nighttime, nightfall, evening, dusk, twilight, darkness, nocturnal, starry, "
    "starlit, starlight, moonlit, moonlight, night sky, starry sky, starry night, dark sky, outer space, space, "
    "cosmos, "
    "galaxy, universe, after dark, after sunset, after sundown, after nightfall, before dawn, before sunrise, "
    "under the stars, beneath the stars, below the stars, underneath the stars, among the stars, between the stars, stars in the sky, "
    "in the stars, to the stars, across the stars, night fall, late at night, starry evening, dark night, "
    "deep space, "
    "starry heavens, under the moon, blackness, gloom, pitch dark, pitch darkness, moonless, dark~, black sky, "
    "starry skies, night skies, dark skies, the small hours, dark space, milky way, unlit",
}
NEAR_PLACES = (
    "garden, park, prairie, countryside, savanna, savannah, backyard, football pitch, village green, green hills, "
    "grassy hill, grassy hills, lake, pond, river, lagoon, bay, seaside, seashore, underwater, under water, shore, "
    "coast, harbour, harbor, swimming pool, pool, beach, sandy beach, beach sand, sandy shore, sandbox, badlands, "
    "glacier, frozen lake, frozen pond, frozen river, icy lake, ice rink, ski slope, ski resort, iceberg, icebergs, "
    "ice floe, outer space, space, cosmos, galaxy, universe, deep space, dark space, milky way"
)
"""Of SCENE_WORDS those that are places of their own: the scene that is painted for them is told."""
SCENE_EVENTS: dict[Scene, str] = {
    "night": "night fall, darkness fall, night come, darkness come, night begin, get dark, become dark, grow dark, "
    "turn dark, go dark, turn to night, turn into night, become night, night descend, darkness descend, dusk fall, "
    "evening fall, evening come, sun go down, sun set, night arrive, turn to darkness, lights go out",
    "snow": "snow, snow fall, snow start, start snowing, begin snowing, begin to snow, start to snow, winter come, "
    "winter arrive, turn to winter, turn into winter, winter begin, freeze over, become winter, snow begin",
}
"""Verb phrases that are a change of scene and no motion; the verb may be inflected."""
SCENE_COLOURS: dict[Scene, str] = {
    "meadow": "green yellow", "sea": "blue green", "desert": "yellow orange", "snow": "white blue",
    "night": "black blue purple grey gray",
}  # fmt: skip
"""Colours a scene may be called by; its own cannot be changed."""
OTHER_PLACES: dict[str, Scene] = {
    "moon": "night", "mars": "desert", "city": "night", "town": "meadow", "street": "night", "road": "desert",
    "forest": "meadow", "woods": "meadow", "wood": "meadow", "jungle": "meadow", "mountain": "snow",
    "mountains": "snow", "house": "meadow", "room": "night", "kitchen": "night", "bedroom": "night",
    "bathroom": "sea", "castle": "meadow", "cave": "night", "volcano": "desert", "island": "sea", "sunset": "night",
    "sunrise": "meadow", "dawn": "meadow", "rain": "sea", "storm": "sea", "fog": "snow", "office": "night",
    "school": "meadow", "stadium": "meadow", "highway": "desert", "village": "meadow", "skyscraper": "night",
    "planet": "night", "earth": "meadow", "sun": "desert", "hell": "desert", "heaven": "night", "paris": "night",
    "london": "night", "tokyo": "night", "york": "night", "farm": "meadow", "swamp": "meadow", "rainforest": "meadow",
    "valley": "meadow", "hill": "meadow", "hills": "meadow", "bridge": "sea", "beachside": "desert",
    "tunnel": "night",
    "canyon": "desert", "airport": "meadow", "shop": "night", "supermarket": "night", "church": "meadow",
    "library": "night", "tokyo street": "night", "clouds": "sea", "cloud": "sea", "rooftop": "night",
    "table": "desert",
    "lava": "desert", "fire": "desert", "flames": "desert", "bottle": "sea", "museum": "night", "theatre": "night",
}  # fmt: skip
OTHER_THINGS: dict[str, Object] = {
    "dragon": "star", "cat": "ball", "dog": "ball", "bird": "star", "car": "box", "truck": "box", "bus": "box",
    "train": "box", "robot": "box", "man": "triangle", "woman": "triangle", "person": "triangle",
    "people": "triangle",
    "boy": "triangle", "girl": "triangle", "child": "triangle", "horse": "box", "fox": "triangle", "house": "box",
    "tree": "triangle", "flower": "star", "apple": "ball", "balloon": "ball", "moon": "ball", "sun": "ball",
    "planet": "ball", "snowball": "ball", "egg": "ball", "coin": "ball", "wheel": "ball", "ring": "ball",
    "heart": "star", "diamond": "star", "rectangle": "box", "hexagon": "ball", "pentagon": "star", "octagon": "ball",
    "oval": "ball", "ellipse": "ball", "polygon": "triangle", "line": "box", "arrow": "triangle", "cross": "star",
    "cylinder": "box", "rocket": "triangle", "spaceship": "triangle", "airplane": "triangle", "plane": "triangle",
    "boat": "box", "ship": "box", "fish": "ball", "butterfly": "star", "snowman": "ball", "starfish": "star",
    "unicorn": "star", "elephant": "ball", "lion": "star", "kite": "triangle", "book": "box", "phone": "box",
    "table": "box", "chair": "box", "hat": "triangle", "pizza": "triangle", "cake": "box", "donut": "ball",
    "doughnut": "ball", "astronaut": "triangle", "trapezoid": "box", "rhombus": "box", "crescent": "ball",
    "spiral": "star", "tent": "triangle", "mountain": "triangle", "drone": "star", "snowflake": "star",
    "bell": "ball",
    "bull": "ball", "fireball": "ball", "comet": "star", "meteor": "star", "gift": "box", "building": "box",
    "king": "star", "wing": "triangle", "blood": "ball", "mailbox": "box",
}  # fmt: skip
"""Things the world has not, and the one whose shape comes nearest."""

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

DIGITAL = (
    "digital, digital world, digital world style, in digital world style, digital style, pixel, pixels, pixelated, "
    "pixellated, pixel art, pixel style, pixelart, pixely, pixelly, blocky, voxel, voxels, minecraft, 8 bit, 16 bit, "
    "8bit, 16bit, eight bit, sixteen bit, retro game, video game, videogame, arcade, arcade game, block game, "
    "block world, made of blocks, in blocks, computer game, low res, low resolution, retro, lego, chunky pixels, "
    "old game, game boy, gameboy, nintendo, old school game, mosaic, cubist game, world of blocks, game, "
    "big pixels, built of blocks, built from blocks, like a game, pixelate, pixelized, pixelised, atari, "
    "made of pixels, made out of blocks, out of blocks, digitised, digitized, nes"
)
NATURAL = "natural style, realistic, photorealistic, photo realistic, natural, real life, lifelike, true to life"
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
ADJECTIVES = (
    "beautiful, lovely, pretty, nice, cute, cool, amazing, awesome, cinematic, epic, dramatic, gorgeous, stunning, "
    "bright, shiny, glossy, vivid, vibrant, pale, light, deep, rich, soft, glowing, luminous, brilliant, gleaming, "
    "sparkling, big, small, large, little, tiny, huge, giant, enormous, massive, great, mighty, medium, mid sized, "
    "simple, perfect, plain, smooth, solid, hard, heavy, wooden, metal, metallic, glass, plastic, rubber, paper, "
    "stone, "
    "old, new, young, ancient, modern, magic, magical, mysterious, happy, sad, angry, funny, silly, brave, proud, "
    "shy, "
    "calm, quiet, silent, peaceful, serene, tranquil, gentle, graceful, majestic, elegant, friendly, cheerful, "
    "jolly, "
    "warm, cold, hot, cool, wet, dry, vast, wide, broad, endless, infinite, open, empty, flat, rolling, lush, fresh, "
    "clear, clean, pure, tall, short, thick, thin, round~, circular~, angular, "
    "pointy, pointed, three dimensional, 3d, 2d, colourful, colorful, neon, dazzling, radiant, tasteful, "
    "charming, wonderful, fantastic, marvellous, marvelous, splendid, dreamy, surreal, abstract, minimalist, "
    "minimal, high, tropical, stormy~, choppy, rough, foamy, wavy, sparkly, fluffy, powdery, scorching, blazing, "
    "burning hot, windy, crisp, scenic, idyllic, verdant, bare, barren, arid, deserted, desolate, lazy, tired, "
    "sleepy, curious, playful, bold, humble, ordinary, normal, regular, typical, standard, usual, special, unique, "
    "strange, weird, odd, mini, micro, miniature, jumbo, gigantic, colossal, immense, tremendous, minute, sized, "
    "breathtaking, award winning, award, winning, jaw dropping, eye catching, darker, lighter, brighter, "
    "dark coloured, five pointed, floating, flying, moving, drifting, icy cold, freezing, "
    "cosy, cozy, hypnotic, mesmerising, mesmerizing, satisfying, relaxing, tidy, neat, fancy, delicate, sturdy, "
    "chilly, frigid, untouched, pristine, immaculate, sun drenched, sun baked, windswept, dusty, cloudless, cloudy"
)
SPEED = (
    "slow, slowly, fast, quick, quickly, rapid, rapidly, swift, swiftly, speedy, speedily, slower, faster, quicker, "
    "leisurely, hurriedly, sluggish, sluggishly, at full speed, slow motion, slowmotion, time lapse, timelapse, "
    "in no hurry, at top speed, at great speed, at speed, lightning fast, full speed, unhurried, unhurriedly"
)
CAMERA = "fade in, fade out, fades in, fades out, fade to black, camera, cam, lens, zoom in, zoom out, zooms in, "
"zooms out, dolly, tracking shot, panning shot, drone shot"
UNHEARD = "music, sound, sounds, audio, soundtrack, song, voice, voiceover, narration, noise, silence"
OTHER_STYLES = (
    "watercolor, watercolour, anime, cartoon, cartoonish, sketch, oil painting, claymation, noir, impressionist, "
    "van gogh, pixar, disney, comic, manga, origami, black and white, ghibli, steampunk, cyberpunk, vintage, "
    "painting, painted, stop motion, charcoal drawing, pencil drawing, papercraft"
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

FRUITS = (
    "lime lemon cherry plum grape carrot pumpkin apricot olive tangerine canary cardinal orchid mandarin honey ruby "
    "emerald sapphire peach"
)
"""Names of colours that are things when no object follows (`a pumpkin rolls`)."""
PLACE_PREPOSITIONS = (
    "in", "on", "over", "across", "through", "at", "under", "near", "inside", "onto", "into", "above", "along",
    "around", "past", "beyond", "to", "toward", "towards", "within", "by", "throughout", "upon", "below", "from",
    "between", "among", "beneath", "against",
)  # fmt: skip
COLOURS_OF: dict[str, Colour] = {
    "sky": "blue", "sea": "blue", "ocean": "blue", "grass": "green", "leaves": "green", "blood": "red",
    "fire": "orange", "sun": "yellow", "gold": "yellow", "lemons": "yellow", "oranges": "orange", "carrots": "orange",
    "grapes": "purple", "emeralds": "green", "tomatoes": "red", "roses": "red", "lavender": "purple",
    "bananas": "yellow", "rubies": "red", "sapphires": "blue", "flames": "orange", "cherries": "red", "limes": "green",
    "violets": "purple", "corn": "yellow",
}  # fmt: skip
"""`the colour of ...`"""
ROUND = ("round", "circular", "globular")
"""Said of something that is not named, they name a ball; said of anything else, they are its aspect."""

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
