"""Addresses and prefixes: text in and out, membership, and what is no address."""

import pytest

from simnet.net.address import Prefix, ip_text, is_loopback, is_multicast, is_zeronet, mask_of, parse_ip


@pytest.mark.parametrize(
    ("text", "number"), [("0.0.0.0", 0), ("10.0.0.1", 0x0A000001), ("255.255.255.255", 0xFFFFFFFF)]
)
def test_text_and_number(text, number):
    assert parse_ip(text) == number
    assert ip_text(number) == text


@pytest.mark.parametrize("text", ["", "1.2.3", "1.2.3.4.5", "256.1.1.1", "1.2.3.x", " 1.2.3.4", "1.2.3.4/8", "::1"])
def test_what_is_no_address(text):
    with pytest.raises(ValueError, match="not an IPv4 address"):
        parse_ip(text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("10.1.2.3", "10.1.2.3/32"),
        ("10.1.2.3/8", "10.0.0.0/8"),
        ("10.1.2.3/0", "0.0.0.0/0"),
        ("default", "0.0.0.0/0"),
        ("10.1.2.3/255.255.0.0", "10.1.0.0/16"),
        ("10.1.2.3/255.0.255.0", "10.0.2.0/255.0.255.0"),
    ],
)
def test_prefixes(text, shown):
    assert str(Prefix.parse(text)) == shown


@pytest.mark.parametrize("text", ["10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/x", "/8"])
def test_what_is_no_prefix(text):
    with pytest.raises(ValueError, match="IPv4"):
        Prefix.parse(text)


def test_membership():
    block = Prefix.parse("172.16.0.0/12")
    assert parse_ip("172.31.255.255") in block
    assert parse_ip("172.32.0.0") not in block
    assert "172.16.0.1" not in block


def test_masks():
    assert [mask_of(length) for length in (0, 1, 32)] == [0, 0x80000000, 0xFFFFFFFF]


@pytest.mark.parametrize(
    ("kind", "inside", "outside"),
    [
        (is_loopback, "127.255.255.255", "128.0.0.0"),
        (is_multicast, "239.255.255.255", "240.0.0.0"),
        (is_zeronet, "0.255.255.255", "1.0.0.0"),
    ],
)
def test_kinds(kind, inside, outside):
    assert kind(parse_ip(inside))
    assert not kind(parse_ip(outside))
