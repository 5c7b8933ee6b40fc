#include "cluster/node/router.h"

#include <spdlog/spdlog.h>

#include <array>
#include <cstring>

#include "actors/shard/request_codec.h"
#include "cluster/control/command_relay.h"
#include "cluster/node/question_relay.h"
#include "events/fault_log.h"

namespace souk::cluster {
namespace {

/// A frame: what it is, a request's number, the bytes of it.
constexpr std::size_t frame_head_bytes = 9;

std::string frame_of(std::uint8_t kind, std::uint64_t id, std::string_view bytes) {
  std::string frame;
  frame.reserve(frame_head_bytes + bytes.size());
  frame.push_back(static_cast<char>(kind));
  frame.append(reinterpret_cast<const char*>(&id),
               sizeof id);  // little endian, as all that we run on
  frame.append(bytes);
  return frame;
}

FaultLog frames_fail("what a peer sent cannot be read: is it of a newer build?");

/// To be done once more without harm.
bool may_repeat(const Request& request) {
  return request.key_hash != 0 || request.bind || request.intent == Intent::ask ||
         is_read(request.op);
}

Reply answer_to(const Request& request, ReplyCode code, ShardId shard) {
  return {.ticket = request.reply_to.ticket,
          .code = code,
          .op = static_cast<std::uint8_t>(request.op.index()),
          .entity = target_of(request.op),
          .shard = shard};
}

}  // namespace

Router::Router(std::uint32_t shards, std::uint64_t incarnation, std::function<SteadyMs()> steady)
    : incarnation_(incarnation),
      steady_(std::move(steady)),
      owners_(shards),
      epochs_(shards),
      places_(shards),
      owned_epochs_(shards) {}

void Router::wire(Engine& engine, Links& links) {
  engine_ = &engine;
  links_ = &links;
  sink_ = engine.add_sink(*this);
}

void Router::stop() {
  Out out;
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    std::vector<std::uint64_t> all;
    for (const auto& [id, routed] : routed_) all.push_back(id);
    for (const auto id : all)
      end(id, routed_.at(id).sent_once ? ReplyCode::unavailable : ReplyCode::not_done, out);
    taken_.clear();
  }
  out.home.clear();
  put_out(std::move(out));
}

// ---- who owns ----

std::pair<std::uint64_t, std::uint64_t> Router::owner_and_epoch(ShardId shard) const {
  const std::lock_guard lock(mutex_);
  return {owner(shard), epochs_[shard.value]};
}

/// What is told late of an earlier epoch changes nothing.
void Router::owner_is(ShardId shard, std::uint64_t incarnation, std::uint64_t epoch) {
  Out out;
  {
    const std::lock_guard lock(mutex_);
    if (epoch <= epochs_[shard.value]) return;
    epochs_[shard.value] = epoch;
    spdlog::debug("a shard has another owner shard={} incarnation={} epoch={}", shard.value,
                  incarnation, epoch);
    if ((owner(shard) == incarnation_) != (incarnation == incarnation_))
      reigns_.fetch_add(1, std::memory_order_release);
    owners_[shard.value].store(incarnation, std::memory_order_release);
    const auto waits = waiting_.find(shard.value);
    if (waits == waiting_.end()) return;
    const std::vector<std::uint64_t> ids = std::move(waits->second);
    waiting_.erase(waits);
    const std::int64_t now_ms = steady_ms();
    for (const auto id : ids)
      if (const auto found = routed_.find(id); found != routed_.end())
        route(id, found->second, now_ms, out);
  }
  put_out(std::move(out));
}

void Router::followed(ShardId shard, const FoldState& place) {
  places_[shard.value].store(place.next_offset, std::memory_order_release);
  owner_is(shard, place.incarnation, place.epoch);
}

void Router::owned(ShardId shard, std::uint64_t epoch) {
  owned_epochs_[shard.value].store(epoch, std::memory_order_release);
  owner_is(shard, incarnation_, epoch);
}

void Router::wrote(ShardId shard, Offset next) {
  places_[shard.value].store(next, std::memory_order_release);
}

const std::string* Router::node_of(ShardId shard) const {
  const auto found = nodes_.find(owner(shard));
  return found == nodes_.end() ? nullptr : &found->second;
}

void Router::up(const PeerHello& peer) {
  {
    const std::lock_guard lock(mutex_);
    nodes_[peer.incarnation] = peer.node;
    incarnations_[peer.node] = peer.incarnation;
  }
  if (passenger_) passenger_->up(peer.node);
}

