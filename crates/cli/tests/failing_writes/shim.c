/* Preloaded into the command, it makes one call fail that changes files: `cc -shared -fPIC -o shim.so shim.c -ldl`,
 * `FAULT_ROOT=/folder FAULT_AT=7 LD_PRELOAD=./shim.so faussaire ...`.
 *
 * Counted are the calls on paths under $FAULT_ROOT, from 1. Call $FAULT_AT fails with $FAULT_ERRNO (a number); none where it is
 * 0. $FAULT_HOW is `once`; `lasting`: all later calls that take room fail, too, as on a full disk; or `short`: of a write, a half
 * is written, and the next write fails. Each counted call, or the failing ones alone, is a line of the file $FAULT_LOG: its
 * number, its kind, the path. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum how { ONCE, LASTING, SHORT };

static char root[4096];
static size_t root_length;
static long at;
static int failure = ENOSPC;
static enum how how;
static int log_file = -1;
static atomic_long calls;
static atomic_int armed;

__attribute__((constructor)) static void prepare(void) {
    const char *value = getenv("FAULT_ROOT");
    if (!value) return;
    snprintf(root, sizeof root, "%s", value);
    root_length = strlen(root);
    if ((value = getenv("FAULT_AT"))) at = atol(value);
    if ((value = getenv("FAULT_ERRNO"))) failure = atoi(value);
    if ((value = getenv("FAULT_HOW"))) how = !strcmp(value, "lasting") ? LASTING : !strcmp(value, "short") ? SHORT : ONCE;
    if ((value = getenv("FAULT_LOG"))) log_file = (int)syscall(SYS_openat, AT_FDCWD, value, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
}

/* The path of an open file or folder. */
static int path_of(int file, char *path, size_t size) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, size - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return 1;
}

/* What a call is to do: 0 as always, 1 fail, 2 write a half. */
static int verdict(const char *kind, int takes_room, const char *path) {
    if (!root_length || strncmp(path, root, root_length) || path[root_length] != '/') return 0;
    long call = atomic_fetch_add(&calls, 1) + 1;
    int is_write = !strcmp(kind, "write");
    int fails = call == at;
    if (fails && how == LASTING) atomic_store(&armed, 1);
    if (how == LASTING && takes_room && atomic_load(&armed)) fails = 1;
    if (fails && how == SHORT && is_write) {
        atomic_store(&armed, 1);
        fails = 2;
    } else if (how == SHORT && is_write && atomic_exchange(&armed, 0)) {
        fails = 1;
    }
    if (log_file >= 0 && (at == 0 || fails)) {
        char line[4300];
        int length = snprintf(line, sizeof line, "%ld %s %s\n", call, kind, path + root_length + 1);
        if (length > 0) syscall(SYS_write, log_file, line, (size_t)length);
    }
    if (fails == 1) errno = failure;
    return fails;
}

static int of_path(const char *kind, int takes_room, int folder, const char *path) {
    char whole[8300];
    if (path[0] == '/') return verdict(kind, takes_room, path);
    char base[4096];
    if (folder == AT_FDCWD ? !getcwd(base, sizeof base) : !path_of(folder, base, sizeof base)) return 0;
    snprintf(whole, sizeof whole, "%s/%s", base, path);
    return verdict(kind, takes_room, whole);
}

static int of_file(const char *kind, int takes_room, int file) {
    char path[4096];
    return path_of(file, path, sizeof path) ? verdict(kind, takes_room, path) : 0;
}

#define NEXT(name) static __typeof__(name) *next; if (!next) *(void **)&next = dlsym(RTLD_NEXT, #name)

#define OPENS(flags) (((flags) & O_ACCMODE) != O_RDONLY || ((flags) & (O_CREAT | O_TRUNC)))

#define OPEN(name) \
    int name(const char *path, int flags, ...) { \
        NEXT(name); \
        va_list list; va_start(list, flags); mode_t mode = va_arg(list, mode_t); va_end(list); \
        if (OPENS(flags) && of_path("open", (flags & O_CREAT) != 0, AT_FDCWD, path)) return -1; \
        return next(path, flags, mode); \
    }
OPEN(open)
OPEN(open64)

#define OPENAT(name) \
    int name(int folder, const char *path, int flags, ...) { \
        NEXT(name); \
        va_list list; va_start(list, flags); mode_t mode = va_arg(list, mode_t); va_end(list); \
        if (OPENS(flags) && of_path("open", (flags & O_CREAT) != 0, folder, path)) return -1; \
        return next(folder, path, flags, mode); \
    }
OPENAT(openat)
OPENAT(openat64)

ssize_t write(int file, const void *bytes, size_t count) {
    NEXT(write);
    int fails = of_file("write", 1, file);
    if (fails == 1) return -1;
    return next(file, bytes, fails == 2 ? (count + 1) / 2 : count);
}

ssize_t writev(int file, const struct iovec *parts, int count) {
    NEXT(writev);
    int fails = of_file("write", 1, file);
    if (fails == 1) return -1;
    return next(file, parts, fails == 2 ? (count + 1) / 2 : count);
}

#define PWRITE(name, offset) \
    ssize_t name(int file, const void *bytes, size_t count, offset position) { \
        NEXT(name); \
        int fails = of_file("write", 1, file); \
        if (fails == 1) return -1; \
        return next(file, bytes, fails == 2 ? (count + 1) / 2 : count, position); \
    }
PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)

ssize_t copy_file_range(int from, off64_t *from_at, int to, off64_t *to_at, size_t count, unsigned flags) {
    NEXT(copy_file_range);
    if (of_file("write", 1, to) == 1) return -1;
    return next(from, from_at, to, to_at, count, flags);
}

#define TRUNCATE(name, offset) \
    int name(int file, offset length) { \
        NEXT(name); \
        if (of_file("ftruncate", 1, file)) return -1; \
        return next(file, length); \
    }
TRUNCATE(ftruncate, off_t)
TRUNCATE(ftruncate64, off64_t)

int fsync(int file) {
    NEXT(fsync);
    return of_file("fsync", 1, file) ? -1 : next(file);
}

int fdatasync(int file) {
    NEXT(fdatasync);
    return of_file("fsync", 1, file) ? -1 : next(file);
}

int flock(int file, int operation) {
    NEXT(flock);
    return of_file("flock", 0, file) ? -1 : next(file, operation);
}

int rename(const char *from, const char *to) {
    NEXT(rename);
    return of_path("rename", 0, AT_FDCWD, to) ? -1 : next(from, to);
}

int renameat(int from_folder, const char *from, int to_folder, const char *to) {
    NEXT(renameat);
    return of_path("rename", 0, to_folder, to) ? -1 : next(from_folder, from, to_folder, to);
}

int mkdir(const char *path, mode_t mode) {
    NEXT(mkdir);
    return of_path("mkdir", 1, AT_FDCWD, path) ? -1 : next(path, mode);
}

int mkdirat(int folder, const char *path, mode_t mode) {
    NEXT(mkdirat);
    return of_path("mkdir", 1, folder, path) ? -1 : next(folder, path, mode);
}

int unlink(const char *path) {
    NEXT(unlink);
    return of_path("unlink", 0, AT_FDCWD, path) ? -1 : next(path);
}

int unlinkat(int folder, const char *path, int flags) {
    NEXT(unlinkat);
    return of_path("unlink", 0, folder, path) ? -1 : next(folder, path, flags);
}

int rmdir(const char *path) {
    NEXT(rmdir);
    return of_path("unlink", 0, AT_FDCWD, path) ? -1 : next(path);
}
