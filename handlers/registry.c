/* The table of handlers: one line per backend system. */
#include <stddef.h>

#include "handlers/airflow.h"
#include "handlers/aurora.h"
#include "handlers/bigquery.h"
#include "handlers/cloudwatch.h"
#include "handlers/container_registry.h"
#include "handlers/dynamodb.h"
#include "handlers/ec2.h"
#include "handlers/git.h"
#include "handlers/github.h"
#include "handlers/gocd.h"
#include "handlers/handler.h"
#include "handlers/jira.h"
#include "handlers/kubernetes.h"
#include "handlers/mesos.h"
#include "handlers/metapod.h"
#include "handlers/mordor.h"
#include "handlers/mortician.h"
#include "handlers/nu.h"
#include "handlers/opsgenie.h"
#include "handlers/ouroboros.h"
#include "handlers/prometheus.h"
#include "handlers/s3.h"
#include "handlers/sabesp.h"
#include "handlers/spark_ops.h"
#include "handlers/splunk.h"

/* One line each, whatever the formatter thinks: lines of different people then merge. */
/* clang-format off */
const struct hm_handler *const hm_handlers[] = {
    &hm_airflow_handler,
    &hm_aurora_handler,
    &hm_bigquery_handler,
    &hm_cloudwatch_handler,
    &hm_container_registry_handler,
    &hm_dynamodb_handler,
    &hm_ec2_handler,
    &hm_git_handler,
    &hm_github_handler,
    &hm_gocd_handler,
    &hm_jira_handler,
    &hm_kubernetes_handler,
    &hm_mesos_handler,
    &hm_metapod_handler,
    &hm_mordor_handler,
    &hm_mortician_handler,
    &hm_nu_handler,
    &hm_opsgenie_handler,
    &hm_ouroboros_handler,
    &hm_prometheus_handler,
    &hm_s3_handler,
    &hm_sabesp_handler,
    &hm_spark_ops_handler,
    &hm_splunk_handler,
    NULL,
};
/* clang-format on */
