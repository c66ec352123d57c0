/* Inside of the reader, shared by reader.c and audit.c. Not for other rooms. */
#ifndef HM_JOURNAL_READER_H
#define HM_JOURNAL_READER_H

#include <sqlite3.h>

#include "journal/journal.h"

struct hm_journal_reader {
    sqlite3 *db;
};

#endif
