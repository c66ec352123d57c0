/* POST /upload/v1/…: the bytes of a file. */
#ifndef SLACKSIM_FILES_H
#define SLACKSIM_FILES_H

#include "sim.h"

void sim_files_on_upload(struct sim *sim, struct sim_req *req);

#endif
