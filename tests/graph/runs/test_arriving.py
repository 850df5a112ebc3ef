"""A run that works on files begins once they are stored."""

import contextlib
from pathlib import Path
from typing import Any

import pytest

from graph.errors import RequestError
from graph.runs.observer import RunBegan
from graph.runs.requests.resolve import Uploads
from graph.runs.runner import resume, start
from memory.archive import Archive
from memory.records import Request
from support.tiny_agents import TinyLender, drawn, rooms_with
from tools.context import ToolContext
from tools.uploads.pictures import Taken, picture_id


class PowerCut(BaseException):
    """Nothing that runs in the process hears of it."""


def test_nobody_hears_of_a_run_whose_files_never_arrived(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[Any] = []
    picture = Taken(drawn("a red ball moves right in the snow", 0, 2)[0], f"{9:064x}")
    request = Request(prompt="it moves up", images=(picture_id(picture),))

    def cut(_uploads: Uploads, _tool_context: ToolContext) -> None:
        raise PowerCut

    with Archive.open(f"sqlite:///{tmp_path / 'mora.db'}", tmp_path) as archive:
        services = rooms_with(archive, TinyLender())
        with monkeypatch.context() as patched, contextlib.suppress(PowerCut):
            patched.setattr(Uploads, "store", cut)
            start(services, request, {}, heard.append, uploads=Uploads((picture,)))
        assert (heard, archive.runs()) == ([], [])
        whole = start(services, request, {}, heard.append, uploads=Uploads((picture,)))
        assert [run.id for run in archive.runs()] == [whole.id]
        assert heard[0] == RunBegan(whole.id)
        lost = archive.create_run(request, settings={}, graph_version=1, status="arriving")
        with pytest.raises(RequestError, match="before the files it works on were stored"):
            resume(services, lost.id, heard.append)
