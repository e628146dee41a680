/*
 * kiln-connect: the SSH bridge. connect_bridge.h says what it does.
 *
 * The relay uses poll(2) and blocking writes: it is one process for one connection.
 */
#include "src/cli/connect_bridge.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "src/cli/common_file.h"

enum { PATH_BYTES = 80, PIECE_BYTES = 65536, LINE_MAX_BYTES = 512 };

int connect_ticket_ask(struct connect *connect, const char *vm_id, struct connect_ticket *ret_ticket)
{
    char path[PATH_BYTES];
    struct json *answer;
    struct connect_ticket ticket;
    snprintf(path, sizeof path, "/v1/vms/%.36s/bridge", vm_id);
    int exit_code = connect_call(connect, "POST", path, "{}", true, &answer);
    if (exit_code != CLI_OK)
        return exit_code;
    struct json_reader reader = json_reader_init(answer);
    json_read_hex(&reader, "ticket", ticket.ticket, sizeof ticket.ticket);
    const char *host = json_read_text_or(&reader, "host", "");
    snprintf(ticket.port, sizeof ticket.port, "%d", (int)json_read_int(&reader, "port", 1, 65535));
    /* a listener on every address is where the host's API is */
    if (!*host || strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0)
        host = connect->host;
    snprintf(ticket.host, sizeof ticket.host, "%s", host);
    if (json_reader_end(&reader) < 0)
        exit_code = cli_unreachable_error("the host's ticket is malformed: %s", reader.wrong);
    json_destroy_wiped(answer);
    if (exit_code == CLI_OK)
        *ret_ticket = ticket;
    crypto_wipe(&ticket, sizeof ticket);
    return exit_code;
}

int connect_ticket_write(const struct connect_ticket *ticket, const char *path)
{
    char line[LINE_MAX_BYTES], hex[TEXT_HEX_BYTES(BRIDGE_TICKET_BYTES)];
    hex_encode(ticket->ticket, sizeof ticket->ticket, hex);
    int len = snprintf(line, sizeof line, "%s %s %s\n", hex, ticket->port, ticket->host);
    int error = cli_file_write(path, line, (size_t)len, true);
    crypto_wipe(line, sizeof line);
    crypto_wipe(hex, sizeof hex);
    return error ? cli_local_error("%s: %s", path, strerror(-error)) : CLI_OK;
}

int connect_ticket_read(const char *path, struct connect_ticket *ret_ticket)
{
    char *text, hex[TEXT_HEX_BYTES(BRIDGE_TICKET_BYTES)];
    int error = cli_file_read(path, LINE_MAX_BYTES, &text, NULL);
    if (error)
        return cli_local_error("%s: %s (a ticket is good for one connection)", path, strerror(-error));
    unlink(path);
    int exit_code = CLI_OK;
    if (sscanf(text, "%64s %7s %255s", hex, ret_ticket->port, ret_ticket->host) != 3 ||
        hex_decode(hex, ret_ticket->ticket, sizeof ret_ticket->ticket) < 0)
        exit_code = cli_local_error("%s holds no ticket", path);
    crypto_wipe(text, strlen(text));
    free(text);
    return exit_code;
}

static int dial(const struct connect_ticket *ticket, int *ret_fd)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *list;
    int error = getaddrinfo(ticket->host, ticket->port, &hints, &list), fd = -1, one = 1;
    if (error)
        return cli_unreachable_error("%s: %s", ticket->host, gai_strerror(error));
    for (struct addrinfo *at = list; at && fd < 0; at = at->ai_next) {
        fd = socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC, at->ai_protocol);
        if (fd >= 0 && connect(fd, at->ai_addr, at->ai_addrlen) < 0) {
            error = errno;
            close(fd);
            fd = -1;
        }
    }
    freeaddrinfo(list);
    if (fd < 0)
        return cli_unreachable_error("the bridge at %s:%s: %s", ticket->host, ticket->port, strerror(error));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    *ret_fd = fd;
    return CLI_OK;
}

static bool write_all(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t done = write(fd, bytes, len);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return false;
        bytes += done;
        len -= (size_t)done;
    }
    return true;
}

/* Shows the ticket and reads the answer byte by byte: what follows it is the VM's. */
static int greet(int fd, const struct connect_ticket *ticket)
{
    char line[BRIDGE_LINE_BYTES + 1], answer[BRIDGE_ANSWER_MAX];
    struct bridge_answer said;
    size_t len = 0;
    int parsed = 0;
    bridge_line_format(ticket->ticket, line);
    bool sent = write_all(fd, line, BRIDGE_LINE_BYTES);
    crypto_wipe(line, sizeof line);
    while (sent && parsed == 0 && len < sizeof answer && read(fd, answer + len, 1) == 1)
        parsed = bridge_answer_parse(answer, ++len, &said);
    if (parsed <= 0)
        return cli_unreachable_error("the bridge does not answer as one");
    return said.name[0] ? cli_failure(said.name, said.words, NULL) : CLI_OK;
}

/* One direction; false once it has ended. */
static bool pass(int from, int to)
{
    static char bytes[PIECE_BYTES];
    ssize_t len = read(from, bytes, sizeof bytes);
    if (len < 0 && errno == EINTR)
        return true;
    return len > 0 && write_all(to, bytes, (size_t)len);
}

static int relay(int fd)
{
    struct pollfd ends[2] = {{.fd = STDIN_FILENO, .events = POLLIN}, {.fd = fd, .events = POLLIN}};
    while (ends[1].fd >= 0) {
        if (poll(ends, 2, -1) < 0 && errno != EINTR)
            return cli_local_error("poll: %s", strerror(errno));
        if (ends[0].fd >= 0 && ends[0].revents && !pass(STDIN_FILENO, fd)) {
            shutdown(fd, SHUT_WR);
            ends[0].fd = -1;
        }
        if (ends[1].revents && !pass(fd, STDOUT_FILENO))
            ends[1].fd = -1;
    }
    return CLI_OK;
}

int connect_bridge_run(const struct connect_ticket *ticket)
{
    int fd = -1;
    int exit_code = dial(ticket, &fd);
    if (exit_code != CLI_OK)
        return exit_code;
    exit_code = greet(fd, ticket);
    if (exit_code == CLI_OK)
        exit_code = relay(fd);
    close(fd);
    return exit_code;
}
