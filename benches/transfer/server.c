/* The executable that is deployed: answers every request with its version. */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

volatile unsigned long seen;

static void listening(void) {
    seen += 1;
    /* MORE LINES */
}

static int open_port(int port) {
    int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) || listen(fd, 64)) exit(1);
    return fd;
}

int main(void) {
    int fd = open_port(atoi(getenv("PORT")));
    listening();
    for (;;) {
        char request[4096];
        int client = accept(fd, 0, 0);
        if (read(client, request, sizeof request) > 0)
            dprintf(client, "HTTP/1.0 200 OK\r\n\r\n%s\n", VERSION);
        close(client);
    }
}

/* Parts of zlib and terminfo that LLVM names and that are never called here. */
#define UNUSED(name) int name(void) { return 0; }
UNUSED(compress2)
UNUSED(compressBound)
UNUSED(crc32)
UNUSED(del_curterm)
UNUSED(set_curterm)
UNUSED(setupterm)
UNUSED(tigetnum)
UNUSED(uncompress)
