import hashlib
import os
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tools.errors import BadInput
from tools.media.codecs import decode_image
from tools.uploads.pictures import LARGEST_AREA, LARGEST_SIDE, picture_id, store, take_picture


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def saved(path: Path, image: Image.Image, **options: object) -> Path:
    image.save(path, **options)
    return path


def png_header(path: Path, width: int, height: int) -> Path:
    """A PNG that claims a size and holds no pixels."""
    saved(path, Image.new("L", (8, 8)))
    data = bytearray(path.read_bytes())
    data[16:24] = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    data[29:33] = zlib.crc32(bytes(data[12:29])).to_bytes(4, "big")
    path.write_bytes(bytes(data))
    return path


def refusal(path: Path) -> str:
    with pytest.raises(BadInput) as caught:
        take_picture(path)
    sentence = str(caught.value)
    assert str(path) in sentence
    assert sentence.endswith(".")
    assert "\n" not in sentence
    return sentence


def test_a_plain_picture_is_taken_as_it_is(tmp_path):
    pixels = noise(20, 30, 3)
    path = saved(tmp_path / "fox.png", Image.fromarray(pixels))
    taken = take_picture(path, (30, 20))
    assert np.array_equal(taken.pixels, pixels)
    assert taken.notes == ()
    assert taken.source_sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_what_is_no_file_is_told(tmp_path):
    assert "no file" in refusal(tmp_path / "missing.png")
    assert "folder" in refusal(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    assert "not a regular file" in refusal(tmp_path / "pipe")
    (tmp_path / "empty.png").touch()
    assert "empty" in refusal(tmp_path / "empty.png")
    assert "cannot be read" in refusal(tmp_path / ("x" * 300))


def test_what_is_no_picture_is_told(tmp_path):
    for name, data in (("a.png", b"hello" * 100), ("b.eps", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n")):
        (tmp_path / name).write_bytes(data)
        assert "not a picture" in refusal(tmp_path / name)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_told(tmp_path):
    path = saved(tmp_path / "fox.png", Image.new("RGB", (16, 16)))
    path.chmod(0)
    assert "may not be read" in refusal(path)


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "gif", "bmp", "tiff"])
def test_a_cut_file_is_told_wherever_it_is_cut(tmp_path, suffix):
    whole = saved(tmp_path / f"fox.{suffix}", Image.fromarray(noise(40, 40, 3))).read_bytes()
    for share in (0.05, 0.3, 0.6, 0.9):
        cut = tmp_path / f"cut.{suffix}"
        cut.write_bytes(whole[: int(len(whole) * share)])
        assert any(word in refusal(cut) for word in ("damaged", "not a picture"))


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "gif", "bmp", "tiff"])
def test_a_damaged_file_gives_a_picture_or_a_sentence(tmp_path, suffix):
    whole = saved(tmp_path / f"fox.{suffix}", Image.fromarray(noise(16, 16, 3))).read_bytes()
    random = np.random.default_rng(1)
    for _ in range(20):
        data = bytearray(whole)
        for place in random.integers(0, len(data), 4):
            data[place] = random.integers(0, 256)
        (tmp_path / "bad").write_bytes(bytes(data))
        try:
            assert take_picture(tmp_path / "bad").pixels.dtype == np.uint8
        except BadInput as error:
            assert "\n" not in str(error)


@pytest.mark.parametrize("suffix", ["gif", "webp", "png"])
def test_an_animation_is_told(tmp_path, suffix):
    frames = [Image.fromarray(noise(16, 16, 3)), Image.new("RGB", (16, 16), "red"), Image.new("RGB", (16, 16), "blue")]
    path = saved(tmp_path / f"fox.{suffix}", frames[0], save_all=True, append_images=frames[1:])
    assert "3 frames" in refusal(path)


def test_sizes_are_checked_before_pixels_are_decoded(tmp_path):
    assert "at least 8x8" in refusal(saved(tmp_path / "small.png", Image.new("RGB", (7, 50))))
    assert str(LARGEST_SIDE) in refusal(png_header(tmp_path / "long.png", LARGEST_SIDE + 1, 8))
    # 121 Mpixel is above our bound; 10^10 is above Pillow's own.
    assert f"{LARGEST_AREA:,}" in refusal(png_header(tmp_path / "large.png", 11000, 11000))
    assert "pixels" in refusal(png_header(tmp_path / "bomb.png", 100_000, 100_000))
    assert take_picture(saved(tmp_path / "least.png", Image.new("RGB", (8, 8)))).pixels.shape == (8, 8, 3)


