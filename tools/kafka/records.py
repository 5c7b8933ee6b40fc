"""Reads a topic's records over a socket: fetches, and takes record batches apart, also those that lz4 packed.
Standard library only.

    for record in read_partition(connection, "shop.orders", 3): record.offset, record.key, record.headers["souk-position"]"""
import dataclasses
import struct

import wire

FETCH_BYTES = 16 * 1024 * 1024
EMPTY_MAX = 50
BATCH_HEADER_BYTES, MAGIC = 61, 2
NOTHING, LZ4 = 0, 3  # how a batch is packed
LZ4_MAGIC = 0x184D2204


@dataclasses.dataclass(frozen=True)
class Record:
    offset: int
    timestamp_ms: int
    key: bytes
    value: bytes
    headers: dict  # name -> bytes


def read_partition(connection, topic, partition, offset=0):
    """All records from `offset` on, as far as they go when it is asked. `connection`: to the partition's leader."""
    empty = 0
    while True:
        end, data = connection.fetch(topic, partition, offset, FETCH_BYTES)
        for record in records_of(data):
            if record.offset >= offset:
                yield record
                offset = record.offset + 1
        if offset >= end:
            return
        empty = 0 if data else empty + 1  # the end may be newer than what came with it
        if empty > EMPTY_MAX:
            raise ValueError(f"{topic}/{partition}: nothing at {offset}, and it ends at {end}")


def records_of(data):
    """Of a fetch's answer; its last batch may be cut off."""
    at = 0
    while at + BATCH_HEADER_BYTES <= len(data):
        base, length, _epoch, magic = struct.unpack_from(">qiib", data, at)
        end = at + 12 + length
        if end > len(data):
            return
        if magic != MAGIC:
            raise ValueError(f"a batch of format {magic}")
        attributes, _last, first_ms, max_ms = struct.unpack_from(">hiqq", data, at + 21)
        (count,) = struct.unpack_from(">i", data, at + 57)
        body = data[at + BATCH_HEADER_BYTES:end]
        packing = attributes & 7
        if packing not in (NOTHING, LZ4):
            raise ValueError(f"a batch is packed by {packing}")
        appended = attributes & 8  # the broker's time stands for all
        yield from _records(unpack_lz4(body) if packing == LZ4 else body, count, base, max_ms if appended else None, first_ms)
        at = end


def _records(body, count, base, appended_ms, first_ms):
    at = 0
    for _ in range(count):
        _length, at = _varint(body, at)
        since, at = _varint(body, at + 1)
        delta, at = _varint(body, at)
        key, at = _bytes(body, at)
        value, at = _bytes(body, at)
        number, at = _varint(body, at)
        headers = {}
        for _ in range(number):
            name, at = _bytes(body, at)
            headers[name.decode()], at = _bytes(body, at)
        yield Record(base + delta, first_ms + since if appended_ms is None else appended_ms, key, value, headers)


def _varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return (value >> 1) ^ -(value & 1), at


def _bytes(data, at):
    size, at = _varint(data, at)
    return (None, at) if size < 0 else (data[at:at + size], at + size)


def unpack_lz4(data):
    """An lz4 frame. Its checksums are not looked at: Kafka's own covers them."""
    magic, flags = struct.unpack_from("<IB", data, 0)
    if magic != LZ4_MAGIC:
        raise ValueError("not an lz4 frame")
    at = 7 + (8 if flags & 0x08 else 0)
    out = bytearray()
    while True:
        (size,) = struct.unpack_from("<I", data, at)
        at += 4
        if size == 0:
            return bytes(out)
        plain, size = size >> 31, size & 0x7FFFFFFF
        if plain:
            out += data[at:at + size]
        else:
            _unpack_block(data, at, at + size, out)
        at += size + (4 if flags & 0x10 else 0)


def _unpack_block(data, at, end, out):
    def length(first):
        nonlocal at
        if first == 15:
            while True:
                at += 1
                first += data[at - 1]
                if data[at - 1] != 255:
                    break
        return first

    while at < end:
        token = data[at]
        at += 1
        literals = length(token >> 4)
        out += data[at:at + literals]
        at += literals
        if at >= end:
            return
        back = data[at] | data[at + 1] << 8
        at += 2
        size = length(token & 15) + 4
        start = len(out) - back
        if back >= size:
            out += out[start:start + size]
        else:  # it goes on into what it writes
            piece = bytes(out[start:])
            out += (piece * (size // back + 1))[:size]


def leaders(bootstrap, topic):
    """Partition number -> the leader's address, as a broker says."""
    with wire.Connection(bootstrap.split(",")[0]) as connection:
        known = connection.metadata([topic])
        hosts = {broker: f"{host}:{port}" for broker, (host, port) in known.brokers.items()}
        return {number: hosts[one.leader] for number, one in known.topics[topic].items()}


def read_topic(bootstrap, topic):
    """Partition number -> its records."""
    found = {}
    for number, address in sorted(leaders(bootstrap, topic).items()):
        with wire.Connection(address) as connection:
            found[number] = list(read_partition(connection, topic, number))
    return found
