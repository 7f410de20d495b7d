#pragma once
#include <sqlite3.h>

// sqlite3_db_config is variadic, which Swift cannot call.
static inline int sluice_sqlite3_switch(sqlite3 *database, int option, int on) {
    int now = 0;
    return sqlite3_db_config(database, option, on, &now);
}

// SQLITE_TRANSIENT is a cast of -1 to a function pointer, which Swift cannot express.
static inline int sluice_sqlite3_bind_text_copy(
    sqlite3_stmt *statement, int place, const char *bytes, sqlite3_uint64 count) {
    return sqlite3_bind_text64(statement, place, bytes, count, SQLITE_TRANSIENT, SQLITE_UTF8);
}

// UTF-16 that begins with a byte order mark: SQLite takes one away, and would take a character that
// looks like one.
static inline int sluice_sqlite3_bind_marked_text16_copy(
    sqlite3_stmt *statement, int place, const void *bytes, sqlite3_uint64 count) {
    return sqlite3_bind_text64(
        statement, place, (const char *)bytes, count, SQLITE_TRANSIENT, SQLITE_UTF16);
}

static inline int sluice_sqlite3_bind_blob_copy(
    sqlite3_stmt *statement, int place, const void *bytes, sqlite3_uint64 count) {
    return sqlite3_bind_blob64(statement, place, bytes, count, SQLITE_TRANSIENT);
}

// The caller keeps the bytes until the statement is reset or bound anew.
static inline int sluice_sqlite3_bind_text_lent(
    sqlite3_stmt *statement, int place, const char *bytes, sqlite3_uint64 count) {
    return sqlite3_bind_text64(statement, place, bytes, count, SQLITE_STATIC, SQLITE_UTF8);
}

static inline int sluice_sqlite3_bind_blob_lent(
    sqlite3_stmt *statement, int place, const void *bytes, sqlite3_uint64 count) {
    return sqlite3_bind_blob64(statement, place, bytes, count, SQLITE_STATIC);
}

// The first bytes of the database file, read through SQLite's own descriptor: closing a second one
// of ours would drop every lock that this process holds on the file (POSIX).
static inline int sluice_sqlite3_read_header(sqlite3 *database, void *bytes, int count) {
    sqlite3_file *file = 0;
    int code = sqlite3_file_control(database, "main", SQLITE_FCNTL_FILE_POINTER, &file);
    if (code != SQLITE_OK) return code;
    if (!file || !file->pMethods) return SQLITE_NOTFOUND;
    return file->pMethods->xRead(file, bytes, count, 0);
}
