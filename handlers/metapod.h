/* Metapod, the store of datasets and their transactions: what its files share. The handler is in handlers/registry.c's table. */
#ifndef HM_HANDLERS_METAPOD_H
#define HM_HANDLERS_METAPOD_H

#include "handlers/handler.h"

extern const struct hm_handler hm_metapod_handler;

/* metapod_read.c: the GraphQL queries */
extern const struct hm_action hm_metapod_dataset;
extern const struct hm_action hm_metapod_datasets;
extern const struct hm_action hm_metapod_committed_count;

/* query … { transaction(…) { id <inside> } } with the transaction's id as a variable; names_type: "" or ", $names: …" */
HM_MUST enum hm_code hm_metapod_ask(const struct hm_backend *backend, const char *names_type, const char *inside,
                                    json_t *stolen_variables, struct hm_request *req, struct hm_err *err);
/* OK with the transaction's object (borrowed from *ret_data, which the caller drops) or a verdict. args.transaction is named when
 * there is none. */
enum hm_verdict hm_metapod_read(const struct hm_backend *backend, const json_t *args, const struct hm_answer *answer,
                                json_t **ret_data, json_t **ret_transaction, struct hm_outcome *out);

/* Asked for beside a list of committed datasets, so that a list that was cut somewhere does not pass for the whole. */
#define HM_METAPOD_COUNT "datasetConnection { numCommittedDatasets }"
/* OK when the transaction has as many committed datasets as were listed, or does not tell how many it has; else what came is a
 * part, or datasets were committed in that very moment: worth another try, and never taken for the whole. */
enum hm_verdict hm_metapod_check_count(const json_t *transaction, size_t listed, struct hm_outcome *out);

/* metapod_look.c: what recipes ask about datasets */
extern const struct hm_action hm_metapod_failures;
extern const struct hm_action hm_metapod_series_raw;
extern const struct hm_action hm_metapod_databricks_path;

/* metapod_retract.c: the migrations */
extern const struct hm_action hm_metapod_retract_dataset;
extern const struct hm_action hm_metapod_retract_attribute;
extern const struct hm_action hm_metapod_retract_indexed_attribute;
extern const struct hm_action hm_metapod_retract_series_dataset;

#endif
