/*
 * Stable failure codes: one row a code, never renumbered, never reused (README 1.8).
 * A row: name, number on the wire, HTTP status, words, what to do next.
 */
#ifndef KILN_PROTOCOL_CODE_H
#define KILN_PROTOCOL_CODE_H

#define KILN_CODES(X)                                                                                        \
    /* messages and parameters */                                                                            \
    X(BAD_PARAMETER, 1001, 400, "a parameter is missing or wrong", "correct the parameter named in detail")  \
    X(MESSAGE_TOO_LARGE, 1002, 413, "the message is over its limit", "send less")                            \
    X(NOT_FOUND, 1003, 404, "there is no such object", "check the name with the list command")               \
    X(ALREADY_EXISTS, 1004, 409, "an object of that name exists", "choose another name")                     \
    X(CONFLICT, 1005, 409, "not possible in the object's present state", "look at its state and try again")  \
    X(UNAVAILABLE, 1006, 503, "the host service is not available now", "try again after the time given")     \
    X(INTERNAL, 1007, 500, "the host service failed", "ask the operator; the log names the reason")          \
    X(LIMIT_REACHED, 1008, 429, "a limit is reached", "try again after the time given")                      \
    X(METHOD_NOT_ALLOWED, 1009, 405, "the resource has no such method", "see the API description")           \
    /* people */                                                                                             \
    X(NOT_ALLOWED, 1101, 403, "not allowed for this user", "ask an administrator")                           \
    X(LOGIN_FAILED, 1102, 401, "log in failed", "check the key, and that an administrator added it")         \
    X(SESSION_EXPIRED, 1103, 401, "there is no such session", "log in again")                                \
    X(SIGNATURE_WRONG, 1104, 401, "the request's signature is wrong or missing", "sign with the user's key") \
    X(REPLAYED, 1105, 409, "the request was seen before", "make a fresh request")                            \
    X(CLOCK_SKEW, 1106, 401, "the request's time is too far from the host's", "set the clock")               \
    X(IDENTITY_CHANGED, 1107, 495, "the host's identity is not the pinned one", "ask the operator first")    \
    /* guests */                                                                                             \
    X(NO_ROOT, 1201, 500, "the stub is not root", "fix the brick's unit file")                               \
    X(CONTROLLER_UNAVAILABLE, 1202, 503, "the controller cannot be downloaded", "check the release folder")  \
    X(CONFIG_UNAVAILABLE, 1203, 503, "the configuration cannot be downloaded", "check the release folder")   \
    X(RELEASE_SIGNATURE_WRONG, 1204, 403, "the release's signature is wrong", "publish with the right key")  \
    X(VERSION_TOO_OLD, 1205, 403, "the release is older than one seen", "publish a newer release")           \
    X(PORT_22_TAKEN, 1206, 409, "port 22 of the VM is taken", "remove that service from the brick")          \
    X(HOST_UNREACHABLE, 1207, 503, "the VM cannot reach the host", "check the network and the edge")         \
    X(WEBSOCKET_FAILED, 1208, 503, "the VM cannot open its WebSocket", "check the edge")                     \
    X(PROOF_WRONG, 1209, 403, "the proof of the boot secret is wrong", "none: not this VM's guest")          \
    X(ALREADY_REGISTERED, 1210, 409, "the boot secret was used with another key", "destroy the VM")          \
    X(BINDING_WRONG, 1211, 403, "the binding does not hold", "the edge may be hostile: tell the operator")   \
    X(BOOT_DATA_MISSING, 1212, 500, "the boot data is missing or wrong", "check the domain definition")      \
    X(GUEST_CRASHED, 1213, 500, "the controller keeps crashing", "look at the console")                      \
    X(RELEASE_NOT_CURRENT, 1214, 403, "the guest runs another release than the published one",               \
      "check the edge's release folder; else the edge may be hostile")                                       \
    X(NOT_REGISTERED, 1215, 409, "the VM's registration is not known", "none: the VM registers by itself")   \
    /* VMs */                                                                                                \
    X(DEADLINE_PASSED, 1301, 504, "the VM did not get on in time", "look at kiln vm why")                    \
    X(VOLUME_FAILED, 1302, 500, "the VM's image could not be made", "check the storage pool")                \
    X(DOMAIN_FAILED, 1303, 500, "the VM could not be started", "look at the detail and libvirt's log")       \
    X(DOMAIN_GONE, 1304, 410, "the VM ended from outside", "look at the host's and libvirt's log")           \
    X(BRICK_CHANGED, 1305, 409, "the brick's bytes are not those recorded", "add the brick again")           \
    X(BRICK_IN_USE, 1306, 409, "VMs use the brick", "destroy them first")                                    \
    X(NO_ADDRESS, 1307, 503, "the network has no address left", "destroy VMs or widen the subnet")           \
    X(NOT_PAIRED, 1308, 409, "the VM is not paired", "pair first")                                           \
    X(NO_APPLICATIONS, 1309, 409, "the VM's brick offers no applications", "use the terminal")               \
    X(NO_CHANNEL, 1310, 409, "no channel of the VM is waiting", "try again in a moment")                     \
    X(TICKET_WRONG, 1311, 403, "the ticket is unknown, used or too old", "ask for a new ticket")             \
    /* drives and users */                                                                                   \
    X(DRIVE_UNKNOWN, 1401, 404, "the VM has no such drive", "check the drive's id")                          \
    X(DRIVE_KEY_WRONG, 1402, 403, "the key does not open the drive", "try the right key")                    \
    X(DRIVE_BLANK, 1403, 409, "the drive is blank", "say that it may be formatted")                          \
    X(DRIVE_NOT_BLANK, 1404, 409, "the drive carries data that is not Kiln's", "use another drive")          \
    X(DRIVE_MOUNT_FAILED, 1405, 500, "the drive cannot be mounted", "check its file system")                 \
    X(DRIVE_MODE, 1406, 409, "the drive is attached in another mode", "ask for the mode it has")             \
    X(DRIVE_HELD, 1407, 409, "another VM holds the drive", "destroy that VM or choose reader")               \
    X(DRIVE_ATTACH_FAILED, 1408, 500, "the drive cannot be attached", "look at the detail")                  \
    X(USERS_MALFORMED, 1409, 400, "the user database is wrong", "correct the place named in detail")         \
    X(USERS_FAILED, 1410, 500, "the users could not be made", "look at the detail")                          \
    X(NO_USER, 1411, 404, "the VM has no such user", "choose one of the user database")                      \
    X(ENVELOPE_MISSING, 1412, 404, "the drive has no envelope for this user", "ask its owner to share it")   \
    X(ENVELOPE_WRONG, 1413, 403, "the envelope's signature is wrong", "do not use it: tell the operator")    \
    /* configuration and store */                                                                            \
    X(CONFIG_WRONG, 1501, 400, "the configuration is wrong", "correct the key named in detail")              \
    X(STORE_FAILED, 1502, 503, "the store cannot be written", "check the disk")

enum kiln_code {
    CODE_NONE = 0,
#define X(name, number, status, words, action) CODE_##name = number,
    KILN_CODES(X)
#undef X
};

struct code_info {
    enum kiln_code code;
    int http_status;
    const char *name, *words, *action;
};

/* The row of a code; NULL when there is none. */
const struct code_info *code_info(enum kiln_code code);

/* The row of a name, exactly as written; NULL when there is none. */
const struct code_info *code_find(const char *name);

/* The rows in the order of the list: index from 0, NULL after the last. */
const struct code_info *code_at(unsigned index);

#endif
