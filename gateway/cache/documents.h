#pragma once
/// Ready-to-send documents in memory, bounded by bytes: the adapter of RocksDB's cache.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "events/freshness.h"

namespace souk {

/// One form (plain or compressed) of one document, made of its shard's state at position `seq`.
/// Never changes, so that any thread may send it.
struct Document {
  std::string fields;        // header lines of an answer with the document
  std::string not_modified;  // and of one that says: you have it already (304)
  std::string body;
  Version version = 0;         // ETag; 0: none
  Version beside_version = 0;  // of what else it shows, in the ETag too; 0: nothing
  bool shared = false;         // caches between us and the clients may keep it
  std::uint8_t action = 0;     // who made it: the word of metrics for its request
  Seq seq = 0;
  const Freshness::Mark* mark = nullptr;

  /// Nothing of the entity has changed since. Thread: any.
  bool current() const { return mark->load(std::memory_order_acquire) <= seq; }
};

/// Keeps what is asked for again and again. Documents that were asked for twice live in four fifths
/// of the memory, those that were asked for once in the rest: a walk over all the products pushes
/// out other walkers, not what everybody reads.
///
/// Limits: `bytes_max` for documents, their keys and the table; what is being sent just then comes
///         on top.
/// Thread: any. A lookup costs less than a microsecond and holds a lock for most of it.
class DocumentCache {
 public:
  explicit DocumentCache(std::size_t bytes_max);
  ~DocumentCache();
  DocumentCache(const DocumentCache&) = delete;
  DocumentCache& operator=(const DocumentCache&) = delete;

  /// Keeps one document alive. Lifecycle: goes before its cache.
  class Pin {
   public:
    Pin() = default;
    Pin(Pin&& other) noexcept
        : cache_(other.cache_), handle_(std::exchange(other.handle_, nullptr)) {}
    Pin& operator=(Pin&&) = delete;
    ~Pin();
    explicit operator bool() const { return handle_ != nullptr; }
    const Document& operator*() const;
    const Document* operator->() const { return &**this; }

   private:
    friend class DocumentCache;
    Pin(DocumentCache& cache, void* handle) : cache_(&cache), handle_(handle) {}
    DocumentCache* cache_ = nullptr;
    void* handle_ = nullptr;
  };

  /// Nothing where there is none. It may be out of date: ask it.
  Pin find(std::string_view key);
  /// Takes the place of what had this key, and is kept at least as long as the pin.
  Pin put(std::string_view key, Document&& document);

  std::size_t bytes() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace souk
