# The journal.
hm_unit_test(journal NEEDS hm_journal SOURCES journal_fixture.c)
hm_unit_test(journal_chain NEEDS hm_journal SOURCES journal_fixture.c)
hm_unit_test(journal_crash NEEDS hm_journal SOURCES journal_fixture.c fault_vfs.c)
hm_unit_test(journal_faults NEEDS hm_journal SOURCES journal_fixture.c fault_vfs.c)
hm_unit_test(journal_log NEEDS hm_journal SOURCES journal_fixture.c)
hm_unit_test(journal_schema NEEDS hm_journal SOURCES journal_fixture.c)
