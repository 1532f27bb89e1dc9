import pytest

from schemas.config.kafka import KafkaConfig
from schemas.config.section import Secret
from schemas.errors import BrokerError
from streams.transport.broker import Broker


def test_a_plaintext_broker_needs_no_credentials() -> None:
    """Addresses are split for aiokafka and made to URLs for Faust."""
    broker = Broker.from_config(KafkaConfig(bootstrap="a:1,b:2"))
    assert {
        "bootstrap_servers": ["a:1", "b:2"],
        "security_protocol": "PLAINTEXT",
    } == broker.client_options()
    assert ["kafka://a:1", "kafka://b:2"] == [str(url) for url in broker.faust_urls()]
    assert broker.faust_credentials() is None


def test_sasl_reveals_the_secret_to_the_client_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """The password is resolved for the client, and stands in no representation."""
    monkeypatch.setenv("KAFKA_PW", "hush")
    config = KafkaConfig(
        bootstrap="a:1", security="sasl_ssl", username="me", password=Secret("${env:KAFKA_PW}")
    )
    broker = Broker.from_config(config)
    options = broker.client_options()
    assert ("SASL_SSL", "SCRAM-SHA-512", "me", "hush") == (
        options["security_protocol"],
        options["sasl_mechanism"],
        options["sasl_plain_username"],
        options["sasl_plain_password"],
    )
    assert "ssl_context" in options
    assert "hush" not in repr(broker)
    assert "hush" == broker.faust_credentials().password


@pytest.mark.parametrize("bootstrap", [None, "", "embedded"])
def test_no_address_is_an_error(bootstrap: str | None) -> None:
    """A broker without an address is refused, and an address given by hand goes before."""
    config = KafkaConfig(bootstrap=bootstrap)
    with pytest.raises(BrokerError, match="no broker"):
        Broker.from_config(config)
    assert "x:9" == Broker.from_config(config, "x:9").bootstrap
