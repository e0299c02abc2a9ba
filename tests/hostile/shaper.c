/*
 * shaper: a library that shapes text and has been taken over: loaded in front of pango (LD_PRELOAD), it does
 * what KVALI_SHAPER says when the first text is laid out, and prints REACHED when that was possible. For
 * tests of the process that makes PDFs.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

void pango_layout_set_text(void *layout, const char *text, int length);

static void reached(void)
{
    static const char word[] = "REACHED\n";
    if (write(STDERR_FILENO, word, sizeof word - 1) < 0)
        _exit(99);
}

static void attack(const char *what, const char *path)
{
    if (!strcmp(what, "crash"))
        *(volatile int *)0 = 0;
    if (!strcmp(what, "write") && open(path, O_RDWR) >= 0)
        reached();
    if (!strcmp(what, "read") && open(path, O_RDONLY) >= 0)
        reached();
    if (!strcmp(what, "remove") && unlink(path) == 0)
        reached();
    if (!strcmp(what, "exec"))
        execl("/bin/echo", "echo", "REACHED", (char *)NULL);
    if (!strcmp(what, "fork") && fork() >= 0)
        reached();
    if (!strcmp(what, "connect") && socket(AF_INET, SOCK_STREAM, 0) >= 0)
        reached();
    if (!strcmp(what, "signal") && kill(getppid(), SIGTERM) == 0)
        reached();
    struct stat st; /* the path is the number of a file of the case here; fonts may be open */
    for (int fd = 0; fd < 64 && !strcmp(what, "descriptors"); fd++)
        if (fstat(fd, &st) == 0 && st.st_ino == strtoull(path, NULL, 10))
            reached();
}

void pango_layout_set_text(void *layout, const char *text, int length)
{
    static void (*real)(void *, const char *, int);
    const char *what = getenv("KVALI_SHAPER"), *path = getenv("KVALI_SHAPER_PATH");
    if (!real && what) {
        *(void **)&real = dlsym(RTLD_NEXT, "pango_layout_set_text");
        attack(what, path ? path : "/nothing");
    }
    if (real)
        real(layout, text, length);
}
