/*
 * serve: loaded in front of libc (LD_PRELOAD), makes of a program a server of its own commands: it is loaded
 * and linked once, and each command is a fork that goes on into the program's main. A campaign that runs
 * `kvali verify` twenty thousand times saves what the dynamic linker does each time, two thirds of the whole;
 * everything else is the program as it is built.
 *
 *   KVALI_SERVE  a stream socket. A request: its size as 32 bits little endian, then texts that each end with
 * a zero: the file that takes what the command says, how many words it has, the words, and NAME=VALUE for its
 *                environment. The answer: the process's number, 32 bits; then, when it has ended, its wait
 * status, 32 bits.
 *
 * Where KVALI_SERVE is not set it does nothing. The socket's end ends the server.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

typedef int main_function(int, char **, char **);
typedef int start_function(main_function *, int, char **, void (*)(void), void (*)(void), void (*)(void),
                           void *);

enum { REQUEST_MAX = 1 << 20, WORDS_MAX = 200 };
static main_function *real_main;
static char request[REQUEST_MAX + 1];

static bool take(int fd, void *data, size_t size)
{
    return recv(fd, data, size, MSG_WAITALL) == (ssize_t)size;
}

static bool answer(int fd, uint32_t word)
{
    return send(fd, &word, sizeof word, MSG_NOSIGNAL) == (ssize_t)sizeof word;
}

static char *next_text(char **at, const char *end)
{
    char *text = *at;
    if (text >= end)
        return NULL;
    *at += strlen(text) + 1;
    return text;
}

static bool put_output(const char *path)
{
    int out = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600), in = open("/dev/null", O_RDONLY);
    bool good = out >= 0 && in >= 0 && dup2(in, 0) == 0 && dup2(out, 1) == 1 && dup2(out, 2) == 2;
    (void)close(out);
    (void)close(in);
    return good;
}

/* In the fork: what the program's own main is to be called with. */
static int be_the_command(int fd, size_t size)
{
    char *at = request, *words[WORDS_MAX + 1] = {NULL}, *text;
    const char *out = next_text(&at, request + size), *number = next_text(&at, request + size);
    int count = number ? atoi(number) : 0;
    (void)close(fd);
    if (count < 1 || count > WORDS_MAX || !put_output(out))
        return 125;
    for (int i = 0; i < count; i++)
        if ((words[i] = next_text(&at, request + size)) == NULL)
            return 125;
    while ((text = next_text(&at, request + size)) != NULL)
        if (putenv(text))
            return 125;
    return real_main(count, words, environ);
}

static int serve(int argc, char **argv, char **environment)
{
    const char *socket_text = getenv("KVALI_SERVE");
    uint32_t size;
    if (!socket_text)
        return real_main(argc, argv, environment);
    int fd = atoi(socket_text);
    unsetenv("KVALI_SERVE");
    unsetenv("LD_PRELOAD"); /* what a command starts is as it is */
    while (take(fd, &size, sizeof size) && size <= REQUEST_MAX && take(fd, request, size)) {
        int status = 0;
        request[size] = 0;
        pid_t pid = fork();
        if (pid == 0)
            return be_the_command(fd, size);
        if (pid < 0 || !answer(fd, (uint32_t)pid) || waitpid(pid, &status, 0) != pid ||
            !answer(fd, (uint32_t)status))
            return 1;
    }
    return 0;
}

/* The C library's own entry, which each program calls with its main. */
int __libc_start_main(main_function *program_main, int argc, char **argv, void (*init)(void),
                      void (*fini)(void), void (*rtld_fini)(void), void *stack_end);
int __libc_start_main(main_function *program_main, int argc, char **argv, void (*init)(void),
                      void (*fini)(void), void (*rtld_fini)(void), void *stack_end)
{
    start_function *start;
    void *symbol = dlsym(RTLD_NEXT, "__libc_start_main");
    memcpy(&start, &symbol, sizeof start);
    real_main = program_main;
    return start(serve, argc, argv, init, fini, rtld_fini, stack_end);
}
