/* The same payload in the shapes that it has in the wild: with every field that the official SDKs know of and some that nobody
 * has heard of, or with nothing but what can not be left out. Pure. */
#ifndef SLACKSIM_SHAPES_H
#define SLACKSIM_SHAPES_H

#include <jansson.h>

#include "knobs.h"

/* type: the envelope's. A new payload; the given one is left as it is. */
json_t *sim_shape_new(const struct sim_nasty *n, const char *type, const json_t *payload);

#endif
