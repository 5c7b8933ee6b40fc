"""souk_log against the golden files that the engine's own tests write and read: tests/golden.
usage: python -m unittest discover -s clients/python/tests"""
import json
import os
import struct
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
TREE = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
GOLDEN = os.path.join(TREE, "tests", "golden")
sys.path.insert(0, os.path.join(TREE, "clients", "python"))

import souk_log  # noqa: E402
from souk_log import records, words  # noqa: E402
from souk_log.reader import Partition  # noqa: E402


def golden(*path):
    with open(os.path.join(GOLDEN, *path), "rb") as file:
        return file.read()


def golden_log():
    return [list(souk_log.split_records(golden("log", f"shard_{shard}.bin"))) for shard in range(2)]


def golden_events():
    return [json.loads(line) for line in golden("log", "events.jsonl").decode("utf-8").splitlines()]


def sealed(record, changes):
    """The record with other bytes, and the checksum that fits them."""
    changed = bytearray(record)
    for at, byte in changes.items():
        changed[at] = byte
    changed[4:8] = struct.pack("<I", records.crc32c.crc32c(bytes(changed[8:]), records.crc32c.crc32c(bytes(changed[:4]))))
    return bytes(changed)


class TheGoldenLog(unittest.TestCase):
    maxDiff = None

    def test_its_events_are_those_that_the_engine_reads(self):
        self.assertEqual(list(souk_log.read_records(golden_log())), golden_events())

    def test_lines_of_json_are_the_same_bytes(self):
        lines = "".join(json.dumps(event, ensure_ascii=False, separators=(",", ":")) + "\n"
                        for event in souk_log.read_records(golden_log()))
        self.assertEqual(lines, golden("log", "events.jsonl").decode("utf-8"))

    def test_one_type_is_what_is_asked_for(self):
        wanted = [event for event in golden_events() if event["type"] == "order_placed"]
        self.assertTrue(wanted)
        self.assertEqual(list(souk_log.read_records(golden_log(), types="order_placed")), wanted)
        with self.assertRaises(ValueError):
            souk_log.read_records(golden_log(), types=["order_place"])

    def test_what_does_not_count_is_known_by_its_reason(self):
        partition = Partition(0)
        for offset, record in enumerate(golden_log()[0], 1):
            list(partition.take(offset, record))
        skipped = {why: count for why, count in partition.counts.items() if why.startswith("skipped")}
        self.assertEqual(skipped, {"skipped: foreign": 1, "skipped: out of sequence": 1, "skipped: lower epoch": 2,
                                   "skipped: part out of place": 1})
        self.assertEqual(partition.counts["events"], 4)

    def test_a_reader_that_has_read_a_record_skips_it(self):
        partition = Partition(0)
        log = golden_log()[0]
        for _ in range(2):
            list(partition.take(1, log[0]))
        self.assertEqual(partition.counts["skipped: folded before"], 1)

    def test_every_type_of_the_schema_is_in_it(self):
        self.assertEqual({event["type"] for event in golden_events()}, set(souk_log.TYPES))

    def test_words_are_those_of_the_engine(self):
        said = json.loads(golden("log", "words.json"))
        for name, table in (("kinds", words.KINDS), ("outcomes", words.OUTCOMES), ("refusals", words.REFUSALS)):
            self.assertEqual({int(number): word for number, word in said[name].items()}, table, name)


class BrokenLogs(unittest.TestCase):
    def read(self, log):
        return list(souk_log.read_records([log]))

    def test_a_changed_byte_is_noticed_wherever_it_is(self):
        log = golden_log()[1]
        for at in range(len(log[2])):
            changed = bytearray(log[2])
            changed[at] ^= 0x40
            with self.assertRaisesRegex(souk_log.LogError, "shard 0, record 3: "):
                self.read([*log[:2], bytes(changed), *log[3:]])

    def test_a_record_that_follows_another_is_noticed_by_the_digest(self):
        log = golden_log()[0]
        with self.assertRaisesRegex(souk_log.Corrupt, "shard 0, record 3: it does not follow"):
            self.read([*log[:2], sealed(log[2], {40: 0xFF}), *log[3:]])

    def test_a_hole_is_a_fault_and_changes_nothing(self):
        log, state = golden_log()[1], souk_log.shared_log_begin()
        for offset, record in ((1, log[0]), (2, log[1])):
            souk_log.fold(state, offset, record)
        with self.assertRaisesRegex(souk_log.Corrupt, "records 3 to 3 are missing"):
            souk_log.fold(state, 4, log[3])
        self.assertEqual(state.next_offset, 3)

    def test_what_an_owner_writes_behind_a_lost_record_does_not_count(self):
        log = golden_log()[0]
        read = self.read(log[:2] + log[3:])
        self.assertEqual([event["seq"] for event in read], list(range(1, 11)))  # it is repeated later

    def test_a_log_of_somebody_else_is_refused(self):
        log = golden_log()[0]
        with self.assertRaisesRegex(souk_log.Corrupt, "does not begin"):
            self.read(log[1:])

    def test_a_payload_of_rubbish_is_corrupt(self):
        for payload in (b"", b"\xff" * 64, b"\0" * 8):
            with self.assertRaises(souk_log.Corrupt):
                list(souk_log.events_of(0, records.Header(1, 1, 1, 1, 0, 0, 1), payload))


