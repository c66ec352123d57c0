# Child processes; process_child.c is what they run.
add_executable(process_child process_child.c)
target_link_libraries(process_child PRIVATE hm_base hm_test_flags)
hm_unit_test(process NEEDS hm_io)
target_compile_definitions(test_process PRIVATE HM_CHILD="$<TARGET_FILE:process_child>")
add_dependencies(test_process process_child)
