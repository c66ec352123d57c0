/* The simulated world as a program: tests/world/README.md.
 *
 * Happy path: read the data → listen → print {"port": n} → serve until SIGTERM or SIGINT → exit 0. Failure modes: bad option (2),
 * bad data or an address that is taken (3), each with one line on stderr. */
#include <dirent.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "front.h"
#include "io/http_server.h"
#include "io/lws_loop.h"
#include "world.h"

enum { MAX_BODY = 64 * 1024 * 1024 };

struct program {
    uv_loop_t loop;
    uv_signal_t on_term, on_int;
    struct lws_context *ctx;
    struct hm_http_server *server;
    struct hm_front *front;
};

static void on_signal(uv_signal_t *handle, int signum)
{
    struct program *p = handle->data;
    (void)signum;
    hm_front_close(p->front);
    hm_http_server_free(p->server);
    uv_close((uv_handle_t *)&p->on_term, NULL);
    uv_close((uv_handle_t *)&p->on_int, NULL);
    hm_lws_loop_close(p->ctx);
}

static json_t *read_file(const char *path, struct hm_err *err)
{
    json_error_t why;
    json_t *data = json_load_file(path, JSON_REJECT_DUPLICATES, &why);
    if (data == NULL)
        (void)hm_err_set(err, HM_EENV, "%s:%d: %s", path, why.line, why.text);
    return data;
}

/* A folder's metapod.json, airflow.json … as one document {"metapod": …, "airflow": …}. */
static json_t *read_folder(const char *path, DIR *dir, struct hm_err *err)
{
    json_t *data = hm_json_obj_new();
    for (const struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        if (!hm_ends_with(entry->d_name, ".json"))
            continue;
        char *file = hm_xasprintf("%s/%s", path, entry->d_name);
        char *system = hm_xstrndup(entry->d_name, strlen(entry->d_name) - strlen(".json"));
        json_t *part = read_file(file, err);
        if (part != NULL)
            hm_json_set(data, system, part);
        free(system);
        free(file);
        if (part == NULL) {
            json_decref(data);
            return NULL;
        }
    }
    return data;
}

static json_t *read_data(const char *path, struct hm_err *err)
{
    if (path == NULL)
        return hm_json_obj_new();
    DIR *dir = opendir(path);
    if (dir == NULL)
        return read_file(path, err);
    json_t *data = read_folder(path, dir, err);
    (void)closedir(dir);
    return data;
}

static int serve(const struct hm_http_server_opts *opts, struct hm_world *world)
{
    struct program p;
    struct hm_http_server_opts full = *opts;
    struct hm_err err = {0};
    int code = 3;

    memset(&p, 0, sizeof(p));
    (void)uv_loop_init(&p.loop);
    p.ctx = hm_lws_loop_new(&p.loop, &err);
    if (p.ctx == NULL)
        goto out;
    p.front = hm_front_new(&p.loop, world);
    full.on_request = hm_front_on_request;
    full.on_gone = hm_front_on_gone;
    full.arg = p.front;
    p.server = hm_http_server_new(p.ctx, &full, &err);
    if (p.server == NULL) {
        hm_front_close(p.front);
        hm_lws_loop_close(p.ctx);
        (void)uv_run(&p.loop, UV_RUN_DEFAULT);
        hm_lws_loop_free(p.ctx);
        goto out;
    }
    p.on_term.data = p.on_int.data = &p;
    (void)uv_signal_init(&p.loop, &p.on_term);
    (void)uv_signal_init(&p.loop, &p.on_int);
    (void)uv_signal_start(&p.on_term, on_signal, SIGTERM);
    (void)uv_signal_start(&p.on_int, on_signal, SIGINT);
    (void)printf("{\"port\":%d}\n", hm_http_server_port(p.server));
    (void)fflush(stdout);
    (void)uv_run(&p.loop, UV_RUN_DEFAULT);
    hm_lws_loop_free(p.ctx);
    (void)uv_run(&p.loop, UV_RUN_DEFAULT);
    code = 0;
out:
    if (code != 0)
        (void)fprintf(stderr, "world: %s\n", err.msg);
    (void)uv_loop_close(&p.loop);
    return code;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"listen", required_argument, NULL, 'l'},
        {"data", required_argument, NULL, 'd'},
        {"tls-cert", required_argument, NULL, 'c'},
        {"tls-key", required_argument, NULL, 'k'},
        {NULL, 0, NULL, 0},
    };
    /* What some system looks at: add to it. */
    static const char *const headers[] = {"date",
                                          "host",
                                          "if-match",
                                          "if-none-match",
                                          "x-amz-content-sha256",
                                          "x-amz-copy-source",
                                          "x-amz-copy-source-if-match",
                                          "x-amz-date",
                                          "x-amz-metadata-directive",
                                          "x-amz-security-token",
                                          "x-amz-target",
                                          "x-github-api-version",
                                          "x-gocd-confirm",
                                          NULL};
    struct hm_http_server_opts opts = {.listen = "127.0.0.1:0", .max_body = MAX_BODY, .keep_headers = headers};
    const char *data_path = NULL;
    struct hm_err err = {0};
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'l')
            opts.listen = optarg;
        else if (option == 'd')
            data_path = optarg;
        else if (option == 'c')
            opts.tls_cert = optarg;
        else if (option == 'k')
            opts.tls_key = optarg;
        else
            optind = argc + 1;
    }
    if (optind != argc || (opts.tls_cert == NULL) != (opts.tls_key == NULL)) {
        (void)fprintf(stderr, "usage: world [--listen ADDRESS:PORT] [--data FILE] [--tls-cert FILE --tls-key FILE]\n");
        return 2;
    }
    json_t *data = read_data(data_path, &err);
    struct hm_world *world = data != NULL ? hm_world_new(hm_clock_real(), data, &err) : NULL;
    json_decref(data);
    if (world == NULL) {
        (void)fprintf(stderr, "world: %s\n", err.msg);
        return 3;
    }
    int code = serve(&opts, world);
    hm_world_free(world);
    return code;
}
