/*
 * owner: names for the owners of files.
 *
 * Accounts other than these have names only in files of the system that they belong to, which nobody looks up
 * here. [Microsoft, "Well-known SIDs", learn.microsoft.com/windows/win32/secauthz/well-known-sids]
 */
#ifndef KVALI_EVIDENCE_OWNER_H
#define KVALI_EVIDENCE_OWNER_H

#include <stddef.h>
#include <stdint.h>

/* "root", or the number. */
void owner_of_user(uint32_t uid, char *ret, size_t size);
/* The name of a SID that is the same everywhere, "NT AUTHORITY\\SYSTEM", or the SID itself, escaped. */
void owner_of_sid(const char *sid, char *ret, size_t size);

#endif
