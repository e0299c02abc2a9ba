/*
 * pdf_child: makes the pages of a document in a process of its own, so that a fault of what shapes text
 * (pango, HarfBuzz, FreeType, cairo) cannot reach the case: that process has no descriptor but the one it
 * writes the document to, no memory that others see, may open files for reading only (where the kernel has
 * Landlock: fonts and their settings only), and may not run programs, reach the network, send signals, or
 * change a file. What comes back is bytes, which are written and hashed as they are.
 */
#ifndef KVALI_CASES_REPORT_PDF_CHILD_H
#define KVALI_CASES_REPORT_PDF_CHILD_H

#include "cases/report/pdf_script.h"
#include "engine/base/why.h"

/* Waits for the document's end. -ENOENT: no font with Georgian letters; -ECHILD: the process died, and `why`
 * says of what. */
int pdf_child_make(const struct pdf *pdf, const struct pdf_about *about, struct report_out *out,
                   struct why *why);

#endif
