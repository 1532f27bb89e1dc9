"""The named scenarios: one for each thing that Alertmanager's documentation promises, and for each known trap.

Those here are about groups and trees; those of what is not told are in `stopped`.
"""

from tests.correlate.differential import stopped
from tests.correlate.differential.scenarios import Scenario
from tests.correlate.differential.story import MADE, rule, tree
from tests.correlate.differential.story import story as tell

__all__ = ["named", "stopped"]


def named() -> list[Scenario]:
    """All of them, by the name of the function that makes each."""
    found = []
    for make in MADE:
        scenario = make()
        scenario.name = make.__name__
        found.append(scenario)
    return found


@tell
def one_alert_fires_and_resolves() -> Scenario:
    return tree().fire(0, "a").end(100, "a")


@tell
def resolved_within_group_wait_is_never_told() -> Scenario:
    return tree().fire(0, "a").end(5, "a")


@tell
def two_in_one_group_are_one_notification() -> Scenario:
    return tree().fire(0, "a").fire(3, "b").end(300, "a").end(301, "b")


@tell
def second_after_the_first_flush_waits_for_the_interval() -> Scenario:
    return tree().fire(0, "a").fire(12, "b").end(200, "a")


@tell
def fires_and_resolves_between_two_flushes() -> Scenario:
    return tree().fire(0, "a").fire(45, "b").end(60, "b")


@tell
def swap_within_one_interval() -> Scenario:
    return tree().fire(0, "a").end(45, "a").fire(46, "b")


@tell
def fires_again_before_it_was_told_resolved() -> Scenario:
    return tree().fire(0, "a").end(45, "a").fire(50, "a")


@tell
def fires_again_after_it_was_told_resolved() -> Scenario:
    return tree().fire(0, "a").end(45, "a").fire(300, "a")


@tell
def repeats_while_it_fires() -> Scenario:
    return tree(repeat_interval="95s").fire(0, "a")


@tell
def repeat_interval_below_group_interval() -> Scenario:
    return tree(repeat_interval="5s").fire(0, "a").end(100, "a")


@tell
def repeat_interval_a_multiple_of_group_interval() -> Scenario:
    return tree(repeat_interval="2m").fire(0, "a")


@tell
def a_change_puts_the_repeat_off() -> Scenario:
    return tree(repeat_interval="140s").fire(0, "a").fire(90, "b")


@tell
def no_group_wait() -> Scenario:
    return tree(group_wait="0s").fire(0, "a").fire(2, "b").end(40, "a")


@tell
def groups_by_label() -> Scenario:
    story = tree(group_by=["service"])
    return story.fire(0, "a", service="x").fire(1, "b", service="y").fire(2, "c", service="x")


@tell
def alerts_without_the_label_are_one_group() -> Scenario:
    story = tree(group_by=["service"])
    return story.fire(0, "a").fire(1, "b").fire(2, "c", service="x")


@tell
def groups_by_all_labels() -> Scenario:
    return tree(group_by=["..."]).fire(0, "a", service="x").fire(1, "b", service="x")


@tell
def empty_group_by_is_one_group() -> Scenario:
    return tree(group_by=[]).fire(0, "a", service="x").fire(1, "b", service="y")


@tell
def child_inherits_all() -> Scenario:
    child = {"matchers": ['team="blue"']}
    return tree(child, group_by=["service"]).fire(0, "a", team="blue", service="x").end(99, "a")


@tell
def child_overrides_all() -> Scenario:
    child = {
        "matchers": ['team="blue"'],
        "receiver": "r1",
        "group_by": ["alertname"],
        "group_wait": "1s",
        "group_interval": "7s",
        "repeat_interval": "1m",
    }
    return tree(child).fire(0, "a", team="blue").fire(0.5, "b", team="red").end(70, "a")


@tell
def child_takes_all_labels_back_to_some() -> Scenario:
    child = {"matchers": ['team="blue"'], "group_by": ["team"]}
    story = tree(child, group_by=["..."])
    return story.fire(0, "a", team="blue").fire(1, "b", team="blue").fire(2, "c", team="red")


@tell
def first_match_wins() -> Scenario:
    one = {"matchers": ['team=~"b.*"'], "receiver": "r1"}
    two = {"matchers": ['team="blue"'], "receiver": "r2"}
    return tree(one, two).fire(0, "a", team="blue").fire(1, "b", team="red")


