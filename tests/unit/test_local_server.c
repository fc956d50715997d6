/* SPDX-License-Identifier: BSD-3-Clause */
#include "run/local_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/str.h"
#include "children.h"

static void path_of(const struct place *place, const char *name, char *path, size_t size)
{
    snprintf(path, size, "%s/%s", place->files, name);
}

/* Where an installed server is, under whichever name; false if there is none. */
static bool find_server(char *path, size_t size)
{
    static const char script[] = "command -v valkey-server || command -v redis-server || "
                                 "command -v valkey-check-rdb || command -v redis-check-rdb";
    FILE *answer = popen(script, "r");
    const bool found = fgets(path, (int)size, answer) != NULL;

    pclose(answer);
    path[strcspn(path, "\n")] = '\0';
    return found;
}

static void need_server(void)
{
    char path[256];

    if (!find_server(path, sizeof path))
        skip();
}

static int dial(const char *host, uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(inet_pton(AF_INET, host, &address.sin_addr), 1);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    close(fd);
    return -1;
}

/* Sends an inline command and QUIT; returns all that comes back. */
static void ask(uint16_t port, const char *command, char *reply, size_t size)
{
    const int fd = dial("127.0.0.1", port);
    size_t used = 0;

    assert_true(fd >= 0);
    assert_true(dprintf(fd, "%s\r\nQUIT\r\n", command) > 0);
    for (ssize_t n = 1; n > 0; used += (size_t)n) {
        n = read(fd, reply + used, size - 1 - used);
        assert_true(n >= 0);
    }
    reply[used] = '\0';
    close(fd);
}

static struct facts learn(uint16_t port)
{
    struct facts facts = {.port = port};
    char reply[8192];

    ask(port, "INFO server", reply, sizeof reply);
    const char *pid = strstr(reply, "process_id:");
    assert_non_null(pid);
    facts.pid = (pid_t)strtol(pid + strlen("process_id:"), NULL, 10);
    ask(port, "CONFIG GET dir", reply, sizeof reply);
    const char *directory = strchr(reply, '/');
    assert_non_null(directory);
    snprintf(facts.directory, sizeof facts.directory, "%.*s", (int)strcspn(directory, "\r"),
             directory);
    return facts;
}

static struct local_server_setup alone(const char *program, uint16_t port)
{
    return (struct local_server_setup){
        .program = program, .port = port, .clients = 50, .stop_fd = -1};
}

static struct local_server *start(const char *program, uint16_t port)
{
    const struct local_server_setup setup = alone(program, port);
    struct local_server *server;
    struct err err = {""};

    if (local_server_start(&server, &setup, &err) < 0)
        fail_msg("%s", err.text);
    return server;
}

static void refuse(const char *program, uint16_t port, int code, const char *sentence)
{
    const struct local_server_setup setup = alone(program, port);
    struct local_server *server = (struct local_server *)&server;
    struct err err = {""};

    assert_int_equal(local_server_start(&server, &setup, &err), code);
    assert_null(server);
    if (!strstr(err.text, sentence))
        fail_msg("\"%s\" does not contain \"%s\"", err.text, sentence);
}

/* A socket that listens on a free port of 127.0.0.1, or on `*port`; negative if there is none. */
static int listen_on(uint16_t *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(*port)};
    socklen_t size = sizeof address;
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, 8) < 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) < 0)
        return -1;
    *port = ntohs(address.sin_port);
    return fd;
}

