/*
 * crashpoint: named moments at which a test can have the process killed: KVALI_CRASH_AT="name:n" kills it
 * with SIGKILL at the n-th passage of that point (from 1). Without the variable a passage costs one
 * comparison.
 */
#ifndef KVALI_CASES_CRASHPOINT_H
#define KVALI_CASES_CRASHPOINT_H

void crash_point(const char *name);

#endif
