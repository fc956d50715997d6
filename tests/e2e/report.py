# SPDX-License-Identifier: BSD-3-Clause
"""
A strict parser of the text output: progress lines and the final report.

The report's first block is held to the letter; the sections after it are read as titles with
`key: value` lines. What the numbers of one report say about one another is checked too.
"""
import re

BOUNDS = ("0.1", "0.5", "1.0", "2.0", "5.0", "10.0", "20.0", "50.0", "100.0", "200.0", "500.0", "1000.0")
COUNT = r"(?:\d{1,3}(?:,\d{3})*)"
PROGRESS = re.compile(
    rf"\[(?P<time>\d+\.\d)s\] Progress: (?P<done>{COUNT})(?:/(?P<total>{COUNT}) \((?P<share>\d+\.\d)%\))?, "
    rf"RPS: current=(?P<current>{COUNT}) avg=(?P<average>{COUNT}\.\d), Errors: (?P<errors>{COUNT})"
    r" \| Latency \(ms\): avg=\d+\.\d\d p50=\d+\.\d\d p95=\d+\.\d\d p99=\d+\.\d\d")
THREE = r"(\d+\.\d{3})"
BLOCK = [
    (None, r"Final Results:"),
    (None, r"============="),
    ("time", r"Total time: (\d+\.\d\d) seconds"),
    ("completed", r"Requests completed: (\d+)"),
    ("rate", r"Requests per second: (\d+\.\d\d)"),
    ("errors", r"Total errors: (\d+)"),
    (None, r""),
    (None, r"Latency Statistics \(ms\):"),
    (None, r"====================="),
    ("min", rf"Minimum: {THREE}"),
    ("average", rf"Average: {THREE}"),
    ("max", rf"Maximum: {THREE}"),
    ("p50", rf"Median \(p50\): {THREE}"),
    ("p95", rf"95th percentile: {THREE}"),
    ("p99", rf"99th percentile: {THREE}"),
    (None, r""),
    (None, r"Latency Distribution:"),
    (None, r"===================="),
]
for _bound in BOUNDS:
    BLOCK.append(("bucket", rf"<= {re.escape(_bound)} ms: (\d+\.\d\d)% \((\d+) requests\)"))
BLOCK.append(("bucket", r"> 1000\.0 ms: (\d+\.\d\d)% \((\d+) requests\)"))
INTEGERS = ("completed", "errors")
EFFORT = (r"busy (?P<busy>\d+\.\d)%(, crowded out (?P<crowded>\d+\.\d)%)?, longest turn (?P<longest>\d+\.\d{3}) ms"
          r"(, (1 overflow|(?!1 )[1-9]\d* overflows) of the queue)?")
NODE = (rf"(?P<name>\S+) \((?P<role>primary|replica)\): requests (?P<requests>\d+), errors (?P<errors>\d+)"
        rf"(, p50 (?P<p50>\d+\.\d{{3}}) ms, p99 (?P<p99>\d+\.\d{{3}}) ms)?")
WORKERS_SHOWN = 16
SECONDS = r"\d+\.\d"
OUTAGE = re.compile(
    rf"from (?P<begin>{SECONDS}) s to (?P<end>{SECONDS}) s \((?P<length>{SECONDS}) s\): "
    rf"(no request failed|(?P<failed>{COUNT}) requests? failed \((?P<kinds>[a-z ]+ {COUNT}(, [a-z ]+ {COUNT})*)\))"
    rf"(, (?P<retried>{COUNT}) retried)?(; no request succeeded for (?P<silent>{SECONDS}) s)?")
OUTAGES_SHOWN = 16
LIMIT = "The client was the limit: "
CLOSING = re.compile(rf"(Ended early|Clamped|Warning|Note): \S.*|{LIMIT}[^;]*; [^;]*\.")


class ReportError(AssertionError):
    """A line that breaks the format; the message names it."""