static void test_starts_and_stops(void **state)
{
    const struct place *place = *state;
    struct stat info;
    char reply[256];

    need_server();
    struct local_server *server = start(NULL, 0);
    const struct facts facts = learn(local_server_port(server));
    ask(facts.port, "CONFIG GET save", reply, sizeof reply);
    assert_non_null(strstr(reply, "save\r\n$0\r\n\r\n"));
    ask(facts.port, "CONFIG GET appendonly", reply, sizeof reply);
    assert_non_null(strstr(reply, "\r\nno\r\n"));
    assert_memory_equal(facts.directory, place->temporary, strlen(place->temporary));
    assert_int_equal(stat(facts.directory, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0700);

    local_server_stop(&server);
    assert_null(server);
    assert_true(is_gone(&facts));
    assert_int_equal(dial("127.0.0.1", facts.port), -1);
    local_server_stop(&server); /* accepts NULL */
}

static void test_is_bound_to_loopback_only(void **state)
{
    (void)state;
    need_server();
    struct local_server *server = start(NULL, 0);
    const struct sockaddr_in6 v6 = {.sin6_family = AF_INET6,
                                    .sin6_port = htons(local_server_port(server)),
                                    .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    const int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(dial("127.0.0.2", local_server_port(server)), -1);
    if (fd >= 0) {
        assert_int_equal(connect(fd, (const struct sockaddr *)&v6, sizeof v6), -1);
        close(fd);
    }
    local_server_stop(&server);
}

static bool be_tool(void *unused, struct facts *told)
{
    const struct local_server_setup setup = alone(NULL, 0);
    struct local_server *server;
    struct err err;

    (void)unused;
    if (local_server_start(&server, &setup, &err) < 0)
        return false;
    told->port = local_server_port(server);
    return true;
}

static void test_goes_when_the_tool_is_killed(void **state)
{
    struct facts told;

    (void)state;
    need_server();
    const pid_t tool = fork_tool(be_tool, NULL, &told);
    const struct facts facts = learn(told.port);
    assert_false(is_gone(&facts));
    end_tool(tool);
    await(is_gone, &facts);
}

static void test_two_at_once(void **state)
{
    (void)state;
    need_server();
    struct local_server *one = start(NULL, 0), *two = start(NULL, 0);
    const struct facts first = learn(local_server_port(one)),
                       second = learn(local_server_port(two));
    assert_int_not_equal(first.port, second.port);
    assert_string_not_equal(first.directory, second.directory);
    local_server_stop(&one);
    assert_true(is_gone(&first));
    assert_int_equal(learn(second.port).pid, second.pid);
    local_server_stop(&two);
}

static void test_named_port(void **state)
{
    uint16_t port = 0;
    struct facts facts;

    (void)state;
    need_server();
    close(listen_on(&port));
    for (int i = 0; i < 2; i++) { /* the second finds connections of the first in TIME_WAIT */
        struct local_server *server = start(NULL, port);
        assert_int_equal(local_server_port(server), port);
        facts = learn(port);
        local_server_stop(&server);
        assert_true(is_gone(&facts));
    }
    const int taken = listen_on(&port);
    assert_true(taken >= 0);
    char sentence[64];
    snprintf(sentence, sizeof sentence, "port %u of 127.0.0.1: Address already in use", port);
    refuse(NULL, port, -EADDRINUSE, sentence);
    close(taken);
}

/*
 * Takes the port that the wrapper reports, before the server has it, and answers like a server that
 * is somebody else's.
 */
_Noreturn static void steal_port(const char *report, const char *go_on)
{
    static const char answer[] = "+PONG\r\n*2\r\n$3\r\ndir\r\n$1\r\n/\r\n";
    char text[16] = "";

    die_with_parent();
    const int from = open(report, O_RDONLY);
    if (read(from, text, sizeof text - 1) <= 0)
        _exit(1);
    uint16_t port = (uint16_t)strtoul(text, NULL, 10);
    const int listener = listen_on(&port);
    const int fd = accept(listener, NULL, NULL);
    if (send(fd, answer, sizeof answer - 1, MSG_NOSIGNAL) < 0)
        _exit(1);
    const int to = open(go_on, O_WRONLY);
    if (write(to, "\n", 1) != 1)
        _exit(1);
    for (;;)
        pause();
}

static void test_port_taken_in_the_meantime(void **state)
{
    char real[256], wrapper[128], link[128], report[128], go_on[128], first[128], script[1024];

    if (!find_server(real, sizeof real))
        skip();
    path_of(*state, "wrapper", wrapper, sizeof wrapper);
    path_of(*state, "valkey-server", link, sizeof link);
    path_of(*state, "report", report, sizeof report);
    path_of(*state, "go-on", go_on, sizeof go_on);
    path_of(*state, "first", first, sizeof first);
    assert_int_equal(symlink(real, link) | mkfifo(report, 0600) | mkfifo(go_on, 0600), 0);
    snprintf(script, sizeof script,
             "#!/bin/sh\nif mkdir %s 2>/dev/null; then echo $2 >%s; read x <%s; exit 1; fi\n"
             "exec %s \"$@\"\n",
             first, report, go_on, link);
    write_file(wrapper, script, 0700);
    const pid_t thief = fork();
    if (thief == 0)
        steal_port(report, go_on);
    struct local_server *server = start(wrapper, 0);
    const struct facts facts = learn(local_server_port(server));
    assert_int_equal(access(first, F_OK), 0);
    assert_int_equal(kill(thief, 0), 0);
    local_server_stop(&server);
    assert_true(is_gone(&facts));
    end_tool(thief);
}

static void test_refuses_what_cannot_run(void **state)
{
    static const struct {
        const char *name; /* a file of the test's directory, unless it has no text and no mode */
        const char *text;
        mode_t mode;
        int code;
        const char *sentence;
    } cases[] = {
        {"no-such-program", NULL, 0, -ENOENT, "cannot execute"},
        {"not-executable", "#!/bin/sh\n", 0600, -EACCES, "cannot execute"},
        {".", NULL, 0, -EACCES, "cannot execute"},
        {"silent", "#!/bin/sh\nexit 3\n", 0700, -ECHILD, "ended with status 3 before it answered"},
        {"silent", "#!/bin/sh\nexit 3\n", 0700, -ECHILD, "wrote nothing"},
        {"talks", "#!/bin/sh\necho one\necho two words >&2\necho\nexit 1\n", 0700, -ECHILD,
         "ended with status 1 before it answered; the last that it wrote is \"two words\"."},
        {"killed", "#!/bin/sh\necho x\nkill -9 $$\n", 0700, -ECHILD, "killed by signal 9"},
        {"no-format", "\177ELF", 0700, -ECHILD, "Exec format error"},
        {"no-interpreter", "#!/no/such\n", 0700, -ECHILD, "No such file or directory"},
        {"leaves-files", "#!/bin/sh\nmkdir -p a/b\necho >a/b/c\nsleep 100 &\n", 0700, -ECHILD,
         "ended with status 0"},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        char path[128];
        path_of(*state, cases[i].name, path, sizeof path);
        if (cases[i].text)
            write_file(path, cases[i].text, cases[i].mode);
        refuse(path, 0, cases[i].code, cases[i].sentence);
    }
    refuse("/bin/false", 0, -ECHILD, "(/bin/false) ended with status 1");
    refuse("false", 0, -ECHILD, "(false) ended with status 1");
    refuse("no-such-program", 0, -ENOENT, "found no executable \"no-such-program\" on PATH");
}

/* The output of a long talker is quoted by its last line only, whole or cut. */
static void test_quotes_the_last_line_of_much(void **state)
{
    char path[128];

    path_of(*state, "talker", path, sizeof path);
    write_file(path, "#!/bin/sh\ni=0\nwhile [ $i -lt 2000 ]; do echo line $i; i=$((i+1)); done\n",
               0700);
    refuse(path, 0, -ECHILD, "answered; the last that it wrote is \"line 1999\".");
    write_file(path, "#!/bin/sh\nprintf %09000d 7\n", 0700);
    refuse(path, 0, -ECHILD, "the last that it wrote is \"0000000");
}

/* Of a program that never answers, by whoever has something to tell. */
static void test_start_that_is_given_up(void **state)
{
    char path[128];
    int ends[2];
    struct local_server *server;
    struct err err = {""};

    path_of(*state, "mute", path, sizeof path);
    write_file(path, "#!/bin/sh\nexec sleep 1000\n", 0700);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal(write(ends[1], "x", 1), 1);
    struct local_server_setup setup = alone(path, 0);
    setup.stop_fd = ends[0];
    assert_int_equal(local_server_start(&server, &setup, &err), -EINTR);
    assert_null(server);
    assert_non_null(strstr(err.text, "Stopped"));
    close(ends[0]);
    close(ends[1]);
}

/* A bus that is 10000 above must be a port. */
static void test_highest_port_of_a_cluster(void **state)
{
    struct local_server *server;
    struct err err = {""};

    (void)state;
    need_server();
    struct local_server_setup setup = alone(NULL, 55536);
    setup.cluster = true;
    assert_int_equal(local_server_start(&server, &setup, &err), -EINVAL);
    assert_non_null(strstr(err.text, "--port can be 55535 at most, not 55536."));
}

static void test_order_of_search(void **state)
{
    static const char *const names[] = {"redis-check-rdb", "valkey-check-rdb", "redis-server",
                                        "valkey-server"};
    const struct place *place = *state;
    char path[256];

    snprintf(path, sizeof path, "%s/not-there::%s", place->temporary, place->files);
    setenv("PATH", path, 1);
    refuse(NULL, 0, -ENOENT, "found neither valkey-server nor redis-server on PATH");
    path_of(place, "valkey-server", path, sizeof path);
    assert_int_equal(mkdir(path, 0700), 0); /* is no program */
    for (size_t i = 0; i < COUNT(names); i++) {
        char text[64], said[64];
        snprintf(text, sizeof text, "#!/bin/sh\necho I am %s\n", names[i]);
        snprintf(said, sizeof said, "I am %s", names[i]);
        path_of(place, names[i], path, sizeof path);
        rmdir(path);
        write_file(path, text, 0700);
        refuse(NULL, 0, -ECHILD, said);
    }
}

/* The path is seen from where the tool runs, the name that it runs under stays as given. */
static void test_takes_names_and_paths(void **state)
{
    static const char *const names[] = {"valkey-check-rdb", "./valkey-check-rdb",
                                        "./valkey-server"};
    const struct place *place = *state;
    char real[256], path[128];

    if (!find_server(real, sizeof real))
        skip();
    char *before = get_current_dir_name();
    path_of(place, "valkey-check-rdb", path, sizeof path);
    assert_int_equal(symlink(real, path), 0);
    path_of(place, "valkey-server", path, sizeof path);
    assert_int_equal(symlink(real, path), 0);
    setenv("PATH", place->files, 1);
    assert_int_equal(chdir(place->files), 0);
    for (size_t i = 0; i < COUNT(names); i++) {
        struct local_server *server = start(names[i], 0);
        local_server_stop(&server);
    }
    setenv("PATH", "", 1); /* the current directory */
    struct local_server *server = start(NULL, 0);
    local_server_stop(&server);
    assert_int_equal(chdir(before), 0);
    free(before);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, enter_place, leave_place)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_starts_and_stops),
        TEST(test_is_bound_to_loopback_only),
        TEST(test_goes_when_the_tool_is_killed),
        TEST(test_two_at_once),
        TEST(test_named_port),
        TEST(test_port_taken_in_the_meantime),
        TEST(test_refuses_what_cannot_run),
        TEST(test_quotes_the_last_line_of_much),
        TEST(test_start_that_is_given_up),
        TEST(test_highest_port_of_a_cluster),
        TEST(test_order_of_search),
        TEST(test_takes_names_and_paths),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
