import numpy as np
import pytest

from tools.media import codecs as media
from tools.media.codecs import decode_image, encode_clip, encode_image, frames_of
from tools.media.decode_cache import Fresh


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch) -> Fresh:
    fresh = Fresh()
    monkeypatch.setattr(media, "FRESH", fresh)
    return fresh


def test_what_was_kept_is_what_would_be_decoded(fresh: Fresh) -> None:
    data, film = encode_image(noise(20, 30, 3)), encode_clip(noise(3, 20, 30, 3), 8)
    assert fresh.pixels(data) is not None
    assert fresh.pixels(film) is not None
    kept = decode_image(data), [*frames_of(film)]
    fresh.forget(data)
    fresh.forget(film)
    assert np.array_equal(kept[0], decode_image(data))
    assert np.array_equal(kept[1], [*frames_of(film)])
    assert fresh.pixels(film) is None


def test_nobody_can_change_it(fresh: Fresh) -> None:
    picture = noise(4, 4, 3)
    data = encode_image(picture)
    picture[:] = 0
    assert decode_image(data).any()
    assert not decode_image(data).flags.writeable


def test_the_oldest_go_first_and_what_is_too_large_is_not_kept() -> None:
    fresh, pixels = Fresh(100), noise(40)
    for name in (b"a", b"b", b"b", b"c"):
        fresh.keep(name, pixels)
    assert [fresh.pixels(name) is not None for name in (b"a", b"b", b"c")] == [False, True, True]
    fresh.keep(b"d", noise(101))
    assert [fresh.pixels(name) is not None for name in (b"b", b"c", b"d")] == [True, True, False]
