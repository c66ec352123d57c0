/* Metapod, the store of datasets and their transactions: what its files share. The handler is in handlers/registry.c's table. */
#ifndef HM_HANDLERS_METAPOD_H
#define HM_HANDLERS_METAPOD_H

#include "handlers/handler.h"

extern const struct hm_handler hm_metapod_handler;

/* metapod_read.c: the GraphQL queries */
extern const struct hm_action hm_metapod_dataset;
extern const struct hm_action hm_metapod_datasets;
extern const struct hm_action hm_metapod_committed_count;

/* metapod_retract.c: the migrations */
extern const struct hm_action hm_metapod_retract_dataset;
extern const struct hm_action hm_metapod_retract_attribute;
extern const struct hm_action hm_metapod_retract_indexed_attribute;
extern const struct hm_action hm_metapod_retract_series_dataset;

#endif
