#include "gateway/api_openapi_parts.h"

namespace souk {
namespace {

/// As api_presenter.cc and the answers of the read models write them.
constexpr std::string_view schemas = R"json(
"Money":{"type":"object","description":"Exact; read with up to 6 decimals, written with at least two.","required":["amount","currency"],"properties":{"amount":{"type":"string","pattern":"^-?[0-9]+(\\.[0-9]{1,6})?$","examples":["12.50"]},"currency":{"type":"string","pattern":"^[A-Z]{3}$","examples":["GBP"]}}},
"Problem":{"type":"object","description":"RFC 9457. `code` is a stable word; `path` names the member, parameter or header at fault.","required":["type","title","status","detail","code"],"properties":{"type":{"type":"string","format":"uri"},"title":{"type":"string"},"status":{"type":"integer"},"detail":{"type":"string"},"code":{"type":"string","examples":["out_of_stock","cart_closed","cart_empty","illegal_state","unknown_product","inactive_product","email_taken","version_mismatch","idempotency_conflict","invalid_request","invalid_json","not_found","overloaded","unavailable","position_not_reached","invalid_sql","forbidden_sql","query_too_long","query_too_large","too_many_requests"]},"path":{"type":"string","examples":["lines[1].quantity"]}}},
"Product":{"type":"object","properties":{"sku":{"type":"string"},"name":{"type":"string"},"description":{"type":"string"},"brand":{"type":"string"},"category":{"type":"array","items":{"type":"string"}},"price":{"$ref":"#/components/schemas/Money"},"attributes":{"type":"object","additionalProperties":{"type":"string"}},"active":{"type":"boolean"},"available":{"type":"integer"},"version":{"type":"integer"}}},
"Delisted":{"type":"object","properties":{"sku":{"type":"string"},"active":{"type":"boolean","const":false},"version":{"type":"integer"}}},
"Stock":{"type":"object","properties":{"sku":{"type":"string"},"on_hand":{"type":"integer"},"reserved":{"type":"integer"},"available":{"type":"integer"},"version":{"type":"integer"}}},
"UserCreated":{"type":"object","required":["user_id"],"properties":{"user_id":{"type":"string"}}},
"User":{"type":"object","properties":{"user_id":{"type":"string"},"email":{"type":["string","null"]},"name":{"type":["string","null"]},"country":{"type":"string"},"version":{"type":"integer"}}},
"UserOrders":{"type":"object","description":"Newest first; `next` is the cursor of the page behind.","properties":{"orders":{"type":"array","items":{"type":"object","properties":{"order_id":{"type":"string"},"status":{"$ref":"#/components/schemas/OrderStatus"},"total":{"$ref":"#/components/schemas/Money"},"placed_at":{"type":"string","format":"date-time"}}}},"next":{"type":"string"}}},
"CartCreated":{"type":"object","required":["cart_id"],"properties":{"cart_id":{"type":"string"},"status":{"type":"string","const":"open"}}},
"Cart":{"type":"object","properties":{"cart_id":{"type":"string"},"status":{"type":"string","enum":["open","checking_out","ordered"]},"user_id":{"type":"string"},"currency":{"type":"string"},"lines":{"type":"array","items":{"$ref":"#/components/schemas/Line"}},"total":{"$ref":"#/components/schemas/Money"},"version":{"type":"integer"},"order_id":{"type":"string"}}},
"Line":{"type":"object","properties":{"sku":{"type":"string"},"name":{"type":"string"},"quantity":{"type":"integer"},"unit_price":{"$ref":"#/components/schemas/Money"},"total":{"$ref":"#/components/schemas/Money"},"returned":{"type":"integer","description":"of an order: pieces that came back"}}},
"OrderStatus":{"type":"string","enum":["pending","confirmed","rejected","shipped","delivered","cancelled","returned"]},
"CheckOut":{"type":"object","required":["order_id","status"],"properties":{"order_id":{"type":"string"},"status":{"type":"string","enum":["pending","confirmed","rejected"]},"reason":{"$ref":"#/components/schemas/Reason"}}},
"Reason":{"type":"string","enum":["out_of_stock","unknown_product","inactive_product","price_changed","currency_mismatch","amount_too_large","payment_declined","payment_unavailable","expired"]},
"Order":{"type":"object","properties":{"order_id":{"type":"string"},"cart_id":{"type":"string"},"user_id":{"type":"string"},"status":{"$ref":"#/components/schemas/OrderStatus"},"reason":{"$ref":"#/components/schemas/Reason"},"lines":{"type":"array","items":{"$ref":"#/components/schemas/Line"}},"total":{"$ref":"#/components/schemas/Money"},"payment":{"type":"object","properties":{"status":{"type":"string","enum":["none","authorised","captured","voided","refunded"]},"refunded":{"$ref":"#/components/schemas/Money"}}},"placed_at":{"type":"string","format":"date-time"},"occurred_at":{"type":"string","format":"date-time"},"shipping_address":{"type":["object","null"]},"history":{"type":"array","items":{"type":"object","properties":{"at":{"type":"string","format":"date-time"},"event":{"type":"string"}}}},"version":{"type":"integer"}}},
"PaymentRecord":{"type":"object","description":"What the payment provider itself has on record.","properties":{"order_id":{"type":"string"},"authorised":{"$ref":"#/components/schemas/Money"},"captured":{"$ref":"#/components/schemas/Money"},"voided":{"$ref":"#/components/schemas/Money"},"refunded":{"$ref":"#/components/schemas/Money"},"calls":{"type":"integer"}}},
"Search":{"type":"object","properties":{"hits":{"type":"array","items":{"type":"object","properties":{"sku":{"type":"string"},"name":{"type":"string"},"brand":{"type":"string"},"price":{"$ref":"#/components/schemas/Money"},"available":{"type":"integer"},"score":{"type":"number"}}}},"total":{"type":"integer","description":"exact"},"facets":{"type":"object","additionalProperties":{"type":"array","items":{"type":"object","properties":{"value":{"type":"string"},"count":{"type":"integer"}}}}},"suggestion":{"type":"string","description":"the query as it was understood, where that differs"},"relaxed":{"type":"array","items":{"type":"string"}},"cursor":{"type":"string"},"position":{"type":"string"}}},
"Suggestions":{"type":"object","properties":{"suggestions":{"type":"array","items":{"type":"object","properties":{"text":{"type":"string"},"kind":{"type":"string","enum":["words","product"]},"products":{"type":"integer"}}}},"position":{"type":"string"}}},
"Figures":{"type":"object","properties":{"orders":{"type":"integer"},"lines":{"type":"integer"},"quantity":{"type":"integer"},"revenue":{"$ref":"#/components/schemas/Money"},"returned":{"$ref":"#/components/schemas/Money"}}},
"Sales":{"type":"object","properties":{"rows":{"type":"array","items":{"$ref":"#/components/schemas/Figures"}},"total":{"$ref":"#/components/schemas/Figures"},"position":{"type":"string"}}},
"BasketPairs":{"type":"object","properties":{"rows":{"type":"array","items":{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"string"},"orders":{"type":"integer"}}}},"position":{"type":"string"}}},
"Customers":{"type":"object","properties":{"rows":{"type":"array","items":{"type":"object","properties":{"customer":{"type":["string","null"]},"country":{"type":["string","null"]},"orders":{"type":"integer"},"quantity":{"type":"integer"},"revenue":{"$ref":"#/components/schemas/Money"},"returned":{"$ref":"#/components/schemas/Money"},"first_order_at":{"type":"string","format":"date-time"},"last_order_at":{"type":"string","format":"date-time"}}}},"summary":{"type":"object","properties":{"customers":{"type":"integer"},"buyers":{"type":"integer"},"repeat_buyers":{"type":"integer"}}},"position":{"type":"string"}}},
"Funnel":{"type":"object","properties":{"rows":{"type":"array","items":{"type":"object","properties":{"step":{"type":"string"},"carts":{"type":"integer"},"share":{"type":"number"},"mean_ms":{"type":["integer","null"]}}}},"position":{"type":"string"}}},
"Cohorts":{"type":"object","properties":{"rows":{"type":"array","items":{"type":"object","properties":{"cohort":{"type":"string"},"month":{"type":"string"},"months_later":{"type":"integer"},"customers":{"type":"integer"},"active":{"type":"integer"},"share":{"type":"number"}}}},"summary":{"type":"object","properties":{"customers":{"type":"integer"}}},"position":{"type":"string"}}},
"LostSales":{"type":"object","properties":{"rows":{"type":"array","items":{"type":"object","properties":{"reason":{"type":"string"},"orders":{"type":"integer"},"lines":{"type":"integer"},"quantity":{"type":"integer"},"value":{"$ref":"#/components/schemas/Money"}}}},"summary":{"type":"object","properties":{"orders":{"type":"integer"},"lines":{"type":"integer"},"quantity":{"type":"integer"},"value":{"$ref":"#/components/schemas/Money"}}},"position":{"type":"string"}}},
"StockReport":{"type":"object","properties":{"rows":{"type":"array","items":{"type":"object","properties":{"sku":{"type":"string"},"on_hand":{"type":"integer"},"available":{"type":"integer"},"sold":{"type":"integer"},"average_stock":{"type":"number"},"turnover":{"type":["number","null"]},"days_of_cover":{"type":["number","null"]},"lost_orders":{"type":"integer"},"lost_quantity":{"type":"integer"},"lost_value":{"$ref":"#/components/schemas/Money"}}}},"position":{"type":"string"}}},
"AbandonedCarts":{"type":"object","properties":{"rows":{"type":"array","items":{"type":"object","properties":{"cart":{"type":"string"},"customer":{"type":["string","null"]},"lines":{"type":"integer"},"quantity":{"type":"integer"},"value":{"$ref":"#/components/schemas/Money"},"opened_at":{"type":"string","format":"date-time"},"touched_at":{"type":"string","format":"date-time"}}}},"summary":{"type":"object","properties":{"carts":{"type":"integer"},"value":{"$ref":"#/components/schemas/Money"}}},"position":{"type":"string"}}},
"SqlRows":{"type":"object","properties":{"columns":{"type":"array","items":{"type":"string"}},"rows":{"type":"array","items":{"type":"array","items":{"type":["null","number","string"]}}},"truncated":{"type":"boolean"},"position":{"type":"string","description":"of all tables but events"}}},
"SqlTables":{"type":"object","properties":{"tables":{"type":"array","items":{"type":"object","properties":{"name":{"type":"string"},"meaning":{"type":"string"},"columns":{"type":"array","items":{"type":"object","properties":{"name":{"type":"string"},"meaning":{"type":"string"}}}}}}}}},
"Projections":{"type":"object","properties":{"outcome":{"type":"string"},"projections":{"type":"array","items":{"type":"object","properties":{"name":{"type":"string"},"version":{"type":"integer"},"state":{"type":"string","enum":["live","catching_up","rebuilding","paused","quarantined"]},"lag_events":{"type":"integer"},"lag_seconds":{"type":"number"},"events_per_second":{"type":"number"},"stuck":{"type":"boolean"},"position":{"type":"string"},"fault":{"type":"string"},"rebuild":{"type":"object","properties":{"done":{"type":"integer"},"total":{"type":"integer"},"events_per_second":{"type":"number"}}},"last_rebuild":{"type":"string"},"stale":{"type":"array","items":{"type":"object","properties":{"entity":{"type":"string"},"event":{"type":"string"},"why":{"type":"string"},"at":{"type":"string","format":"date-time"},"held":{"type":"integer"}}}}}}}}},
"Standing":{"type":"object","properties":{"status":{"type":"string"}}},
"BatchAnswer":{"type":"object","description":"One a line, in the order of the commands. `body` is the document or the problem.","required":["status"],"properties":{"status":{"type":"integer"},"replayed":{"type":"boolean"},"version":{"type":"integer"},"position":{"type":"string"},"body":{"type":"object"},"body_omitted":{"type":"boolean","description":"the answers had become too large in all"}}})json";

