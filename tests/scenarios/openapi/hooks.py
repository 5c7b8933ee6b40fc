"""What Schemathesis cannot know of the API from its OpenAPI document."""
import json
import uuid

import schemathesis

KEY_BYTES_MAX = 255
PRECONDITIONS = ("If-Match", "If-None-Match")


@schemathesis.serializer("application/x-ndjson")
def ndjson(_, value):
    """A line an element; an example is lines already."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode()
    lines = value if isinstance(value, list) else [value]
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


@schemathesis.deserializer("application/x-ndjson")
def lines_of(_, response):
    return [json.loads(line) for line in response.content.splitlines()]


def without_large_numbers(value):
    """The value; numbers of more than 64 bits are 0."""
    if isinstance(value, dict):
        return {name: without_large_numbers(one) for name, one in value.items()}
    if isinstance(value, list):
        return [without_large_numbers(one) for one in value]
    return 0 if isinstance(value, int) and not -2**63 <= value < 2**64 else value


def with_check_digit(gtin):
    """The GTIN with the last digit that its others make."""
    weighed = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(gtin[:-1])))
    return gtin[:-1] + str(-weighed % 10)


@schemathesis.hook
def before_call(_, case, kwargs):
    """Of good data, what JSON Schema cannot tell: a key is for one request; a cursor is the server's own word; a period
    does not end before it begins; an address may hold anything, but no number of more than 64 bits; a barcode ends in its
    check digit; options are those of a group. And preconditions, which would stop nearly all, are sent where they are
    what is looked at."""
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    key = (case.headers or {}).get("Idempotency-Key")
    if key is not None:
        fresh = uuid.uuid4().hex
        case.headers["Idempotency-Key"] = key[:KEY_BYTES_MAX - len(fresh)] + fresh
    if getattr(case.meta.phase.data, "parameter", None) not in PRECONDITIONS:
        for name in PRECONDITIONS:
            (case.headers or {}).pop(name, None)
    query = case.query or {}
    query.pop("cursor", None)
    if str(query.get("from", "")) >= str(query.get("to", "~")):
        del query["to"]
    if isinstance(case.body, dict) and isinstance(case.body.get("barcode"), str):
        case.body["barcode"] = with_check_digit(case.body["barcode"])
    if isinstance(case.body, dict) and case.body.get("options") and not case.body.get("group"):
        del case.body["options"]
    if isinstance(case.body, dict) and case.body.get("shipping_address"):
        case.body["shipping_address"] = without_large_numbers(case.body["shipping_address"])
