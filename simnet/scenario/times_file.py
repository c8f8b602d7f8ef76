r"""When packets or requests came, from a file: a CSV of seconds, or a capture.

The times count from the first one. A CSV has one number a line, or a header with a column `time`; a capture is a
classic pcap file (not pcapng) of either byte order, with times in us or ns.

Source: https://www.tcpdump.org/manpages/pcap-savefile.5.html.
"""

from __future__ import annotations

import csv
import struct
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from pathlib import Path

from simnet.errors import SourceError

_SECOND = 1_000_000_000
# the first four bytes, as a number in the file's own byte order: ns that a unit of the fraction has
_MAGIC = {0xA1B2C3D4: 1_000, 0xA1B23C4D: 1}
_PCAPNG = b"\x0a\x0d\x0d\x0a"
_HEADER, _RECORD = 24, 16
_COLUMN = "time"
# seconds; what is beyond is no time
_LATEST = 9 * 10**9


def read_times(path: Path) -> list[int]:
    """The times in ns, ascending, the first at 0; SourceError with the line where the file holds none."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SourceError(error.strerror or "cannot be read", file=str(path)) from None
    file = str(path)
    capture = path.suffix.lower() in {".pcap", ".cap", ".pcapng"} or data[:4] == _PCAPNG
    times = list(_of_capture(data, file)) if capture else list(_of_text(data, file))
    if not times:
        raise SourceError("no times are in it", file=file)
    if capture:
        times.sort()  # captures of several CPUs are a little out of order
    return [time - times[0] for time in times]


def _of_text(data: bytes, file: str) -> Iterator[int]:
    try:
        lines = data.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise SourceError("not UTF-8 text", file=file, hint="a capture's name ends in .pcap") from None
    column, last = 0, Decimal(0)
    for number, row in enumerate(csv.reader(lines), 1):
        cells = [cell.strip() for cell in row]
        if not any(cells):
            continue
        if number == 1 and not _is_number(cells[0]):
            named = [cell.lower() for cell in cells]
            if _COLUMN not in named:
                raise SourceError("neither seconds nor a header with a column `time`", file=file, line=1)
            column = named.index(_COLUMN)
            continue
        text = cells[column] if column < len(cells) else ""
        if not _is_number(text):
            raise SourceError(f"{text!r} is no time in seconds", file=file, line=number)
        time = Decimal(text)
        if time < last:
            raise SourceError(f"{text} is before the time above it", file=file, line=number, hint="times must ascend")
        last = time
        yield round(time * _SECOND)


def _is_number(text: str) -> bool:
    try:
        return 0 <= Decimal(text) < _LATEST
    except InvalidOperation:
        return False


def _of_capture(data: bytes, file: str) -> Iterator[int]:
    if data[:4] == _PCAPNG:
        raise SourceError(
            "this is pcapng, which is not read", file=file, hint="editcap -F pcap IN OUT makes a pcap of it"
        )
    for order in "<>":
        magic = struct.unpack(f"{order}I", data[:4])[0] if len(data) >= _HEADER else 0
        if magic in _MAGIC:
            break
    else:
        raise SourceError("no pcap file", file=file)
    at, unit = _HEADER, _MAGIC[magic]
    while at < len(data):
        whole = at + _RECORD <= len(data)
        seconds, fraction, kept, _ = struct.unpack_from(f"{order}4I", data, at) if whole else (0, 0, 0, 0)
        at += _RECORD + kept
        if at > len(data):
            raise SourceError("it ends in the middle of a packet", file=file)
        yield seconds * _SECOND + fraction * unit
