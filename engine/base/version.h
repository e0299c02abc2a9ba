/*
 * version: kvali's own version. version.c is made from version.c.in with the git commit.
 */
#ifndef KVALI_BASE_VERSION_H
#define KVALI_BASE_VERSION_H

const char *kvali_version(void); /* "0.1.0" */
const char *kvali_commit(void);  /* "1a2b3c4", "1a2b3c4-dirty", or "unknown" outside a checkout */

#endif
