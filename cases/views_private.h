/* views_private: parts of views_make in files of their own. */
#ifndef KVALI_CASES_VIEWS_PRIVATE_H
#define KVALI_CASES_VIEWS_PRIVATE_H

#include "cases/db.h"
#include "cases/names.h"

/* feature, histogram, histogram_exhibit, shared_feature: empty while no run had the plugin features. */
int views_feature(struct db *db);

#endif
