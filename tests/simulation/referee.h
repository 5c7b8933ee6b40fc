#pragma once
/// Watches every answer as it leaves the engine: the same key gets the same answer, a version has
/// one content, a position that was shown stays. What it noted, the judge compares with the
/// journal.
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "actors/ports/request.h"
#include "tests/simulation/world.h"

namespace souk::simulation {

/// One wish of a client, however often it is sent.
struct Command {
  std::size_t number = 0;
  Request request;               // as it is sent, but for its ticket
  std::optional<Reply> answer;   // the first that is an answer
  std::optional<Reply> unfinal;  // wait_final: 202, where the order took too long
  bool sent_again = false;       // after it was answered
  bool wrong_body = false;       // uses another command's key: must be refused
};

/// Whether the engine promises to remember this answer under the command's key.
bool is_remembered(const Request& request, const Reply& reply);
bool is_answer(ReplyCode code);
std::string describe(const Request& request);
std::string describe(const Reply& reply);

/// What a client was shown of an entity: its document at a version.
struct Sighting {
  enum class Document : std::uint8_t { cart, order, stock, product, user };
  EntityKey entity;
  Document document = Document::cart;
  Version version = 0;
  auto operator<=>(const Sighting&) const = default;
};
struct Sight {
  std::string json;  // empty: only the version was shown
  Seq position = 0;  // the lowest one that it was shown with
  std::size_t command = 0;
};

class Referee {
 public:
  explicit Referee(World& world) : world_(world) {}
  Command& add(Request&& request);
  /// `reply` leaves the engine.
  void saw(Command& command, const Reply& reply);

  /// The engine says that what was asked with `cause` has not happened.
  void denied(const Command& command, const CommandId& cause) {
    denied_.emplace_back(cause, command.number);
  }

  const std::vector<std::unique_ptr<Command>>& commands() const { return commands_; }
  const std::vector<std::pair<CommandId, std::size_t>>& denied() const { return denied_; }
  const std::map<Sighting, Sight>& sightings() const { return sightings_; }
  /// The newest position of each shard that anybody was told of.
  const std::map<std::uint16_t, Seq>& positions() const { return positions_; }
  /// From now on this person's documents may change without a new version.
  void forgets(const UserId& user) { erased_.insert(user); }
  /// Whether `a` and `b` are one document of `entity`. One of an order whose erasure was asked for
  /// may be shown without its address, at each version.
  bool same_document(const EntityKey& entity, const std::string& a, const std::string& b) const;

 private:
  void compare(const Command& command, const Reply& first, const Reply& later);
  void note_sight(const Command& command, const Reply& reply);

  World& world_;
  std::vector<std::unique_ptr<Command>> commands_;
  std::vector<std::pair<CommandId, std::size_t>> denied_;
  std::map<Sighting, Sight> sightings_;
  std::map<std::uint16_t, Seq> positions_;
  std::set<UserId> erased_;
  std::set<EntityKey> erased_orders_;
};

}  // namespace souk::simulation
