#include "projections/sql/sandbox.h"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <vector>

namespace souk::analytics {
namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr bool sanitized = true;  // it maps terabytes, and looks at itself when it ends
#else
constexpr bool sanitized = false;
#endif

// A worker is let go long before; this ends one whose daemon no longer watches it.
constexpr rlim_t cpu_seconds_max = 120;
constexpr rlim_t descriptors_max = 16;
// As those threads had that ran SQL before: a little is left for it on a machine that is all busy.
constexpr int low_priority = 15;
// For what is not SQLite's: records of the journal, rows on their way.
constexpr std::size_t memory_besides = 256 * 1024 * 1024;

void bound(int resource, rlim_t value) {
  rlimit limit{};
  ::getrlimit(static_cast<__rlimit_resource>(resource), &limit);
  limit.rlim_cur = std::min(value, limit.rlim_max);
  limit.rlim_max = limit.rlim_cur;
  ::setrlimit(static_cast<__rlimit_resource>(resource), &limit);
}

// ---- Landlock: which files ----

constexpr std::uint64_t file_rights =
    LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_READ_FILE |
    LANDLOCK_ACCESS_FS_READ_DIR | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |
    LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |
    LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK |
    LANDLOCK_ACCESS_FS_MAKE_SYM;

void allow_beneath(int rules, const std::filesystem::path& path, std::uint64_t rights) {
  const int at = ::open(path.c_str(), O_PATH | O_CLOEXEC);
  if (at < 0) return;
  landlock_path_beneath_attr rule{};
  rule.allowed_access = rights;
  rule.parent_fd = at;
  ::syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
  ::close(at);
}

void confine_files(const std::filesystem::path& database) {
  landlock_ruleset_attr all{};
  all.handled_access_fs = file_rights;
  const int rules = static_cast<int>(::syscall(SYS_landlock_create_ruleset, &all, sizeof all, 0));
  if (rules < 0) return;
  allow_beneath(rules, database.parent_path(),
                LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR);
  // A reader of SQLite's log leaves a mark in the memory that all readers share.
  allow_beneath(rules, database.native() + "-shm",
                LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE);
  ::syscall(SYS_landlock_restrict_self, rules, 0);
  ::close(rules);
}

// ---- seccomp: which calls of the kernel ----

constexpr auto calls = std::to_array<int>({
  SYS_read, SYS_write, SYS_readv, SYS_writev, SYS_pread64, SYS_close, SYS_fstat, SYS_newfstatat,
      SYS_statx, SYS_lseek, SYS_mmap, SYS_munmap, SYS_mremap, SYS_mprotect, SYS_madvise, SYS_brk,
      SYS_fcntl, SYS_openat, SYS_faccessat, SYS_faccessat2, SYS_readlinkat, SYS_getcwd, SYS_futex,
      SYS_clock_gettime, SYS_clock_nanosleep, SYS_nanosleep, SYS_gettimeofday, SYS_getpid,
      SYS_gettid, SYS_getuid, SYS_geteuid, SYS_getrandom, SYS_getrusage, SYS_exit, SYS_exit_group,
      SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_rt_sigreturn, SYS_sigaltstack, SYS_sendto,
      SYS_recvfrom, SYS_ppoll, SYS_sched_yield, SYS_restart_syscall, SYS_fadvise64,
#if defined(__x86_64__)
      SYS_open, SYS_stat, SYS_lstat, SYS_access, SYS_readlink, SYS_poll, SYS_time,
#endif
});
#if defined(__x86_64__)
constexpr std::uint32_t machine = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t machine = AUDIT_ARCH_AARCH64;
#else
constexpr std::uint32_t machine = 0;
#endif

sock_filter say(std::uint16_t code, std::uint32_t k) { return {code, 0, 0, k}; }
/// The next `skip` are passed over where the value is not `k`.
sock_filter unless(std::uint32_t k, std::uint8_t skip) {
  return {BPF_JMP | BPF_JEQ | BPF_K, 0, skip, k};
}
constexpr std::uint16_t load = BPF_LD | BPF_W | BPF_ABS;
constexpr std::uint16_t give = BPF_RET | BPF_K;

/// A call whose first argument must be `first`, as far as its lower half goes.
void allow_with(std::vector<sock_filter>& program, int call, std::uint32_t first) {
  program.push_back(unless(static_cast<std::uint32_t>(call), 4));
  program.push_back(say(load, offsetof(seccomp_data, args)));
  program.push_back(unless(first, 1));
  program.push_back(say(give, SECCOMP_RET_ALLOW));
  program.push_back(say(give, SECCOMP_RET_ERRNO | EPERM));
}

void confine_calls() {
  if (machine == 0) return;
  std::vector<sock_filter> program{say(load, offsetof(seccomp_data, arch)),
                                   {BPF_JMP | BPF_JEQ | BPF_K, 1, 0, machine},
                                   say(give, SECCOMP_RET_ERRNO | EPERM),
                                   say(load, offsetof(seccomp_data, nr))};
  for (const int call : calls) {
    program.push_back(unless(static_cast<std::uint32_t>(call), 1));
    program.push_back(say(give, SECCOMP_RET_ALLOW));
  }
  // An assertion ends this process, and no other.
  allow_with(program, SYS_tgkill, static_cast<std::uint32_t>(::getpid()));
  allow_with(program, SYS_prlimit64, 0);
  program.push_back(say(give, SECCOMP_RET_ERRNO | EPERM));
  const sock_fprog filter{static_cast<std::uint16_t>(program.size()), program.data()};
  ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter);
}

/// Of this process; 0: the system does not say.
std::size_t bytes_mapped() {
  std::size_t pages = 0;
  if (std::FILE* statm = std::fopen("/proc/self/statm", "r")) {
    if (std::fscanf(statm, "%zu", &pages) != 1) pages = 0;
    std::fclose(statm);
  }
  return pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace

void begin_small() {
  ::prctl(PR_SET_NAME, "souk-sql");
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::prctl(PR_SET_DUMPABLE, 0);
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  bound(RLIMIT_CORE, 0);
  bound(RLIMIT_FSIZE, 0);
  bound(RLIMIT_NOFILE, descriptors_max);
  bound(RLIMIT_CPU, cpu_seconds_max);
}

void confine(const std::filesystem::path& database) {
  ::setpriority(PRIO_PROCESS, 0, low_priority);  // not before: its start is not to be felt
  ::tzset();                                     // from a file that cannot be read later
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || sanitized) return;
  confine_files(database);
  confine_calls();
}

void bound_memory(std::size_t bytes) {
  static const std::size_t here = bytes_mapped();
  if (sanitized || here == 0) return;
  rlimit limit{};
  ::getrlimit(RLIMIT_AS, &limit);
  limit.rlim_cur = std::min<rlim_t>(here + bytes + memory_besides, limit.rlim_max);
  ::setrlimit(RLIMIT_AS, &limit);
}

}  // namespace souk::analytics
