# includes.awk README SOURCE...: reads the list of the README, then checks the includes of each source against it.

BEGIN {
    split("assert complex ctype errno fenv float inttypes iso646 limits locale math setjmp signal stdalign stdarg " \
          "stdatomic stdbool stddef stdint stdio stdlib stdnoreturn string tgmath threads time uchar wchar wctype", names, " ")
    for (i in names)
        standard[names[i] ".h"] = 1
    split("dirent endian fcntl getopt glob grp ifaddrs libgen malloc mntent netdb poll pthread pty pwd sched semaphore shadow " \
          "spawn strings syslog termios unistd utmp", names, " ")
    for (i in names)
        system_header[names[i] ".h"] = 1
}

function complain(what)
{
    printf "%s:%d: %s\n", FILENAME, FNR, what
    failed = 1
}

# Words of a list: folders and headers that may be included, and the files that alone may include them.
function read_others(text,    parts, words, n, m, i, j, files)
{
    if (text ~ /C standard headers/)
        pure = 1
    n = split(text, parts, /[;,]/)
    for (i = 1; i <= n; i++) {
        files = ""
        m = split(parts[i], words, /[ ()]+/)
        for (j = 1; j <= m; j++)
            if (words[j] ~ /\.c$/)
                files = files " " words[j]
        for (j = 1; j <= m; j++)
            if (words[j] ~ /(\/|\.h)$/ || words[j] ~ /^[a-z0-9_]+\/[a-z0-9_.\/]+\.h$/)
                others[words[j]] = files
    }
}

function read_ours(text,    words, n, i)
{
    n = split(text, words, /[ ,;]+/)
    for (i = 1; i <= n; i++)
        if (words[i] ~ /(\/|\.h)$/)
            ours[words[i]] = 1
}

NR == FNR {
    gsub(/`/, "")
    if (/^## /)
        listing = /^## May include/
    else if (listing && /^- ours:/)
        read_ours(substr($0, 9))
    else if (listing && /^- others:/)
        read_others(substr($0, 11))
    next
}

# Whether `name` begins with, or is, an entry of the list.
function allowed(list, name,    entry)
{
    for (entry in list)
        if (name == entry || (entry ~ /\/$/ && index(name, entry) == 1))
            return entry
    return ""
}

# A file's name against `crypto_*.c`.
function file_fits(pattern, name)
{
    gsub(/\./, "\\.", pattern)
    gsub(/\*/, ".*", pattern)
    return name ~ "^" pattern "$"
}

function check_library(name,    entry, files, n, i, base)
{
    entry = allowed(others, name)
    if (entry == "") {
        if (pure || !(name in system_header || name ~ /^(sys|net|netinet|arpa|linux)\//))
            complain("<" name "> is not in the list of this room")
        return
    }
    if (FILENAME ~ /\.h$/)
        complain("<" name ">: a library stays out of headers")
    base = FILENAME
    sub(/.*\//, "", base)
    n = split(others[entry], files, " ")
    for (i = 1; i <= n; i++)
        if (file_fits(files[i], base))
            return
    if (n > 0)
        complain("<" name "> is for" others[entry] " only")
}

/^[ \t]*#[ \t]*include[ \t]*</ {
    name = $0
    sub(/^[^<]*</, "", name)
    sub(/>.*/, "", name)
    if (!(name in standard))
        check_library(name)
}

/^[ \t]*#[ \t]*include[ \t]*"/ {
    name = $0
    sub(/^[^"]*"/, "", name)
    sub(/".*/, "", name)
    if (allowed(ours, name) == "")
        complain("\"" name "\" is not in the list of this room")
    else if ((getline line <name) < 0)
        complain("\"" name "\" is not spelled from the root")
    else
        close(name)
}

END { exit failed }
