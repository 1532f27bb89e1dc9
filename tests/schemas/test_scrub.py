"""The scrubber: hashes, labels that are left alone, annotations, and the first bytes of records."""

import re

from hypothesis import given
from hypothesis import strategies as st

from schemas.dead_letters import dead_letter
from schemas.reasons import DeadLetterReason
from schemas.scrub import ANNOTATIONS, MOST_LABELS, OTHER, Scrubber

MAIL = "bob@example.com"
HASHED = re.compile(r"<email:[0-9a-f]{12}>")


def test_equal_texts_get_equal_hashes_under_one_key_only() -> None:
    """One key gives one hash for a text, another key another one."""
    ours, again, others = Scrubber(b"a"), Scrubber(b"a"), Scrubber(b"b")

    assert ours.text(MAIL) == again.text(MAIL) != others.text(MAIL)
    assert HASHED.fullmatch(ours.text(MAIL))
    assert ours.text(MAIL) != ours.text("eve@example.com")


def test_a_scrubbed_text_is_not_scrubbed_again() -> None:
    """What was replaced holds nothing personal any more."""
    scrubber = Scrubber(b"k")
    once = scrubber.text(f"{MAIL} from 203.0.113.7 with 4111111111111111, Bearer {'x' * 20}")

    assert once == scrubber.text(once)
    assert "bob" not in once
    assert 4 == once.count("<")


def test_labels_keep_what_stands_around() -> None:
    """Only the personal part of a value changes, and kind and label are counted."""
    scrubber = Scrubber(b"k")
    found = scrubber.labels({"queue": f"mails of {MAIL}", "service": "mail"})

    assert "mail" == found["service"]
    assert f"mails of {scrubber.text(MAIL)}" == found["queue"]
    assert {("email", "queue"): 1} == scrubber.counts


def test_addresses_of_machines_stay() -> None:
    """`instance` keeps its address and loses a mail address; `client_ip` loses its address."""
    scrubber = Scrubber(b"k")
    given_ = {"instance": "10.0.0.1:9100", "client_ip": "10.0.0.1", "host": MAIL}
    found = scrubber.labels(given_)

    assert "10.0.0.1:9100" == found["instance"]
    assert {("ip", "client_ip"), ("email", "host")} == set(scrubber.counts)


def test_labels_that_are_allowed_or_spared_stay() -> None:
    """A label that the user allows, and the tenant's, are left alone."""
    scrubber = Scrubber(b"k", allow=["owner"])
    labels = {"owner": MAIL, "tenant": MAIL, "user": MAIL}

    assert {"user"} == {n for n, v in scrubber.labels(labels, ["tenant"]).items() if v != MAIL}


def test_patterns_of_ones_own_have_their_name() -> None:
    """A pattern's match is replaced under its name; of one with groups, the first group is."""
    scrubber = Scrubber(b"k", patterns={"customer": r"cust-\d+", "pin": r"pin=(\d+)"})

    assert re.fullmatch(r"<customer:\w{12}> pin=<pin:\w{12}>", scrubber.text("cust-12 pin=99"))


def test_annotations_show_what_the_labels_show() -> None:
    """The address that an alert's `instance` shows stays in its annotations; any other is replaced."""
    scrubber = Scrubber(b"k")
    labels = {"instance": "10.0.0.1:9100"}
    same = {"summary": "10.0.0.1 is down"}
    found = scrubber.annotations({"a": "10.0.0.1 lost 203.0.113.7", **same}, labels)

    assert same is scrubber.annotations(same, labels)
    assert f"10.0.0.1 lost {scrubber.text('203.0.113.7')}" == found["a"]
    assert {("ip", ANNOTATIONS): 1} == scrubber.counts


def test_counts_have_a_bound() -> None:
    """Whoever makes up ever new label names fills one counter."""
    scrubber = Scrubber(b"k")
    for n in range(MOST_LABELS + 50):
        scrubber.labels({f"l{n}": MAIL})

    assert MOST_LABELS + 1 == len(scrubber.counts)
    assert 50 == scrubber.counts["email", OTHER]


def test_a_dead_letter_holds_nothing_personal() -> None:
    """First bytes and detail are scrubbed, the size is that of the record."""
    value = b'{"metric": 1, "labels": {"user": "bob@example.com"}}'
    letter = dead_letter(
        DeadLetterReason.WRONG_TYPE,
        f"label {MAIL}",
        value,
        topic="t",
        partition=0,
        offset=1,
        record_time=0,
        scrubber=Scrubber(b"k"),
    )

    assert b"bob" not in letter.head
    assert MAIL not in letter.detail
    assert len(value) == letter.size_bytes


def test_what_the_end_of_the_head_cuts_is_found_too() -> None:
    """A mail address that begins before the 256th byte and ends behind it leaves nothing of itself."""
    for start in range(236, 256):
        head = Scrubber(b"k").head(b"\x00" * (start - 1) + b'"' + MAIL.encode() + b"\xff" * 50, 256)

        assert b"bob" not in head
        assert b"b" not in head.replace(b"\x00", b"")[:2]
        assert 256 == len(head)


@given(st.binary(max_size=600))
def test_a_head_is_never_longer_than_it_may_be(value: bytes) -> None:
    """Whatever the bytes are, the head is at most as long, and the same where nothing is found."""
    head = Scrubber(b"k").head(value, 256)

    assert len(head) <= 256
    assert head == value[:256] or b"<" in head
