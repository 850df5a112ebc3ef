"""Words of the two styles, of other styles, of camera, sound and speed, and adjectives. Data only.

Phrases are separated by commas; verbs stand in their base form and are inflected on their first word. `~` marks a
word that gives way when a clearer one is near (`dark` beside `desert`).
"""

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
CAMERA = (
    "fade in, fade out, fades in, fades out, fade to black, camera, cam, lens, zoom in, zoom out, zooms in, "
    "zooms out, dolly, tracking shot, panning shot, drone shot"
)
UNHEARD = "music, sound, sounds, audio, soundtrack, song, voice, voiceover, narration, noise, silence"
OTHER_STYLES = (
    "watercolor, watercolour, anime, cartoon, cartoonish, sketch, oil painting, claymation, noir, impressionist, "
    "van gogh, pixar, disney, comic, manga, origami, black and white, ghibli, steampunk, cyberpunk, vintage, "
    "painting, painted, stop motion, charcoal drawing, pencil drawing, papercraft"
)
