/* A load generator for protocols of question and answer on a unix socket.
 *
 * load SOCKET CONNECTIONS SECONDS RATE END FILE
 *
 * SECONDS 0: until every question was asked once.
 * FILE has questions, each with its length before it in 4 octets (big-endian); they are asked in
 * turn. An answer ends with END ("\n\n" or ","). RATE 0 asks as fast as answers come (each
 * connection has one question open); else RATE questions a second are due at fixed times on the
 * connection that is free, and what is measured is the time since a question was due, so that a
 * slow answer counts for all that had to wait behind it.
 * It never sleeps: on a virtual machine, waking a processor that sleeps takes whoever answers some
 * 50 microseconds, which would be counted as the server's.
 * Prints: answered, seconds, p50 p99 max in microseconds, the seconds in which it had something to
 * do, and how many answers began with each of the first distinct 3 words (so that wrong answers are
 * seen).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

struct connection { int fd; int busy; double asked; char answer[8192]; size_t length; };
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

static char **questions; static uint32_t *lengths; static size_t count, next_question;
static char seen[8][24]; static long times_seen[8];

static void read_questions(const char *path) {
    FILE *file = fopen(path, "rb");
    unsigned char head[4];
    if (!file) die(path);
    while (fread(head, 1, 4, file) == 4) {
        uint32_t n = head[0] << 24 | head[1] << 16 | head[2] << 8 | head[3];
        questions = realloc(questions, (count + 1) * sizeof *questions);
        lengths = realloc(lengths, (count + 1) * sizeof *lengths);
        questions[count] = malloc(n);
        lengths[count] = n;
        if (fread(questions[count], 1, n, file) != n) die("short file");
        count++;
    }
    fclose(file);
}
static int connected(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    strncpy(address.sun_path, path, sizeof address.sun_path - 1);
    if (connect(fd, (struct sockaddr *)&address, sizeof address)) die("connect");
    return fd;
}
static void ask(struct connection *c, double due) {
    c->busy = 1; c->asked = due; c->length = 0;
    if (send(c->fd, questions[next_question], lengths[next_question], MSG_NOSIGNAL)
        != (ssize_t)lengths[next_question]) die("send");
    next_question = (next_question + 1) % count;
}
static void tally(const char *answer, size_t length) {
    char word[24] = {0};
    size_t n = 0;
    while (n < length && n < 20 && answer[n] != ' ' && answer[n] != '\n') { word[n] = answer[n]; n++; }
    for (int i = 0; i < 8; i++) {
        if (!seen[i][0]) strcpy(seen[i], word);
        if (!strcmp(seen[i], word)) { times_seen[i]++; return; }
    }
}

int main(int argc, char **argv) {
    if (argc != 7) { fprintf(stderr, "load SOCKET CONNECTIONS SECONDS RATE END FILE\n"); return 64; }
    int n = atoi(argv[2]);
    double seconds = atof(argv[3]), rate = atof(argv[4]);
    const char *end = !strcmp(argv[5], "nn") ? "\n\n" : argv[5];
    size_t end_length = strlen(end), kept = 0, room = 1 << 22;
    float *latency = malloc(room * sizeof *latency);
    struct connection *all = calloc(n, sizeof *all), **idle = calloc(n, sizeof *idle);
    int idle_count = 0, epoll = epoll_create1(0);
    struct epoll_event events[256];
    read_questions(argv[6]);
    for (int i = 0; i < n; i++) {
        all[i].fd = connected(argv[1]);
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &all[i]};
        epoll_ctl(epoll, EPOLL_CTL_ADD, all[i].fd, &event);
        idle[idle_count++] = &all[i];
    }
    double begun = now(), finish = begun + seconds, t = begun, waited = 0;
    long answered = 0, asked = 0;
    if (rate == 0) while (idle_count) { ask(idle[--idle_count], now()); asked++; }
    while (seconds > 0 ? t < finish : answered < (long)count) {
        double due;
        if (rate > 0)
            while (idle_count && (due = begun + asked / rate) <= t) { ask(idle[--idle_count], due); asked++; }
        int ready = epoll_wait(epoll, events, 256, 0);
        double before = t;
        t = now();
        if (ready == 0) waited += t - before;
        for (int i = 0; i < ready; i++) {
            struct connection *c = events[i].data.ptr;
            ssize_t got = recv(c->fd, c->answer + c->length, sizeof c->answer - c->length, 0);
            if (got <= 0) { fprintf(stderr, "connection closed by the server\n"); return 1; }
            c->length += got;
            if (c->length < end_length
                || memcmp(c->answer + c->length - end_length, end, end_length)) continue;
            if (kept < room) latency[kept++] = (t - c->asked) * 1e6;
            answered++;
            tally(c->answer, c->length);
            if (rate == 0) ask(c, t); else { c->busy = 0; idle[idle_count++] = c; }
        }
    }
    qsort(latency, kept, sizeof *latency, by_value);
    printf("%ld %.4f %.0f %.0f %.0f %.4f", answered, t - begun, kept ? latency[kept / 2] : 0,
           kept ? latency[(size_t)(kept * 0.99)] : 0, kept ? latency[kept - 1] : 0,
           t - begun - waited);
    for (int i = 0; i < 8 && seen[i][0]; i++) printf(" %s:%ld", seen[i], times_seen[i]);
    printf("\n");
    return 0;
}
