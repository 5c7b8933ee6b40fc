/* Faults of the disk on order: preloaded into soukd (LD_PRELOAD), it lets chosen calls on chosen
 * files fail, be cut short or take long. tests/scenarios/faults.py builds it, writes its orders and
 * tells how to use it.
 *
 * The file that SOUK_FAULT_CONTROL names is mapped by every process that is started with the shim:
 *   bytes    0 to   15   generation, decimal: the orders are read again when it changes, so it is
 * written last bytes   64 to  319   hits, 32 native u64: how often each order struck since it was
 * given bytes 1024 to 8191   orders, one a line, at most 32: CALLS PATTERN ACTION [after=N]
 * [count=N] CALLS    names joined by commas, or * for all: open read pread write pwrite fsync
 * fdatasync rename unlink mmap truncate allocate range (sync_file_range). `read` is also what stdio
 * reads, `write` also writev. PATTERN  of fnmatch(3), against the whole path; a * matches / too.
 * rename: either of the two names. ACTION   an errno by name (EIO ENOSPC EACCES EMFILE ENOENT EROFS
 * EDQUOT EINTR): the call does nothing and fails short: half of the bytes, and says so; torn:
 * writes half, and fails with EIO; lost: a write says that it was done, and leaves a hole, as where
 * the kernel could not write its pages back later; delay:MS: first waits after=N  lets N calls pass; count=N strikes
 * N times and then lets all pass (without it: until new orders come). The first order that strikes
 * decides; a delay strikes and the next orders are looked at too.
 *
 * Thread: all. Calls go to the kernel directly, so that no allocator is needed before the program
 * has one. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

/* Macros in some versions of the C library. */
#undef fread_unlocked
#undef fread

enum { hits_at = 64, orders_at = 1024, control_bytes = 8192, orders_max = 32 };
enum action { act_fail, act_short, act_torn, act_lost, act_delay };
enum call {
  call_open,
  call_read,
  call_pread,
  call_write,
  call_pwrite,
  call_fsync,
  call_fdatasync,
  call_rename,
  call_unlink,
  call_mmap,
  call_truncate,
  call_allocate,
  call_range,
  calls
};
static const char *const call_names[calls] = {"open",     "read",      "pread",  "write",  "pwrite",
                                              "fsync",    "fdatasync", "rename", "unlink", "mmap",
                                              "truncate", "allocate",  "range"};
static const struct {
  const char *name;
  int value;
} errors[] = {{"EIO", EIO},       {"ENOSPC", ENOSPC}, {"EACCES", EACCES}, {"EMFILE", EMFILE},
              {"ENOENT", ENOENT}, {"EROFS", EROFS},   {"EDQUOT", EDQUOT}, {"EINTR", EINTR}};

struct order {
  unsigned calls; /* a bit for each */
  char pattern[512];
  enum action action;
  int error;
  long delay_ms;
  unsigned long long after, count, met, struck;
};

static char *control;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct order orders[orders_max];
static int orders_count;
static char generation[16];
static _Atomic unsigned calls_of_interest;

static int read_calls(const char *names, unsigned *into) {
  *into = 0;
  if (strcmp(names, "*") == 0) {
    *into = (1u << calls) - 1;
    return 1;
  }
  while (*names) {
    size_t length = strcspn(names, ",");
    int known = 0;
    for (int i = 0; i < calls; ++i)
      if (strlen(call_names[i]) == length && strncmp(call_names[i], names, length) == 0) {
        *into |= 1u << i;
        known = 1;
      }
    if (!known) return 0;
    names += length + (names[length] == ',');
  }
  return *into != 0;
}

static int read_action(const char *word, struct order *order) {
  if (strcmp(word, "short") == 0) return order->action = act_short, 1;
  if (strcmp(word, "torn") == 0) return order->action = act_torn, order->error = EIO, 1;
  if (strcmp(word, "lost") == 0) return order->action = act_lost, 1;
  if (strncmp(word, "delay:", 6) == 0)
    return order->action = act_delay, order->delay_ms = atol(word + 6), 1;
  for (size_t i = 0; i < sizeof errors / sizeof *errors; ++i)
    if (strcmp(word, errors[i].name) == 0)
      return order->action = act_fail, order->error = errors[i].value, 1;
  return 0;
}

