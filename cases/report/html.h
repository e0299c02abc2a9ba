/*
 * html: writes HTML into a buffer so that nothing gets in unescaped.
 *
 * Mark-up goes in as string literals only (html_raw takes nothing else); every value goes through one of the
 * other functions, which escape for element content and for quoted attribute values alike: & < > " ' become
 * references, and controls, bidi controls and invalid UTF-8 become visible \xNN (safe.h).
 */
#ifndef KVALI_CASES_REPORT_HTML_H
#define KVALI_CASES_REPORT_HTML_H

#include "cases/report/report_labels.h"
#include "cases/report/report_terms.h"
#include "engine/base/buf.h"

#include <stdbool.h>
#include <stdint.h>

struct report_files;

/* Labels, times and sizes are written in every language, one beside the other; the page shows those of the language that is
 * chosen in it (style.css). `lang` is the one that is chosen at first. */
struct html {
    struct buf *buf; /* borrowed; its sticky error is the writer's */
    enum report_lang lang;
    size_t columns;                   /* of the table that is being written, where that is needed */
    bool single;                      /* in `lang` only: where mark-up may not stand */
    const struct report_files *files; /* borrowed; NULL: not gathered */
};

/* A literal that is right HTML by itself. */
#define html_raw(html, literal) buf_append((html)->buf, "" literal "", sizeof(literal) - 1)

/* Our own or anybody's text. NULL is nothing. */
void html_text(struct html *html, const char *text);
/* Text from evidence: set apart from its surroundings (<bdi>), in the monospaced face, cut in the middle when
 * very long. */
void html_evidence(struct html *html, const char *text);
enum { HTML_EVIDENCE_MAX = 360 }; /* bytes */

/* Bytes as base64 [RFC 4648, section 4], for a data: URI. */
void html_base64(struct html *html, const uint8_t *data, size_t size);

void html_number(struct html *html, uint64_t number);
/* "1.5 GiB"; `html_bytes` the exact number too: "1.5 GiB (1 610 612 736 bytes)". */
void html_size(struct html *html, uint64_t size);
void html_bytes(struct html *html, uint64_t size);
/* 2026-01-31 23:59:59 UTC, in the language's form; html_when_both adds Tbilisi time in a second line. Nothing for WHEN_NONE. */
void html_when(struct html *html, int64_t when);
void html_when_both(struct html *html, int64_t when);

void html_label(struct html *html, enum report_label label);
/* A label with its {1} {2} {3} replaced; NULL for those it does not have. */
void html_say(struct html *html, enum report_label label, const char *one, const char *two,
              const char *three);
/* The same with numbers. */
void html_say_numbers(struct html *html, enum report_label label, uint64_t one, uint64_t two);

/* What was put into words already, in each language; once when they are the same. */
void html_words(struct html *html, const char *const texts[REPORT_LANGS]);
/* A word of the case that is ours (report_terms.h). */
void html_term(struct html *html, enum report_term group, const char *word);

/* Cells: <td>…</td>. */
void html_cell_term(struct html *html, enum report_term group, const char *word);
void html_cell(struct html *html, const char *text);
void html_cell_evidence(struct html *html, const char *text);
void html_cell_number(struct html *html, uint64_t number); /* zero in a quiet colour */
void html_cell_size(struct html *html, uint64_t size);
void html_head(struct html *html, enum report_label label);        /* <th scope=col> */
void html_head_number(struct html *html, enum report_label label); /* the same, right-aligned */

#endif