class Report:
    """
    The numbers of the block as attributes; `sections`: title -> {key: value text}; `nodes`: a dict for each line of
    a cluster's nodes, whose names hold colons; `closing`: the lines after the last section: warnings, and why the run
    ended early.
    """

    def __init__(self):
        self.buckets = []
        self.sections = {}
        self.nodes = []
        self.closing = []
        self.text = ""

    def has(self, title, key):
        return key in self.sections.get(title, {})

    def text_of(self, title, key):
        try:
            return self.sections[title][key]
        except KeyError:
            raise ReportError(f"no line {key!r} in a section {title!r} of:\n{self.text}") from None

    def number(self, title, key):
        """The number that a value begins with: 1234, 1,234 or 0.123."""
        value = self.text_of(title, key)
        match = re.match(r"\d[\d,]*(\.\d+)?", value)
        if not match:
            raise ReportError(f"{title}: {key}: no number: {value!r}")
        digits = match.group(0).replace(",", "")
        return float(digits) if match.group(1) else int(digits)

    def count(self, title, key):
        """The same, 0 where the line is left out."""
        return self.number(title, key) if self.has(title, key) else 0

    issued = property(lambda self: self.number("Accounting", "Issued"))
    unanswered = property(lambda self: self.number("Accounting", "Unanswered"))
    unsent = property(lambda self: self.number("Accounting", "Unsent"))
    due = property(lambda self: self.number("Accounting", "Due"))

    @property
    def outages(self):
        """The windows that have lines, as dicts: seconds, and requests; `kinds` as {name: count}."""
        return [read_outage(text, self) for key, text in self.sections.get("Outages", {}).items() if key != "More"]

    @property
    def verdict(self):
        """The sentence that accuses the client, or None."""
        return next((line for line in self.closing if line.startswith(LIMIT)), None)

    @property
    def note(self):
        return next((line for line in self.closing if line.startswith("Note: ")), None)

    def worker(self, number):
        """What the loop of a worker did, as numbers: busy and crowded in per cent, longest in ms."""
        match = re.fullmatch(EFFORT, self.text_of("Workers", f"Worker {number}"))
        return {name: float(text or 0) for name, text in match.groupdict().items()}


class Output:
    def __init__(self, progress, report):
        self.progress = progress
        self.report = report


def require(condition, what, report):
    if not condition:
        raise ReportError(f"{what}:\n{report.text}")


def parse_block(lines, report):
    """Reads the first block, line for line; returns the lines after it."""
    for at, (name, pattern) in enumerate(BLOCK):
        line = lines[at] if at < len(lines) else None
        match = re.fullmatch(pattern, line) if line is not None else None
        if not match:
            raise ReportError(f"line {at + 1} of the report is {line!r}, and not of the form {pattern!r}")
        if name == "bucket":
            report.buckets.append((float(match.group(1)), int(match.group(2))))
        elif name:
            setattr(report, name, (int if name in INTEGERS else float)(match.group(1)))
    return lines[len(BLOCK):]


def parse_nodes(rows, report):
    require(rows and re.fullmatch(r"=+", rows[0]) and not report.nodes, "no underline of the nodes", report)
    for row in rows[1:]:
        match = re.fullmatch(NODE, row)
        require(match, f"no line of a node: {row!r}", report)
        node = {key: value if key in ("name", "role") else float(value or 0)
                for key, value in match.groupdict().items()}
        require(bool(node["requests"]) == (match["p50"] is not None), f"latencies of nothing, or none: {row!r}", report)
        report.nodes.append(node)


def parse_sections(lines, report):
    """Sections follow, each after a blank line; what has no title is the closing."""
    if lines and lines[0]:
        raise ReportError(f"no blank line after the distribution, but {lines[0]!r}")
    for paragraph in "\n".join(lines).split("\n\n"):
        rows = paragraph.strip("\n").split("\n")
        title = re.fullmatch(r"(\S.*):", rows[0])
        if not title:
            report.closing += [row for row in rows if row]
            continue
        section = report.sections.setdefault(title.group(1), {})
        if title.group(1) == "Nodes":
            parse_nodes(rows[1:], report)
            continue
        for row in rows[1:]:
            value = re.fullmatch(r"\s*([^:]+): +(\S.*)", row)
            if value:
                section[value.group(1)] = value.group(2)
            elif not re.fullmatch(r"=+", row):
                raise ReportError(f"{title.group(0)} neither an underline nor `key: value`: {row!r}")


def check_block(report):
    require(sum(count for _, count in report.buckets) == report.completed,
            "the distribution does not add up to the requests completed", report)
    for share, count in report.buckets:
        exact = 100.0 * count / report.completed if report.completed else 0.0
        require(abs(share - exact) <= 0.0051, f"{share}% is not the share of {count}", report)
    require(report.min <= report.p50 <= report.p95 <= report.p99 <= report.max, "latencies fall", report)
    require(report.min <= report.average <= report.max, "an average outside", report)
    if report.time > 0.1:
        low, high = report.completed / (report.time + 0.006), report.completed / (report.time - 0.006)
        require(low - 0.01 <= report.rate <= high + 0.01, "rate x time is not the requests completed", report)


def check_accounting(report):
    require(report.issued == report.completed + report.errors + report.unanswered,
            "issued is not completed + errors + unanswered", report)
    if report.has("Accounting", "Due"):
        require(report.due == report.issued + report.unsent, "due is not issued + unsent", report)