/* A mistake in the orders must not look like a test that passes. */
static void refuse(const char *line) {
  static const char said[] = "fault shim: not an order: ";
  (void)!syscall(SYS_write, 2, said, sizeof said - 1);
  (void)!syscall(SYS_write, 2, line, strlen(line));
  _exit(99);
}

/* Requires: `lock` is held. */
static void read_orders(void) {
  static char text[control_bytes - orders_at + 1];
  memcpy(generation, control, sizeof generation);
  memcpy(text, control + orders_at, sizeof text - 1);
  orders_count = 0;
  unsigned wanted = 0;
  char *rest = NULL;
  for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
    char names[256], action[64], more[2][64] = {"", ""};
    struct order order = {.count = ULLONG_MAX};
    if (sscanf(line, "%255s %511s %63s %63s %63s", names, order.pattern, action, more[0], more[1]) <
            3 ||
        orders_count == orders_max || !read_calls(names, &order.calls) ||
        !read_action(action, &order))
      refuse(line);
    for (int i = 0; i < 2 && more[i][0]; ++i) {
      if (strncmp(more[i], "after=", 6) == 0)
        order.after = strtoull(more[i] + 6, NULL, 10);
      else if (strncmp(more[i], "count=", 6) == 0)
        order.count = strtoull(more[i] + 6, NULL, 10);
      else
        refuse(line);
    }
    wanted |= order.calls;
    orders[orders_count++] = order;
  }
  atomic_store(&calls_of_interest, wanted);
}

__attribute__((constructor)) static void map_control(void) {
  const char *path = getenv("SOUK_FAULT_CONTROL");
  if (!path) return;
  long file = syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC, 0);
  if (file < 0) refuse(path);
  long address =
      syscall(SYS_mmap, NULL, (size_t)control_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  syscall(SYS_close, file);
  if (address < 0 && address > -4096) refuse(path);
  control = (char *)address;
}

/* What is to happen to a call on `path` (and `other`, or null). Delays are slept here. */
static struct order *struck_by(enum call call, const char *path, const char *other,
                               struct order *copy) {
  struct order *found = NULL;
  long delay_ms = 0;
  pthread_mutex_lock(&lock);
  for (int i = 0; i < orders_count && !found; ++i) {
    struct order *order = &orders[i];
    if (!(order->calls & (1u << call)) || (fnmatch(order->pattern, path, 0) != 0 &&
                                           (!other || fnmatch(order->pattern, other, 0) != 0)))
      continue;
    if (order->met++ < order->after || order->struck >= order->count) continue;
    ++order->struck;
    atomic_fetch_add((_Atomic uint64_t *)(control + hits_at) + i, 1);
    if (order->action == act_delay)
      delay_ms += order->delay_ms;
    else
      *copy = *order, found = copy;
  }
  pthread_mutex_unlock(&lock);
  if (delay_ms) {
    struct timespec pause = {delay_ms / 1000, delay_ms % 1000 * 1000000};
    while (syscall(SYS_nanosleep, &pause, &pause) != 0 && errno == EINTR) {
    }
  }
  return found;
}

static int watched(enum call call) {
  if (!control) return 0;
  if (memcmp(generation, control, sizeof generation) != 0) {
    pthread_mutex_lock(&lock);
    if (memcmp(generation, control, sizeof generation) != 0) read_orders();
    pthread_mutex_unlock(&lock);
  }
  return (atomic_load(&calls_of_interest) & (1u << call)) != 0;
}

static struct order *on_path(enum call call, const char *path, struct order *copy) {
  if (!path || !watched(call)) return NULL;
  char whole[PATH_MAX * 2];
  int kept = errno;
  if (path[0] != '/' && syscall(SYS_getcwd, whole, (size_t)PATH_MAX) > 0) {
    strcat(strcat(whole, "/"), path);
    path = whole;
  }
  struct order *found = struck_by(call, path, NULL, copy);
  errno = kept;
  return found;
}

