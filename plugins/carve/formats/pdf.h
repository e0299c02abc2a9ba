/*
 * pdf: what the examiner of PDF has found so far: shared by its walk over the file (pdf.c) and its check of
 * the cross-reference sections against that (pdf_xref.c).
 */
#ifndef KVALI_PLUGINS_CARVE_FORMATS_PDF_H
#define KVALI_PLUGINS_CARVE_FORMATS_PDF_H

#include "plugins/carve/formats/pdf_lex.h"

/* `number generation obj` */
struct pdf_object {
    uint64_t offset;
    uint32_t number, generation;
};

/* A cross-reference table with its trailer, or a cross-reference stream. */
struct pdf_section {
    uint64_t offset, prev; /* prev: 0 when it names none */
    bool is_stream, encrypted;
};

struct pdf {
    struct reader *reader;
    struct pdf_lex lex;
    struct pdf_dict dict;       /* of what was gone over last */
    struct pdf_object *objects; /* by offset */
    size_t object_count, object_room;
    struct pdf_section *sections; /* by offset */
    size_t section_count, section_room;
    uint64_t good;      /* everything before it was well-formed */
    uint64_t end;       /* behind the last %%EOF that belongs to the document; 0: none yet */
    uint64_t item;      /* where what was gone over last begins */
    size_t newest;      /* the section that this one names */
    uint64_t doubt;     /* where the first stream begins whose end is not where its length says; 0: none */
    bool loose;         /* something was missing that readers forgive */
    bool foreign;          /* behind the last end, one of another document was met */
    bool broken_stream; /* one does not inflate */
};

/* The object that begins at `offset`, or up to two bytes of white space behind it; NULL. */
const struct pdf_object *pdf_object_at(const struct pdf *pdf, uint64_t offset);
/* The section at `offset`, with the same freedom; NULL. */
const struct pdf_section *pdf_section_at(const struct pdf *pdf, uint64_t offset);

/* At `xref`: goes over the table and its trailer, whose dictionary is then in pdf->dict. With `check` counts
 * the entries in use, and those at whose offset their object does not stand. False: it is no table. */
bool pdf_table(struct pdf *pdf, bool check, uint64_t *ret_used, uint64_t *ret_wrong);
/* Counts the same for any section; false when it cannot be read. */
bool pdf_check(struct pdf *pdf, const struct pdf_section *section, uint64_t *ret_used, uint64_t *ret_wrong);

/* At `number generation obj`: goes over the object's text, which is then in pdf->dict. */
enum pdf_end pdf_object_text(struct pdf *pdf, struct pdf_object *ret);

#endif
