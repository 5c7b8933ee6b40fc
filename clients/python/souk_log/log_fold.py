"""Which records of a shard's log count: rules R0 to R3 of the engine's events/log_fold.h."""
from dataclasses import dataclass, field, replace
from typing import Optional

from . import records
from .records import Corrupt

COUNTS_EVENTS, COUNTS, SKIPPED = "events", "nothing", "skipped"


@dataclass(frozen=True)
class Part:
    """The parts of a record that is not whole yet. `next` 0: there is none."""
    next: int = 0
    parts: int = 0
    count: int = 0
    chain: int = 0
    payload: bytes = b""


@dataclass
class FoldState:
    """Where a reader of a log stands. `claims`: somebody claimed; until then the rules of one writer hold."""
    claims: bool = False
    epoch: int = 0
    incarnation: int = 0
    seq: int = 0
    chain: Optional[int] = 0
    next_offset: int = 0
    partial: Part = field(default_factory=Part)


def shared_log_begin():
    """Where the log of a cluster begins; its offsets are from 1, those of Kafka from 0."""
    return FoldState(claims=True, next_offset=1)


@dataclass(frozen=True)
class Folded:
    what: str  # events, nothing or skipped
    header: records.Header
    why: str = "none"  # of one that is skipped
    payload: bytes = b""  # of events; of a record in parts all of it


def fold(state, offset, record):
    """Folds the record that stands at `offset` into `state`, which after an error is what it was."""
    header, payload = records.decode_header(record)
    if state.claims:
        if offset < state.next_offset:
            return Folded(SKIPPED, header, "folded before")
        if offset > state.next_offset:
            raise Corrupt(f"records {state.next_offset} to {offset - 1} are missing")
    then = replace(state)
    folded = _at_its_place(then, header, payload)
    then.next_offset = offset + 1
    state.__dict__.update(then.__dict__)
    return folded


def _at_its_place(state, header, payload):
    if header.type == records.CLAIM:  # R1
        if header.epoch <= state.epoch:
            return Folded(SKIPPED, header, "lower epoch")
        _own(state, header.epoch, header.incarnation)
        return Folded(COUNTS, header)
    if header.type == records.TRANSFER:  # R2
        return _transfer(state, header, payload)
    why = _why_skipped(state, header)
    if why:
        if header.type == records.CHUNK and why == "out of sequence":
            state.partial = Part()
        return Folded(SKIPPED, header, why)
    if header.type == records.NOOP:
        if state.chain is not None and state.chain != header.chain:
            raise Corrupt("a no-op that does not follow from the record before it")
        state.epoch, state.incarnation = header.epoch, header.incarnation
        return Folded(COUNTS, header)
    if header.type == records.CHUNK:
        return _chunk(state, header, payload)
    return _events(state, header, payload)


def _own(state, epoch, incarnation):
    state.claims, state.epoch, state.incarnation, state.partial = True, epoch, incarnation, Part()


def _transfer(state, header, payload):
    to_epoch, to_incarnation, _ = records.decode_transfer(payload)
    if (header.epoch, header.incarnation) != (state.epoch, state.incarnation):
        return Folded(SKIPPED, header, "lower epoch" if header.epoch < state.epoch else "foreign")
    if to_epoch <= state.epoch:
        return Folded(SKIPPED, header, "lower epoch")
    _own(state, to_epoch, to_incarnation)
    return Folded(COUNTS, header)


def _why_skipped(state, header):
    """R3."""
    if state.claims:
        if header.epoch < state.epoch:
            return "lower epoch"
        if (header.epoch, header.incarnation) != (state.epoch, state.incarnation):
            return "foreign"
        return None if header.first_seq == state.seq + 1 else "out of sequence"
    if header.first_seq <= state.seq:
        return "out of sequence"
    if header.epoch < state.epoch:
        return "lower epoch"
    if header.first_seq != state.seq + 1:
        raise Corrupt(f"events {state.seq + 1} to {header.first_seq - 1} are missing")
    return None


def _events(state, header, payload):
    if state.chain is not None and records.chain_after(state.chain, header.first_seq, payload) != header.chain:
        raise Corrupt("it does not follow from the record before it")
    state.epoch, state.incarnation = header.epoch, header.incarnation
    state.seq, state.chain, state.partial = header.last_seq, header.chain, Part()
    return Folded(COUNTS_EVENTS, header, payload=payload)


def _chunk(state, header, payload):
    index, parts, data = records.decode_chunk(payload)
    partial = state.partial
    if index == 0:
        partial = Part(0, parts, header.count, header.chain)
    elif header.epoch != state.epoch or (partial.next, partial.parts, partial.count, partial.chain) != (
            index, parts, header.count, header.chain):
        state.partial = Part()
        return Folded(SKIPPED, header, "part out of place")
    state.epoch, state.incarnation = header.epoch, header.incarnation
    state.partial = replace(partial, next=index + 1, payload=partial.payload + data)
    if index + 1 < parts:
        return Folded(COUNTS, header)
    return _events(state, header, state.partial.payload)