static struct order *on_file(enum call call, int file, struct order *copy) {
  if (file < 0 || !watched(call)) return NULL;
  char link[32], path[PATH_MAX];
  int kept = errno;
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  long length = syscall(SYS_readlinkat, AT_FDCWD, link, path, sizeof path - 1);
  struct order *found = NULL;
  if (length > 0) {
    path[length] = 0;
    found = struck_by(call, path, NULL, copy);
  }
  errno = kept;
  return found;
}

static int fails(const struct order *order) {
  if (!order || order->action != act_fail) return 0;
  errno = order->error;
  return 1;
}

/* ---- open ---- */

static int open_at(int folder, const char *path, int flags, mode_t mode) {
  struct order copy;
  if (fails(on_path(call_open, path, &copy))) return -1;
  return (int)syscall(SYS_openat, folder, path, flags, mode);
}
#define MODE_OF(flags, mode)                              \
  mode_t mode = 0;                                        \
  if ((flags) & (O_CREAT | (O_TMPFILE & ~O_DIRECTORY))) { \
    va_list more;                                         \
    va_start(more, flags);                                \
    mode = va_arg(more, mode_t);                          \
    va_end(more);                                         \
  }
int open(const char *path, int flags, ...) {
  MODE_OF(flags, mode)
  return open_at(AT_FDCWD, path, flags, mode);
}
int open64(const char *path, int flags, ...) {
  MODE_OF(flags, mode)
  return open_at(AT_FDCWD, path, flags, mode);
}
int openat(int folder, const char *path, int flags, ...) {
  MODE_OF(flags, mode)
  return open_at(folder, path, flags, mode);
}
int openat64(int folder, const char *path, int flags, ...) {
  MODE_OF(flags, mode)
  return open_at(folder, path, flags, mode);
}
FILE *fopen(const char *path, const char *mode) {
  static FILE *(*next)(const char *, const char *);
  struct order copy;
  if (fails(on_path(call_open, path, &copy))) return NULL;
  if (!next) *(void **)&next = dlsym(RTLD_NEXT, "fopen");
  return next(path, mode);
}
FILE *fopen64(const char *path, const char *mode) { return fopen(path, mode); }

/* ---- read ---- */

static ssize_t read_from(enum call call, int file, void *into, size_t size, off_t offset) {
  struct order copy, *order = on_file(call, file, &copy);
  if (fails(order)) return -1;
  if (order && order->action == act_torn) return errno = EIO, -1;
  if (order && order->action == act_short && size > 1) size /= 2;
  return call == call_pread ? syscall(SYS_pread64, file, into, size, offset)
                            : syscall(SYS_read, file, into, size);
}
ssize_t read(int file, void *into, size_t size) {
  return read_from(call_read, file, into, size, 0);
}
ssize_t pread(int file, void *into, size_t size, off_t offset) {
  return read_from(call_pread, file, into, size, offset);
}
ssize_t pread64(int file, void *into, size_t size, off64_t offset) {
  return read_from(call_pread, file, into, size, offset);
}
/* stdio reads inside of the C library; a fault is told as a stream that cannot be read (errno says
 * why). */
static size_t stdio_read(const char *name, size_t (**next)(void *, size_t, size_t, FILE *),
                         void *into, size_t size, size_t count, FILE *stream) {
  struct order copy, *order = on_file(call_read, fileno(stream), &copy);
  if (!*next) *(void **)next = dlsym(RTLD_NEXT, name);
  if (order && order->action != act_short) {
    FILE *broken = stream;
    /* The stream's error mark can only be set by a read that fails: one from a descriptor that is
     * not for reading. */
    int null = open_at(AT_FDCWD, "/dev/null", O_WRONLY | O_CLOEXEC, 0), kept = dup(fileno(broken));
    dup3(null, fileno(broken), O_CLOEXEC);
    size_t got = (*next)(into, size, count, broken);
    dup3(kept, fileno(broken), O_CLOEXEC);
    syscall(SYS_close, null);
    syscall(SYS_close, kept);
    errno = order->error;
    return got;
  }
  return (*next)(into, size, count, stream);
}
size_t fread_unlocked(void *into, size_t size, size_t count, FILE *stream) {
  static size_t (*next)(void *, size_t, size_t, FILE *);
  return stdio_read("fread_unlocked", &next, into, size, count, stream);
}
size_t fread(void *into, size_t size, size_t count, FILE *stream) {
  static size_t (*next)(void *, size_t, size_t, FILE *);
  return stdio_read("fread", &next, into, size, count, stream);
}

