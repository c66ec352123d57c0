/* An SQLite VFS that fails on demand: the default one with a switch in front of writing and syncing. Once installed it is the
 * default, so the code under test needs to know nothing of it. */
#ifndef HM_TESTS_UNIT_FAULT_VFS_H
#define HM_TESTS_UNIT_FAULT_VFS_H

#include <stdint.h>

enum fault {
    FAULT_NONE,
    FAULT_DISK_FULL,
    FAULT_WRITE,
    FAULT_SYNC,
    FAULT_CHECKPOINT, /* writes to the database file, which in WAL mode only a checkpoint does */
    FAULT_KILL,       /* SIGKILL to the own process instead of a write */
    FAULT_NR
};

void fault_vfs_install(void);
/* From now on: after `countdown` more writes or syncs (of the kind that the fault is about) on any file each one fails, until
 * FAULT_NONE. Any thread. */
void fault_vfs_set(enum fault fault, int64_t countdown);

#endif
