"""Receivers of an `alertmanager.yml`: a webhook comes over as one, all other kinds as one that prints.

An Alertmanager receiver may hold several ways to tell somebody; ours holds one, so it becomes as many.
"""

from base64 import b64encode
from collections.abc import Iterator
from typing import Any, NamedTuple

_SENDS_RESOLVED = {
    *("webhook_configs", "pagerduty_configs", "opsgenie_configs", "victorops_configs"),
    *("pushover_configs", "sns_configs", "telegram_configs", "webex_configs", "discord_configs"),
    *("msteams_configs", "msteamsv2_configs", "jira_configs"),
    *("incidentio_configs", "mattermost_configs"),
}
"""Kinds that send ends; e-mail, Slack, Rocket.Chat and WeChat do not by default."""


class Receiver(NamedTuple):
    """One way to tell somebody: where it stood, ours, and what did not come over."""

    key: str
    at: int
    ours: dict[str, Any]
    notes: list[str]


def migrate_receiver(given: dict[str, Any]) -> Iterator[Receiver]:
    """Ours for each way of a receiver, in the order of the file."""
    for key, ways in given.items():
        if not key.endswith("_configs"):
            continue
        for index, way in enumerate(ways or ()):
            found = way or {}
            wanted = found.get("send_resolved", key in _SENDS_RESOLVED)
            if key == "webhook_configs":
                yield _webhook(index, found, send_resolved=wanted)
            else:
                what = f"{key} is not a kind that there is; it prints instead"
                yield Receiver(key, index, {"type": "stdout", "send_resolved": wanted}, [what])


def _webhook(index: int, given: dict[str, Any], *, send_resolved: bool) -> Receiver:
    http = given.get("http_config") or {}
    ours: dict[str, Any] = {"type": "webhook"}
    ours["url"] = given["url"] if "url" in given else f"${{file:{given.get('url_file', '')}}}"
    ours["send_resolved"] = send_resolved
    if given.get("timeout") and given["timeout"] != "0s":
        ours["timeout"] = given["timeout"]
    if headers := _headers(http):
        ours["headers"] = headers
    taken = {"url", "url_file", "send_resolved", "timeout", "http_config"}
    left = [key for key in given if key not in taken]
    left += [f"http_config.{key}" for key in http if key not in _AUTHORIZES]
    notes = [f"'{key}' of a webhook has no place here; left out" for key in left]
    return Receiver("webhook_configs", index, ours, notes)


_AUTHORIZES = ("authorization", "basic_auth", "bearer_token", "bearer_token_file", "http_headers")


def _headers(http: dict[str, Any]) -> dict[str, str]:
    """The header of an authorization, and headers given as such."""
    headers: dict[str, str] = {}
    for name, values in (http.get("http_headers") or {}).items():
        found = [*(values.get("values") or ()), *(values.get("secrets") or ())]
        headers[name] = ", ".join(map(str, found))
    if "authorization" in http:
        auth = http["authorization"]
        token = _secret(auth, "credentials")
        headers["Authorization"] = f"{auth.get('type', 'Bearer')} {token}"
    elif "bearer_token" in http or "bearer_token_file" in http:
        headers["Authorization"] = f"Bearer {_secret(http, 'bearer_token')}"
    elif "basic_auth" in http:
        auth = http["basic_auth"]
        pair = f"{auth.get('username', '')}:{auth.get('password', '')}"
        headers["Authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
    return headers


def _secret(given: dict[str, Any], key: str) -> str:
    return str(given[key]) if key in given else f"${{file:{given.get(f'{key}_file', '')}}}"
