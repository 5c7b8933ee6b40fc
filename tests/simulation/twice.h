#pragma once
/// A defect to be found, put in from outside: the linker sends the engine's calls of
/// `decide(const Inventory&, const ReleaseStock&)` here first (see CMakeLists.txt, --wrap).

namespace souk::simulation {

/// While it lives, a hold that was released is released again when that is asked again, as if
/// nobody had thought of repeats.
class ReleasesTwice {
 public:
  enum class Mode { as_it_should_be, broken };
  explicit ReleasesTwice(Mode mode);
  ~ReleasesTwice();
  ReleasesTwice(const ReleasesTwice&) = delete;
};

}  // namespace souk::simulation
