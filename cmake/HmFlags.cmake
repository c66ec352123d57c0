# hm_flags: the compile and link flags of all our own code, and of nothing else.
include(CheckCCompilerFlag)
option(HM_WERROR "Treat warnings as errors" OFF)
add_library(hm_flags INTERFACE)
target_compile_definitions(hm_flags INTERFACE _GNU_SOURCE HM_VERSION="${PROJECT_VERSION}")
target_compile_options(hm_flags INTERFACE -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes)
