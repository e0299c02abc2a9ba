/*
 * windows: the parts of a content in which some strings may match. libyara searches these alone; its
 * conditions and modules see the whole content.
 *
 * Nothing is lost, and nothing is found that is not there: each literal of a string (literals.h) that stands
 * in the content has a window so wide that a match with it ends within, with what stands around it.
 */
#ifndef KVALI_PLUGINS_YARA_WINDOWS_H
#define KVALI_PLUGINS_YARA_WINDOWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <yara.h>

struct window {
    uint64_t begin, end;
};

/* Sorted, apart from each other. All zero: none. Used again for every content. */
struct windows {
    struct window *items;
    size_t count, capacity;
};

void windows_finish(struct windows *windows);
void windows_clear(struct windows *windows);
/* -ENOMEM. */
int windows_add(struct windows *windows, uint64_t begin, uint64_t end);
/* When all are added. */
void windows_merge(struct windows *windows);
/* yr_scanner_scan_mem, the search only in the windows. */
int windows_scan(const struct windows *windows, YR_SCANNER *scanner, const uint8_t *data, size_t size);

#endif