bool Router::send_for_passenger(const std::string& node, std::string_view frame) {
  return links_->send(node, frame_of(static_cast<std::uint8_t>(Frame::passenger), 0, frame)) ==
         Sent::yes;
}

void Router::down(const std::string& node, const std::string& why) {
  spdlog::info("a link is down node={} why=\"{}\"", node, one_line(why));
  if (passenger_) passenger_->down(node);
  Out out;
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = incarnations_.find(node); found != incarnations_.end()) {
      nodes_.erase(found->second);
      incarnations_.erase(found);
    }
    const std::int64_t now_ms = steady_ms();
    std::vector<std::uint64_t> there;
    for (const auto& [id, routed] : routed_)
      if (routed.at == node) there.push_back(id);
    for (const auto id : there) {
      Routed& routed = routed_.at(id);
      if (may_repeat(routed.request))
        wait(id, routed, now_ms);
      else
        end(id, ReplyCode::unavailable, out);
    }
    at_peer_.erase(node);
    std::erase_if(taken_, [&](const auto& one) { return one.second.from == node; });
  }
  if (relay_) relay_->lost(node);
  if (questions_) questions_->lost(node);
  put_out(std::move(out));
}

// ---- requests that this node does not own ----

void Router::strayed(std::vector<Envelope>&& strays) {
  Out out;
  std::vector<std::pair<std::string, std::string>> frames;
  {
    const std::lock_guard lock(mutex_);
    const std::int64_t now_ms = steady_ms();
    for (Envelope& one : strays) {
      const ShardId shard =
          shard_of(target_of(one.content), static_cast<std::uint32_t>(owners_.size()));
      auto* request = std::get_if<Request>(&one.content);
      if (request && request->reply_to.who != ReplyTo::Who::process) {
        if (request->reply_to.who != ReplyTo::Who::client) continue;
        if (request->reply_to.sink == sink_) {  // of another node: it looks for the owner itself
          const auto taken = taken_.find(request->reply_to.ticket);
          if (taken == taken_.end()) continue;
          frames.emplace_back(taken->second.from, refusal(taken->second.id, shard));
          taken_.erase(taken);
          continue;
        }
        if (routed_.size() >= waiting_max || stopped_) {
          out.answers.emplace_back(request->reply_to.sink,
                                   answer_to(*request, ReplyCode::overloaded, shard));
          continue;
        }
        const std::uint64_t id = ++numbers_;
        Routed& routed = routed_[id];
        const auto before = home_.find({request->reply_to.sink, request->reply_to.ticket});
        routed.until_ms = before == home_.end() ? now_ms + route_wait_ms : before->second;
        routed.sent_once = request->begun;
        routed.request = std::move(*request);
        routed.shard = shard;
        // Its own engine has just said that it is not there.
        if (owner(shard) == incarnation_)
          wait(id, routed, now_ms);
        else
          route(id, routed, now_ms, out);
        continue;
      }
      // A message of a shard: asked for again by its sender where it is lost.
      const std::string* node = is_peer_message(one.content) ? node_of(shard) : nullptr;
      if (!node) {
        counters_.messages_lost.fetch_add(1, std::memory_order_relaxed);
        continue;
      }
      frames.emplace_back(*node,
                          frame_of(static_cast<std::uint8_t>(Frame::message), 0, encode(one)));
    }
  }
  for (auto& [node, frame] : frames) {
    const bool sent = links_->send(node, std::move(frame)) == Sent::yes;
    (sent ? counters_.messages_sent : counters_.messages_lost)
        .fetch_add(1, std::memory_order_relaxed);
  }
  put_out(std::move(out));
}

void Router::wait(std::uint64_t id, Routed& routed, std::int64_t now_ms) {
  if (!routed.at.empty()) --at_peer_[routed.at];
  routed.at.clear();
  routed.again_ms = now_ms + route_again_ms;
  waiting_[routed.shard.value].push_back(id);
}

