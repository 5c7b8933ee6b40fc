"""The words behind the numbers that events store: those of the engine's enumerations, which only grow.
tests/golden/log/words.json, which the engine's own tests write, says the same."""
KINDS = {0: "none", 1: "user", 2: "sku", 3: "cart", 4: "order", 5: "email", 6: "key"}
TAGS = {"user": "u", "cart": "c", "order": "o", "email": "e", "key": "k"}  # how the text of an id begins
OUTCOMES = {0: "ok", 1: "created", 2: "refused"}
PRICINGS = {0: "catalogue", 1: "fixed"}
GOODS = {0: "restocked", 1: "kept_off_sale"}
ADJUSTMENTS = {1: "rounding"}
REFUSALS = {
    0: "none", 1: "out_of_stock", 2: "cart_closed", 3: "cart_empty", 4: "illegal_state", 5: "unknown_product",
    6: "inactive_product", 7: "price_changed", 8: "email_taken", 9: "too_many_lines", 10: "quantity_too_large",
    11: "amount_too_large", 12: "currency_mismatch", 13: "unknown_user", 14: "unknown_line", 15: "return_too_large",
    16: "refund_too_large", 18: "payment_declined", 19: "payment_unavailable", 20: "expired", 21: "ambiguous_line",
    22: "stock_limit", 23: "too_many_steps", 24: "above_price_paid", 25: "before_sale", 26: "paid_back", 27: "of_a_user"}
