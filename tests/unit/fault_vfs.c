/* The failing VFS: see fault_vfs.h. Each file is a small head (SQLite's struct with our method table) followed by the real file,
 * to which everything is handed on. */
#include "unit/fault_vfs.h"

#include <signal.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#include "unit/unit.h"

struct fault_file {
    sqlite3_file base;
    sqlite3_io_methods methods; /* the version of the real file's, with our functions */
    sqlite3_file *real;         /* right behind this struct */
    bool is_db;                 /* not a log */
};

static sqlite3_vfs vfs;
static sqlite3_vfs *real_vfs;
static _Atomic int current_fault;
static _Atomic int64_t left;

void fault_vfs_set(enum fault fault, int64_t countdown)
{
    atomic_store(&left, countdown);
    atomic_store(&current_fault, (int)fault);
}

static bool is_due(enum fault fault)
{
    return atomic_load(&current_fault) == (int)fault && atomic_fetch_sub(&left, 1) <= 0;
}

static sqlite3_file *real_of(sqlite3_file *file)
{
    return ((struct fault_file *)(void *)file)->real;
}

static int on_close(sqlite3_file *file)
{
    return real_of(file)->pMethods->xClose(real_of(file));
}

static int on_read(sqlite3_file *file, void *buf, int amount, sqlite3_int64 at)
{
    return real_of(file)->pMethods->xRead(real_of(file), buf, amount, at);
}

static int on_write(sqlite3_file *file, const void *buf, int amount, sqlite3_int64 at)
{
    if (is_due(FAULT_DISK_FULL))
        return SQLITE_FULL;
    if (is_due(FAULT_WRITE) || (((struct fault_file *)(void *)file)->is_db && is_due(FAULT_CHECKPOINT)))
        return SQLITE_IOERR_WRITE;
    if (is_due(FAULT_KILL))
        (void)raise(SIGKILL);
    return real_of(file)->pMethods->xWrite(real_of(file), buf, amount, at);
}

static int on_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    return real_of(file)->pMethods->xTruncate(real_of(file), size);
}

static int on_sync(sqlite3_file *file, int flags)
{
    if (is_due(FAULT_SYNC))
        return SQLITE_IOERR_FSYNC;
    return real_of(file)->pMethods->xSync(real_of(file), flags);
}

static int on_file_size(sqlite3_file *file, sqlite3_int64 *ret_size)
{
    return real_of(file)->pMethods->xFileSize(real_of(file), ret_size);
}

static int on_lock(sqlite3_file *file, int level)
{
    return real_of(file)->pMethods->xLock(real_of(file), level);
}

static int on_unlock(sqlite3_file *file, int level)
{
    return real_of(file)->pMethods->xUnlock(real_of(file), level);
}

static int on_check_lock(sqlite3_file *file, int *ret_locked)
{
    return real_of(file)->pMethods->xCheckReservedLock(real_of(file), ret_locked);
}

static int on_control(sqlite3_file *file, int op, void *arg)
{
    return real_of(file)->pMethods->xFileControl(real_of(file), op, arg);
}

static int on_sector_size(sqlite3_file *file)
{
    return real_of(file)->pMethods->xSectorSize(real_of(file));
}

static int on_device(sqlite3_file *file)
{
    return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file));
}

static int on_shm_map(sqlite3_file *file, int region, int size, int extend, void volatile **ret_map)
{
    return real_of(file)->pMethods->xShmMap(real_of(file), region, size, extend, ret_map);
}

static int on_shm_lock(sqlite3_file *file, int offset, int n, int flags)
{
    return real_of(file)->pMethods->xShmLock(real_of(file), offset, n, flags);
}

static void on_shm_barrier(sqlite3_file *file)
{
    real_of(file)->pMethods->xShmBarrier(real_of(file));
}

static int on_shm_unmap(sqlite3_file *file, int remove)
{
    return real_of(file)->pMethods->xShmUnmap(real_of(file), remove);
}

static int on_open(sqlite3_vfs *self, sqlite3_filename name, sqlite3_file *file, int flags, int *ret_flags)
{
    struct fault_file *f = (struct fault_file *)(void *)file;
    (void)self;

    memset(f, 0, sizeof *f);
    f->is_db = (flags & SQLITE_OPEN_MAIN_DB) != 0;
    f->real = (sqlite3_file *)(void *)(f + 1);
    int rc = real_vfs->xOpen(real_vfs, name, f->real, flags, ret_flags);
    if (f->real->pMethods == NULL)
        return rc;
    f->methods = (sqlite3_io_methods){
        .iVersion = 2, /* with shared memory, without memory-mapped pages */
        .xClose = on_close,
        .xRead = on_read,
        .xWrite = on_write,
        .xTruncate = on_truncate,
        .xSync = on_sync,
        .xFileSize = on_file_size,
        .xLock = on_lock,
        .xUnlock = on_unlock,
        .xCheckReservedLock = on_check_lock,
        .xFileControl = on_control,
        .xSectorSize = on_sector_size,
        .xDeviceCharacteristics = on_device,
        .xShmMap = on_shm_map,
        .xShmLock = on_shm_lock,
        .xShmBarrier = on_shm_barrier,
        .xShmUnmap = on_shm_unmap,
    };
    f->base.pMethods = &f->methods;
    return rc;
}

void fault_vfs_install(void)
{
    real_vfs = sqlite3_vfs_find(NULL);
    assert_non_null(real_vfs);
    vfs = *real_vfs; /* everything but opening stays */
    vfs.zName = "fault";
    vfs.szOsFile = (int)sizeof(struct fault_file) + real_vfs->szOsFile;
    vfs.xOpen = on_open;
    assert_int_equal(sqlite3_vfs_register(&vfs, 1), SQLITE_OK);
}
