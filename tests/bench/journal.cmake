add_executable(bench_journal "${CMAKE_CURRENT_LIST_DIR}/bench_journal.c")
target_link_libraries(bench_journal PRIVATE hm_journal hm_flags)
