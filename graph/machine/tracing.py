"""LangSmith tracing of agent calls, by the standard LANGSMITH_* variables: no keys, no pixels, a bounded flush."""

import logging
import os
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from langsmith import Client, trace
from langsmith.anonymizer import create_anonymizer
from langsmith.run_trees import get_cached_client
from langsmith.utils import tracing_is_enabled
from pydantic import SecretStr

from memory.products.files import Made

log = logging.getLogger(__name__)

FLUSH_SECONDS = 1.0
"""The limit of the final flush: with the endpoint down, a command still ends within two seconds of its work."""


def traced(
    tool: str,
    asked: dict[str, Any],
    run_id: str,
    work: Callable[[], list[Made]],
    *,
    call: str | None = None,
    agents: Sequence[str] = (),
) -> list[Made]:
    """Run `work` as a child run of type `tool`; its outputs are the last artifact's id, digest and seconds of work.

    call: the id of the planner's call; agents: the roles that the tool uses.
    """
    if not tracing_is_enabled():
        return work()
    about = {"thread_id": run_id, "mora_run": run_id, "agents": list(agents), **({"call": call} if call else {})}
    with trace(tool, run_type="tool", inputs=asked, metadata=about) as tree:
        every = work()
        artifact, called = every[-1].artifact, any(made.called for made in every)
        tree.add_metadata({"artifact_id": artifact.id, "recipe_key": artifact.recipe.key, "called": called})
        tree.add_metadata({"artifacts": [made.artifact.id for made in every]})
        tree.end(outputs={"artifact": artifact.id, "sha256": artifact.sha256, "seconds": artifact.seconds})
    return every


@contextmanager
def traces(secret: SecretStr | None) -> Iterator[None]:
    """Trace the block if the variables enable it, with `secret` masked; unsent traces are dropped with a warning.

    Dropping is acceptable because the record of a run is the archive.
    """
    if not tracing_is_enabled():
        yield
        return
    errors: list[Exception] = []
    client = _client(secret, errors.append)
    try:
        yield
    finally:
        started = time.monotonic()
        client.flush(timeout=FLUSH_SECONDS)
        if errors or time.monotonic() - started >= FLUSH_SECONDS:
            log.warning("%s does not take traces; they are lost, the film is not", client.api_url)


def _client(secret: SecretStr | None, on_trouble: Callable[[Exception], None]) -> Client:
    # Otherwise the process waits 14 s and more at exit for uploads to a dead endpoint. Compressed uploads use a thread
    # pool, which Python always joins at exit.
    os.environ["LANGSMITH_USE_DAEMON"] = os.environ["LANGSMITH_DISABLE_RUN_COMPRESSION"] = "true"
    key = secret.get_secret_value() if secret is not None else ""
    mask = create_anonymizer([{"pattern": re.compile(re.escape(key)), "replace": "***"}]) if key else None
    return get_cached_client(anonymizer=mask, tracing_error_callback=on_trouble)
