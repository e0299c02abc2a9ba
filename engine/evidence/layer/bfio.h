/*
 * bfio: a reader as libyal's libraries want it (libbfio), and their errors in our words. For this folder's
 * files that call these libraries.
 */
#ifndef KVALI_EVIDENCE_LAYER_BFIO_H
#define KVALI_EVIDENCE_LAYER_BFIO_H

#include "engine/evidence/layer/layer.h"

#include <libbfio.h>

/* `reader` is borrowed until the handle is freed (bfio_free). NULL: no memory. */
libbfio_handle_t *bfio_new(const struct reader *reader);
/* The same of a libbfio of one's own (layer_shadow.c), with its libbfio_handle_initialize. To be freed by that one. */
typedef __typeof__(libbfio_handle_initialize) bfio_initialize;
libbfio_handle_t *bfio_make(const struct reader *reader, bfio_initialize *initialize);
void bfio_free(libbfio_handle_t *handle);

/* Frees a library's error and sets `why`: "<what>: <its words>". Returns code. All of libyal's errors are of
 * one type (libcerror), whatever their names. */
int bfio_fail(struct why *why, int code, const char *what, intptr_t **error);
/* Frees an error without a word. */
void bfio_forget(intptr_t **error);

/* A GUID as Windows writes it [MS-DTYP 2.3.4.3]. */
enum { BFIO_GUID_SIZE = 37 };
void bfio_guid(const uint8_t id[16], char ret[BFIO_GUID_SIZE]);

void bfio_warm(void);

#endif
