/* Inside of cfg.c and cfg_get.c: what a node holds. Nobody else includes this. */
#ifndef HM_BASE_CFG_NODE_H
#define HM_BASE_CFG_NODE_H

#include "base/cfg.h"

struct hm_cfg_node {
    enum hm_cfg_type type;
    char *name; /* NULL for the root and in lists */
    int line;
    bool seen;
    char *text;     /* STRING */
    int64_t number; /* INT, BOOL */
    double real;    /* NUMBER */
    struct hm_cfg_node **items;
    size_t count;
    char **asked; /* GROUP: the keys that a getter asked for, for "did you mean" */
    size_t n_asked;
    struct hm_cfg_node *parent;
    const char *file; /* of the cfg */
    struct hm_diags *diags;
};

#endif
