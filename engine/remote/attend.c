/* What a worker starts: it makes of the files that a worker has put somewhere what a step is to see, starts the sandbox, waits for
 * it, and looks through what the step has left. Without libraries, since a worker may have none: x86_64 Linux calls alone. It
 * knows neither step nor server; `run/orders` says what to make (engine/remote/orders.ts), its arguments what to start. */

typedef unsigned long word;

enum { Read = 0, Write = 1, Close = 3, Poll = 7, Pipe = 22, Dup2 = 33, Sendfile = 40, Fork = 57, Execve = 59, Exit = 60, Gettime = 228, Wait4 = 61, Kill = 62, Umask = 95, Statfs = 137 };
enum { Getdents64 = 217, Openat = 257, Mkdirat = 258, Fstatat = 262, Unlinkat = 263, Renameat = 264, Symlinkat = 266 };
enum { Readlinkat = 267, Fchmodat = 268, Faccessat = 269, Utimensat = 280, Prlimit = 302, CloseRange = 436 };

enum { here = -100, noFollow = 0x100, removeFolder = 0x200, eexist = -17 };
enum { writeNew = 0301, folderOnly = 0600000 | 02000000, closeOnExec = 02000000 };
enum { kindMask = 0170000, folder = 0040000, regular = 0100000, symlink = 0120000 };
enum { refusedStatus = 125, deepest = 500, pathBytes = 8192, listBytes = 4096, ordersBytes = 65536, statBytes = 144 };

struct entry { word inode; long offset; unsigned short length; unsigned char kind; char name[]; };
struct stat { word device, inode, links; unsigned mode, uid, gid, padding; word special; long size; char rest[statBytes - 56]; };
struct time { long seconds, nanoseconds; };

struct room { word kind, blockBytes, blocks, unused, free, files, freeFiles, rest[8]; };

struct poll { int descriptor; short wanted, happened; };
enum { readable = 1, longestWaitMs = 2147483647 };

/* As engine/execute/disk-room.ts has them. */
enum { scarceBytes = 1 << 20, scarceFiles = 16, filledBytesPerMs = 1 << 20, shortestPauseMs = 5, longestPauseMs = 1000 };

/* A walk: where it is, for messages, and what it is about. */
struct walk { char path[pathBytes]; int isGiven; int refusals; };

__attribute__((naked, section(".text.start"))) void _start(void)
{
    __asm__("mov %rsp, %rdi\n and $-16, %rsp\n call begin\n hlt");
}

static long call(long number, word a, word b, word c, word d)
{
    long result;
    register word fourth __asm__("r10") = d;
    register word fifth __asm__("r8") = 0;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c), "r"(fourth), "r"(fifth) : "rcx", "r11", "memory");
    return result;
}

static word lengthOf(const char *text)
{
    word length = 0;
    while (text[length]) length++;
    return length;
}

static void say(int to, const char *text) { call(Write, to, (word)text, lengthOf(text), 0); }

static __attribute__((noreturn)) void giveUp(const char *why, const char *what)
{
    say(1, "cairn: this worker ");
    say(1, why);
    say(1, what);
    say(1, "\n");
    for (;;) call(Exit, refusedStatus, 0, 0, 0);
}

/* What no tree can hold: its kind, a space, its path. The first one is enough. */
static void refuse(struct walk *walk, const char *kind)
{
    if (walk->isGiven) giveUp("cannot be given ", walk->path);
    if (walk->refusals++ > 0) return;
    int file = call(Openat, here, (word) "work/refused", writeNew, 0644);
    say(file, kind);
    say(file, " ");
    say(file, walk->path);
    call(Close, file, 0, 0, 0);
}

static int isUtf8(const unsigned char *text)
{
    while (*text) {
        int more = *text < 0x80 ? 0 : *text < 0xc2 ? -1 : *text < 0xe0 ? 1 : *text < 0xf0 ? 2 : *text < 0xf5 ? 3 : -1;
        if (more < 0) return 0;
        if ((*text == 0xe0 && text[1] < 0xa0) || (*text == 0xed && text[1] > 0x9f)) return 0;
        if ((*text == 0xf0 && text[1] < 0x90) || (*text == 0xf4 && text[1] > 0x8f)) return 0;
        for (text++; more > 0; more--, text++)
            if ((*text & 0xc0) != 0x80) return 0;
    }
    return 1;
}

