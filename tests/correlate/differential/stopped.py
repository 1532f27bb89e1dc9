"""Named scenarios of what is not told: inhibited, silenced, muted; and of a storm."""

from tests.correlate.differential.scenarios import HOUR, S, Scenario
from tests.correlate.differential.story import rule, tree
from tests.correlate.differential.story import story as tell


@tell
def inhibited_while_the_source_fires() -> Scenario:
    story = tree(group_by=["id"])
    story.inhibit_rules = [rule('severity="critical"', 'severity="warning"', "service")]
    story.fire(0, "s", severity="critical", service="x").fire(
        1, "t", severity="warning", service="x"
    )
    return story.fire(2, "u", severity="warning", service="y").end(100, "s").end(200, "t")


@tell
def source_comes_after_the_target_was_told() -> Scenario:
    story = tree(group_by=["id"], repeat_interval="1m")
    story.inhibit_rules = [rule('severity="critical"', 'severity="warning"')]
    story.fire(0, "t", severity="warning").fire(60, "s", severity="critical")
    return story.end(120, "t").end(300, "s")


@tell
def an_alert_that_is_source_and_target() -> Scenario:
    story = tree(group_by=["id"])
    story.inhibit_rules = [rule('severity=~"critical|warning"', 'severity=~"critical|warning"')]
    return story.fire(0, "a", severity="critical").fire(1, "b", severity="warning")


@tell
def equal_labels_that_both_lack() -> Scenario:
    story = tree(group_by=["id"])
    story.inhibit_rules = [rule('severity="critical"', 'severity="warning"', "zone")]
    return story.fire(0, "s", severity="critical").fire(1, "t", severity="warning")


@tell
def second_source_goes_on_inhibiting() -> Scenario:
    story = tree(group_by=["id"])
    story.inhibit_rules = [rule('severity="critical"', 'severity="warning"')]
    story.fire(0, "s", severity="critical").fire(1, "r", severity="critical")
    return story.fire(2, "t", severity="warning").end(60, "s").end(150, "r")


@tell
def inhibited_alert_of_a_group_with_others() -> Scenario:
    story = tree()
    story.inhibit_rules = [rule('severity="critical"', 'severity="warning"')]
    story.fire(0, "t", severity="warning").fire(1, "u", severity="info")
    return story.fire(2, "s", severity="critical").end(100, "s").end(200, "t")


@tell
def silenced_from_the_start() -> Scenario:
    story = tree().silence(0, "q", 300, 'service="x"').fire(1, "a", service="x")
    return story.fire(2, "b", service="y").end(400, "a")


@tell
def silenced_after_it_was_told_and_ended_inside() -> Scenario:
    story = tree().fire(0, "a", service="x").silence(60, "q", 600, 'service="x"')
    return story.end(120, "a").fire(700, "a", service="x")


@tell
def silenced_one_of_two() -> Scenario:
    story = tree(repeat_interval="2m").fire(0, "a", service="x").fire(1, "b", service="y")
    return story.silence(60, "q", 900, 'service="x"').end(200, "b").end(1000, "a")


@tell
def silence_ended_by_hand() -> Scenario:
    story = tree().silence(0, "q", 3000, 'service=~"x|y"').fire(1, "a", service="x")
    return story.expire(200, "q").end(500, "a")


@tell
def silence_of_several_conditions() -> Scenario:
    story = tree(group_by=["id"]).silence(0, "q", 3000, 'service="x"', 'team!="red"')
    story.fire(1, "a", service="x").fire(2, "b", service="x", team="red")
    return story.fire(3, "c", service="y")


@tell
def a_silenced_source_still_inhibits() -> Scenario:
    story = tree(group_by=["id"])
    story.inhibit_rules = [rule('severity="critical"', 'severity="warning"')]
    story.silence(0, "q", 200, 'severity="critical"')
    return story.fire(1, "s", severity="critical").fire(2, "t", severity="warning")


_LUNCH = {
    "name": "lunch",
    "time_intervals": [{"times": [{"start_time": "08:01", "end_time": "08:05"}]}],
}


@tell
def muted_in_an_interval() -> Scenario:
    story = tree({"matchers": ['team="blue"'], "receiver": "r1", "mute_time_intervals": ["lunch"]})
    story.time_intervals = [_LUNCH]
    story.fire(0, "a", team="blue").fire(65, "b", team="blue").fire(70, "c")
    return story.end(120, "a").end(400, "b")


@tell
def muted_from_the_first_flush_on() -> Scenario:
    story = tree({"matchers": ['team="blue"'], "receiver": "r1", "mute_time_intervals": ["lunch"]})
    story.time_intervals = [_LUNCH]
    return story.fire(80, "a", team="blue").fire(90, "b", team="blue").end(200, "b")


@tell
def active_only_in_an_interval() -> Scenario:
    story = tree(
        {"matchers": ['team="blue"'], "receiver": "r1", "active_time_intervals": ["lunch"]}
    )
    story.time_intervals = [_LUNCH]
    return story.fire(0, "a", team="blue").fire(65, "b", team="blue").end(400, "a")


@tell
def intervals_are_not_inherited() -> Scenario:
    leaf = {"matchers": ['service="x"'], "receiver": "r2"}
    middle = {"matchers": ['team="blue"'], "mute_time_intervals": ["lunch"], "routes": [leaf]}
    story = tree(middle)
    story.time_intervals = [_LUNCH]
    return story.fire(65, "a", team="blue").fire(70, "b", team="blue", service="x")


@tell
def muted_unless_active() -> Scenario:
    later = {
        "name": "later",
        "time_intervals": [{"times": [{"start_time": "08:03", "end_time": "09:00"}]}],
    }
    names = {"active_time_intervals": ["later"], "mute_time_intervals": ["lunch"]}
    story = tree({"matchers": ['team="blue"'], "receiver": "r1"} | names)
    story.time_intervals = [_LUNCH, later]
    return story.fire(0, "a", team="blue").end(1000, "a")


@tell
def a_storm_of_two_hundred() -> Scenario:
    story = tree(group_by=["service"])
    for n in range(200):
        story.fire(n / 10, f"a{n}", service=f"s{n % 7}")
    for n in range(200):
        story.end(300 + n, f"a{n}")
    return story


@tell
def the_defaults_of_the_root() -> Scenario:
    story = Scenario("", {"receiver": "r0"}, until=10 * HOUR)
    return story.fire(0, "a").fire(31, "b").end(5 * HOUR / S, "a")
