/* Tells the service manager how we are (the sd_notify protocol: one datagram to $NOTIFY_SOCKET), without libsystemd.
 * Not started by systemd, or the socket gone: nothing happens, and that is right. */
#ifndef HM_IO_NOTIFY_H
#define HM_IO_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>

/* Sends state as it is: "READY=1", "STOPPING=1", "RELOADING=1", "STATUS=…", several joined with '\n'. Never blocks.
 * Returns true when it was handed to the manager. */
bool hm_notify(const char *state);

/* How often "WATCHDOG=1" is due: half of what the unit's WatchdogSec= asks; 0 = no watchdog for this process. */
int64_t hm_notify_watchdog_ms(void);

#endif
