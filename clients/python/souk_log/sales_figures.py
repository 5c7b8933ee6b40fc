"""The sales figures of Souk's GET /v1/analytics/sales, out of events: exact, in millionths.

An order counts when it is confirmed, at its business time; what came back and what was paid back count at theirs. An order
without a country of its own is of its user's country, the latest that the log knows."""
from collections import defaultdict
from dataclasses import dataclass, field

from .events import decimal_text

GROUPS = ("month", "day", "product", "country", "customer")
TYPES = ("order_placed", "order_confirmed", "order_returned", "payment_refunded", "return_accepted", "user_registered",
         "user_profile_changed")
_LENGTH = {"month": 7, "day": 10}  # of the beginning of a time


def micros_of(text):
    """12.5 as 12500000."""
    sign = -1 if text.startswith("-") else 1
    whole, _, fraction = text.lstrip("-").partition(".")
    return sign * (int(whole) * 1_000_000 + int(fraction.ljust(6, "0") or 0))


@dataclass
class Figures:
    orders: int = 0
    lines: int = 0
    quantity: int = 0
    revenue: int = 0
    returned: int = 0
    refunded: int = 0
    rounding: int = 0

    def add(self, **more):
        for name, value in more.items():
            setattr(self, name, getattr(self, name) + value)

    def as_dict(self, money=decimal_text):
        return {name: value if name in ("orders", "lines", "quantity") else money(value)
                for name, value in self.__dict__.items()}


@dataclass
class _Order:
    at: str
    user: str
    country: str
    currency: str
    lines: list
    rounding: int = 0
    confirmed: bool = False


@dataclass
class _Book:
    """What the figures need of the log. Orders of one user, and the user, are of one shard: in order."""
    orders: dict = field(default_factory=dict)
    returns: list = field(default_factory=list)  # order, at, value, lines as (sku, quantity, price)
    refunds: list = field(default_factory=list)  # order, at, amount
    countries: dict = field(default_factory=dict)  # of users

    def take(self, event):
        data, entity, kind = event["data"], event["entity"], event["type"]
        at = data.get("occurred_at", event["at"])
        if kind == "order_placed":
            self.orders[entity] = _Order(at, data.get("user_id"), data.get("country"), data["currency"],
                                         _lines_of(data["lines"]), sum(micros_of(one["amount"])
                                                                       for one in data.get("adjustments", [])
                                                                       if one["kind"] == "rounding"))
        elif kind == "order_confirmed":
            self.orders[entity].confirmed = True
        elif kind == "order_returned":
            order = self.orders[entity]
            lines = [(order.lines[line["line"]][0], line["quantity"], micros_of(line["unit_price"]))
                     for line in data["lines"]]
            self.returns.append((order, at, micros_of(data["value"]), lines))
        elif kind == "return_accepted":
            loose = _Order(at, data.get("user_id"), data.get("country"), data["currency"], [])
            self.returns.append((loose, at, micros_of(data["value"]), _lines_of(data["lines"])))
        elif kind == "payment_refunded":
            self.refunds.append((self.orders[entity], at, micros_of(data["amount"])))
        elif kind == "user_registered" or (kind == "user_profile_changed" and "country" in data):
            self.countries[entity] = data["country"]


def _lines_of(lines):
    return [(line["sku"], line["quantity"], micros_of(line["unit_price"])) for line in lines]


def sales(events, group_by="month", currency="GBP"):
    """Figures by what `group_by` says: key -> Figures, in micros. The key None: without a country, or a guest's.
    Amounts of another currency are left out; by product nothing is refunded or rounded, as in the API."""
    if group_by not in GROUPS:
        raise ValueError(f"group_by is one of {', '.join(GROUPS)}")
    book = _Book()
    for event in events:
        book.take(event)
    rows = defaultdict(Figures)

    def key(order, at):
        if group_by == "customer":
            return order.user
        if group_by == "country":
            return order.country or book.countries.get(order.user) or None
        return at[:_LENGTH[group_by]]

    def book_lines(lines, **more):
        for sku in {line[0] for line in lines}:
            rows[sku].add(**more)

    for order in book.orders.values():
        if not order.confirmed or order.currency != currency:
            continue
        if group_by == "product":
            book_lines(order.lines, orders=1)
            for sku, quantity, price in order.lines:
                rows[sku].add(lines=1, quantity=quantity, revenue=quantity * price)
            continue
        rows[key(order, order.at)].add(orders=1, lines=len(order.lines), quantity=sum(line[1] for line in order.lines),
                                       revenue=sum(line[1] * line[2] for line in order.lines), rounding=order.rounding)
    for order, at, value, lines in book.returns:
        if order.currency != currency:
            continue
        if group_by != "product":
            rows[key(order, at)].add(returned=value)
            continue
        for sku, quantity, price in lines:
            rows[sku].add(returned=quantity * price)
    for order, at, amount in book.refunds:
        if order.currency == currency and group_by != "product":
            rows[key(order, at)].add(refunded=amount)
    return {name: figures for name, figures in rows.items() if figures != Figures()}
