"""The doors' tests read their log lines, whatever level another test set."""

from collections.abc import Iterator

import pytest
import structlog


@pytest.fixture(autouse=True)
def _every_line_is_written() -> Iterator[None]:
    before = structlog.get_config()
    structlog.reset_defaults()
    yield
    structlog.configure(**before)
