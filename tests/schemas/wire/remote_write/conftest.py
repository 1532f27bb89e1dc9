"""Every test of this room runs twice: messages read round by round, however few they are, and one by one."""

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="module", autouse=True, params=[0, 1_000], ids=["in_rounds", "one_by_one"])
def few(request: pytest.FixtureRequest) -> Iterator[None]:
    """How many messages are few."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("schemas.wire.remote_write.fields._FEW", request.param)
        yield