/* A file of its own in place of one that others share, or that is somebody else's. */
static int copy(int where, const char *name, long size, int mode)
{
    static const char fresh[] = ".cairn-copy";
    int from = call(Openat, where, (word)name, closeOnExec, 0);
    int to = call(Openat, where, (word)fresh, writeNew, 0600);
    if (from < 0 || to < 0) return 0;
    while (size > 0) {
        long done = call(Sendfile, to, from, 0, size);
        if (done <= 0) return 0;
        size -= done;
    }
    call(Close, from, 0, 0, 0);
    call(Close, to, 0, 0, 0);
    return call(Fchmodat, where, (word)fresh, mode, 0) == 0 && call(Renameat, where, (word)fresh, where, (word)name) == 0;
}

static void settleFolder(struct walk *walk, int opened, word pathLength, int depth);

static void settle(struct walk *walk, int where, const char *name, word pathLength, int depth)
{
    struct stat stat;
    word length = lengthOf(name);
    if (pathLength + length + 2 > pathBytes || depth > deepest) return refuse(walk, "deep");
    char *at = walk->path + pathLength;
    if (pathLength > 0) *at++ = '/';
    for (word each = 0; each <= length; each++) at[each] = name[each];
    pathLength = at - walk->path + length;
    if (!isUtf8((const unsigned char *)name)) return refuse(walk, "name");
    if (call(Fstatat, where, (word)name, (word)&stat, noFollow) < 0) return refuse(walk, "unreadable");
    switch (stat.mode & kindMask) {
    case folder: {
        /* One that is as it should be may be somebody else's. */
        if ((stat.mode & 07777) != 0755 && call(Fchmodat, where, (word)name, 0755, 0) < 0) return refuse(walk, "unreadable");
        int opened = call(Openat, where, (word)name, folderOnly, 0);
        if (opened < 0) return refuse(walk, "unreadable");
        settleFolder(walk, opened, pathLength, depth + 1);
        call(Close, opened, 0, 0, 0);
        break;
    }
    case regular: {
        int mode = stat.mode & 0100 ? 0555 : 0444;
        int isShared = walk->isGiven && stat.links != 1;
        int isSettled = !isShared && ((int)(stat.mode & 07777) == mode || call(Fchmodat, where, (word)name, mode, 0) == 0);
        if (!isSettled && !(walk->isGiven && copy(where, name, stat.size, mode))) return refuse(walk, "unreadable");
        break;
    }
    case symlink: {
        char target[listBytes + 1];
        long size = call(Readlinkat, where, (word)name, (word)target, listBytes);
        target[size < 0 ? 0 : size] = 0;
        if (!isUtf8((const unsigned char *)target)) return refuse(walk, "target");
        break;
    }
    default:
        refuse(walk, "special");
        /* Servers fail at it in ways of their own. */
        call(Unlinkat, where, (word)name, 0, 0);
        return;
    }
    if (!walk->isGiven) return;
    /* The times of all files that steps are given (store/layout.ts). */
    static const struct time times[2] = {{2147483647, 0}, {1, 0}};
    if (call(Utimensat, where, (word)name, (word)times, noFollow) == 0) return;
    int mode = stat.mode & 0100 ? 0555 : 0444;
    int isOwn = (stat.mode & kindMask) == regular && copy(where, name, stat.size, mode);
    if (!isOwn || call(Utimensat, where, (word)name, (word)times, noFollow) < 0) refuse(walk, "times");
}

static void settleFolder(struct walk *walk, int opened, word pathLength, int depth)
{
    char list[listBytes] __attribute__((aligned(8)));
    for (;;) {
        long size = call(Getdents64, opened, (word)list, listBytes, 0);
        if (size < 0) refuse(walk, "unreadable");
        if (size <= 0) return;
        for (long at = 0; at < size;) {
            struct entry *entry = (struct entry *)(list + at);
            const char *name = entry->name;
            at += entry->length;
            if (name[0] == '.' && (!name[1] || (name[1] == '.' && !name[2]))) continue;
            settle(walk, opened, name, pathLength, depth);
            walk->path[pathLength] = 0;
        }
    }
}

/* What the step left beside its outputs, the kernel's own folder in an overlay among it: not every worker gets rid of what it may not
 * look into. */
