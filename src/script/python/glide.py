# SPDX-License-Identifier: BSD-3-Clause
"""The names that users of valkey-GLIDE's Python client import, for custom commands where it is not installed.

Classes of arguments, constants and exceptions: names, parameters and meaning are GLIDE's. They turn into words of a
command; the client itself is the host's.
"""
import hashlib
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, Dict, List, Mapping, Optional, Set, Union

import _valkey_polyglot as native

GlideClient = native.Client
GlideClusterClient = native.Client
TGlideClient = native.Client

OK = "OK"
TOK = str
TEncodable = Union[str, bytes, bytearray, memoryview]
TResult = Any
TClusterResponse = Union
ALL_CHANNELS: Optional[Set[str]] = None
ALL_PATTERNS: Optional[Set[str]] = None
ALL_SHARDED_CHANNELS: Optional[Set[str]] = None


# Exceptions


class GlideError(Exception):
    def __init__(self, message=None):
        super().__init__(message or "No error message provided")

    def name(self):
        return type(self).__name__


class ClosingError(GlideError):
    pass


class LoggerError(GlideError):
    pass


class RequestError(GlideError):
    """The server answered with an error: its text."""


class TimeoutError(RequestError):
    """No reply came in time."""


class ConnectionError(RequestError):
    """The connection was lost before the reply."""


class ExecAbortError(RequestError):
    """A transaction was refused as a whole."""


class ConfigurationError(RequestError):
    pass


class CircuitBreakerError(RequestError):
    pass


# Words


class ConditionalChange(Enum):
    ONLY_IF_EXISTS = "XX"
    ONLY_IF_DOES_NOT_EXIST = "NX"


class HashFieldConditionalChange(Enum):
    ONLY_IF_ALL_EXIST = "FXX"
    ONLY_IF_NONE_EXIST = "FNX"


class ExpireOptions(Enum):
    HasNoExpiry = "NX"
    HasExistingExpiry = "XX"
    NewExpiryGreaterThanCurrent = "GT"
    NewExpiryLessThanCurrent = "LT"


class UpdateOptions(Enum):
    LESS_THAN = "LT"
    GREATER_THAN = "GT"


class InsertPosition(Enum):
    BEFORE = "BEFORE"
    AFTER = "AFTER"


class ListDirection(Enum):
    LEFT = "LEFT"
    RIGHT = "RIGHT"


class OrderBy(Enum):
    ASC = "ASC"
    DESC = "DESC"


class FlushMode(Enum):
    ASYNC = "ASYNC"
    SYNC = "SYNC"


class FunctionRestorePolicy(Enum):
    APPEND = "APPEND"
    FLUSH = "FLUSH"
    REPLACE = "REPLACE"


class ClientPauseMode(Enum):
    ALL = "ALL"
    WRITE = "WRITE"


class AggregationType(Enum):
    SUM = "SUM"
    MIN = "MIN"
    MAX = "MAX"


class ScoreFilter(Enum):
    MIN = "MIN"
    MAX = "MAX"


class GeoUnit(Enum):
    METERS = "m"
    KILOMETERS = "km"
    MILES = "mi"
    FEET = "ft"


class BitmapIndexType(Enum):
    BYTE = "BYTE"
    BIT = "BIT"


class BitwiseOperation(Enum):
    AND = "AND"
    OR = "OR"
    XOR = "XOR"
    NOT = "NOT"


class BitOverflowControl(Enum):
    WRAP = "WRAP"
    SAT = "SAT"
    FAIL = "FAIL"


class ObjectType(Enum):
    STRING = "String"
    LIST = "List"
    SET = "Set"
    ZSET = "ZSet"
    HASH = "Hash"
    STREAM = "Stream"


