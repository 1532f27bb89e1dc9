import sys

import pytest

from schemas.errors import BrokerError, MissingExtraError
from streams.transport.embedded import PARTITIONS, EmbeddedBroker

pytestmark = pytest.mark.embedded


def test_it_listens_while_it_runs() -> None:
    """It has an address between start and stop, and topics of a fixed number of partitions."""
    broker = EmbeddedBroker()
    with pytest.raises(BrokerError, match="not running"):
        _ = broker.bootstrap
    with broker:
        assert broker.bootstrap.startswith("127.0.0.1:")
        assert {"a": PARTITIONS, "b": PARTITIONS} == broker.create_topics(["a", "b"])
    with pytest.raises(BrokerError, match="not running"):
        _ = broker.bootstrap


def test_the_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without confluent-kafka the error says what to install."""
    monkeypatch.setitem(sys.modules, "confluent_kafka", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'tocsin\[embedded\]'"):
        EmbeddedBroker().start()