/* ---- write ---- */

static ssize_t write_to(enum call call, int file, const void *from, size_t size, off_t offset) {
  struct order copy, *order = on_file(call, file, &copy);
  if (fails(order)) return -1;
  if (order && order->action == act_lost) {
    if (call == call_write) syscall(SYS_lseek, file, (off_t)size, SEEK_CUR);
    return (ssize_t)size;
  }
  if (order && order->action != act_fail && size > 1) size /= 2;
  ssize_t done = call == call_pwrite ? syscall(SYS_pwrite64, file, from, size, offset)
                                     : syscall(SYS_write, file, from, size);
  if (order && order->action == act_torn) return errno = EIO, -1;
  return done;
}
ssize_t write(int file, const void *from, size_t size) {
  return write_to(call_write, file, from, size, 0);
}
ssize_t pwrite(int file, const void *from, size_t size, off_t offset) {
  return write_to(call_pwrite, file, from, size, offset);
}
ssize_t pwrite64(int file, const void *from, size_t size, off64_t offset) {
  return write_to(call_pwrite, file, from, size, offset);
}
ssize_t writev(int file, const struct iovec *parts, int count) {
  struct order copy, *order = on_file(call_write, file, &copy);
  if (fails(order)) return -1;
  if (order && count > 0) {
    ssize_t done = syscall(SYS_write, file, parts[0].iov_base,
                           parts[0].iov_len > 1 ? parts[0].iov_len / 2 : 1);
    return order->action == act_torn ? (errno = EIO, -1) : done;
  }
  return syscall(SYS_writev, file, parts, count);
}

/* ---- the others ---- */

int fsync(int file) {
  struct order copy;
  return fails(on_file(call_fsync, file, &copy)) ? -1 : (int)syscall(SYS_fsync, file);
}
int fdatasync(int file) {
  struct order copy;
  return fails(on_file(call_fdatasync, file, &copy)) ? -1 : (int)syscall(SYS_fdatasync, file);
}
int sync_file_range(int file, off64_t offset, off64_t size, unsigned flags) {
  struct order copy;
  return fails(on_file(call_range, file, &copy))
             ? -1
             : (int)syscall(SYS_sync_file_range, file, offset, size, flags);
}
int ftruncate(int file, off_t size) {
  struct order copy;
  return fails(on_file(call_truncate, file, &copy)) ? -1 : (int)syscall(SYS_ftruncate, file, size);
}
int ftruncate64(int file, off64_t size) { return ftruncate(file, size); }
int fallocate(int file, int mode, off_t offset, off_t size) {
  struct order copy;
  return fails(on_file(call_allocate, file, &copy))
             ? -1
             : (int)syscall(SYS_fallocate, file, mode, offset, size);
}
int fallocate64(int file, int mode, off64_t offset, off64_t size) {
  return fallocate(file, mode, offset, size);
}
int rename(const char *from, const char *to) {
  struct order copy;
  if (from && to && watched(call_rename) && fails(struck_by(call_rename, from, to, &copy)))
    return -1;
  return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}
int unlink(const char *path) {
  struct order copy;
  return fails(on_path(call_unlink, path, &copy)) ? -1
                                                  : (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
}
void *mmap(void *address, size_t size, int protection, int flags, int file, off_t offset) {
  struct order copy;
  if (file >= 0 && fails(on_file(call_mmap, file, &copy))) return MAP_FAILED;
  return (void *)syscall(SYS_mmap, address, size, protection, flags, file, offset);
}
void *mmap64(void *address, size_t size, int protection, int flags, int file, off64_t offset) {
  return mmap(address, size, protection, flags, file, offset);
}
