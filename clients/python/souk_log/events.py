"""Events as dicts, out of Cap'n Proto: the stored form is read by the engine's own schema, schema/events.capnp."""
import base64
import functools
import os
import re
from datetime import datetime, timedelta, timezone

import capnp

from . import words
from .records import Corrupt, Unsupported

SCHEMA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "schema", "events.capnp")
# A record of 16 MiB, each word of it looked at a few times.
WORDS_READ_MAX = 16 << 20
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MS_MIN, _MS_MAX = -62_135_596_800_000, 253_402_300_799_999  # what datetime knows


@functools.lru_cache(maxsize=None)
def schema():
    """The schema, parsed. pycapnp ends the process where an import of a schema cannot be found: its own folder, which has
    capnp/c++.capnp, is named."""
    capnp.remove_import_hook()
    return capnp.load(SCHEMA, imports=[os.path.dirname(os.path.dirname(os.path.abspath(capnp.__file__)))])


def _snake(name):
    return re.sub(r"[A-Z]", lambda letter: "_" + letter[0].lower(), name)


@functools.lru_cache(maxsize=None)
def _type_names():
    return {name: _snake(name) for name in schema().Event.schema.union_fields}


class _Types:
    """The names of all types of events, in the order of the schema."""

    def __iter__(self):
        return iter(_type_names().values())

    def __contains__(self, name):
        return name in _type_names().values()

    def __len__(self):
        return len(_type_names())


TYPES = _Types()

# ---- texts ----


def id_text(tag, raw):
    """`tag` and 26 digits of Crockford's base 32."""
    if len(raw) != 16:
        raise Corrupt("an id of the wrong size")
    number = int.from_bytes(raw, "big") << 2
    return tag + "".join(_ALPHABET[number >> shift & 31] for shift in range(125, -1, -5))


def entity_text(kind, raw):
    if kind not in words.TAGS:
        return raw.decode("utf-8") if kind == "sku" else ""
    return id_text(words.TAGS[kind], raw)


def decimal_text(micros):
    """At least two decimals, at most six: exact."""
    whole, fraction = divmod(abs(micros), 1_000_000)
    digits = f"{fraction:06}".rstrip("0").ljust(2, "0")
    return f"{'-' if micros < 0 else ''}{whole}.{digits}"