InfoSection = Enum(
    "InfoSection",
    {
        **{
            name.upper(): name
            for name in (
                "all",
                "clients",
                "cluster",
                "cluster_info",
                "cpu",
                "default",
                "everything",
                "keyspace",
                "memory",
                "modules",
                "persistence",
                "replication",
                "sentinel",
                "server",
                "stats",
            )
        },
        "COMMAND_STATS": "commandstats",
        "ERROR_STATS": "errorstats",
        "LATENCY_STATS": "latencystats",
    },
)


# Strings, keys and hashes


class ValueComparison:
    WORD = ""

    def __init__(self, comparison_value):
        self.comparison_value = comparison_value

    def to_args(self):
        return [self.WORD, self.comparison_value]


class OnlyIfEqual(ValueComparison):
    WORD = "IFEQ"


class OnlyIfNotEqual(ValueComparison):
    WORD = "IFNE"


class ExpiryType(Enum):
    """The word, and what its value may be beside an int."""

    SEC = ("EX", timedelta)
    MILLSEC = ("PX", timedelta)
    UNIX_SEC = ("EXAT", datetime)
    UNIX_MILLSEC = ("PXAT", datetime)
    KEEP_TTL = ("KEEPTTL", None)


class ExpiryTypeGetEx(Enum):
    SEC = ("EX", timedelta)
    MILLSEC = ("PX", timedelta)
    UNIX_SEC = ("EXAT", datetime)
    UNIX_MILLSEC = ("PXAT", datetime)
    PERSIST = ("PERSIST", None)


class ExpirySet:
    def __init__(self, expiry_type, value=None):
        self.expiry_type = expiry_type
        self.cmd_arg, timed = expiry_type.value
        if timed is None:
            if value is not None:
                raise ValueError(f"{expiry_type} takes no value")
        elif not isinstance(value, (int, timed)):
            raise ValueError(f"The value of {expiry_type} should be an int or a {timed.__name__}")
        scale = 1000 if self.cmd_arg.startswith("P") else 1
        if isinstance(value, timedelta):
            value = int(value.total_seconds() * scale)
        elif isinstance(value, datetime):
            value = int(value.timestamp() * scale)
        self.value = None if value is None else str(value)

    def __eq__(self, other):
        if not isinstance(other, ExpirySet):
            return NotImplemented
        return (self.expiry_type, self.value) == (other.expiry_type, other.value)

    def get_cmd_args(self):
        return [self.cmd_arg] if self.value is None else [self.cmd_arg, self.value]


class ExpiryGetEx(ExpirySet):
    pass


class Limit:
    def __init__(self, offset, count):
        self.offset = offset
        self.count = count


class MigrateOptions:
    def __init__(self, copy=False, replace=False, password=None, username=None):
        if username is not None and password is None:
            raise ValueError("MigrateOptions: a username needs a password")
        self.copy = copy
        self.replace = replace
        self.password = password
        self.username = username

    def to_args(self):
        words = ["COPY"] * bool(self.copy) + ["REPLACE"] * bool(self.replace)
        if self.username is not None:
            return words + ["AUTH2", self.username, self.password]
        return words if self.password is None else words + ["AUTH", self.password]


# Sorted sets


class InfBound(Enum):
    POS_INF = {"score_arg": "+inf", "lex_arg": "+"}
    NEG_INF = {"score_arg": "-inf", "lex_arg": "-"}


class ScoreBoundary:
    def __init__(self, value, is_inclusive=True):
        self.value = f"{value}" if is_inclusive else f"({value}"


class LexBoundary:
    def __init__(self, value, is_inclusive=True):
        self.value = f"[{value}" if is_inclusive else f"({value}"


def _spelling(bound, kind):
    return bound.value[kind] if isinstance(bound, InfBound) else bound.value


class RangeByIndex:
    def __init__(self, start, end):
        self.start = start
        self.end = end


class RangeByScore:
    def __init__(self, start, end, limit=None):
        self.start = _spelling(start, "score_arg")
        self.end = _spelling(end, "score_arg")
        self.limit = limit


