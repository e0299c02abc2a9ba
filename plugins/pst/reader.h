/*
 * reader: the scan's stream as libbfio's handle, from which libpff reads; reader.c is the one file that knows
 * libbfio here.
 */
#ifndef KVALI_PST_READER_H
#define KVALI_PST_READER_H

#include "engine/plugin.h"

struct pst_reader;

/* -ENOMEM. The scan must outlive it. */
int pst_reader_open(struct scan *scan, struct pst_reader **ret_reader);
/* The handle, a libbfio_handle_t; the reader's. */
intptr_t *pst_reader_handle(struct pst_reader *reader);
/* More was read than any sound store needs: what is asked for now cannot be read. */
bool pst_reader_is_spent(const struct pst_reader *reader);
/* NULL is allowed. Whatever uses the handle is closed before. */
void pst_reader_close(struct pst_reader *reader);

#endif