static void clear(int where, const char *name, int depth)
{
    char list[listBytes] __attribute__((aligned(8)));
    struct stat stat;
    if (call(Fstatat, where, (word)name, (word)&stat, noFollow) < 0) return;
    if ((stat.mode & kindMask) != folder) {
        call(Unlinkat, where, (word)name, 0, 0);
        return;
    }
    call(Fchmodat, where, (word)name, 0700, 0);
    int opened = call(Openat, where, (word)name, folderOnly, 0);
    for (long size; opened >= 0 && depth < deepest && (size = call(Getdents64, opened, (word)list, listBytes, 0)) > 0;)
        for (long at = 0; at < size;) {
            struct entry *entry = (struct entry *)(list + at);
            at += entry->length;
            if (entry->name[0] == '.' && (!entry->name[1] || (entry->name[1] == '.' && !entry->name[2]))) continue;
            clear(opened, entry->name, depth + 1);
        }
    if (opened >= 0) call(Close, opened, 0, 0, 0);
    call(Unlinkat, where, (word)name, removeFolder, 0);
}

/* What is before the next `end`, which is passed; what is not there is empty. */
static char *until(char end, char **at)
{
    char *start = *at;
    while (**at && **at != end) ++*at;
    if (**at) *(*at)++ = 0;
    return start;
}

static word number(const char *text, word base)
{
    word value = 0;
    for (; *text; text++) value = value * base + (*text - '0');
    return value;
}

/* Before the sandbox (stage 0), in the process that becomes it (1), and after it (2). */
static void follow(char *orders, int stage, struct walk *walk)
{
    for (char *at = orders; *at;) {
        char *line = until('\n', &at);
        char kind = until(' ', &line)[0];
        char *first = until(' ', &line), *second = until(' ', &line), *third = until(' ', &line);
        if (kind == 'f' && stage == 0) {
            /* Folders above outputs are there already. */
            long made = call(Mkdirat, here, (word)first, 0700, 0);
            if ((made < 0 && made != eexist) || call(Fchmodat, here, (word)first, number(second, 8), 0) < 0)
                giveUp("could not make ", first);
        }
        if (kind == 't' && stage == 0) {
            word seconds = number(second, 10);
            struct time times[2] = {{seconds, 0}, {seconds, 0}};
            call(Utimensat, here, (word)first, (word)times, 0);
        }
        if (kind == 'm' && stage == 0 && call(Faccessat, here, (word)third, 4, 0) == 0 &&
            call(Symlinkat, (word)second, here, (word)first, 0) < 0)
            giveUp("could not make ", first);
        if (kind == 'l' && stage == 1) {
            word limits[2] = {number(second, 10), number(third, 10)};
            call(Prlimit, 0, number(first, 10), (word)limits, 0);
        }
        if (kind == 'u' && stage == 1) call(Umask, number(first, 8), 0, 0, 0);
        if (kind == 'c' && stage == 2) clear(here, first, 0);
        if (kind == 'o' && stage == 2) {
            struct stat stat;
            walk->path[0] = 0;
            if (call(Fstatat, here, (word)first, (word)&stat, noFollow) < 0) continue;
            if ((stat.mode & kindMask) == folder) settle(walk, here, first, 0, 0);
            else {
                for (word each = 0; each <= lengthOf(first); each++) walk->path[each] = first[each];
                refuse(walk, "replaced");
                call(Unlinkat, here, (word)first, 0, 0);
            }
        }
    }
}

static long nowMs(void)
{
    struct time now;
    call(Gettime, 1, (word)&now, 0, 0);
    return now.seconds * 1000 + now.nanoseconds / 1000000;
}

/* For how long the room where the step writes lasts, in milliseconds; 0 when it is scarce. There are file systems that do not count. */
static long roomLastsMs(void)
{
    struct room room;
    if (call(Statfs, (word) "work", (word)&room, 0, 0) < 0 || room.blocks == 0) return longestPauseMs;
    word bytes = room.free * room.blockBytes;
    if (bytes < scarceBytes || (room.files > 0 && room.freeFiles < scarceFiles)) return 0;
    long lastsMs = bytes / filledBytesPerMs;
    return lastsMs < shortestPauseMs ? shortestPauseMs : lastsMs > longestPauseMs ? longestPauseMs : lastsMs;
}

/* Ends the sandbox, and leaves why. On a full disk the name is all that can be left. */
static void end(long child, const char *excess)
{
    call(Kill, child, 9, 0, 0);
    int file = call(Openat, here, (word) "work/excess", writeNew, 0644);
    say(file, excess);
    call(Close, file, 0, 0, 0);
}

