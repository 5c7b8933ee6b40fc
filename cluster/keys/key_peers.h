#pragma once
/// How the keys of persons reach the other nodes: frames to a node by its name.
#include <string>
#include <vector>

namespace souk::cluster {

/// What a link between two nodes gives (cluster/links): frames arrive in order, each at most once; what
/// was sent and has not arrived is lost when the connection ends.
class KeyPeers {
 public:
  virtual ~KeyPeers() = default;
  /// False: it was not taken (the node is down, or takes no more now); it is tried again.
  /// Thread: any; must not block.
  virtual bool send(const std::string& node, std::string frame) = 0;
  /// All members of the cluster, whether up or down. This one may be among them. Thread: any.
  virtual std::vector<std::string> nodes() = 0;
};

}  // namespace souk::cluster
