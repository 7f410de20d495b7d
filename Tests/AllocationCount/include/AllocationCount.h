#pragma once

/// How many times this thread has taken memory, since it began. Tests compare two readings.
long allocation_count(void);

/// How many more pieces of memory this thread has taken than given back.
long allocation_balance(void);