class RangeByLex:
    def __init__(self, start, end, limit=None):
        self.start = _spelling(start, "lex_arg")
        self.end = _spelling(end, "lex_arg")
        self.limit = limit


# Streams


class StreamTrimOptions:
    def __init__(self, exact, threshold, method, limit=None):
        if exact and limit:
            raise ValueError("A limit cannot be combined with an exact trim.")
        self.exact = exact
        self.threshold = threshold
        self.method = method
        self.limit = limit

    def to_args(self):
        words = [self.method, "=" if self.exact else "~", self.threshold]
        return words if self.limit is None else words + ["LIMIT", self.limit]


class TrimByMinId(StreamTrimOptions):
    def __init__(self, exact, threshold, limit=None):
        super().__init__(exact, threshold, "MINID", limit)


class TrimByMaxLen(StreamTrimOptions):
    def __init__(self, exact, threshold, limit=None):
        super().__init__(exact, threshold, "MAXLEN", limit)


class StreamAddOptions:
    def __init__(self, id=None, make_stream=True, trim=None):
        self.id = id
        self.make_stream = make_stream
        self.trim = trim

    def to_args(self):
        words = [] if self.make_stream else ["NOMKSTREAM"]
        if self.trim:
            words += self.trim.to_args()
        return words + [self.id or "*"]


class StreamRangeBound:
    def to_arg(self):
        raise NotImplementedError


class MinId(StreamRangeBound):
    def to_arg(self):
        return "-"


class MaxId(StreamRangeBound):
    def to_arg(self):
        return "+"


class IdBound(StreamRangeBound):
    def __init__(self, stream_id):
        self.stream_id = stream_id

    @classmethod
    def from_timestamp(cls, timestamp):
        return cls(str(timestamp))

    def to_arg(self):
        return self.stream_id


class ExclusiveIdBound(IdBound):
    def __init__(self, stream_id):
        super().__init__(f"({stream_id}" if isinstance(stream_id, str) else b"(" + bytes(stream_id))


class StreamReadOptions:
    def __init__(self, block_ms=None, count=None):
        self.block_ms = block_ms
        self.count = count

    def to_args(self):
        words = [] if self.block_ms is None else ["BLOCK", self.block_ms]
        return words if self.count is None else words + ["COUNT", self.count]


class StreamReadGroupOptions(StreamReadOptions):
    def __init__(self, no_ack=False, block_ms=None, count=None):
        super().__init__(block_ms, count)
        self.no_ack = no_ack

    def to_args(self):
        return super().to_args() + ["NOACK"] * bool(self.no_ack)


class StreamGroupOptions:
    def __init__(self, make_stream=False, entries_read=None):
        self.make_stream = make_stream
        self.entries_read = entries_read

    def to_args(self):
        words = ["MKSTREAM"] * bool(self.make_stream)
        return words if self.entries_read is None else words + ["ENTRIESREAD", self.entries_read]


class StreamPendingOptions:
    def __init__(self, min_idle_time_ms=None, consumer_name=None):
        self.min_idle_time = min_idle_time_ms
        self.consumer_name = consumer_name


class StreamClaimOptions:
    def __init__(self, idle=None, idle_unix_time=None, retry_count=None, is_force=False):
        self.idle = idle
        self.idle_unix_time = idle_unix_time
        self.retry_count = retry_count
        self.is_force = is_force

    def to_args(self):
        pairs = (("IDLE", self.idle), ("TIME", self.idle_unix_time), ("RETRYCOUNT", self.retry_count))
        words = [word for pair in pairs if pair[1] is not None for word in pair]
        return words + ["FORCE"] * bool(self.is_force)


# Bitmaps


class OffsetOptions:
    def __init__(self, start, end=None, index_type=None):
        self.start = start
        self.end = end
        self.index_type = index_type

    def to_args(self):
        return [part for part in (self.start, self.end, self.index_type) if part is not None]