@tell
def continue_goes_on_to_the_next() -> Scenario:
    one = {"matchers": ['team=~"b.*"'], "receiver": "r1", "continue": True}
    two = {"matchers": ['team="blue"'], "receiver": "r2"}
    return tree(one, two).fire(0, "a", team="blue").fire(1, "b", team="black").end(50, "a")


@tell
def continue_of_the_last_does_not_reach_the_parent() -> Scenario:
    one = {"matchers": ['team="blue"'], "receiver": "r1", "continue": True}
    return tree(one).fire(0, "a", team="blue")


@tell
def severities_to_different_people() -> Scenario:
    page = {"matchers": ['severity="critical"'], "receiver": "r1", "group_by": ["service"]}
    mail = {"matchers": ['severity="warning"'], "receiver": "r2"}
    story = tree(page, mail).fire(0, "a", severity="critical", service="x")
    story.fire(1, "b", severity="warning", service="x").fire(2, "c", severity="info")
    return story.end(100, "a").end(200, "b").end(300, "c")


@tell
def a_log_of_everything_beside_the_teams() -> Scenario:
    log = {"matchers": [], "receiver": "r3", "continue": True, "group_by": ["..."]}
    team = {"matchers": ['team="blue"'], "receiver": "r1"}
    return tree(log, team).fire(0, "a", team="blue").fire(1, "b").end(100, "a").end(200, "b")


@tell
def inhibited_by_any_of_two_rules() -> Scenario:
    story = tree(group_by=["id"])
    story.inhibit_rules = [
        rule('severity="critical"', 'severity="warning"', "service"),
        rule('alertname="NodeDown"', 'alertname!="NodeDown"', "node"),
    ]
    story.fire(0, "n", alertname="NodeDown", node="n1").fire(1, "a", node="n1", service="x")
    story.fire(2, "b", node="n2", service="x", severity="warning")
    story.fire(3, "c", node="n2", service="x", severity="critical")
    return story.end(100, "n").end(200, "c").end(300, "a")


@tell
def deeptree() -> Scenario:
    leaf = {"matchers": ['service="x"'], "receiver": "r3"}
    middle = {"matchers": ['severity!="info"'], "receiver": "r2", "routes": [leaf]}
    top = {"matchers": ["team=blue"], "receiver": "r1", "routes": [middle]}
    story = tree(top)
    story.fire(0, "a", team="blue", severity="info").fire(1, "b", team="blue", severity="warning")
    return story.fire(2, "c", team="blue", service="x").fire(3, "d", service="x")


@tell
def negative_matchers_hold_for_missing_labels() -> Scenario:
    one = {"matchers": ['team!="blue"'], "receiver": "r1"}
    two = {"matchers": ['team!~"b.*"'], "receiver": "r2"}
    return tree(one, two).fire(0, "a").fire(1, "b", team="blue").fire(2, "c", team="red")


@tell
def empty_matcher_means_missing() -> Scenario:
    return tree({"matchers": ['team=""'], "receiver": "r1"}).fire(0, "a").fire(1, "b", team="x")


@tell
def regular_expressions_are_anchored() -> Scenario:
    one = {"matchers": ['team=~"lu"'], "receiver": "r1"}
    return tree(one).fire(0, "a", team="blue").fire(1, "b", team="lu")


@tell
def matchers_with_quotes_and_backslashes() -> Scenario:
    one = {"matchers": ['path=~"c:\\\\\\\\.*"', 'note="say \\"hi\\""'], "receiver": "r1"}
    return tree(one).fire(0, "a", path="c:\\temp", note='say "hi"').fire(1, "b", path="c:")


@tell
def several_matchers_in_one_text() -> Scenario:
    one = {"matchers": ['{team="blue", severity=~"critical|warning"}'], "receiver": "r1"}
    return tree(one).fire(0, "a", team="blue", severity="warning").fire(1, "b", team="blue")


@tell
def ends_not_wanted() -> Scenario:
    story = tree().fire(0, "a").fire(1, "b").end(60, "a").end(120, "b").fire(300, "a")
    story.quiet = ("r0",)
    return story
