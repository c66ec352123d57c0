/* What every unit test includes: cmocka with the headers that it wants before itself. */
#ifndef HM_TESTS_UNIT_H
#define HM_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif
