import pytest
from pydantic import ValidationError

from schemas.config import Config
from schemas.config.names import find_clashes


def test_a_route_needs_its_receiver() -> None:
    """The receiver of a route stands among the receivers; without any there is `stdout`."""
    routes = [{"receiver": "pager"}, {"receiver": "pagr"}]
    given = {"notify": {"receivers": [{"name": "pager"}], "routes": routes}}
    place = ("notify", "routes", 1, "receiver")

    assert [(place, "route to unknown receiver 'pagr': did you mean 'pager'?")] == find_clashes(
        given
    )
    assert [] == find_clashes({"notify": {"routes": [{"receiver": "stdout"}]}})


def test_no_name_stands_twice() -> None:
    """Receivers, playbooks and source topics have names of their own; the second one is to blame."""
    given = {
        "notify": {"receivers": [{"name": "a"}, {"name": "b"}, {"name": "a"}]},
        "playbooks": [{"name": "a"}, {"name": "a"}],
        "sources": [{"topic": "a"}, {"topic": "a"}],
    }

    assert [
        (("notify", "receivers", 2, "name"), "two entries for receiver 'a'"),
        (("playbooks", 1, "name"), "two entries for playbook 'a'"),
        (("sources", 1, "topic"), "two entries for source topic 'a'"),
    ] == find_clashes(given)


@pytest.mark.parametrize(
    "given",
    [
        {"notify": 5},
        {"notify": {"receivers": 5, "routes": "x"}},
        {"notify": {"routes": [5, {"receiver": 5}, {}]}},
        {"playbooks": [None], "sources": {"topic": "a"}, "locality": 5},
    ],
)
def test_wrong_types_are_passed_over(given: dict[str, object]) -> None:
    """They are told by the sections themselves, so they are no clash here."""
    assert [] == find_clashes(given)


def test_a_configuration_made_in_the_program_is_judged_too() -> None:
    """What comes from no file has no lines, but the same rules."""
    with pytest.raises(ValidationError, match="locality must begin with 'tenant'"):
        Config.model_validate({"locality": ["service"]})


def test_changes_have_a_topic_of_their_own() -> None:
    """Neither a source's topic nor one of Tocsin's own is read for changes."""
    for topic, whose in (("telemetry", "a source"), ("tocsin.alerts", "Tocsin itself")):
        tree = {"changes": {"topic": topic}, "sources": [{"topic": "telemetry"}]}
        said = f"changes cannot come from '{topic}', the topic of {whose}"

        assert [(("changes", "topic"), said)] == find_clashes(tree)
    assert [] == find_clashes({"changes": {"topic": "deploys"}})
