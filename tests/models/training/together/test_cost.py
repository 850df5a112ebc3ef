"""What a step costs, against the same losses in bare PyTorch in the same process, and how much memory it takes."""

import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from models.training.together.settings import EMBEDDED
from models.training.together.trainer import Trainer
from support import bare_training
from support.together_worker import STEPS_OF
from support.winners import embedded_path, rendered

ROOT = Path(__file__).parents[4]
MOST, MOST_GIGABYTES, STEPS = 1.5, 1.2, 2


@pytest.mark.slow
def test_a_step_costs_little_more_than_bare_pytorch(tmp_path: Path) -> None:
    """Processor time of steps with a checkpoint every four, and of the same losses and gradients without a trainer."""
    torch.set_num_threads(1)
    settings = {**EMBEDDED.as_json(), "steps": STEPS, "measured": 1, "save_every": STEPS}
    trainer = Trainer(embedded_path(), rendered(6, frames=None), type(EMBEDDED)(**settings), tmp_path, STEPS_OF)
    spent, bare, steps = [], [], Trainer._step

    def timed(self: Trainer, step: int) -> float:
        begun = time.process_time()
        for loss in (found := bare_training.losses(self, step)).values():
            assert torch.isfinite(loss)
        self.sizes.total(found, self.settings.share).backward()  # type: ignore[no-untyped-call]
        for parameter in self.stepper.values().values():
            parameter.grad = None
        bare.append(time.process_time() - begun)
        if step == 0:
            own = self.losses("tune", step)
            assert own.keys() == found.keys()
            for name, loss in own.items():
                torch.testing.assert_close(loss, found[name], rtol=1e-4, atol=1e-6)
        begun = time.process_time()
        total = steps(self, step)
        spent.append(time.process_time() - begun)
        return total

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Trainer, "_step", timed)
        saved, save = [], Trainer._save

        def timed_save(self: Trainer, step: int) -> None:
            begun = time.process_time()
            save(self, step)
            saved.append(time.process_time() - begun)

        patch.setattr(Trainer, "_save", timed_save)
        trainer.run()
    ratio = (sum(spent) + saved[-1] * STEPS / EMBEDDED.save_every) / sum(bare)
    print(f"a step costs {ratio:.2f} of bare PyTorch's {sum(bare) / STEPS:.2f} s")
    assert ratio < MOST


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of a process is read from /proc")
def test_the_chain_of_four_fits_in_memory() -> None:
    program = """
import torch
from models.training.together.chain import Chain
from models.training.together.losses import film_loss
from support.winners import embedded_path, rendered
torch.set_num_threads(1)
agents, winners = embedded_path(), rendered(4)
for agent in agents:
    for part in agent.parts().values():
        part.requires_grad_(True)
chain = Chain(agents, {"text_to_image": 6, "image_to_video": 3}, 2)
drawn = chain.draw(winners, torch.Generator().manual_seed(0))
film_loss(agents, winners, drawn.picture, drawn.frames).backward()
assert all(agent.denoiser.conv_in.weight.grad is not None for agent in agents)
# Unlike ru_maxrss, the peak of this program alone: that of the process that started it does not count.
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(int(peak.split()[1]) / 1e6)
"""
    paths = {"PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}", "OMP_NUM_THREADS": "1", "PATH": ""}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=paths, capture_output=True, text=True, check=True
    )
    gigabytes = float(done.stdout)
    print(f"{gigabytes:.2f} GB")
    assert gigabytes < MOST_GIGABYTES
