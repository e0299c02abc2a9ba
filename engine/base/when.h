/*
 * when: every time format that evidence stores, as nanoseconds since 1970-01-01T00:00:00Z.
 *
 * A time is one int64_t, WHEN_NONE where there is none. int64_t nanoseconds reach from 1677-09-21 to
 * 2262-04-11; a stored time outside of that becomes the nearest that fits, and the raw value that stands
 * beside it says which it was.
 */
#ifndef KVALI_BASE_WHEN_H
#define KVALI_BASE_WHEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WHEN_NONE      INT64_MIN /* in a nanosecond field: no time is stored */
#define WHEN_TEXT_SIZE 40        /* room for any when_format */

/* Seconds and nanoseconds since 1970 as one number; clamped to what int64_t holds (never WHEN_NONE). */
int64_t when_from_unix(int64_t seconds, uint32_t nanoseconds);
/* Windows FILETIME, 100 ns since 1601-01-01 [MS-DTYP 2.3.3]; 0 is WHEN_NONE. */
int64_t when_from_filetime(uint64_t filetime);
/* FAT date and time words [Microsoft FAT specification 1.03, section 6]; `tenths` are the 10 ms units of the
 * creation time (0-199). Taken as if it were UTC: FAT stores local time and no zone. WHEN_NONE for date 0 or
 * an impossible date or time of day; `tenths` above 199 count as 0. */
int64_t when_from_dos(uint16_t date, uint16_t time, uint8_t tenths);
/* HFS+ seconds since 1904-01-01 UTC [Apple TN1150]; 0 is WHEN_NONE. */
int64_t when_from_hfs(uint32_t seconds);
/* ext4 seconds and "extra" word: 32-bit signed seconds, 2 epoch bits, 30 bits of nanoseconds
 * [kernel Documentation/filesystems/ext4/inodes.rst, "Inode Timestamps"]. */
int64_t when_from_ext4(uint32_t seconds, uint32_t extra);

/* RFC 3339 in UTC: 2026-01-31T23:59:59Z, with 3, 6 or 9 digits of the second when they are not zero. "" for
 * WHEN_NONE. `ret` holds at least WHEN_TEXT_SIZE bytes. Returns ret. */
const char *when_format(int64_t when, char *ret);
/* Always with milliseconds: 2026-01-31T23:59:59.000Z (the ledger's form). */
const char *when_format_ms(int64_t when, char *ret);
/* Reads RFC 3339 (a space may stand for the T; digits behind the ninth are cut off), or a date alone
 * (midnight UTC). A time out of range becomes the nearest that fits. False when `text` is not that. */
bool when_parse(const char *text, int64_t *ret_when);

/* The wall clock, and a clock that never goes back (for rates and deadlines). Nanoseconds. */
int64_t when_now(void);
int64_t when_monotonic(void);

#endif
