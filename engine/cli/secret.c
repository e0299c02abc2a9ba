/* secret: see secret.h. */
#include "engine/cli/secret.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

enum { SECRET_MAX = 500 };

static char *take_line(FILE *file)
{
    char line[SECRET_MAX + 2];
    if (!fgets(line, sizeof line, file))
        return NULL;
    line[strcspn(line, "\r\n")] = 0;
    char *copy = strdup(line);
    explicit_bzero(line, sizeof line);
    return copy;
}

char *secret_ask(const char *what)
{
    struct termios before, silent;
    FILE *terminal = fopen("/dev/tty", "r+e");
    if (!terminal)
        return NULL;
    setbuf(terminal, NULL);
    bool is_silent = tcgetattr(fileno(terminal), &before) == 0;
    if (is_silent) {
        silent = before;
        silent.c_lflag &= ~(tcflag_t)ECHO;
        (void)tcsetattr(fileno(terminal), TCSAFLUSH, &silent);
    }
    fprintf(terminal, "Passphrase for %s: ", what);
    char *secret = take_line(terminal);
    fputc('\n', terminal);
    if (is_silent)
        (void)tcsetattr(fileno(terminal), TCSAFLUSH, &before);
    fclose(terminal);
    return secret;
}

int secret_read(const char *path, char **ret_secret, struct why *why)
{
    FILE *file = fopen(path, "re");
    if (!file)
        return why_set(why, -errno, "%s: %s", path, strerror(errno));
    char *secret = take_line(file);
    fclose(file);
    if (!secret)
        return why_set(why, -ENODATA, "%s: it is empty", path);
    *ret_secret = secret;
    return 0;
}

void secret_free(char *secret)
{
    if (secret)
        explicit_bzero(secret, strlen(secret));
    free(secret);
}
