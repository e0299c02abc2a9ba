/*
 * link: what follows from findings that were made apart: which live files lie in a deleted file's blocks, whether a
 * recovered object has the content of a file, or is a part of another object. All of it is derived, and made anew at the
 * end of a run; the findings' digest leaves it out.
 */
#ifndef KVALI_CASES_LINK_H
#define KVALI_CASES_LINK_H

#include "cases/casefile.h"

/* Empties them: what follows from findings is not known while these change, or when a run was interrupted. */
int link_forget(struct casefile *cf);
/* Remakes t_deleted, t_overwritten and t_carved in one transaction. -ENOSPC, -EIO ..., `why` says. */
int link_findings(struct casefile *cf, struct why *why);

#endif
