/* Makes calls on files fail, for faults.py: preloaded in front of the C library.
 *
 *   FAULT_UNDER    only files below this folder
 *   FAULT_KIND     full   from call number FAULT_AT on, nothing can be made or written (ENOSPC)
 *                  eio    call number FAULT_AT fails with EIO
 *                  eintr  every third call that may is interrupted (EINTR)
 *                  short  every read or write of more than one byte does half of it
 *                  again  call number FAULT_AT of those that move, remove or make a folder is carried out
 *                         twice and says what the second one was told, as on NFS when an answer was lost
 *   FAULT_COUNTER  a file of 8 bytes, shared by all processes, that counts the calls
 *
 * Only errors that the call is documented to give: rename is not interrupted, a read has no full disk.
 * A full disk is met by half of the first write, as real ones are.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum kind { NONE, FULL, EIO_ONCE, INTERRUPTED, SHORT, AGAIN };
enum call { READS, WRITES, SYNCS, MAKES, MOVES };

static enum kind kind;
static const char *under;
static size_t under_length;
static uint64_t at;
static volatile uint64_t *counter;

__attribute__((constructor)) static void begin(void) {
    const char *name = getenv("FAULT_KIND"), *file = getenv("FAULT_COUNTER"), *number = getenv("FAULT_AT");
    under = getenv("FAULT_UNDER");
    if (!name || !file || !number || !under) return;
    under_length = strlen(under);
    at = strtoull(number, NULL, 10);
    int fd = (int)syscall(SYS_openat, AT_FDCWD, file, O_RDWR, 0);
    if (fd < 0) return;
    void *map = mmap(NULL, 8, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (map == MAP_FAILED) return;
    counter = map;
    kind = !strcmp(name, "full")    ? FULL
           : !strcmp(name, "eio")   ? EIO_ONCE
           : !strcmp(name, "eintr") ? INTERRUPTED
           : !strcmp(name, "short") ? SHORT
           : !strcmp(name, "again") ? AGAIN
                                    : NONE;
}

static int path_counts(const char *path) {
    return kind != NONE && path && !strncmp(path, under, under_length);
}

static int file_counts(int fd) {
    if (kind == NONE) return 0;
    char link[64], path[PATH_MAX];
    char *digits = link + sizeof link - 1;
    *digits = 0;
    unsigned number = (unsigned)fd;
    do *--digits = (char)('0' + number % 10);
    while (number /= 10);
    static const char proc[] = "/proc/self/fd/";
    digits -= sizeof proc - 1;
    memcpy(digits, proc, sizeof proc - 1);
    ssize_t length = readlink(digits, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return path_counts(path);
}

/* The error that this call gets, or 0. `once` says whether this is the first that meets the full disk. */
static int fault(enum call call, int *first) {
    *first = 0;
    if (kind == AGAIN) return 0;
    uint64_t number = __atomic_add_fetch(counter, 1, __ATOMIC_SEQ_CST);
    *first = number == at;
    switch (kind) {
    case FULL: return number >= at && (call == WRITES || call == MAKES) ? ENOSPC : 0;
    case EIO_ONCE: return number == at ? EIO : 0;
    case INTERRUPTED: return number % 3 == 0 && call != MOVES && call != SYNCS ? EINTR : 0;
    default: return 0;
    }
}

/* Whether this call, which went well, is the one that is carried out twice. */
static int again(void) { return kind == AGAIN && __atomic_add_fetch(counter, 1, __ATOMIC_SEQ_CST) == at; }

#define REAL(name) \
    static __typeof__(&name) real; \
    if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

/* How many of `count` bytes are moved, or -1 with errno. */
static ssize_t part(enum call call, size_t count) {
    int first, error = fault(call, &first);
    if (error == ENOSPC && first && count > 1) return (ssize_t)(count / 2);
    if (error) { errno = error; return -1; }
    return kind == SHORT && count > 1 ? (ssize_t)(count / 2) : (ssize_t)count;
}

#define MOVED(counts, call, count, ...) \
    if (counts) { \
        ssize_t allowed = part(call, count); \
        if (allowed < 0) return -1; \
        count = (size_t)allowed; \
    } \
    return real(__VA_ARGS__)

ssize_t write(int fd, const void *from, size_t count) {
    REAL(write);
    MOVED(file_counts(fd), WRITES, count, fd, from, count);
}
ssize_t pwrite64(int fd, const void *from, size_t count, off64_t offset) {
    REAL(pwrite64);
    MOVED(file_counts(fd), WRITES, count, fd, from, count, offset);
}
ssize_t read(int fd, void *into, size_t count) {
    REAL(read);
    MOVED(file_counts(fd), READS, count, fd, into, count);
}
ssize_t pread64(int fd, void *into, size_t count, off64_t offset) {
    REAL(pread64);
    MOVED(file_counts(fd), READS, count, fd, into, count, offset);
}
ssize_t writev(int fd, const struct iovec *parts, int count) {
    REAL(writev);
    if (file_counts(fd)) {
        int first, error = fault(WRITES, &first);
        if (error) { errno = error; return -1; }
        if (kind == SHORT && count > 1) count = 1;
    }
    return real(fd, parts, count);
}
ssize_t copy_file_range(int in, off64_t *in_at, int out, off64_t *out_at, size_t count, unsigned flags) {
    REAL(copy_file_range);
    MOVED(file_counts(out), WRITES, count, in, in_at, out, out_at, count, flags);
}

#define TWICE(counts, ...) \
    int result = real(__VA_ARGS__); \
    return (counts) && result == 0 && again() ? real(__VA_ARGS__) : result

#define REFUSED(counts, call) \
    if (counts) { \
        int first, error = fault(call, &first); \
        if (error) { errno = error; return -1; } \
    }

int fsync(int fd) {
    REAL(fsync);
    REFUSED(file_counts(fd), SYNCS);
    return real(fd);
}
int fdatasync(int fd) {
    REAL(fdatasync);
    REFUSED(file_counts(fd), SYNCS);
    return real(fd);
}
int rename(const char *from, const char *to) {
    REAL(rename);
    REFUSED(path_counts(to), MOVES);
    TWICE(path_counts(to), from, to);
}
int unlink(const char *path) {
    REAL(unlink);
    TWICE(path_counts(path), path);
}
int rmdir(const char *path) {
    REAL(rmdir);
    TWICE(path_counts(path), path);
}
int mkdir(const char *path, mode_t mode) {
    REAL(mkdir);
    /* mkdir is not interrupted. */
    if (kind != INTERRUPTED) REFUSED(path_counts(path), MAKES);
    TWICE(path_counts(path), path, mode);
}
int ftruncate64(int fd, off64_t length) {
    REAL(ftruncate64);
    REFUSED(file_counts(fd), WRITES);
    return real(fd, length);
}
int open64(const char *path, int flags, ...) {
    REAL(open64);
    va_list rest;
    va_start(rest, flags);
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    REFUSED(path_counts(path), flags & O_CREAT ? MAKES : READS);
    return real(path, flags, mode);
}
