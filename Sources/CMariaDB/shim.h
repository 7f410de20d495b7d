#pragma once
#include <mariadb/mysql.h>
#include <mariadb/errmsg.h>
#include <mariadb/mysqld_error.h>

// Options whose value is a pointer to a number; Swift would need a variable for each.
static inline int sluice_mysql_set_number(MYSQL *session, enum mysql_option option, unsigned int value) {
    return mysql_options(session, option, &value);
}

static inline int sluice_mysql_set_size(MYSQL *session, enum mysql_option option, size_t value) {
    return mysql_options(session, option, &value);
}

static inline int sluice_mysql_set_flag(MYSQL *session, enum mysql_option option, my_bool value) {
    return mysql_options(session, option, &value);
}

static inline int sluice_mysql_set_attribute(MYSQL *session, const char *name, const char *value) {
    return mysql_options4(session, MYSQL_OPT_CONNECT_ATTR_ADD, name, value);
}

// Calls that may wait run on a stack of their own, which must hold what callbacks of ours need.
static inline int sluice_mysql_set_nonblocking(MYSQL *session, size_t stack) {
    return mysql_options(session, MYSQL_OPT_NONBLOCK, &stack);
}

// Whether the server says that parameters may be bound by arrays.
static inline int sluice_mysql_takes_arrays(MYSQL *session) {
    unsigned long capabilities = 0;
    if (mariadb_get_infov(session, MARIADB_CONNECTION_EXTENDED_SERVER_CAPABILITIES, &capabilities))
        return 0;
    return (capabilities & (MARIADB_CLIENT_STMT_BULK_OPERATIONS >> 32)) != 0;
}