def check_nodes(report):
    """Each success is a node's; not all errors are. Primaries come first, and no line twice."""
    if not report.nodes:
        return
    require(sum(node["requests"] for node in report.nodes) == report.completed,
            "the nodes do not add up to the requests completed", report)
    require(sum(node["errors"] for node in report.nodes) <= report.errors, "more errors of nodes than in all", report)
    roles = [node["role"] for node in report.nodes]
    require(roles == sorted(roles), "a replica before a primary", report)
    require(len({(node["name"], node["role"]) for node in report.nodes}) == len(roles), "a node twice", report)
    for node in report.nodes:
        require(node["p50"] <= node["p99"] <= report.max, f"latencies of a node: {node}", report)


def check_workers(report):
    """One line each, or the busiest and a line for the others."""
    section = report.sections.get("Workers")
    if section is None:
        return
    for value in section.values():
        effort = re.fullmatch(EFFORT, value.removeprefix("at most "))
        require(effort, f"no effort of a worker: {value!r}", report)
        require(float(effort["busy"]) <= 100 and float(effort["crowded"] or 0) <= 100, f"more than all: {value!r}", report)
    count = report.number("How It Ran", "Workers in all")
    names = [name for name in section if re.fullmatch(r"Worker \d+", name)]
    others = [name for name in section if name == f"The other {count - WORKERS_SHOWN}"]
    require(names == sorted(names, key=lambda name: int(name.split()[1])), "workers out of order", report)
    require(len(names) == min(count, WORKERS_SHOWN) and len(section) == len(names) + len(others) and
            len(others) == (count > WORKERS_SHOWN), f"not the lines of {count} workers", report)


def read_outage(text, report):
    match = OUTAGE.fullmatch(text)
    require(match, f"no outage: {text!r}", report)
    outage = {name: float((match[name] or "0").replace(",", ""))
              for name in ("begin", "end", "length", "failed", "retried", "silent")}
    kinds = (kind.rsplit(" ", 1) for kind in re.split(r", (?=[a-z])", match["kinds"] or "") if kind)
    outage["kinds"] = {name: int(count.replace(",", "")) for name, count in kinds}
    return outage


def check_outages(report):
    """Windows are in order, apart, within the run; what failed in them is among what failed."""
    section = report.sections.get("Outages")
    if section is None:
        return
    outages = report.outages
    require(outages and list(section)[:len(outages)] == [str(at + 1) for at in range(len(outages))],
            "outages are not numbered", report)
    require("More" not in section or
            (len(outages) == OUTAGES_SHOWN and re.fullmatch(r"[1-9]\d* that are not shown", section["More"])),
            "no count of further outages", report)
    end = 0
    for outage in outages:
        require(end <= outage["begin"] <= outage["end"], "outages overlap", report)
        end = outage["end"]
        require(abs(end - outage["begin"] - outage["length"]) < 0.01, "an outage of another length", report)
        require(outage["silent"] <= outage["length"], "silence beyond an outage", report)
        require(outage["failed"] == sum(outage["kinds"].values()), "kinds do not add up", report)
    for kind in {kind for outage in outages for kind in outage["kinds"]}:
        require(0 < sum(outage["kinds"].get(kind, 0) for outage in outages) <= report.count("Errors by Kind", kind),
                f"more failed as {kind} in outages than in all", report)


def check_closing(report):
    """What ended the run and warnings; then, as the last line, one verdict or note at most."""
    for line in report.closing:
        require(CLOSING.fullmatch(line), f"no closing line: {line!r}", report)
    judgements = [line for line in report.closing if line.startswith((LIMIT, "Note: "))]
    require(judgements == report.closing[len(report.closing) - len(judgements):] and len(judgements) <= 1,
            "a verdict or note is not the last line", report)


def parse_report(lines):
    report = Report()
    report.text = "\n".join(lines)
    parse_sections(parse_block(lines, report), report)
    check_block(report)
    check_accounting(report)
    check_outages(report)
    check_nodes(report)
    check_workers(report)
    check_closing(report)
    return report


def parse_progress(line):
    match = PROGRESS.fullmatch(line)
    if not match:
        raise ReportError(f"no progress line: {line!r}")
    return {name: float(text.replace(",", "")) for name, text in match.groupdict().items() if text}


def parse_output(text):
    """stdout of a run without CSV: progress lines, a blank line, the report; nothing else."""
    lines = text.splitlines()
    if "Final Results:" not in lines:
        raise ReportError(f"no report in:\n{text}")
    at = lines.index("Final Results:")
    progress = [parse_progress(line) for line in lines[:at] if line]
    return Output(progress, parse_report(lines[at:]))


def parse_log(text):
    """A report among logs: what comes before it is not looked at."""
    lines = text.splitlines()
    if "Final Results:" not in lines:
        raise ReportError(f"no report in:\n{text}")
    return parse_report(lines[lines.index("Final Results:"):])