class Records(unittest.TestCase):
    def test_each_golden_record_is_read_as_it_was_meant(self):
        read = {name: souk_log.decode_header(golden("records", name + ".bin"))
                for name in ("events", "noop", "claim", "transfer", "chunk_0", "chunk_1")}
        claim, payload = read["claim"]
        self.assertEqual((claim.type, claim.epoch, claim.incarnation, claim.last_seq), (3, 4, 0x2233445566778899, 0))
        self.assertEqual(struct.unpack("<Q", payload), (7,))
        self.assertEqual(records.decode_transfer(read["transfer"][1]), (5, 0x33445566778899AA, 8))
        self.assertEqual((read["noop"][0].first_seq, read["noop"][0].last_seq), (1_000_001, 1_000_000))
        parts = [records.decode_chunk(read[name][1]) for name in ("chunk_0", "chunk_1")]
        self.assertEqual([(index, of) for index, of, _ in parts], [(0, 2), (1, 2)])
        self.assertEqual(b"".join(data for _, _, data in parts), read["events"][1])

    def test_each_golden_event_carries_the_digest_of_its_bytes(self):
        folder = os.path.join(GOLDEN, "events")
        for name in sorted(os.listdir(folder)):
            header, payload = souk_log.decode_header(golden("events", name))
            self.assertEqual(souk_log.chain_after(0x99AABBCCDDEEFF00, header.first_seq, payload), header.chain, name)

    def test_a_newer_format_is_said_to_be_one(self):
        with self.assertRaises(souk_log.Unsupported):
            souk_log.decode_header(sealed(golden("records", "noop.bin"), {0: 3}))


class Sales(unittest.TestCase):
    @staticmethod
    def event(kind, entity, at="2026-01-31T23:59:59.999Z", **data):
        return {"type": kind, "entity": entity, "at": at, "data": data}

    def shop(self):
        lines = [{"sku": "A", "quantity": 2, "unit_price": "1.50"}, {"sku": "B", "quantity": 1, "unit_price": "0.000001"},
                 {"sku": "A", "quantity": 1, "unit_price": "1.00"}]
        return [self.event("user_registered", "u1", country="France"),
                self.event("order_placed", "o1", user_id="u1", currency="GBP", lines=lines,
                           adjustments=[{"kind": "rounding", "amount": "-0.000001"}]),
                self.event("order_placed", "o2", user_id="u1", currency="GBP", lines=lines, country="Spain",
                           occurred_at="2025-12-01T00:00:00.000Z"),
                self.event("order_placed", "o3", currency="GBP", lines=lines),
                self.event("order_placed", "o4", currency="EUR", lines=lines),
                *(self.event("order_confirmed", order) for order in ("o1", "o2", "o4")),
                self.event("order_returned", "o1", at="2026-02-01T00:00:00.000Z", number=1, value="1.50",
                           lines=[{"line": 0, "quantity": 1, "unit_price": "1.50"}]),
                self.event("payment_refunded", "o1", at="2026-02-01T00:00:00.001Z", number=1, amount="1.50"),
                self.event("user_profile_changed", "u1", name_changed=False, country="Italy")]

    def figures(self, group, currency="GBP"):
        return {key: row.as_dict() for key, row in souk_log.sales(self.shop(), group, currency).items()}

    def test_by_month_at_the_time_of_business(self):
        months = self.figures("month")
        self.assertEqual(list(sorted(months)), ["2025-12", "2026-01", "2026-02"])
        self.assertEqual(months["2026-01"], {"orders": 1, "lines": 3, "quantity": 4, "revenue": "4.000001",
                                             "returned": "0.00", "refunded": "0.00", "rounding": "-0.000001"})
        self.assertEqual((months["2026-02"]["returned"], months["2026-02"]["refunded"]), ("1.50", "1.50"))

    def test_by_product_an_order_counts_once(self):
        products = self.figures("product")
        self.assertEqual((products["A"]["orders"], products["A"]["lines"], products["A"]["quantity"],
                          products["A"]["revenue"], products["A"]["returned"]), (2, 4, 6, "8.00", "1.50"))
        self.assertEqual(products["B"]["revenue"], "0.000002")

    def test_by_country_of_the_order_else_of_the_user_as_known_last(self):
        self.assertEqual(set(self.figures("country")), {"Italy", "Spain"})

    def test_currencies_do_not_mix(self):
        self.assertEqual(self.figures("country", "EUR")[None]["revenue"], "4.000001")


class Arrow(unittest.TestCase):
    def test_a_table_has_a_row_for_each_event(self):
        try:
            import pyarrow as pa
        except ImportError:
            self.skipTest("pyarrow is not installed; it is optional")
        table = souk_log.read_records(golden_log()).to_arrow(rows_at_once=7)
        events = golden_events()
        self.assertEqual(table.num_rows, len(events))
        self.assertEqual(table.column("type").to_pylist(), [event["type"] for event in events])
        self.assertEqual(table.schema.field("at").type, pa.timestamp("ms", tz="UTC"))
        self.assertEqual([json.loads(text) for text in table.column("data").to_pylist()], [event["data"] for event in events])


if __name__ == "__main__":
    unittest.main()
