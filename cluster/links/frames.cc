#include "cluster/links/frames.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace souk::cluster {

namespace {

constexpr std::size_t buffer_bytes_min = 64u << 10;
/// Less space than this is not worth a read.
constexpr std::size_t space_bytes_min = 16u << 10;

std::size_t length_at(const char* bytes) {
  std::size_t length = 0;
  for (int i = 3; i >= 0; --i) length = length << 8 | static_cast<unsigned char>(bytes[i]);
  return length;
}

}  // namespace

void append_frame_header(std::string& to, FrameKind kind, std::size_t length) {
  SOUK_ASSERT(length <= UINT32_MAX);
  for (int shift = 0; shift < 32; shift += 8) to.push_back(static_cast<char>(length >> shift));
  to.push_back(static_cast<char>(kind));
}

void append_frame(std::string& to, FrameKind kind, std::string_view content) {
  append_frame_header(to, kind, content.size());
  to.append(content);
}

std::span<char> FrameReader::space() {
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  // A large frame has left: its memory does, too.
  if (end_ <= space_bytes_min && buffer_.size() > buffer_bytes_min)
    std::string(buffer_.data(), end_).swap(buffer_);
  if (buffer_.size() - end_ < space_bytes_min)
    buffer_.resize(std::max(buffer_bytes_min, buffer_.size() * 2));
  return {buffer_.data() + end_, buffer_.size() - end_};
}

void FrameReader::filled(std::size_t bytes) {
  SOUK_ASSERT(bytes <= buffer_.size() - end_);
  end_ += bytes;
}

Result<std::optional<Frame>, Fault> FrameReader::next() {
  if (end_ - begin_ < frame_header_bytes) return std::optional<Frame>();
  const char* at = buffer_.data() + begin_;
  const std::size_t length = length_at(at);
  const auto kind = static_cast<std::uint8_t>(at[4]);
  if (kind < static_cast<std::uint8_t>(FrameKind::hello) ||
      kind > static_cast<std::uint8_t>(FrameKind::message))
    return Fault{Fault::Kind::corrupt, fmt::format("a frame of kind {}, which is none", kind)};
  if (length > length_max_)
    return Fault{Fault::Kind::corrupt,
                 fmt::format("a frame of {} bytes; at most {}", length, length_max_)};
  if (end_ - begin_ - frame_header_bytes < length) return std::optional<Frame>();
  begin_ += frame_header_bytes + length;
  return std::optional(Frame{static_cast<FrameKind>(kind), {at + frame_header_bytes, length}});
}

}  // namespace souk::cluster
