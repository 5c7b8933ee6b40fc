#pragma once
/// TLS 1.3 with certificates on both sides. Included by asio_*.cc only.
#include <boost/asio/ssl/context.hpp>
#include <memory>
#include <string>

#include "cluster/links/links.h"
#include "events/result.h"

namespace souk::cluster {

/// Read once: new files need a new start of the node.
/// `name`: certificate_name() of this node, which its certificate must bear.
/// Errors: mismatch, with the file and what OpenSSL says.
Result<std::unique_ptr<boost::asio::ssl::context>, Fault> make_tls(const LinkTls& files,
                                                                   const std::string& name);

/// Whether the peer's certificate bears `name`. Its chain has been verified by the hand-shake.
/// Errors: mismatch, with the names that it does bear.
Status check_peer_name(ssl_st* session, const std::string& name);

}  // namespace souk::cluster
