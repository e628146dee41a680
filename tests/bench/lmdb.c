/*
 * What the disk gives to whoever syncs every change by itself: one put of the size of a VM's record a
 * transaction.
 *
 * In:   lmdb FOLDER SECONDS.   Out: transactions a second.   Kept: nothing.
 */
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { RECORD_BYTES = 600, KEYS = 1000 };

static void check(int rc)
{
    if (rc) {
        fprintf(stderr, "lmdb: %s\n", mdb_strerror(rc));
        exit(1);
    }
}

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void put(MDB_env *env, unsigned number)
{
    static char bytes[RECORD_BYTES];
    unsigned at = number % KEYS;
    MDB_val key = {sizeof at, &at}, value = {sizeof bytes, bytes};
    MDB_txn *txn;
    MDB_dbi dbi;
    snprintf(bytes, sizeof bytes, "%u", number);
    check(mdb_txn_begin(env, NULL, 0, &txn));
    check(mdb_dbi_open(txn, NULL, 0, &dbi));
    check(mdb_put(txn, dbi, &key, &value, 0));
    check(mdb_txn_commit(txn));
}

int main(int argc, char **argv)
{
    MDB_env *env;
    unsigned count = 0;
    if (argc != 3)
        return 2;
    check(mdb_env_create(&env));
    check(mdb_env_set_mapsize(env, (size_t)64 << 20));
    check(mdb_env_open(env, argv[1], 0, 0600));
    double began_s = now_s(), end_s = began_s + atof(argv[2]);
    while (now_s() < end_s)
        put(env, count++);
    printf("%.0f\n", count / (now_s() - began_s));
    mdb_env_close(env);
    return 0;
}
