/* An SMTP client that sends one message after the other on several connections, for benchmarks.
 *
 * smtp_load TARGET CONNECTIONS SECONDS SIZE SENDER RECIPIENT [SETUP-LINE...]
 *
 * TARGET is a port of 127.0.0.1 or the path of a unix socket. Each connection says the setup lines
 * first, then MAIL, RCPT, DATA and a message of SIZE octets, one command at a time, over and over.
 * Any reply that is not 2yz or 3yz ends the run with what was said.
 * Prints: messages, seconds, p50 and p99 of a message in milliseconds, CPU seconds used here.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

struct connection { int fd; int setup; int step; double begun; char reply[65536]; size_t length; };
static char **setup_lines; static int setups; static char *steps[4]; static size_t lengths[4];
static float *times; static long sent, most = 4000000;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}
static void die(const char *what) { perror(what); exit(1); }
static int by_value(const void *a, const void *b) {
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}
static void say(struct connection *c, const char *octets, size_t length) {
    while (length) {
        ssize_t n = write(c->fd, octets, length);
        if (n <= 0) die("write");
        octets += n; length -= n;
    }
}
static int open_one(const char *target) {
    int fd;
    if (target[0] == '/') {
        struct sockaddr_un a = { .sun_family = AF_UNIX };
        strncpy(a.sun_path, target, sizeof a.sun_path - 1);
        fd = socket(AF_UNIX, SOCK_STREAM, 0);
        if (connect(fd, (void *)&a, sizeof a)) die("connect");
    } else {
        struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(atoi(target)) };
        int one = 1;
        a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        fd = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(fd, (void *)&a, sizeof a)) die("connect");
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    }
    return fd;
}
/* Whether the reply is complete: its last line has no hyphen after the code. */
static int complete(struct connection *c) {
    if (c->length < 4 || c->reply[c->length - 1] != '\n') return 0;
    char *end = c->reply + c->length - 1, *line = end;
    while (line > c->reply && line[-1] != '\n') line--;
    return end - line < 4 || line[3] != '-';
}
static void next(struct connection *c) {
    if (c->setup < setups) {
        char line[4096];
        int n = snprintf(line, sizeof line, "%s\r\n", setup_lines[c->setup++]);
        say(c, line, n);
        return;
    }
    if (c->step == 4) {
        if (sent < most) times[sent] = now() - c->begun;
        sent++;
        c->step = 0;
    }
    if (c->step == 0) c->begun = now();
    say(c, steps[c->step], lengths[c->step]);
    c->step++;
}
int main(int argc, char **argv) {
    if (argc < 7) { fprintf(stderr, "usage: see the source\n"); return 64; }
    int connections = atoi(argv[2]), size = atoi(argv[4]), epoll = epoll_create1(0);
    double seconds = atof(argv[3]);
    setup_lines = argv + 7; setups = argc - 7;
    times = malloc(most * sizeof *times);
    asprintf(&steps[0], "MAIL FROM:<%s>\r\n", argv[5]);
    asprintf(&steps[1], "RCPT TO:<%s>\r\n", argv[6]);
    steps[2] = "DATA\r\n";
    char *body = steps[3] = malloc(size + 512);
    int n = sprintf(body, "From: <%s>\r\nTo: <%s>\r\nSubject: one of many\r\nMIME-Version: 1.0\r\n"
                    "Date: Sat, 21 Nov 2026 12:00:00 +0000\r\nMessage-ID: <1@client.example>\r\n"
                    "Content-Type: text/plain; charset=utf-8\r\n\r\n", argv[5], argv[6]);
    while (n < size) n += sprintf(body + n, "%s", "0123456789abcdef0123456789abcdef0123456789abcdef0123456789\r\n");
    sprintf(body + n, ".\r\n");
    for (int i = 0; i < 4; i++) lengths[i] = strlen(steps[i]);
    struct connection *all = calloc(connections, sizeof *all);
    for (int i = 0; i < connections; i++) {
        all[i].fd = open_one(argv[1]);
        struct epoll_event e = { .events = EPOLLIN, .data.ptr = &all[i] };
        epoll_ctl(epoll, EPOLL_CTL_ADD, all[i].fd, &e);
    }
    double begun = now(), end = begun + seconds, first = 0;
    while (now() < end) {
        struct epoll_event ready[64];
        int found = epoll_wait(epoll, ready, 64, 1000);
        for (int i = 0; i < found; i++) {
            struct connection *c = ready[i].data.ptr;
            ssize_t got = read(c->fd, c->reply + c->length, sizeof c->reply - c->length - 1);
            if (got <= 0) { fprintf(stderr, "connection closed\n"); return 1; }
            c->length += got;
            c->reply[c->length] = 0;
            if (!complete(c)) continue;
            if (c->reply[0] != '2' && c->reply[0] != '3') {
                fprintf(stderr, "refused: %s", c->reply);
                return 1;
            }
            c->length = 0;
            if (!first && c->setup == setups) first = now();
            next(c);
        }
    }
    double took = now() - (first ? first : begun);
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    long counted = sent < most ? sent : most;
    qsort(times, counted, sizeof *times, by_value);
    printf("%ld %.3f %.3f %.3f %.3f\n", sent, took, counted ? times[counted / 2] * 1e3 : 0,
           counted ? times[counted * 99 / 100] * 1e3 : 0,
           used.ru_utime.tv_sec + used.ru_utime.tv_usec / 1e6 + used.ru_stime.tv_sec +
           used.ru_stime.tv_usec / 1e6);
    return 0;
}
