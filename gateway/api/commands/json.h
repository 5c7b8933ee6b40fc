#pragma once
/// JSON in. simdjson stays in the .cc.
#include <memory>
#include <string_view>

#include "gateway/api/commands/input.h"

namespace souk {

/// Reads bodies and batch lines into CommandInput by the tables of api_fields.h. Reuses its
/// buffers: what it has read lives until the next read.
///
/// Errors: 400 invalid_json for what is not JSON (also invalid UTF-8, lone surrogates, a member
///         twice, nested deeper than limits::json_depth_max, trailing bytes, nothing at all);
///         422 invalid_request with a path for JSON of the wrong shape.
/// Thread: one at a time.
class CommandReader {
 public:
  CommandReader();
  ~CommandReader();
  CommandReader(const CommandReader&) = delete;
  CommandReader& operator=(const CommandReader&) = delete;

  /// A body: the members of the shape that do not stand in the path. Adds to `out`.
  /// REQUIRES: 64 readable bytes behind `text`.
  bool read_body(const CommandShape& shape, std::string_view text, CommandInput& out,
                 Problem& problem);
  /// A line of a batch: the command's name, the path's parameters, the body's members and the
  /// common ones (batch_fields()) side by side. Sets `shape` as soon as the name is known.
  /// REQUIRES: as read_body.
  bool read_line(std::string_view text, const CommandShape*& shape, CommandInput& out,
                 Problem& problem);
  /// Any JSON object in its shortest form. Errors: as above; the path is empty.
  bool read_object(std::string_view text, std::string& shortest, Problem& problem);

 private:
  struct Parser;
  std::unique_ptr<Parser> parser_;
};

}  // namespace souk
