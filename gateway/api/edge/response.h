#pragma once
/// From an answer of the engine to what goes over the wire.
#include <optional>

#include "actors/ports/payment_provider.h"
#include "gateway/api/batch/batch.h"
#include "gateway/api/edge/tickets.h"
#include "gateway/http/server.h"

namespace souk {

HttpResponse response_of(const Problem& problem);
/// REQUIRES: the reply has no sealed members any more.
HttpResponse response_of(const Ticket& ticket, Reply&& reply);
BatchAnswer batch_answer_of(const Ticket& ticket, Reply&& reply);
BatchAnswer batch_answer_of(const Problem& problem);
/// 304: the client has this document already.
bool is_not_modified(const Ticket& ticket, const Reply& reply);
HttpResponse response_of_record(OrderId order, const PaymentRecord& record);

}  // namespace souk