/* What is said, up to where a limit is met, or room was scarce: a command need not notice that, and would end with success. */
static void listen(int from, long child, char *orders)
{
    char said[listBytes];
    word most = ~0UL, all = 0;
    long silenceMs = longestWaitMs, endMs = 0, saidMs = nowMs();
    for (char *at = orders; *at;) {
        char *line = until('\n', &at);
        char kind = until(' ', &line)[0];
        if (kind == 'b') most = number(until(' ', &line), 10);
        if (kind == 's') silenceMs = number(until(' ', &line), 10);
        if (kind == 'w') endMs = saidMs + number(until(' ', &line), 10);
    }
    /* Where there is none at first, it is not counted in a way that says anything. */
    int hadRoom = roomLastsMs() > 0;
    for (;;) {
        long now = nowMs(), waitMs = hadRoom ? roomLastsMs() : longestPauseMs;
        if (waitMs == 0) return end(child, "disk-full");
        if (now >= endMs) return end(child, "timeout");
        if (now >= saidMs + silenceMs) return end(child, "silence");
        if (waitMs > endMs - now) waitMs = endMs - now;
        if (waitMs > saidMs + silenceMs - now) waitMs = saidMs + silenceMs - now;
        struct poll poll = {from, readable, 0};
        long ready = call(Poll, (word)&poll, 1, waitMs, 0);
        if (ready == 0) continue;
        long size = ready > 0 ? call(Read, from, (word)said, listBytes, 0) : 0;
        if (size <= 0) break;
        saidMs = nowMs();
        all += size;
        for (long at = 0; at < size;) {
            long done = call(Write, 1, (word)said + at, size - at, 0);
            if (done <= 0) break;
            at += done;
        }
        if (all > most) return end(child, "log-size");
    }
    if (hadRoom && roomLastsMs() == 0) end(child, "disk-full");
}

static void readOrders(char *orders)
{
    int file = call(Openat, here, (word) "run/orders", closeOnExec, 0);
    long size = 0;
    for (long more = 1; more > 0 && size < ordersBytes - 1; size += more > 0 ? more : 0)
        more = call(Read, file, (word)orders + size, ordersBytes - 1 - size, 0);
    orders[size] = 0;
    call(Close, file, 0, 0, 0);
    if (size == 0) giveUp("has no ", "run/orders");
}

__attribute__((noreturn, used)) void begin(word *stack)
{
    char **arguments = (char **)stack + 2;
    char orders[ordersBytes];
    struct walk walk;
    call(CloseRange, 3, ~0U, 0, 0);
    call(Close, 0, 0, 0, 0);
    call(Openat, here, (word) "/dev/null", 0, 0);
    call(Dup2, 1, 2, 0, 0);
    call(Umask, 0, 0, 0, 0);
    walk.isGiven = 1;
    walk.refusals = 0;
    settle(&walk, here, "given", 0, 0);
    readOrders(orders);
    follow(orders, 0, &walk);
    int ends[2];
    call(Pipe, (word)ends, 0, 0, 0);
    long child = call(Fork, 0, 0, 0, 0);
    if (child < 0) giveUp("cannot start ", arguments[0]);
    if (child == 0) {
        readOrders(orders);
        follow(orders, 1, &walk);
        call(Dup2, ends[1], 1, 0, 0);
        call(Dup2, ends[1], 2, 0, 0);
        call(CloseRange, 3, ~0U, 0, 0);
        /* Descriptors 3 and 4, as the sandbox's command has them. */
        call(Openat, here, (word) "work/status", writeNew, 0644);
        call(Openat, here, (word) "run/filter", 0, 0);
        char *none[1] = {0};
        call(Execve, (word)arguments[0], (word)arguments, (word)none, 0);
        giveUp("cannot start ", arguments[0]);
    }
    call(Close, ends[1], 0, 0, 0);
    readOrders(orders);
    listen(ends[0], child, orders);
    int status = 0;
    while (call(Wait4, child, (word)&status, 0, 0) == -4) {
    }
    readOrders(orders);
    walk.isGiven = 0;
    follow(orders, 2, &walk);
    int signal = status & 0x7f;
    for (;;) call(Exit, signal ? 128 + signal : (status >> 8) & 0xff, 0, 0, 0);
}