def time_text(ms):
    at = _EPOCH + timedelta(milliseconds=min(max(ms, _MS_MIN), _MS_MAX))
    return at.strftime("%Y").zfill(4) + at.strftime("-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03}Z"


def _word(table, number, other=None):
    if number in table:
        return table[number]
    if other is not None:
        return other
    raise Unsupported(f"a value that this version does not know: {number}")


# ---- the members of each event, in the order of events/event_json.cc; pycapnp leaves out what is not set ----


def _order(e):
    return {"order_id": id_text("o", e)}


def _user(e):
    return {"user_id": id_text("u", e)}


def _optional_id(data, name, tag, raw):
    if raw:
        data[name] = id_text(tag, raw)


def _sealed(data, name, raw):
    if raw:
        data[name] = base64.b64encode(raw).decode("ascii")


def _money(micros, currency):
    return {"amount": decimal_text(micros), "currency": currency}


def _refusal(number):
    return {"reason": _word(words.REFUSALS, number)}


def _occurred(data, e):
    if e["occurredAtSet"]:
        data["occurred_at"] = time_text(e["occurredAt"])


def _lines(lines):
    return [{"sku": line.get("sku", ""), "name": line.get("name", ""), "quantity": line["quantity"],
             "unit_price": decimal_text(line["micros"]), "pricing": _word(words.PRICINGS, line["pricing"])}
            for line in lines]


def _attributes(all_of_them):
    return [{"name": one.get("name", ""), "value": one.get("value", "")} for one in all_of_them]


def _user_registered(e):
    data = {"email_hash": id_text("e", e["email"])}
    _sealed(data, "sealed_email", e.get("sealedEmail"))
    _sealed(data, "sealed_name", e.get("sealedName"))
    data["country"] = e.get("country", "")
    return data


def _user_profile_changed(e):
    data = {"name_changed": e["nameSet"]}
    if e["nameSet"]:
        _sealed(data, "sealed_name", e.get("sealedName"))
    if e["countrySet"]:
        data["country"] = e.get("country", "")
    return data


def _email_change_requested(e):
    data = {"email_hash": id_text("e", e["email"])}
    _sealed(data, "sealed_email", e.get("sealedEmail"))
    return data


def _key_bound(e):
    kind = _word(words.KINDS, e["kind"])
    return {"target_type": kind, "target": entity_text(kind, e["id"]), "request_hash": f"{e['requestHash']:016x}"}


def _product_defined(e):
    price = e.get("price", {})
    data = {"name": e.get("name", ""), "description": e.get("description", ""), "brand": e.get("brand", ""),
            "category": e.get("category", []), "attributes": _attributes(e.get("attributes", [])),
            "price": _money(price.get("micros", 0), price.get("currency", "")), "active": e["active"]}
    for name in ("images", "barcode", "group"):
        if e.get(name):
            data[name] = e[name]
    if e.get("options"):
        data["options"] = _attributes(e["options"])
    return data


def _moved(e):
    return {**_order(e["order"]), "quantity": e["quantity"]}


def _cart_opened(e):
    data = {}
    _optional_id(data, "user_id", "u", e.get("user"))
    if e.get("currency"):
        data["currency"] = e["currency"]
    return data


def _item(e):
    return {"sku": e.get("sku", ""), "name": e.get("name", ""), "quantity": e["quantity"],
            "unit_price": _money(e["micros"], e.get("currency", "")), "pricing": _word(words.PRICINGS, e["pricing"])}


def _cart_reopened(e):
    changes = [{"sku": one.get("sku", ""), "name": one.get("name", ""),
                "unit_price": _money(one.get("price", {}).get("micros", 0), one.get("price", {}).get("currency", ""))}
               for one in e.get("priceChanges", [])]
    return {**_order(e["order"]), "price_changes": changes}


def _order_placed(e):
    data = {}
    _optional_id(data, "cart_id", "c", e.get("cart"))
    _optional_id(data, "user_id", "u", e.get("user"))
    data.update(currency=e.get("currency", ""), lines=_lines(e.get("lines", [])), total=decimal_text(e["total"]),
                payment_method=e.get("paymentMethod", ""))
    _sealed(data, "sealed_address", e.get("sealedAddress"))
    _occurred(data, e)
    if e.get("country"):
        data["country"] = e["country"]
    if e.get("adjustments"):
        data["adjustments"] = [{"kind": _word(words.ADJUSTMENTS, one["kind"], "other"),
                                "amount": decimal_text(one["micros"])} for one in e["adjustments"]]
    return data


def _order_returned(e):
    data = {"number": e["number"],
            "lines": [{"line": line["line"], "quantity": line["quantity"], "unit_price": decimal_text(line["micros"])}
                      for line in e.get("lines", [])],
            "value": decimal_text(e["value"])}
    _occurred(data, e)
    data["goods"] = _word(words.GOODS, e["goods"])
    return data


def _return_accepted(e):
    data = {}
    _optional_id(data, "user_id", "u", e.get("user"))
    data.update(currency=e.get("currency", ""), lines=_lines(e.get("lines", [])), value=decimal_text(e["value"]),
                reference=e.get("reference", ""))
    _occurred(data, e)
    if e.get("country"):
        data["country"] = e["country"]
    return data


def _refund(e):
    data = {"number": e["number"], "amount": decimal_text(e["micros"])}
    _occurred(data, e)
    return data


def _amount(micros):
    return {"amount": decimal_text(micros)}


_DATA = {
    "command_refused": lambda e: _refusal(e["reason"]),
    "user_registered": _user_registered,
    "user_profile_changed": _user_profile_changed,
    "email_change_requested": _email_change_requested,
    "former_email_freed": lambda e: {"email_hash": id_text("e", e)},
    "user_ordered": _order,
    "email_taken": _user,
    "email_freed": _user,
    "key_bound": _key_bound,
    "product_defined": _product_defined,
    "stock_received": lambda e: {"quantity": e["quantity"], "reference": e.get("reference", "")},
    "stock_adjusted": lambda e: {"delta": e["delta"], "reason": e.get("reason", "")},
    "stock_reserved": lambda e: {**_moved(e), "expires_at": time_text(e["expiresAt"])},
    "stock_claimed": _order,
    "stock_sold": _moved,
    "reservation_released": _moved,
    "reservation_expired": _moved,
    "stock_returned": lambda e: {**_order(e["order"]), "number": e["number"], "quantity": e["quantity"]},
    "cart_opened": _cart_opened,
    "item_added": _item,
    "item_quantity_set": _item,
    "item_removed": lambda e: {"sku": e},
    "check_out_started": _order,
    "cart_reopened": _cart_reopened,
    "cart_ordered": _order,
    "order_placed": _order_placed,
    "order_rejected": _refusal,
    "order_returned": _order_returned,
    "return_accepted": _return_accepted,
    "return_restocked": lambda e: {"number": e},
    "payment_authorised": _amount,
    "payment_captured": _amount,
    "refund_requested": _refund,
    "payment_refunded": _refund,
}

# ---- records ----


def decode_payload(payload):
    """The transactions of a payload as pycapnp's dicts: members that are not set are missing."""
    try:
        with schema().Batch.from_bytes(payload, traversal_limit_in_words=WORDS_READ_MAX) as batch:
            return batch.to_dict().get("transactions", [])
    except capnp.KjException as error:
        raise Corrupt(f"a payload that is none: {str(error).splitlines()[0]}") from None


def events_of(shard, header, payload, types=None):
    """The events of a record that counts, or those of `types`, one dict each."""
    seq, count = header.first_seq, 0
    for transaction in decode_payload(payload):
        at = time_text(transaction["at"])
        cause = transaction["cause"].hex()
        correlation = transaction.get("correlation", b"").hex() or cause
        key = transaction["keyHash"]
        outcome = _word(words.OUTCOMES, transaction["outcome"])
        for event in transaction["events"]:
            count += 1
            kind = _word(words.KINDS, event["kind"])
            raw = next(name for name in event if name not in ("kind", "id"))
            name = _type_names()[raw]
            if types is None or name in types:
                yield {"shard": shard, "seq": seq, "at": at, "type": name, "entity_type": kind,
                       "entity": entity_text(kind, event.get("id", b"")), "cause": cause, "correlation": correlation,
                       "idempotency": f"{key:016x}" if key else None, "outcome": outcome,
                       "data": _DATA[name](event[raw]) if name in _DATA else {}}
            seq += 1
    if count != header.count:
        raise Corrupt("batch record: the count of events differs")
