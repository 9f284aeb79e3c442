/* A milter that agrees to what maysend's agrees to and accepts every message unseen: what asking
 * any milter costs. One thread, level-triggered epoll.
 *
 *     null_milter SOCKET
 */
#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { LONGEST = 300000, MOST = 1024 };

struct connection {
    int fd;
    size_t held;
    unsigned char octets[LONGEST];
};

static void die(const char *what) { perror(what); exit(1); }

static void say(int fd, const void *octets, size_t length) {
    if (write(fd, octets, length) != (ssize_t)length) die("write");
}

/* Version 6, no changes, one answer a message: NO_HELO, NO_BODY and so on, as in milter_commands. */
static void negotiate(int fd, const unsigned char *data) {
    static const uint32_t wanted = 0x105000 | 0x80 | 0x40 | 0x100 | 0x200 | 0x10 | 0x08 | 0x02;
    uint32_t offered;
    memcpy(&offered, data + 8, 4);
    unsigned char answer[17] = {0, 0, 0, 13, 'O'};
    uint32_t fields[3] = {htonl(6), 0, htonl(ntohl(offered) & wanted)};
    memcpy(answer + 5, fields, 12);
    say(fd, answer, sizeof answer);
}

/* Answer what is there as a whole, keep the rest; 0 when the server says goodbye. */
static int serve(struct connection *c) {
    size_t at = 0;
    for (;;) {
        uint32_t length;
        if (c->held - at < 4) break;
        memcpy(&length, c->octets + at, 4);
        length = ntohl(length);
        if (c->held - at < 4 + (size_t)length) break;
        const unsigned char *packet = c->octets + at + 4;
        if (packet[0] == 'O') negotiate(c->fd, packet + 1);
        if (packet[0] == 'E') say(c->fd, "\0\0\0\1a", 5);
        if (packet[0] == 'Q') return 0;
        at += 4 + length;
    }
    memmove(c->octets, c->octets + at, c->held -= at);
    return 1;
}

int main(int argc, char **argv) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (argc != 2) return 2;
    snprintf(address.sun_path, sizeof address.sun_path, "%s", argv[1]);
    int listening = socket(AF_UNIX, SOCK_STREAM, 0), epoll = epoll_create1(0);
    if (bind(listening, (struct sockaddr *)&address, sizeof address)) die("bind");
    if (chmod(argv[1], 0666) || listen(listening, 128)) die("listen");
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL}, ready[MOST];
    epoll_ctl(epoll, EPOLL_CTL_ADD, listening, &event);
    puts("ready");
    fflush(stdout);
    for (;;) {
        int count = epoll_wait(epoll, ready, MOST, -1);
        for (int i = 0; i < count; i++) {
            struct connection *c = ready[i].data.ptr;
            if (!c) {
                c = calloc(1, sizeof *c);
                c->fd = accept(listening, NULL, NULL);
                event.data.ptr = c;
                epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &event);
                continue;
            }
            ssize_t got = read(c->fd, c->octets + c->held, LONGEST - c->held);
            if (got > 0) c->held += got;
            if (got <= 0 || !serve(c)) {
                close(c->fd);
                free(c);
            }
        }
    }
}
