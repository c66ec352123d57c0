# hm_flags: the compile and link flags of all our own code, and of nothing else. Linked PRIVATE by hm_room() and by every
# program, so that no library's headers or users inherit them.
#
# Each flag is tried on the compiler at hand and dropped when it is not known there: gcc 12 takes the whole list, clang 14 a
# subset. The presets (CMakePresets.json) are the usual way to set the options below.
include(CheckCCompilerFlag)
include(CheckLinkerFlag)

option(HM_WERROR "Treat warnings as errors" OFF)
option(HM_HARDEN "Compile and link with the hardening flags" ON)
option(HM_SANITIZE "AddressSanitizer, LeakSanitizer and UndefinedBehaviorSanitizer" OFF)
option(HM_COVERAGE "Count which lines and branches ran (gcov)" OFF)
option(HM_ANALYZER "gcc's -fanalyzer" OFF)
option(HM_FUZZ "Build the fuzz targets with libFuzzer (clang); otherwise they only replay their corpus" OFF)
option(HM_VALGRIND "Run the unit tests under valgrind" OFF)

if(HM_FUZZ AND NOT CMAKE_C_COMPILER_ID MATCHES "Clang")
    message(FATAL_ERROR "HM_FUZZ needs clang (Debian: clang and libclang-rt-14-dev); use: cmake --preset fuzz")
endif()
if(HM_ANALYZER AND NOT CMAKE_C_COMPILER_ID STREQUAL "GNU")
    message(FATAL_ERROR "HM_ANALYZER needs gcc")
endif()

add_library(hm_flags INTERFACE)
target_compile_definitions(hm_flags INTERFACE _GNU_SOURCE HM_VERSION="${PROJECT_VERSION}")

# Adds each compile flag that the compiler takes without a murmur.
function(hm_add_flags)
    foreach(flag IN LISTS ARGN)
        string(MAKE_C_IDENTIFIER "HM_HAS${flag}" known)
        set(CMAKE_REQUIRED_QUIET ON)
        set(CMAKE_REQUIRED_FLAGS "-Wall -Werror") # -Wall: some flags are refused without the group they belong to
        check_c_compiler_flag("${flag}" ${known})
        if(${known})
            target_compile_options(hm_flags INTERFACE "${flag}")
        endif()
    endforeach()
endfunction()

function(hm_add_link_flags)
    foreach(flag IN LISTS ARGN)
        string(MAKE_C_IDENTIFIER "HM_LINKS${flag}" known)
        set(CMAKE_REQUIRED_QUIET ON)
        check_linker_flag(C "${flag}" ${known})
        if(${known})
            target_link_options(hm_flags INTERFACE "${flag}")
        endif()
    endforeach()
endfunction()

# --- Warnings -------------------------------------------------------------------------------------------------------------
hm_add_flags(
    -Wall -Wextra -Wpedantic -Wshadow
    -Wconversion -Wsign-conversion -Warith-conversion -Wenum-conversion -Wdouble-promotion -Wfloat-equal
    -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wmissing-declarations -Wredundant-decls -Wnested-externs
    -Wformat=2 -Wformat-signedness
    -Wcast-qual -Wcast-align=strict -Wpointer-arith -Wwrite-strings -Wbad-function-cast
    -Wundef -Wunused-macros -Wdate-time
    -Wvla -Walloca -Walloc-zero -Wtrampolines
    -Wswitch-enum -Wimplicit-fallthrough=5 -Wjump-misses-init
    -Wlogical-op -Wduplicated-cond -Wduplicated-branches
    -Wcomma)

# These follow the data flow. Sanitizers rewrite that flow, and gcc then warns about code nobody wrote; the dev and release
# presets have them on.
if(NOT HM_SANITIZE AND NOT HM_FUZZ)
    hm_add_flags(-Wnull-dereference -Wformat-overflow=2 -Wformat-truncation=1 -Wstringop-overflow=4 -Wuse-after-free=3)
else()
    hm_add_flags(-Wno-maybe-uninitialized -Wno-format-truncation -Wno-format-overflow -Wno-stringop-overflow)
endif()

# Never C, whatever HM_WERROR says.
hm_add_flags(
    -Werror=implicit-function-declaration -Werror=incompatible-pointer-types -Werror=int-conversion -Werror=return-type
    -Werror=format-security)

if(HM_WERROR)
    hm_add_flags(-Werror)
endif()

# --- Hardening ------------------------------------------------------------------------------------------------------------
if(HM_HARDEN)
    hm_add_flags(
        -fPIE -fstack-protector-strong -fstack-clash-protection -fcf-protection=full
        -ftrivial-auto-var-init=zero -fstrict-flex-arrays=3
        -fno-delete-null-pointer-checks -fno-strict-overflow)
    hm_add_link_flags(-pie -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,--as-needed)
    # Needs an optimising build, and hides from the sanitizers what they should see.
    if(NOT HM_SANITIZE AND NOT HM_FUZZ)
        target_compile_options(hm_flags INTERFACE
            "$<$<CONFIG:Release,RelWithDebInfo,MinSizeRel>:-U_FORTIFY_SOURCE;-D_FORTIFY_SOURCE=3>")
    endif()
endif()

# --- No path of the building machine in what we ship: not in __FILE__, not in the debug information ------------------------
# Coverage is left alone, gcov has to find the sources again.
if(NOT HM_COVERAGE)
    target_compile_options(hm_flags INTERFACE
        "-ffile-prefix-map=${PROJECT_BINARY_DIR}=build" "-ffile-prefix-map=${PROJECT_SOURCE_DIR}/=")
endif()

# --- Kinds of build -------------------------------------------------------------------------------------------------------
# Debug with -O1: half of the warnings above need the optimiser to see anything.
if(NOT HM_ANALYZER AND NOT HM_COVERAGE)
    target_compile_options(hm_flags INTERFACE "$<$<CONFIG:Debug>:-O1>")
endif()
hm_add_flags(-fno-omit-frame-pointer)

if(HM_SANITIZE OR HM_FUZZ)
    set(hm_sanitizers -fsanitize=address,undefined -fno-sanitize-recover=all)
    target_compile_options(hm_flags INTERFACE ${hm_sanitizers})
    target_link_options(hm_flags INTERFACE ${hm_sanitizers})
endif()
if(HM_FUZZ)
    target_compile_options(hm_flags INTERFACE -fsanitize=fuzzer-no-link)
    target_link_options(hm_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(HM_COVERAGE)
    target_compile_options(hm_flags INTERFACE --coverage -O0 -fprofile-update=atomic)
    target_link_options(hm_flags INTERFACE --coverage)
endif()
if(HM_ANALYZER)
    target_compile_options(hm_flags INTERFACE -fanalyzer)
endif()

# hm_test_flags: the same for programs that use cmocka, whose assert macros cast every result they are given. The relaxation is a
# target of its own because only what is linked later comes later on the command line.
add_library(hm_cmocka_flags INTERFACE)
target_compile_options(hm_cmocka_flags INTERFACE -Wno-bad-function-cast)
add_library(hm_test_flags INTERFACE)
target_link_libraries(hm_test_flags INTERFACE hm_flags hm_cmocka_flags)