constexpr std::string_view others = R"json(
"parameters":{
"IdempotencyKey":{"name":"Idempotency-Key","in":"header","description":"1 to 255 printable ASCII characters. A repeat gets the first status and body and Idempotent-Replay: true, for 24 hours; the same key with another request is 422 idempotency_conflict. Its scope is the entity addressed; for creations the key alone, and the same key gives the same id.","schema":{"type":"string","minLength":1,"maxLength":255}},
"IfMatch":{"name":"If-Match","in":"header","description":"The version in quotes, as ETag gave it; 412 version_mismatch where it is another one (or of another form). * matches any. Unquoted or several: 422.","schema":{"type":"string"}},
"Prefer":{"name":"Prefer","in":"header","description":"return=minimal: 204 with ETag and Souk-Position in place of 200 with a body.","schema":{"type":"string"}},
"MinPosition":{"name":"Souk-Min-Position","in":"header","description":"One or more of Souk-Position, with commas: the answer shows at least this; waits up to 2 s, then 504.","schema":{"type":"string","pattern":"^[0-9]+:[0-9]+( *, *[0-9]+:[0-9]+)*$"}},
"IfNoneMatch":{"name":"If-None-Match","in":"header","description":"One or more of ETag, with
commas, weak or not: 304 where the document is still this one. A product shows its stock, which
changes without its version: 304 only while it has not. * : 304 where there is one.",
"schema":{"type":"string"}},
"AcceptEncoding":{"name":"Accept-Encoding","in":"header","description":"gzip and zstd, by weight;
documents from 1 KiB to 256 KiB are compressed.","schema":{"type":"string"}}},
"headers":{
"ETag":{"description":"The version, in quotes.","schema":{"type":"string"}},
"SoukPosition":{"description":"shard:seq. Pass it as Souk-Min-Position to read your own write.","schema":{"type":"string"}},
"CacheControl":{"description":"Products: public, to be used for a second. Stock: public, a second.
Carts: private, to be asked for again. Users and orders: not to be stored.",
"schema":{"type":"string"}},
"SurrogateKey":{"description":"Of products: product-SKU (percent-encoded) and products, for caches
that purge by them.","schema":{"type":"string"}},
"Vary":{"description":"Accept-Encoding.","schema":{"type":"string"}},
"ContentEncoding":{"description":"gzip or zstd, where the client wants it and it is worth it.",
"schema":{"type":"string"}},
"IdempotentReplay":{"description":"true: this is the first answer to this key again.","schema":{"type":"string"}},
"RetryAfter":{"description":"Seconds.","schema":{"type":"integer"}},
"Allow":{"description":"The methods of this path.","schema":{"type":"string"}}},
"responses":{
"400":{"description":"invalid_json: not JSON, invalid UTF-8, a member twice, nested deeper than 32, trailing bytes; invalid_target: a bad percent sign","content":{"application/problem+json":{"schema":{"$ref":"#/components/schemas/Problem"}}}},
"404":{"description":"not_found","content":{"application/problem+json":{"schema":{"$ref":"#/components/schemas/Problem"}}}},
"409":{"description":"The business refuses: out_of_stock, cart_closed, illegal_state, ...","content":{"application/problem+json":{"schema":{"$ref":"#/components/schemas/Problem"}}}},
"412":{"description":"version_mismatch","content":{"application/problem+json":{"schema":{"$ref":"#/components/schemas/Problem"}}}},
"413":{"description":"too_large: 1 MiB a command, 16 MiB a batch","content":{"application/problem+json":{"schema":{"$ref":"#/components/schemas/Problem"}}}},
"415":{"description":"unsupported_media_type","content":{"application/problem+json":{"schema":{"$ref":"#/components/schemas/Problem"}}}},
"422":{"description":"invalid_request with a path, or idempotency_conflict","content":{"application/problem+json":{"schema":{"$ref":"#/components/schemas/Problem"}}}},
"429":{"description":"too_many_requests","headers":{"Retry-After":{"$ref":"#/components/headers/RetryAfter"}},"content":{"application/problem+json":{"schema":{"$ref":"#/components/schemas/Problem"}}}},
"503":{"description":"overloaded: nothing happened. unavailable: it may or may not have happened, repeat with the same key","headers":{"Retry-After":{"$ref":"#/components/headers/RetryAfter"}},"content":{"application/problem+json":{"schema":{"$ref":"#/components/schemas/Problem"}}}},
"504":{"description":"position_not_reached","content":{"application/problem+json":{"schema":{"$ref":"#/components/schemas/Problem"}}}}})json";

}  // namespace

std::string_view openapi_schemas() { return schemas; }
std::string_view openapi_others() { return others; }

}  // namespace souk
