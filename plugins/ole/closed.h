/*
 * closed: how Office documents say that they are encrypted. [MS-OFFCRYPTO 2.3; MS-XLS 2.4.117; MS-DOC 2.5.2;
 * MS-PPT 2.3.2]
 *
 * Each takes the beginning of one stream of the compound file and writes the method in words into `ret`,
 * CLOSED_SIZE bytes; false: it does not say that it is encrypted.
 */
#ifndef KVALI_OLE_CLOSED_H
#define KVALI_OLE_CLOSED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CLOSED_SIZE = 128, CLOSED_HEAD = 8192 };

/* EncryptionInfo of an OOXML document: agile, standard, extensible. */
bool closed_package(const uint8_t *data, size_t size, char ret[CLOSED_SIZE]);
/* Workbook or Book: the record FilePass. */
bool closed_workbook(const uint8_t *data, size_t size, char ret[CLOSED_SIZE]);
/* WordDocument, and the table stream that it names ("0Table", "1Table"), which may be empty. */
bool closed_document(const uint8_t *data, size_t size, const uint8_t *table, size_t table_size,
                     char ret[CLOSED_SIZE]);
const char *closed_document_table(const uint8_t *data, size_t size);
/* Current User of a presentation. */
bool closed_presentation(const uint8_t *data, size_t size, char ret[CLOSED_SIZE]);

#endif