def test_transparent_parts_are_laid_over_white(tmp_path):
    pixels = np.zeros((16, 16, 4), np.uint8)
    pixels[8:] = (10, 20, 30, 255)
    taken = take_picture(saved(tmp_path / "fox.png", Image.fromarray(pixels)))
    assert (taken.pixels[0, 0] == 255).all()
    assert taken.pixels[15, 0].tolist() == [10, 20, 30]
    assert any("white" in note for note in taken.notes)


def test_an_alpha_channel_that_hides_nothing_is_not_worth_a_note(tmp_path):
    assert take_picture(saved(tmp_path / "fox.png", Image.new("RGBA", (16, 16), "red"))).notes == ()


def test_a_palette_with_a_transparent_colour_is_laid_over_white(tmp_path):
    image = Image.new("P", (16, 16), 0)
    image.putpalette([0, 0, 0, 255, 0, 0])
    taken = take_picture(saved(tmp_path / "fox.gif", image, transparency=0))
    assert (taken.pixels == 255).all()


def test_a_photo_is_turned_upright(tmp_path):
    image = Image.new("RGB", (32, 16), "black")
    image.paste("white", (0, 0, 16, 16))
    exif = Image.Exif()
    exif[0x0112] = 6
    taken = take_picture(saved(tmp_path / "fox.png", image, exif=exif))
    assert taken.pixels.shape == (32, 16, 3)
    assert taken.pixels[2, 8].min() == 255
    assert taken.pixels[-2, 8].max() == 0
    assert any("upright" in note for note in taken.notes)


@pytest.mark.parametrize("mode", ["L", "1", "P", "CMYK", "LA"])
def test_other_colour_models_become_rgb(tmp_path, mode):
    grey = Image.fromarray(np.full((16, 16), 255, np.uint8)).convert(mode)
    taken = take_picture(saved(tmp_path / "fox.tiff", grey))
    assert taken.pixels.shape == (16, 16, 3)
    assert taken.pixels.min() >= 250


def test_sixteen_bits_are_scaled_and_not_clipped(tmp_path):
    values = np.full((16, 16), 0x8000, np.uint16)
    for suffix in ("png", "tiff"):
        taken = take_picture(saved(tmp_path / f"fox.{suffix}", Image.fromarray(values)))
        assert (taken.pixels == 0x80).all()
        assert any("16 bit" in note for note in taken.notes)


def test_floating_pixels_are_told(tmp_path):
    assert "32 bits" in refusal(saved(tmp_path / "fox.tiff", Image.fromarray(np.ones((16, 16), np.float32))))


def test_another_size_is_fitted_and_told(tmp_path):
    taken = take_picture(saved(tmp_path / "fox.png", Image.fromarray(noise(50, 100, 3))), (64, 64))
    assert taken.pixels.shape == (64, 64, 3)
    (note,) = taken.notes
    assert "100x50" in note and "64x64" in note and "and 50 pixels were cut from its width." in note


def test_an_upload_is_stored_once_with_where_it_came_from(context, tmp_path):
    path = saved(tmp_path / "fox.png", Image.fromarray(noise(16, 24, 3)))
    taken = take_picture(path, context.size)
    first, again = store(context, taken), store(context, taken)
    assert (first.called, again.called) == (True, False)
    assert first.artifact == again.artifact
    assert first.artifact.id == picture_id(taken)
    assert first.artifact.recipe.agent == "upload"
    assert first.artifact.recipe.spec["source"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert np.array_equal(decode_image(context.archive.read(first.artifact)), noise(16, 24, 3))


def test_an_upload_tells_what_was_changed_in_it(context, tmp_path):
    taken = take_picture(saved(tmp_path / "fox.png", Image.new("RGBA", (100, 100), (0, 0, 0, 0))), context.size)
    made = store(context, taken)
    assert (made.artifact.media.width, made.artifact.media.height) == context.size
    assert ["white" in taken.notes[0], "scaled" in taken.notes[1]] == [True, True]
