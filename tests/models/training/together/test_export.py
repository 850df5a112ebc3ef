"""The folders that a training leaves load as a profile, and draw as the trained networks did."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from models.agent import ImageSpec, VideoSpec
from models.backends.loading import Placement, weights_digest
from models.backends.tokens import token_of
from models.lenders.local import LocalLender
from models.presets import PRESETS
from models.training.together.agents.table import load_trainable
from models.training.together.export import export, rows_in
from models.training.together.trainer import Trainer
from support.together_worker import trainer

EMBEDDED = tuple(row for row in PRESETS if row.profile == "embedded")


def unheard(*_: int) -> None:
    """Nobody listens."""


def drawn(lender: LocalLender) -> tuple[bytes, bytes]:
    with lender.lend("text_to_image") as draw:
        picture = draw(ImageSpec("a red ball grows in the sea", 1, num_inference_steps=2), progress=unheard)
    with lender.lend("image_to_video") as animate:
        clip = animate(VideoSpec("it grows", picture, 3, 1, num_inference_steps=2), progress=unheard)
    return picture.pixels.tobytes(), clip.frames.tobytes()


@pytest.mark.slow
def test_a_training_leaves_a_profile(tmp_path: Path) -> None:
    """With its adapters merged and its tokens attached; without either, rounds test it."""
    training = trainer(tmp_path / "training", steps=1, how="lora", modulation="normalised", rate=1e-3, z_rate=2.0)
    training.run()
    rows = export(training.agents, EMBEDDED, tmp_path / "out")
    assert {Path(row.weights) for row in rows} == {tmp_path / "out" / row.role for row in EMBEDDED}
    assert rows == rows_in(tmp_path / "out", EMBEDDED)
    assert weights_digest(rows[1]) == weights_digest(EMBEDDED[1]), "A3 was not in the path"
    lender = LocalLender("embedded", device="cpu", table=rows)
    made = drawn(lender)
    assert made[0] != drawn(LocalLender("embedded", device="cpu"))[0]
    loaded: Any = lender._loaded["text_to_image"]
    states = torch.randn(1, 24, 96, generator=torch.Generator().manual_seed(0))
    given = (torch.randn(1, 12, 16, 16, generator=torch.Generator().manual_seed(1)), 10, states)
    own = training.agents[0].denoiser
    with torch.no_grad():
        assert torch.equal(loaded.pipeline.unet(*given).sample, own(*given).sample), "its token is attached"
        training.tokens["text_to_image"].remove()
        assert not torch.equal(loaded.pipeline.unet(*given).sample, own(*given).sample)
    torch.testing.assert_close(token_of(loaded.pipeline.unet).z, training.tokens["text_to_image"].z)
    again = Trainer(tuple(load_trainable(row, Placement("cpu", 1)) for row in rows[::2]), training.winners,
                    replace(training.settings, how="full"), tmp_path / "again", training.steps_of)  # fmt: skip
    again._set_up()
    assert torch.equal(again.tokens["text_to_image"].z, loaded.pipeline.unet.mod_token.z), "it goes on from there"
    assert (tmp_path / "out" / "text_to_image" / "modulation" / "tokenizer.json").exists()
