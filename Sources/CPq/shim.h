#pragma once
#include <postgresql/libpq-fe.h>

// Notices would go to standard error; what they say is asked for where it matters.
static inline void sluice_pq_ignore_notice(void *argument, const PGresult *result) {
    (void)argument;
    (void)result;
}

static inline void sluice_pq_silence(PGconn *connection) {
    PQsetNoticeReceiver(connection, sluice_pq_ignore_notice, 0);
}
