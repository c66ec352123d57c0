/* Counting the votes of a gate: see hm_gate_tally() in state.h.
 *
 * Without `each` it is a count of people. With it every role of the gate needs `need` people of its own, and nobody stands for
 * two: a person of several roles counts where he is missing most. That is a matching of people and roles; there are at most ten
 * of either, so the plain search for a way to move somebody over is enough. */
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "run/state.h"

struct matching {
    const struct hm_step *step;
    const json_t *roles[HM_TALLY_MAX]; /* of each voter */
    int at[HM_TALLY_MAX];              /* role that the voter stands for, or -1 */
    size_t n_voters, n_roles;
};

static bool has_role(const json_t *roles, const char *name)
{
    size_t i = 0;
    const json_t *one = NULL;
    json_array_foreach(roles, i, one)
    {
        if (hm_streq(json_string_value(one), name))
            return true;
    }
    return false;
}

static unsigned filled(const struct matching *m, int role)
{
    unsigned n = 0;
    for (size_t v = 0; v < m->n_voters; v++)
        n += m->at[v] == role ? 1 : 0;
    return n;
}

/* Finds a place for the voter, moving others over when that makes room. */
static bool place(struct matching *m, size_t voter, bool tried[HM_TALLY_MAX])
{
    for (size_t r = 0; r < m->n_roles; r++) {
        if (tried[r] || !has_role(m->roles[voter], m->step->by[r]))
            continue;
        tried[r] = true;
        if (filled(m, (int)r) < m->step->need) {
            m->at[voter] = (int)r;
            return true;
        }
        for (size_t v = 0; v < m->n_voters; v++) {
            if (m->at[v] != (int)r || !place(m, v, tried))
                continue;
            m->at[voter] = (int)r;
            return true;
        }
    }
    return false;
}

static void add_voter(struct matching *m, const json_t *roles)
{
    bool tried[HM_TALLY_MAX] = {false};
    if (m->n_voters == HM_TALLY_MAX)
        return;
    m->roles[m->n_voters] = roles;
    m->at[m->n_voters++] = -1;
    (void)place(m, m->n_voters - 1, tried);
}

void hm_gate_tally(const struct hm_step *step, const struct hm_gate *gate, const json_t *one_more, struct hm_tally *ret_tally)
{
    struct matching m = {.step = step};
    *ret_tally = (struct hm_tally){.need = step->need};
    while (step->by[m.n_roles] != NULL && m.n_roles < HM_TALLY_MAX)
        m.n_roles++;
    ret_tally->have = (unsigned)gate->n_votes + (one_more != NULL ? 1 : 0);
    if (step->each) {
        for (size_t i = 0; i < gate->n_votes; i++)
            add_voter(&m, gate->votes[i].roles);
        if (one_more != NULL)
            add_voter(&m, one_more);
        ret_tally->need = step->need * (unsigned)m.n_roles;
        ret_tally->have = 0;
        for (size_t r = 0; r < m.n_roles; r++) {
            ret_tally->filled[r] = filled(&m, (int)r);
            ret_tally->have += ret_tally->filled[r];
        }
    }
    ret_tally->enough = ret_tally->have >= ret_tally->need;
}
