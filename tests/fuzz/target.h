/* What every fuzz target defines (libFuzzer's entry point): takes any bytes, returns 0, must not crash, leak or hang. */
#ifndef HM_TESTS_FUZZ_TARGET_H
#define HM_TESTS_FUZZ_TARGET_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size); /* NOLINT(readability-identifier-naming): libFuzzer's name */

#endif
