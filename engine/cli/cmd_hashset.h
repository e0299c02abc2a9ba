/*
 * cmd_hashset: what the files of `kvali hashset` share. Each verb is a function that takes what follows the
 * verb and returns an exit code.
 */
#ifndef KVALI_CLI_CMD_HASHSET_H
#define KVALI_CLI_CMD_HASHSET_H

#include "engine/base/buf.h"
#include "engine/cli/cli.h"
#include "engine/hashset/hashset.h"

/* The folder of sets, as --hashsets or the environment says. Static until the next call. */
const char *hashset_folder(const struct options *options);
/* Opens a set by name or path; on failure tells why and sets *ret_exit. */
int hashset_open_named(const struct options *options, const char *named, struct hashset **ret_set,
                       int *ret_exit);
/* --kind, HASHSET_KNOWN when it is not given. 0 for a word that is none, and the error is told. */
int hashset_kind_option(const struct options *options, enum hashset_kind *ret_kind, int *ret_exit);

int hashset_import(const struct options *options, char **args, size_t count);
int hashset_lookup(const struct options *options, char **args, size_t count);
int hashset_export(const struct options *options, char **args, size_t count);
int hashset_from_case(const struct options *options, char **args, size_t count);
int hashset_same(const struct options *options, char **args, size_t count);

#endif
