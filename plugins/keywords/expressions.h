/*
 * expressions: the regular expressions among the keywords, as one Hyperscan database over bytes. It says only
 * where hits may end.
 */
#ifndef KVALI_KEYWORDS_EXPRESSIONS_H
#define KVALI_KEYWORDS_EXPRESSIONS_H

#include "plugins/keywords/program.h"

struct expressions;

int expressions_new(struct expressions **ret_expressions);
void expressions_free(struct expressions *expressions);
/* -EINVAL and `why`: Hyperscan does not take it. */
int expressions_add(struct expressions *expressions, uint32_t pattern, const struct program *program,
                    const struct writing *writing, struct why *why);
/* Forgets patterns from this number on. */
void expressions_drop(struct expressions *expressions, uint32_t pattern);
int expressions_compile(struct expressions *expressions, struct why *why);

typedef void expressions_found(void *context, uint32_t pattern, size_t end);
int expressions_search(const struct expressions *expressions, const uint8_t *data, size_t size,
                       expressions_found *found, void *context);

#endif
