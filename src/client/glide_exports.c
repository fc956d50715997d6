/* SPDX-License-Identifier: BSD-3-Clause */
#include "client/glide_exports.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/str.h"

/* All that the verified versions export, by the minor version that brought it (0: one before the
 * first of them), with a blank behind each. */
/* clang-format off */
static const struct {
    unsigned minor;
    const char *names;
} known[] = {
    {0, "batch close_client command command_with_buffer create_batch_otel_span "
     "create_batch_otel_span_with_parent create_client create_named_otel_span create_otel_span "
     "create_otel_span_with_parent drop_otel_span drop_script free_c_string "
     "free_command_response free_command_result free_connection_response free_drop_script_error "
     "free_log_result free_script_hash_buffer get_min_compressed_size get_response_type_string "
     "get_statistics glide_log init init_open_telemetry invoke_script refresh_iam_token "
     "register_pubsub_callback remove_cluster_scan_cursor request_cluster_scan store_script "
     "unregister_pubsub_callback update_connection_password "},
    {4, "create_client_from_uri free_response_arena get_cache_metrics "},
    {5, "close_monitor_client create_batch_otel_span_with_trace_context create_monitor_client "
     "create_otel_span_with_trace_context free_pipe_error_string free_pubsub_pointer_payload "
     "init_async_pipe noop_failure_callback noop_success_callback reinit_async_pipe "},
    {6, "command_with_buffers command_with_route_info create_client_with_credential_provider "
     "create_named_otel_span_with_trace_context free_rdma_memory_hold free_rdma_region "
     "free_rdma_registration free_rdma_result glide_allocate_client_id glide_fi_dupinfo "
     "glide_fi_fabric glide_fi_freeinfo glide_fi_getinfo glide_fi_open glide_fi_param_get "
     "glide_fi_strerror glide_fi_version glide_pool_acquire_blocking glide_pool_create "
     "glide_pool_destroy glide_pool_get_client_ptr glide_pool_metrics glide_pool_release "
     "glide_pool_set_pipe_client_id glide_pool_try_acquire glide_scope_acquire_async "
     "glide_scope_acquire_blocking glide_scope_acquire_pipe glide_scope_execute "
     "glide_scope_execute_async glide_scope_prewarm glide_scope_release rdma_available "
     "rdma_checksum rdma_close_regions rdma_get rdma_leaked_bytes rdma_memory_leaked "
     "rdma_memory_released rdma_parked_bytes rdma_set rdma_usable register_rdma_region "},
};
/* clang-format on */

/* The tables of a loaded library. */
struct tables {
    const ElfW(Sym) * symbols;
    const char *names;
    const uint32_t *hash; /* DT_GNU_HASH */
};

static bool find_tables(const struct link_map *map, struct tables *tables)
{
    *tables = (struct tables){0};
    for (const ElfW(Dyn) *entry = map->l_ld; entry->d_tag != DT_NULL; entry++) {
        /* glibc has made an address of it, others leave it an offset */
        const uintptr_t value = entry->d_un.d_ptr;
        const void *at = (const void *)(value < map->l_addr ? value + map->l_addr : value);

        if (entry->d_tag == DT_SYMTAB)
            tables->symbols = at;
        else if (entry->d_tag == DT_STRTAB)
            tables->names = at;
        else if (entry->d_tag == DT_GNU_HASH)
            tables->hash = at;
    }
    return tables->symbols && tables->names && tables->hash;
}

/*
 * The hash table holds all exported symbols: from `first` on, in chains that end in an odd hash;
 * the last chain that a bucket begins is the last of all.
 * https://sourceware.org/gnu-gabi/program-loading-and-dynamic-linking.txt
 */
static uint32_t count_symbols(const uint32_t *hash, uint32_t *first)
{
    const uint32_t buckets_count = hash[0], words = hash[2];
    const uint32_t *buckets = hash + 4 + (size_t)words * (sizeof(ElfW(Addr)) / sizeof *hash);
    const uint32_t *chains = buckets + buckets_count;
    uint32_t last = 0;

    *first = hash[1];
    for (uint32_t i = 0; i < buckets_count; i++)
        last = buckets[i] > last ? buckets[i] : last;
    if (last < *first)
        return *first;
    while (!(chains[last - *first] & 1))
        last++;
    return last + 1;
}

static bool has_word(const char *words, const char *word)
{
    const size_t len = strlen(word);

    for (const char *at = strstr(words, word); at; at = strstr(at + 1, word))
        if ((at == words || at[-1] == ' ') && at[len] == ' ')
            return true;
    return false;
}

/* The minor version that brought a function; negative: it is unknown. */
static int minor_of(const char *name)
{
    for (size_t i = 0; i < COUNT(known); i++)
        if (has_word(known[i].names, name))
            return (int)known[i].minor;
    return -1;
}

static bool is_exported_function(const ElfW(Sym) * symbol)
{
    return ELF64_ST_TYPE(symbol->st_info) == STT_FUNC && symbol->st_shndx != SHN_UNDEF &&
           ELF64_ST_BIND(symbol->st_info) == STB_GLOBAL;
}

/* The highest minor version that brought something that the library has. */
static int read_minor(const struct tables *tables, const char *path, struct err *err)
{
    uint32_t first;
    const uint32_t end = count_symbols(tables->hash, &first);
    int minor = 0;

    for (uint32_t i = first; i < end; i++) {
        const char *name = tables->names + tables->symbols[i].st_name;

        if (!is_exported_function(&tables->symbols[i]))
            continue;
        const int since = minor_of(name);
        if (since < 0)
            return err_set(err,
                           "%s is no valkey-GLIDE from 2.%d to 2.%d, none of which exports \"%s\"; "
                           "scripts/fetch-glide gets one that is.",
                           path, GLIDE_MINOR_FIRST, GLIDE_MINOR_LAST, name);
        minor = since > minor ? since : minor;
    }
    return minor;
}

int glide_exports_minor(void *library, const char *path, struct err *err)
{
    struct link_map *map;
    struct tables tables;

    if (dlinfo(library, RTLD_DI_LINKMAP, &map) != 0 || !find_tables(map, &tables))
        return err_set(err, "Could not read what %s exports.", path);
    const int minor = read_minor(&tables, path, err);
    if (minor < 0 || minor >= GLIDE_MINOR_FIRST)
        return minor;
    return err_set(
        err,
        "%s is older than valkey-GLIDE 2.%d, or something else; scripts/fetch-glide gets "
        "2.%d.",
        path, GLIDE_MINOR_FIRST, GLIDE_MINOR_LAST);
}