void Router::route(std::uint64_t id, Routed& routed, std::int64_t now_ms, Out& out) {
  if (owner(routed.shard) == incarnation_) {
    home_[{routed.request.reply_to.sink, routed.request.reply_to.ticket}] = routed.until_ms;
    out.home.push_back(std::move(routed.request));
    routed_.erase(id);
    return;
  }
  const std::string* node = node_of(routed.shard);
  if (!node) return wait(id, routed, now_ms);
  if (at_peer_[*node] >= requests_per_peer_max) return end(id, ReplyCode::overloaded, out);
  const Sent sent = links_->send(
      *node, frame_of(static_cast<std::uint8_t>(Frame::request), id, encode(routed.request)));
  switch (sent) {
    case Sent::yes:
      break;
    case Sent::no_link:
      return wait(id, routed, now_ms);
    case Sent::full:
    case Sent::too_large:
      return end(id, ReplyCode::overloaded, out);
  }
  counters_.sent.fetch_add(1, std::memory_order_relaxed);
  if (routed.sent_once) counters_.sent_again.fetch_add(1, std::memory_order_relaxed);
  routed.at = *node;
  routed.sent_once = true;
  ++at_peer_[*node];
}

void Router::end(std::uint64_t id, ReplyCode code, Out& out) {
  const auto found = routed_.find(id);
  if (found == routed_.end()) return;
  Routed& routed = found->second;
  if (!routed.at.empty()) --at_peer_[routed.at];
  out.answers.emplace_back(routed.request.reply_to.sink,
                           answer_to(routed.request, code, routed.shard));
  routed_.erase(found);
}

void Router::put_out(Out&& out) {
  if (!out.home.empty()) engine_->submit(std::move(out.home));
  for (auto& [sink, reply] : out.answers) {
    std::vector<Reply> one;
    one.push_back(std::move(reply));
    engine_->deliver(sink, std::move(one));
  }
}

void Router::tick(std::int64_t now_ms) {
  if (passenger_) passenger_->tick();
  Out out;
  {
    const std::lock_guard lock(mutex_);
    std::vector<std::uint64_t> due;
    for (auto& [shard, ids] : waiting_)
      std::erase_if(ids, [&](std::uint64_t id) {
        const auto found = routed_.find(id);
        if (found == routed_.end()) return true;
        if (found->second.again_ms > now_ms) return false;
        due.push_back(id);
        return true;
      });
    std::erase_if(waiting_, [](const auto& one) { return one.second.empty(); });
    std::erase_if(home_, [&](const auto& one) { return one.second <= now_ms; });
    for (const auto id : due)
      if (routed_.at(id).until_ms > now_ms) route(id, routed_.at(id), now_ms, out);
    std::vector<std::uint64_t> late;
    for (const auto& [id, routed] : routed_)
      if (routed.until_ms <= now_ms) late.push_back(id);
    for (const auto id : late)
      end(id,
          routed_.at(id).at.empty() && !routed_.at(id).sent_once ? ReplyCode::not_done
                                                                 : ReplyCode::unavailable,
          out);
    counters_.waiting.store(routed_.size(), std::memory_order_relaxed);
  }
  put_out(std::move(out));
}

Sent Router::send_command(const std::string& node, std::uint64_t id, std::string_view bytes) {
  return links_->send(node, frame_of(static_cast<std::uint8_t>(Frame::command), id, bytes));
}

Sent Router::send_outcome(const std::string& node, std::uint64_t id, std::string_view bytes) {
  return links_->send(node, frame_of(static_cast<std::uint8_t>(Frame::command_done), id, bytes));
}

Sent Router::send_question(const std::string& node, std::uint64_t id, std::string_view bytes) {
  return links_->send(node, frame_of(static_cast<std::uint8_t>(Frame::question), id, bytes));
}

Sent Router::send_answer(const std::string& node, std::uint64_t id, std::string_view bytes) {
  return links_->send(node, frame_of(static_cast<std::uint8_t>(Frame::answer), id, bytes));
}

Sent Router::send_taken(const std::string& node, std::uint64_t id, std::string_view bytes) {
  return links_->send(node, frame_of(static_cast<std::uint8_t>(Frame::answer_taken), id, bytes));
}

// ---- what peers send ----

