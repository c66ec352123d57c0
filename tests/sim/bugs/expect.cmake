# cmake -DSIM=PROGRAM -DPATCH=FILE -DOUT=FOLDER -DSEEDS=N -P expect.cmake
#
# The simulation with a bug in it must find it within SEEDS seeds, and call one of the promises that the patch names broken.
if(EXISTS "${OUT}/does-not-apply")
    file(READ "${OUT}/does-not-apply" said)
    message(FATAL_ERROR "${PATCH} does not apply any more:\n${said}")
endif()
file(STRINGS "${PATCH}" promise REGEX "^# promise: ")
string(REGEX REPLACE "^# promise: " "" promise "${promise}")
execute_process(COMMAND "${SIM}" --seeds ${SEEDS} RESULT_VARIABLE code OUTPUT_VARIABLE out ERROR_VARIABLE out)
if(code EQUAL 0)
    message(FATAL_ERROR "the bug was not found in ${SEEDS} seeds")
elseif(NOT code EQUAL 1 OR NOT out MATCHES "broken promise (${promise}):")
    message(FATAL_ERROR "found, but not as the promise ${promise}:\n${out}")
endif()
string(REGEX MATCH "[0-9]+ seeds in" after "${out}")
string(REGEX MATCH "Seed [0-9]+, step[^\n]*" how "${out}")
message(STATUS "found after ${after}: ${how}")
