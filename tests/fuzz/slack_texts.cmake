hm_fuzz_target(request NEEDS hm_slack MAX_LEN 4096)
hm_fuzz_target(blocks NEEDS hm_slack SOURCES ../support/block_limits.c MAX_LEN 4096)
target_include_directories(fuzz_blocks PRIVATE "${PROJECT_SOURCE_DIR}/tests")
