"""Times from a file: a CSV or a capture gives them back as they were, and what is wrong is said with its line."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simnet.errors import SourceError
from simnet.scenario.times_file import read_times

SECOND = 1_000_000_000


def capture(times, order="<", ns=False):
    """A pcap file with an empty packet, but for two bytes, at each time (ns)."""
    unit = 1 if ns else 1000
    data = struct.pack(f"{order}IHHiIII", 0xA1B23C4D if ns else 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
    for time in times:
        data += struct.pack(f"{order}IIII", time // SECOND, time % SECOND // unit, 2, 60) + b"ab"
    return data


@pytest.fixture
def file(tmp_path):
    def written(name, data):
        path = tmp_path / name
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        return path

    return written


@pytest.mark.parametrize(
    ("text", "times"),
    [("0\n0.001\n0.0015\n", [0, 1_000_000, 1_500_000]), ("time,size\n5.5,60\n5.75,1500\n", [0, 250_000_000]),
     ("\ufeffsize; \n", None), ("1700000000.000000001\n1700000000.000000003\n\n", [0, 2]), ("3\n3\n", [0, 0])],
)  # fmt: skip
def test_a_csv_holds_seconds(file, text, times):
    path = file("t.csv", text)
    if times is None:
        with pytest.raises(SourceError, match="neither seconds nor a header"):
            read_times(path)
    else:
        assert read_times(path) == times


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("ns", [True, False])
@given(times=st.lists(st.integers(0, 4 * 10**18), min_size=1, max_size=20))
def test_a_capture_gives_its_times_back(tmp_path_factory, order, ns, times):
    times = sorted(time if ns else time // 1000 * 1000 for time in times)
    path = tmp_path_factory.mktemp("capture") / "t.pcap"
    path.write_bytes(capture(times, order, ns))
    assert read_times(path) == [time - times[0] for time in times]


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("t.csv", "1\nx\n", r"t\.csv:2: 'x' is no time in seconds"),
        ("t.csv", "time,b\n1,2\n3\n\n2,1\n", r"t\.csv:5: 2 is before the time above it"),
        ("t.csv", "-1\n", r"t\.csv:1: "),
        ("t.csv", "1\nnan\n", r"t\.csv:2: 'nan' is no time"),
        ("t.csv", "", "no times are in it"),
        ("t.csv", b"\xff\xfe\x00", "not UTF-8 text"),
        ("t.pcap", b"hello", "no pcap file"),
        ("t.pcap", capture([1])[:-1], "ends in the middle of a packet"),
        ("t.pcap", capture([1])[:-7], "ends in the middle of a packet"),
        ("t.pcap", capture([]), "no times are in it"),
        ("t.bin", b"\x0a\x0d\x0d\x0a" + bytes(40), "this is pcapng"),
    ],
)
def test_what_is_wrong_is_said(file, name, data, said):
    with pytest.raises(SourceError, match=said):
        read_times(file(name, data))


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(SourceError, match="No such file"):
        read_times(tmp_path / "none.csv")