class _Word:
    PREFIX = ""

    def __init__(self, number):
        self._word = f"{self.PREFIX}{number}"

    def to_arg(self):
        return self._word


class BitEncoding(_Word):
    pass


class SignedEncoding(BitEncoding):
    PREFIX = "i"


class UnsignedEncoding(BitEncoding):
    PREFIX = "u"


class BitFieldOffset(_Word):
    pass


class BitOffset(BitFieldOffset):
    pass


class BitOffsetMultiplier(BitFieldOffset):
    PREFIX = "#"


class BitFieldSubCommands:
    def __init__(self, *words):
        self._words = list(words)

    def to_args(self):
        return self._words


class BitFieldGet(BitFieldSubCommands):
    def __init__(self, encoding, offset):
        super().__init__("GET", encoding.to_arg(), offset.to_arg())


class BitFieldSet(BitFieldSubCommands):
    def __init__(self, encoding, offset, value):
        super().__init__("SET", encoding.to_arg(), offset.to_arg(), value)


class BitFieldIncrBy(BitFieldSubCommands):
    def __init__(self, encoding, offset, increment):
        super().__init__("INCRBY", encoding.to_arg(), offset.to_arg(), increment)


class BitFieldOverflow(BitFieldSubCommands):
    def __init__(self, overflow_control):
        super().__init__("OVERFLOW", overflow_control)


# Places


class GeospatialData:
    def __init__(self, longitude, latitude):
        self.longitude = longitude
        self.latitude = latitude


class GeoSearchByRadius:
    def __init__(self, radius, unit):
        self.radius = radius
        self.unit = unit

    def to_args(self):
        return ["BYRADIUS", self.radius, self.unit]


class GeoSearchByBox:
    def __init__(self, width, height, unit):
        self.width = width
        self.height = height
        self.unit = unit

    def to_args(self):
        return ["BYBOX", self.width, self.height, self.unit]


class GeoSearchCount:
    def __init__(self, count, any_option=False):
        self.count = count
        self.any_option = any_option

    def to_args(self):
        return ["COUNT", self.count] + ["ANY"] * bool(self.any_option)


# Scripts and batches


class Script:
    def __init__(self, code):
        self.code = code
        self.hash = hashlib.sha1(code.encode() if isinstance(code, str) else code).hexdigest()

    def get_hash(self):
        return self.hash


class Batch(native.Batch):
    """Commands that are sent together: each method of the client adds one."""

    def clear(self):
        self.commands.clear()


class ClusterBatch(Batch):
    pass


class Transaction(Batch):
    def __init__(self):
        super().__init__(is_atomic=True)


class ClusterTransaction(Transaction):
    pass


TBatch = Batch


class BatchRetryStrategy:
    def __init__(self, retry_server_error=False, retry_connection_error=False):
        self.retry_server_error = retry_server_error
        self.retry_connection_error = retry_connection_error


class BatchOptions:
    def __init__(self, timeout=None):
        self.timeout = timeout


class ClusterBatchOptions(BatchOptions):
    def __init__(self, timeout=None, route=None, retry_strategy=None):
        super().__init__(timeout)
        self.route = route
        self.retry_strategy = retry_strategy


# Routes, which the host refuses


class SlotType(Enum):
    PRIMARY = 1
    REPLICA = 2


class Route:
    pass


class AllNodes(Route):
    pass


class AllPrimaries(Route):
    pass


class RandomNode(Route):
    pass


class SlotKeyRoute(Route):
    def __init__(self, slot_type, slot_key):
        self.slot_type = slot_type
        self.slot_key = slot_key


class SlotIdRoute(Route):
    def __init__(self, slot_type, slot_id):
        self.slot_type = slot_type
        self.slot_id = slot_id


class ByAddressRoute(Route):
    def __init__(self, host, port=None):
        self.host = host
        self.port = port


TSingleNodeRoute = Route
