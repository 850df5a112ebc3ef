"""Several candidates of one picture: one forward, artifacts of their own, the same bytes whatever was lost."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from memory.products.bookmarks import Bookmarks
from memory.products.files import place
from models.errors import AgentError
from tools.media.codecs import decode_image
from tools.text_to_image import TextToImage, text_to_image, text_to_images

FOX = TextToImage(prompt="a fox")
SEEDS = (3, 1, 2)


class Interrupting:
    """The archive, which fails at the `nth` product it is to take."""

    def __init__(self, archive: Any, nth: int) -> None:
        self.archive, self.left = archive, nth

    def make(self, lease: Any, recipe: Any, produce: Any, **given: Any) -> Any:
        def failing() -> Any:
            product = produce()
            self.left -= 1
            if self.left == 0:
                raise RuntimeError("the disk is full")
            return product

        return self.archive.make(lease, recipe, failing, **given)


def ids(all_made):
    return [made.artifact.id for made in all_made]


def test_candidates_are_drawn_in_one_call_and_stored_one_by_one(context):
    heard = []
    made = text_to_images(context, FOX, seeds=SEEDS, report=heard.append)
    assert [one.called for one in made] == [True] * 3
    assert context.lender.lent == ["text_to_image"]
    assert [told["step"] for told in heard] == [1, 2]
    assert [one.artifact.recipe.spec["seed"] for one in made] == list(SEEDS)
    assert len({one.artifact.sha256 for one in made}) == 3
    again = text_to_images(context, FOX, seeds=SEEDS)
    assert (ids(again), [one.called for one in again]) == (ids(made), [False] * 3)
    assert context.lender.lent == ["text_to_image"]


def test_one_candidate_is_the_picture_of_its_seed(context):
    alone = text_to_image(context, FOX, seed=3)
    assert ids(text_to_images(context, FOX, seeds=(3,))) == [alone.artifact.id]
    assert "together" not in alone.artifact.recipe.spec


def test_pictures_drawn_together_are_not_taken_for_those_drawn_alone(context):
    alone = text_to_image(context, FOX, seed=3)
    together = text_to_images(context, FOX, seeds=SEEDS)
    assert alone.artifact.id not in ids(together)
    assert together[0].artifact.recipe.spec["together"] == list(SEEDS)
    pixels = [decode_image(context.archive.read(one.artifact)) for one in (alone, together[0])]
    assert not np.array_equal(*pixels)


def test_a_lost_candidate_comes_out_with_the_same_bytes(context):
    made = text_to_images(context, FOX, seeds=SEEDS)
    lost = made[1].artifact
    place(context.archive.home, lost.sha256, ".png").unlink()
    again = text_to_images(context, FOX, seeds=SEEDS)
    assert [one.called for one in again] == [False, True, False]
    assert [one.artifact.sha256 for one in again] == [one.artifact.sha256 for one in made]
    assert context.lender.lent == ["text_to_image"] * 2


@pytest.mark.parametrize("nth", [1, 2, 3])
def test_after_a_failure_only_the_missing_ones_are_made(context, nth):
    failing = replace(context, archive=Interrupting(context.archive, nth))
    with pytest.raises(RuntimeError, match="disk"):
        text_to_images(failing, FOX, seeds=SEEDS)
    again = text_to_images(context, FOX, seeds=SEEDS)
    # The last is stored first: its claim was the last.
    assert [one.called for one in again] == [True] * (4 - nth) + [False] * (nth - 1)
    assert all(text_to_images(context, FOX, seeds=SEEDS)[k].artifact == again[k].artifact for k in range(3))


def test_everything_is_claimed_before_anything_is_drawn(context):
    drawing = []

    def report(told):
        if not drawing:
            lines = context.archive.ledger(context.lease.run)[-3:]
            drawing.append({line.outcome for line in lines} | {line.agent for line in lines})

    made = text_to_images(context, FOX, seeds=SEEDS, report=report)
    assert drawing == [{None, "text_to_image"}]
    lines = context.archive.ledger(context.lease.run)[-3:]
    assert [line.artifact for line in lines] == ids(made)


def test_an_agent_that_fails_leaves_no_claim(context):
    def fails(told):
        raise AgentError("test", "no")

    with pytest.raises(AgentError):
        text_to_images(context, FOX, seeds=SEEDS, report=fails)
    assert [line.outcome for line in context.archive.ledger(context.lease.run)[-3:]] == ["failed"] * 3
    assert [one.called for one in text_to_images(context, FOX, seeds=SEEDS)] == [True] * 3


@pytest.mark.parametrize("seeds", [(), (1, 1)])
def test_candidates_have_each_their_own_seed(context, seeds):
    with pytest.raises(ValueError, match="each another one"):
        text_to_images(context, FOX, seeds=seeds)


def test_candidates_share_one_bookmark_until_all_are_stored(context, tmp_path):
    kept = Bookmarks(tmp_path, 0)
    keeping = replace(context, bookmarks=kept.of)
    failing = replace(keeping, archive=Interrupting(context.archive, 2))
    seen = []

    def report(told):
        bookmark = kept.of(recipe.key)
        bookmark.save(b"state")
        seen.append(bookmark.load())

    recipe = text_to_images(context, FOX, seeds=SEEDS)[0].artifact.recipe
    for one in context.archive.artifacts(context.lease.run)[-3:]:
        place(context.archive.home, one.sha256, ".png").unlink()
    with pytest.raises(RuntimeError, match="disk"):
        text_to_images(failing, FOX, seeds=SEEDS, report=report)
    assert kept.of(recipe.key).load() == b"state"
    text_to_images(keeping, FOX, seeds=SEEDS)
    assert list(tmp_path.iterdir()) == []
    assert seen == [b"state"] * 2
