#pragma once

/// How many times this thread has taken memory, since it began. Tests compare two readings.
long allocation_count(void);
