/*
 * secret: a passphrase or PIN, from a file or from the terminal without showing it. Never from the command
 * line, where everybody on the machine can read it.
 */
#ifndef KVALI_CLI_SECRET_H
#define KVALI_CLI_SECRET_H

#include "engine/base/why.h"

/* Asks on the terminal; malloc'ed, or NULL when there is none. `what`: what it is for. */
char *secret_ask(const char *what);
/* The first line of a file; malloc'ed. */
int secret_read(const char *path, char **ret_secret, struct why *why);
/* Overwrites and frees; NULL allowed. */
void secret_free(char *secret);

#endif
