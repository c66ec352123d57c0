# The journal.
hm_unit_test(journal NEEDS hm_journal SOURCES journal_fixture.c)
