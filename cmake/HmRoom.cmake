# hm_room(<name> SOURCES <file.c>... [NEEDS <target>...])
#
# Declares the static library hm_<name> for one folder. NEEDS is what its code and its headers use: rooms further down and
# external libraries. Includes are written from bot/ or from the top ("base/err.h", "handlers/handler.h").
function(hm_room name)
    cmake_parse_arguments(ARG "" "" "SOURCES;NEEDS" ${ARGN})
    add_library(hm_${name} STATIC ${ARG_SOURCES})
    target_include_directories(hm_${name} PUBLIC "${PROJECT_SOURCE_DIR}/bot" "${PROJECT_SOURCE_DIR}")
    target_link_libraries(hm_${name} PUBLIC ${ARG_NEEDS} PRIVATE hm_flags)
endfunction()

# hm_program(<name> SOURCES <file.c>... [NEEDS <target>...])
#
# Declares a program; it comes out at the top of the build folder (build/release/hausmeister), not in its room's corner.
function(hm_program name)
    cmake_parse_arguments(ARG "" "" "SOURCES;NEEDS" ${ARGN})
    add_executable(${name} ${ARG_SOURCES})
    target_link_libraries(${name} PRIVATE ${ARG_NEEDS} hm_flags)
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}")
endfunction()
