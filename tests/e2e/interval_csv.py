# SPDX-License-Identifier: BSD-3-Clause
"""A strict parser of the interval CSV."""
import re

HEADER = ("timestamp,request_sec,p50_usec,p90_usec,p95_usec,p99_usec,p99_9_usec,p99_99_usec,"
          "p99_999_usec,p100_usec,avg_usec,request_finished,requests_total_failed,requests_moved,"
          "requests_clusterdown,client_disconnects")
NAMES = HEADER.split(",")
PERCENTILES = [name for name in NAMES if name[0] == "p"]
COUNTERS = NAMES[-5:]
WHOLE = re.compile(r"0|[1-9]\d*")
RATE = re.compile(r"(0|[1-9]\d*)\.\d{6}")


class CsvError(AssertionError):
    """A line that breaks the format; the message names it."""


class Csv:
    def __init__(self, lines):
        self.lines = lines

    def sum(self, name):
        return sum(line[name] for line in self.lines)

    def column(self, name):
        return [line[name] for line in self.lines]


def parse_line(text):
    fields = text.split(",")
    if len(fields) != len(NAMES):
        raise CsvError(f"{len(fields)} columns, not {len(NAMES)}: {text!r}")
    line = {}
    for name, field in zip(NAMES, fields):
        if not (RATE if name == "request_sec" else WHOLE).fullmatch(field):
            raise CsvError(f"{name} is no number of its kind, but {field!r}: {text!r}")
        line[name] = float(field) if name == "request_sec" else int(field)
    values = [line[name] for name in PERCENTILES]
    if values != sorted(values):
        raise CsvError(f"percentiles fall: {text!r}")
    if line["avg_usec"] > line["p100_usec"]:
        raise CsvError(f"an average above the maximum: {text!r}")
    if not line["request_finished"] and (any(values) or line["avg_usec"] or line["request_sec"]):
        raise CsvError(f"nothing finished, and yet a latency or a rate: {text!r}")
    if line["request_finished"] and not line["request_sec"]:
        raise CsvError(f"requests finished, and yet no rate: {text!r}")
    return line


def parse(text, partial=False):
    """The whole of stdout. `partial`: the program is still running, and may not have begun."""
    if partial and not text.strip():
        return Csv([])
    if not text.endswith("\n"):
        raise CsvError(f"the last line is not ended: {text[-200:]!r}")
    lines = text.splitlines()
    if lines[0] != HEADER:
        raise CsvError(f"not the header: {lines[0]!r}")
    csv = Csv([parse_line(line) for line in lines[1:]])
    stamps = csv.column("timestamp")
    if stamps != sorted(stamps):
        raise CsvError(f"time stamps fall: {stamps}")
    return csv
