/*
 * kept: the rule files that explain a case's findings, kept in the case.
 */
#ifndef KVALI_CASES_KEPT_H
#define KVALI_CASES_KEPT_H

#include "cases/casefile.h"
#include "engine/base/buf.h"
#include "engine/base/why.h"

#include <stdint.h>

/* Copies each file of YARA rules that a finding of the case names to <case>/rules/<SHA-256>.yar, once, and
 * says so in the ledger. `list` has the files and folders as run `run` had them, ':' between. A file that is
 * not there any more or is not what the run loaded is not copied: the case then knows its SHA-256 alone. 0,
 * -ENOSPC and the like. */
int kept_rules(struct casefile *cf, uint64_t run, const char *list, struct why *why);

/* Appends lines `first` to `last` (from 1) of the kept file to `ret`. -ENOENT: it was not kept. -EUCLEAN: it
 * is not what its name says. */
int kept_lines(const struct casefile *cf, const char *sha256, uint64_t first, uint64_t last, struct buf *ret);

#endif
