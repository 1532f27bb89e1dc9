"""What is taken for personal data, and what only looks like it."""

import json
import time
import uuid
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.scrub import Scrubber
from schemas.sensitive import Kind

SCRUBBER = Scrubber(b"test")

PERSONAL = [
    ("email", "bob@example.com"),
    ("email", "mail to Bob.O+news@mail.example.co.uk, please", "Bob.O+news@mail.example.co.uk"),
    ("email", "jürgen@firma.de"),
    ("email", "info@bücher.de"),
    ("email", "'Conan.O'Brien@example.com'", "Conan.O'Brien@example.com"),
    ("email", "/users/bob%40example.com/orders", "bob%40example.com"),
    ("ip", "203.0.113.7"),
    ("ip", "from 203.0.113.7:4711", "203.0.113.7"),
    ("ip", "2001:db8::8a2e:370:7334"),
    ("ip", "[2001:db8::1]:443", "2001:db8::1"),
    ("ip", "seen at 2001:db8::1: refused", "2001:db8::1"),
    ("ip", "::ffff:203.0.113.7"),
    ("card", "4111111111111111"),
    ("card", "paid with 5555-5555-5555-4444.", "5555-5555-5555-4444"),
    ("card", "4111 1111 1111 1111 10", "4111 1111 1111 1111"),
    ("card", "3782 822463 10005"),
    ("card", "6011111111111117"),
    ("card", "3530111333300000"),
    ("card", "2223003122003222"),
    ("card", "30569309025904"),
    ("token", "Authorization: Bearer mF_9.B5f-4.1JqM-0000", "mF_9.B5f-4.1JqM-0000"),
    ("token", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N"),
    ("token", "key AKIAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7EXAMPLE"),
    ("token", "ghp_" + "a1" * 18),
    ("token", "sk_live_" + "4eC39HqLyjWDarjtT1"),
    ("token", "postgres://app:secret@db/orders", "app:secret"),
]

HARMLESS = [
    "checkout",
    "/api/v1/orders/4711",
    "getty@tty1.service",
    "image@sha256:0f1e",
    "100%4000.5",
    "v1.2.3.4",
    "1.2.3.4.5",
    "10.0.19041.1",
    "999.1.1.1",
    "127.0.0.1:9400",
    "0.0.0.0",
    "::1",
    "224.0.0.1",
    "12:30:45",
    "2026-01-01T00:00:00.500Z",
    "aa:bb:cc:dd:ee:ff",
    "50:06:01:60:3b:20:19:66",
    "std::vector",
    "dead::beef",
    "Bearer token",
    "4111111111111112",  # the check digit is wrong
    "41111111111111",  # no issuer has 14 digits here
    "9111111111111115",  # no issuer begins so
    "0.4111111111111111",
    "build-4111111111111111",
    "x4111111111111111",
    "1234-4111-1111-1111-1111",
]


@pytest.mark.parametrize("case", PERSONAL, ids=lambda case: case[1])
def test_what_is_personal_is_found(case: tuple[str, ...]) -> None:
    """Exactly the part that identifies is found, under its kind."""
    kind, text, part = (*case, case[1])[:3]
    (found,) = SCRUBBER.find(text)

    assert (kind, part) == (found.kind, text[found.start : found.end])


@pytest.mark.parametrize("text", HARMLESS)
def test_what_only_looks_so_is_left_alone(text: str) -> None:
    """Versions, times, units, names in programs and numbers without check digit stay."""
    assert text == SCRUBBER.text(text)


def test_times_and_identities_are_no_cards() -> None:
    """Of 20,000 times, trace ids and UUIDs none is taken for a card's number."""
    random = Random(1)
    now_ns = 1_767_225_600_000_000_000
    texts = []
    for n in range(5_000):
        at = now_ns + random.randrange(10**17)
        texts += [str(at // 10**6), str(at // 1000 + n), str(at), f"{random.getrandbits(128):032x}"]
        texts.append(str(uuid.UUID(int=random.getrandbits(128))))

    assert [] == [text for text in texts if SCRUBBER.find(text)]


def test_of_random_numbers_of_16_digits_few_are_taken_for_cards() -> None:
    """Issuer and check digit leave under 3 % of random numbers, such as those of builds and orders."""
    random = Random(2)
    taken = sum(bool(SCRUBBER.find(str(random.randrange(10**15, 10**16)))) for _ in range(20_000))

    assert 0 < taken < 600


@given(st.text(max_size=200))
def test_any_text_can_be_scrubbed(text: str) -> None:
    """No text raises, and findings are in order and apart."""
    found = SCRUBBER.find(text)

    assert all(a.end <= b.start for a, b in pairwise(found))
    assert all(0 <= f.start < f.end <= len(text) for f in found)


LONG = {
    "@": "a" * 100_000 + "@",
    "dots": "1." * 50_000,
    "colons": "1:" * 50_000,
    "digits": "4" * 100_000,
    "scheme": "://" * 33_000,
    "bearer": "bearer " * 14_000,
}


@pytest.mark.parametrize("text", LONG.values(), ids=LONG.keys())
def test_no_text_takes_long(text: str) -> None:
    """A text of 100,000 characters that nearly matches everywhere is done in a moment: the search is linear."""
    before = time.process_time()
    SCRUBBER.find(text)

    assert time.process_time() - before < 5


def test_each_kind_can_be_left_out() -> None:
    """Only the kinds that are asked for are found."""
    text = json.dumps(["bob@example.com", "203.0.113.7", "4111111111111111"])
    found = {kind: Scrubber(b"k", kinds=[kind]).find(text) for kind in Kind}

    assert {"email": 1, "ip": 1, "card": 1, "token": 0} == {
        k.value: len(f) for k, f in found.items()
    }
