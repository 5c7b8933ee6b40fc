"""The batch record, byte by byte: events/batch.h and events/log_records.h of the engine."""
import struct
from dataclasses import dataclass

import crc32c
import xxhash

EVENTS, NOOP, CLAIM, TRANSFER, CHUNK = 1, 2, 3, 4, 5

HEADER_BYTES = 56
TRAILER_BYTES = 8  # from format 2 on
FORMAT_NEWEST = 2
END_MARK = 0xD7B45AE9
HEADER = struct.Struct("<BBHIQQQqQII")
TRAILER = struct.Struct("<II")
U64_MASK = (1 << 64) - 1


class LogError(Exception):
    """A log, or a record of it, that cannot be read."""


class Corrupt(LogError):
    """The bytes are not what a writer wrote, or do not follow from those before."""


class Unsupported(LogError):
    """A newer version wrote it."""


@dataclass(frozen=True)
class Header:
    type: int
    epoch: int
    incarnation: int
    first_seq: int
    at: int  # milliseconds since 1970
    chain: int
    count: int

    @property
    def last_seq(self):
        return 0 if self.count == 0 and self.first_seq == 0 else self.first_seq + self.count - 1


def _size(data, at):
    version, payload = data[at], struct.unpack_from("<I", data, at + 52)[0]
    return HEADER_BYTES + payload + (TRAILER_BYTES if version >= 2 else 0)


def split_records(data):
    """Records that stand one behind the other, as in the golden files."""
    at = 0
    while at < len(data):
        if len(data) - at < HEADER_BYTES or len(data) - at < _size(data, at):
            raise Corrupt("the last record is not whole")
        yield data[at:at + _size(data, at)]
        at += _size(data, at)


def decode_header(record):
    """Checks version, sizes and checksum; returns header and payload."""
    if len(record) < HEADER_BYTES:
        raise Corrupt("batch record: shorter than its header")
    version, kind, flags, crc, epoch, incarnation, first_seq, at, chain, count, size = HEADER.unpack_from(record)
    if crc != crc32c.crc32c(record[8:], crc32c.crc32c(record[:4])):
        raise Corrupt("batch record: the checksum differs")
    if version > FORMAT_NEWEST:
        raise Unsupported("batch record: a format version that this version does not know")
    if version == 0:
        raise Corrupt("batch record: no format version")
    if flags != 0:
        raise Unsupported("batch record: a flag that this version does not know")
    if kind > CHUNK:
        raise Unsupported("batch record: a type that this version does not know")
    if kind < EVENTS:
        raise Corrupt("batch record: no type")
    trailer = TRAILER_BYTES if version >= 2 else 0
    if HEADER_BYTES + size + trailer != len(record):
        raise Corrupt("batch record: the size of the payload differs")
    if trailer and TRAILER.unpack_from(record, len(record) - TRAILER_BYTES) != (len(record), END_MARK):
        raise Corrupt("batch record: it does not end as a record does")
    header = Header(kind, epoch, incarnation, first_seq, at, chain, count)
    if kind == EVENTS and (first_seq == 0 or count == 0 or header.last_seq > U64_MASK):
        raise Corrupt("batch record: no sequence number")
    return header, record[HEADER_BYTES:HEADER_BYTES + size]


def chain_after(before, first_seq, payload):
    """The digest that a record with this payload carries when that of the record before is `before`."""
    digest = xxhash.xxh3_64(struct.pack("<QQ", before, first_seq))
    digest.update(payload)
    return digest.intdigest()


def decode_transfer(payload):
    """to_epoch, to_incarnation, to_node."""
    if len(payload) < 24:
        raise Corrupt("record: a transfer that is too short")
    return struct.unpack_from("<QQQ", payload)


def decode_chunk(payload):
    """index, parts, bytes."""
    if len(payload) < 8:
        raise Corrupt("record: a part that is too short")
    index, parts = struct.unpack_from("<II", payload)
    if parts < 2 or index >= parts:
        raise Corrupt("record: a part of no whole")
    return index, parts, payload[8:]
