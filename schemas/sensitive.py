"""Sensitive: where mail addresses, network addresses, card numbers and tokens stand in a text.

Every search takes time linear in the text: RE2, or expressions without open repetition. A finder gives the spans, from
and up to, of what it is sure of.

It refuses what has the form alone: a card's number needs an issuer's prefix, its length and its check digit; four
numbers with dots behind a `v` are a version; `getty@tty1.service` is a unit of systemd; times are no IPv6.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from ipaddress import AddressValueError, IPv6Address

from schemas.regex import Searcher

Span = tuple[int, int]
Finder = Callable[[str], Iterator[Span]]


class Kind(StrEnum):
    """Kinds of personal data, in the order in which they are looked for."""

    TOKEN = "token"  # noqa: S105  a kind, no secret
    CARD = "card"
    EMAIL = "email"
    IP = "ip"


# What is between brackets is what is replaced. Forms as their issuers publish them: RFC 6750 (bearer), RFC 7519 (JWT),
# AWS's access key ids, GitHub's, GitLab's, Slack's, Google's and Stripe's keys, user information in a URL (RFC 3986).
_TOKEN = Searcher(
    r"(?i:bearer)\s+([A-Za-z0-9\-._~+/]{16,}=*)"
    r"|\b(eyJ[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]{4,}\.[A-Za-z0-9_\-]*)"
    r"|\b((?:AKIA|ASIA|AROA|AIDA|AGPA)[0-9A-Z]{16})\b"
    r"|\b(gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{22,}|glpat-[A-Za-z0-9_\-]{20,})"
    r"|\b(xox[abeprs]-[A-Za-z0-9\-]{10,}|AIza[0-9A-Za-z_\-]{35}|[rs]k_(?:live|test)_[0-9A-Za-z]{16,})"
    r"|://([^/\s:@]{1,128}:[^/\s@]{1,256})@"
)
_MAYBE_TOKEN = re.compile(r"[\w\-]{15}|eyJ|://|bearer", re.IGNORECASE)
_EMAIL = Searcher(
    r"[\pL\pN._%+\-]+(?:'[\pL\pN._%+\-]+)*(?:@|%40)[\pL\pN](?:[\pL\pN.\-]*[\pL\pN])?\.\pL{2,}"
)
_UNITS = frozenset(
    [
        "automount",
        "device",
        "mount",
        "path",
        "scope",
        "service",
        "slice",
        "socket",
        "swap",
        "target",
        "timer",
    ]
)
_IPV4 = re.compile(r"(?<!\w)(?<!\w\.)(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})(?!\w|\.\w)")
_IPV6 = Searcher(r"[0-9A-Fa-f:.]*:[0-9A-Fa-f]*:[0-9A-Fa-f:.]*")
_CARD = Searcher(
    r"\d{4} \d{4} \d{4} \d{4}(?: \d{3})?|\d{4}-\d{4}-\d{4}-\d{4}(?:-\d{3})?"
    r"|\d{4} \d{6} \d{4,5}|\d{4}-\d{6}-\d{4,5}|\d{13,}"
)
_MAYBE_CARD = re.compile(r"\d[\d -]{12}")
_CARD_DIGITS = 13, 19
# Issuer, first and last prefix, lengths: ISO/IEC 7812 as the card networks publish their ranges.
_ISSUERS = (
    ("4", "4", {13, 16, 19}),  # Visa
    ("51", "55", {16}),  # Mastercard
    ("2221", "2720", {16}),  # Mastercard
    ("34", "34", {15}),  # American Express
    ("37", "37", {15}),  # American Express
    ("300", "305", {14}),  # Diners
    ("36", "36", {14}),  # Diners
    ("38", "39", {14}),  # Diners
    ("6011", "6011", {16, 19}),  # Discover
    ("644", "659", {16, 19}),  # Discover
    ("3528", "3589", {16, 19}),  # JCB
    ("62", "62", {16, 19}),  # UnionPay
)


def tokens(text: str) -> Iterator[Span]:
    """Bearer tokens, JSON web tokens, keys of known forms, and user and password in a URL."""
    if _MAYBE_TOKEN.search(text):
        yield from _TOKEN.spans(text)


def emails(text: str) -> Iterator[Span]:
    """Mail addresses, also as they stand in a URL."""
    if "@" not in text and "%40" not in text:
        return
    for start, end in _EMAIL.spans(text):
        if text[start:end].rpartition(".")[2] not in _UNITS:
            yield start, end


def addresses(text: str) -> Iterator[Span]:
    """IPv6 and IPv4 addresses of single hosts; not those that mean oneself, anybody or a group.

    The second may stand in the first.
    """
    if text.count(":") >= 2:
        for start, last in _IPV6.spans(text):
            end = last
            # a colon or a full stop behind it belongs to the sentence
            while text[end - 1] in ":." and text[end - 2 : end] != "::":
                end -= 1
            if _stands_alone(text, start, end) and _is_ipv6(text[start:end]):
                yield start, end
    if text.count(".") >= 3:
        for found in _IPV4.finditer(text):
            if _is_host(*map(int, found.groups())):
                yield found.span()


def cards(text: str) -> Iterator[Span]:
    """Numbers of payment cards."""
    least, most = _CARD_DIGITS
    if not _MAYBE_CARD.search(text):
        return
    for start, end in _CARD.spans(text):
        digits = text[start:end].replace(" ", "").replace("-", "")
        fits = least <= len(digits) <= most and _stands_alone(text, start, end, also="-")
        if fits and _is_issued(digits) and _luhn(digits):
            yield start, end


FINDERS: Mapping[Kind, Finder] = {
    Kind.TOKEN: tokens,
    Kind.CARD: cards,
    Kind.EMAIL: emails,
    Kind.IP: addresses,
}


def _stands_alone(text: str, start: int, end: int, also: str = "") -> bool:
    """Whether no letter, digit or `_` is beside a span, nor a dot (or one of `also`) with such a one behind it."""
    joins = "." + also

    def word(letter: str) -> bool:
        return letter.isalnum() or letter == "_"

    before, after = text[max(0, start - 2) : start], text[end : end + 2]
    if word(before[-1:]) or word(after[:1]):
        return False
    left = before[-1:] in joins and before[-1:] != "" and word(before[:-1])
    right = after[:1] in joins and after[:1] != "" and word(after[1:])
    return not left and not right


def _is_host(first: int, *others: int) -> bool:
    """Whether numbers are an IPv4 address of one host: below 224 is no group, and no part is over 255."""
    return 0 < first < 224 and first != 127 and max(others) <= 255


def _is_ipv6(text: str) -> bool:
    groups = text.split(":")
    # eight pairs of digits are the name of a port in a storage network, `dead::beef` a name in a program
    if not any(c.isdigit() for c in text) or (
        len(groups) == 8 and all(len(g) == 2 for g in groups)
    ):
        return False
    try:
        address = IPv6Address(text)
    except AddressValueError:
        return False
    return not (address.is_multicast or address.is_unspecified or address.is_loopback)


def _is_issued(digits: str) -> bool:
    return any(
        first <= digits[: len(first)] <= last and len(digits) in lengths
        for first, last, lengths in _ISSUERS
    )


def _luhn(digits: str) -> bool:
    """Whether the last digit checks the others: ISO/IEC 7812-1, annex B."""
    twice = [sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2]]
    return (sum(map(int, digits[-1::-2])) + sum(twice)) % 10 == 0
