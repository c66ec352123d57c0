# cmake -DPATCH=FILE -DFILES=a;b -DSOURCE=TOP -DOUT=FOLDER -DPROGRAM=patch -P apply.cmake
#
# Copies FILES from SOURCE to OUT and applies PATCH to the copies. A patch that does not fit (any more) leaves them as they are and
# says so in OUT/does-not-apply, which fails the test that wants the bug to be found; the build goes on.
file(REMOVE "${OUT}/does-not-apply")
foreach(file IN LISTS FILES)
    get_filename_component(folder "${file}" DIRECTORY)
    file(MAKE_DIRECTORY "${OUT}/${folder}")
    configure_file("${SOURCE}/${file}" "${OUT}/${file}" COPYONLY)
endforeach()
execute_process(COMMAND "${PROGRAM}" --batch --silent --strip=1 --no-backup-if-mismatch --dry-run --input "${PATCH}"
    WORKING_DIRECTORY "${OUT}" RESULT_VARIABLE code OUTPUT_VARIABLE said ERROR_VARIABLE said)
if(code EQUAL 0)
    execute_process(COMMAND "${PROGRAM}" --batch --silent --strip=1 --no-backup-if-mismatch --input "${PATCH}"
        WORKING_DIRECTORY "${OUT}" RESULT_VARIABLE code OUTPUT_VARIABLE said ERROR_VARIABLE said)
endif()
if(NOT code EQUAL 0)
    file(WRITE "${OUT}/does-not-apply" "${said}")
    message(WARNING "${PATCH} does not apply any more; see tests/sim/README.md\n${said}")
endif()
foreach(file IN LISTS FILES)
    file(TOUCH "${OUT}/${file}")
endforeach()