void Router::received(const std::string& node, std::string_view frame) {
  if (frame.size() < frame_head_bytes) return;
  std::uint64_t id = 0;
  std::memcpy(&id, frame.data() + 1, sizeof id);
  const std::string_view bytes = frame.substr(frame_head_bytes);
  switch (static_cast<Frame>(frame[0])) {
    case Frame::request:
      return take_request(node, id, bytes);
    case Frame::reply:
      return take_reply(id, bytes);
    case Frame::not_here:
      return take_refusal(id, bytes);
    case Frame::passenger:
      if (passenger_) passenger_->received(node, bytes);
      return;
    case Frame::message: {
      auto message = decode_envelope(bytes);
      if (!message.ok())
        return frames_fail.failed(
            fmt::format("node={} what=\"{}\"", node, one_line(message.error().what)));
      counters_.messages_taken.fetch_add(1, std::memory_order_relaxed);
      std::vector<Envelope> one;
      one.push_back(std::move(*message));
      engine_->input(std::move(one));
      return;
    }
    case Frame::command:
      return relay_ ? relay_->asked(node, id, bytes) : void();
    case Frame::command_done:
      return relay_ ? relay_->answered(node, id, bytes) : void();
    case Frame::question:
      return questions_ ? questions_->asked(node, id, bytes) : void();
    case Frame::answer:
      return questions_ ? questions_->answered(node, id, bytes) : void();
    case Frame::answer_taken:
      return questions_ ? questions_->taken(node, id, bytes) : void();
  }
  frames_fail.failed(fmt::format("node={} kind={}", node, static_cast<int>(frame[0])));
}

void Router::take_request(const std::string& from, std::uint64_t id, std::string_view bytes) {
  auto request = decode_request(bytes);
  if (!request.ok()) {
    frames_fail.failed(fmt::format("node={} what=\"{}\"", from, one_line(request.error().what)));
    links_->send(from, frame_of(static_cast<std::uint8_t>(Frame::not_here), id, {}));
    return;
  }
  counters_.taken.fetch_add(1, std::memory_order_relaxed);
  {
    const std::lock_guard lock(mutex_);
    if (stopped_) return;
    const std::uint64_t ticket = ++numbers_;
    taken_[ticket] = {from, incarnations_[from], id};
    request->reply_to = {.who = ReplyTo::Who::client, .sink = sink_, .ticket = ticket};
  }
  std::vector<Request> one;
  one.push_back(std::move(*request));
  engine_->submit(std::move(one));
}

/// Answers of this engine to what other nodes asked.
void Router::deliver(std::vector<Reply>&& replies) {
  std::vector<std::pair<std::string, std::string>> frames;
  {
    const std::lock_guard lock(mutex_);
    for (const Reply& reply : replies) {
      const auto taken = taken_.find(reply.ticket);
      if (taken == taken_.end()) continue;  // its link was lost
      const std::uint64_t id = taken->second.id;
      frames.emplace_back(taken->second.from,
                          frame_of(static_cast<std::uint8_t>(Frame::reply), id, encode(reply)));
      taken_.erase(taken);
    }
  }
  // Where there is no link any more the other node knows that, too.
  for (auto& [node, frame] : frames) links_->send(node, std::move(frame));
}

void Router::take_reply(std::uint64_t id, std::string_view bytes) {
  auto reply = decode_reply(bytes);
  Out out;
  {
    const std::lock_guard lock(mutex_);
    const auto found = routed_.find(id);
    if (found == routed_.end()) return;
    if (!reply.ok()) {
      frames_fail.failed(fmt::format("what=\"{}\"", one_line(reply.error().what)));
      end(id, ReplyCode::unavailable, out);
    } else {
      Routed& routed = found->second;
      if (!routed.at.empty()) --at_peer_[routed.at];
      reply->ticket = routed.request.reply_to.ticket;
      out.answers.emplace_back(routed.request.reply_to.sink, std::move(*reply));
      routed_.erase(found);
    }
  }
  counters_.answered.fetch_add(1, std::memory_order_relaxed);
  put_out(std::move(out));
}

/// So whoever asked goes on to the owner although it does not read the shard's log.
/// REQUIRES: the lock.
std::string Router::refusal(std::uint64_t id, ShardId shard) const {
  const std::array<std::uint64_t, 2> known{owner(shard), epochs_[shard.value]};
  return frame_of(static_cast<std::uint8_t>(Frame::not_here), id,
                  {reinterpret_cast<const char*>(known.data()), sizeof known});
}

void Router::take_refusal(std::uint64_t id, std::string_view bytes) {
  // Nothing: it could not read the request, or is of an older build.
  std::array<std::uint64_t, 2> known{};
  if (bytes.size() == sizeof known) std::memcpy(known.data(), bytes.data(), sizeof known);
  ShardId shard;
  {
    const std::lock_guard lock(mutex_);
    const auto found = routed_.find(id);
    if (found == routed_.end()) return;
    shard = found->second.shard;
    wait(id, found->second, steady_ms());
  }
  if (known[0] != 0) owner_is(shard, known[0], known[1]);
}

}  // namespace souk::cluster
