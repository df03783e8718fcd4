"""The browser that the tests of reports share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from support import browser as browsers


@pytest.fixture(scope="package")
def browser() -> Iterator[Any]:
    with browsers.started() as found:
        yield found
