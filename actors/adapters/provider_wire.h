#pragma once
/// What a node and a payment provider outside of it say to each other: bodies of HTTP, in JSON.
///
///   POST /clients/CLIENT/calls    {"calls":[{"op":"authorise","order":"o...","number":0,
///                                  "amount_micros":4500000,"currency":"GBP","method":"simulated",
///                                  "token":"ok"}]}
///                                 202: they are under way. (op, order, number) is the key of each.
///   GET  /clients/CLIENT/answers  200, as soon as there are any for this client, or with none
///                                 after wire::answers_wait: {"answers":[{"op":"authorise",
///                                 "order":"o...","number":0,"kind":"done"}]}
///   GET  /records/ORDER           200 {"currency":"GBP","authorised_micros":4500000,
///                                 "captured_micros":0,"voided_micros":0,"refunded_micros":0,
///                                 "calls":1}; 404 with the code `not_found`: never heard of
///
/// CLIENT is any word of the caller's, 1 to 64 letters, digits and `_-`. What goes to nobody, since its
/// client has gone, is not sent again: a call that was not answered is repeated.
/// Decoding: unknown members are passed over.
#include <chrono>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "actors/ports/payment_provider.h"

namespace souk::wire {

inline constexpr std::size_t calls_per_request_max = 1'024;
inline constexpr std::size_t answers_per_reply_max = 16 * 1'024;
inline constexpr std::size_t text_bytes_max = 128;                   // of a method or a token
inline constexpr std::size_t request_bytes_max = 2 * 1'024 * 1'024;  // holds as many calls
inline constexpr std::size_t reply_bytes_max = 4 * 1'024 * 1'024;
inline constexpr std::size_t client_bytes_max = 64;
inline constexpr std::chrono::milliseconds answers_wait{2'000};
inline constexpr std::string_view unknown_order = "not_found";

/// REQUIRES: method and token of each call are UTF-8.
std::string encode_calls(std::span<const PaymentCall> calls);
/// Errors: corrupt, with words that name the call and the member.
Result<std::vector<PaymentCall>, Fault> decode_calls(std::string_view body);

std::string encode_answers(std::span<const PaymentAnswer> answers);
/// Errors: corrupt.
Result<std::vector<PaymentAnswer>, Fault> decode_answers(std::string_view body);

std::string encode_record(const PaymentRecord& record);
/// Errors: corrupt.
Result<PaymentRecord, Fault> decode_record(std::string_view body);
/// Whether the body of a 404 is the provider's own word that it has never heard of an order.
bool says_unknown_order(std::string_view body);

}  // namespace souk::wire
