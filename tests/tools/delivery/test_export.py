import os
import subprocess
import sys
from pathlib import Path

import pytest

from tools.delivery.export import check_destination, export
from tools.errors import BadInput

REPOSITORY = Path(__file__).parents[3]
LIMITED = """
import resource, sys
from pathlib import Path
from tools.errors import BadInput
from tools.delivery.export import export
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    export(b"x" * 5000, Path(sys.argv[1]))
except BadInput as error:
    sys.stdout.write(str(error))
"""


def refusal(path: Path) -> str:
    with pytest.raises(BadInput) as caught:
        check_destination(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_film_arrives_whole_and_alone(tmp_path):
    target = export(b"film", tmp_path / "fox.mp4")
    assert target.read_bytes() == b"film"
    assert [path.name for path in tmp_path.iterdir()] == ["fox.mp4"]


def test_an_older_film_is_replaced(tmp_path):
    (tmp_path / "fox.mp4").write_bytes(b"older")
    export(b"newer", tmp_path / "fox.mp4")
    assert (tmp_path / "fox.mp4").read_bytes() == b"newer"


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "real.mp4").write_bytes(b"older")
    (tmp_path / "fox.mp4").symlink_to(tmp_path / "real.mp4")
    export(b"newer", tmp_path / "fox.mp4")
    assert (tmp_path / "fox.mp4").is_symlink()
    assert (tmp_path / "real.mp4").read_bytes() == b"newer"


def test_others_may_read_what_the_umask_lets_them(tmp_path):
    before = os.umask(0o022)
    try:
        assert export(b"film", tmp_path / "fox.mp4").stat().st_mode & 0o777 == 0o644
    finally:
        os.umask(before)


def test_where_no_film_can_go_is_told_before_any_work(tmp_path):
    (tmp_path / "folder.mp4").mkdir()
    os.mkfifo(tmp_path / "pipe.mp4")
    (tmp_path / "file").touch()
    assert "is a folder" in refusal(tmp_path / "folder.mp4")
    assert "fox.mp4" in refusal(tmp_path / "fox.avi")
    assert "fox.mp4" in refusal(tmp_path / "fox")
    assert "no folder" in refusal(tmp_path / "missing" / "fox.mp4")
    assert "no folder" in refusal(tmp_path / "file" / "fox.mp4")
    assert "not a regular file" in refusal(tmp_path / "pipe.mp4")
    assert "cannot be written" in refusal(tmp_path / f"{'x' * 300}.mp4")
    assert "cannot be written" in refusal(Path("/proc/fox.mp4"))


def test_a_check_leaves_nothing_behind(tmp_path):
    assert check_destination(tmp_path / "fox.MP4") == tmp_path / "fox.MP4"
    assert list(tmp_path.iterdir()) == []


def test_another_suffix_can_be_asked_for(tmp_path):
    assert export(b"sheet", tmp_path / "fox.png", suffix=".png").exists()
    with pytest.raises(BadInput, match=r"\.png"):
        export(b"sheet", tmp_path / "fox.mp4", suffix=".png")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_is_told(tmp_path):
    tmp_path.chmod(0o500)
    assert "cannot be written" in refusal(tmp_path / "fox.mp4")


def test_a_disk_that_takes_no_more_is_told_and_the_old_film_stays(tmp_path):
    (tmp_path / "fox.mp4").write_bytes(b"older")
    command = [sys.executable, "-c", LIMITED, str(tmp_path / "fox.mp4")]
    told = subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True, text=True).stdout
    assert "may not be so large" in told
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("fox.mp4", b"older")]
