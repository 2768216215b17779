/* Seven rules by hand: see c_sweep.py. Every array is contiguous, and the graph has no circles. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Edges by source, in order of their sources. */
static void by_source(int64_t n, int64_t m, const int32_t *source, const int32_t *target, const int8_t *type,
                      int32_t *row, int32_t *far, int8_t *far_type) {
    int32_t *next = malloc((size_t)n * sizeof *next);
    memset(row, 0, (size_t)(n + 1) * sizeof *row);
    for (int64_t e = 0; e < m; e++) row[source[e] + 1]++;
    for (int64_t v = 0; v < n; v++) row[v + 1] += row[v];
    memcpy(next, row, (size_t)n * sizeof *next);
    for (int64_t e = 0; e < m; e++) {
        int32_t place = next[source[e]]++;
        far[place] = target[e];
        far_type[place] = type[e];
    }
    free(next);
}

/* Numbers such that everything comes after what it depends on: a search in depth, numbered on the way back. */
static void number_depth_first(int64_t n, const int32_t *row, const int32_t *far, int32_t *number) {
    int32_t *path = malloc((size_t)n * sizeof *path), *next = malloc((size_t)n * sizeof *next), count = 0;
    for (int64_t v = 0; v < n; v++) number[v] = -1, next[v] = -1;
    for (int64_t root = 0; root < n; root++) {
        int64_t depth = 0;
        if (next[root] >= 0) continue;
        path[0] = (int32_t)root, next[root] = row[root];
        while (depth >= 0) {
            int32_t v = path[depth];
            if (next[v] == row[v + 1]) {
                number[v] = count++, depth--;
                continue;
            }
            int32_t u = far[next[v]++];
            if (next[u] < 0) path[++depth] = u, next[u] = row[u];
        }
    }
    free(path), free(next);
}

void arrange(int64_t n, int64_t m, const int32_t *source, const int32_t *target, const int8_t *type, int32_t *row,
             int32_t *far, int8_t *far_type, int32_t *number) {
    int32_t *a = malloc((size_t)m * sizeof *a), *b = malloc((size_t)m * sizeof *b);
    by_source(n, m, source, target, type, row, far, far_type);
    number_depth_first(n, row, far, number);
    for (int64_t e = 0; e < m; e++) a[e] = number[source[e]], b[e] = number[target[e]];
    by_source(n, m, a, b, type, row, far, far_type);
    free(a), free(b);
}

/* One pass: what reaches a thing, and what goes on from it. The bits of `hops` move up by one at each step. */
void sweep(int64_t n, const int32_t *row, const int32_t *far, const int8_t *type, const uint32_t *allowed,
           const uint32_t *own, const uint32_t *passing, int64_t hops, uint32_t *reached, uint32_t *onward) {
    uint32_t field = (uint32_t)hops;
    for (int64_t v = 0; v < n; v++) {
        uint32_t word = 0;
        for (int32_t e = row[v]; e < row[v + 1]; e++) word |= onward[far[e]] & allowed[type[e]];
        reached[v] = word;
        word &= passing[v];
        onward[v] = (word & ~field) | (((word & field) << 1) & field) | own[v];
    }
}

/* For each carrier, how many marked things it flows to. A thing whose set is that of one before it shares it. */
void tally(int64_t n, const int32_t *row, const int32_t *far, const int8_t *type, int64_t types, const int32_t *slot,
           int64_t carriers, const uint8_t *marked, int32_t *count) {
    size_t room = 8 * (size_t)n + (size_t)carriers, used = 0;
    int32_t *pool = malloc(room * sizeof *pool), *length = malloc((size_t)n * sizeof *length);
    int32_t *set = malloc((size_t)carriers * sizeof *set), *seen = malloc((size_t)carriers * sizeof *seen);
    size_t *start = malloc((size_t)n * sizeof *start);
    memset(seen, 0xff, (size_t)carriers * sizeof *seen);
    for (int32_t v = 0; v < n; v++) {
        int32_t size = 0, largest = 0;
        size_t shared = 0;
        if (slot[v] >= 0) set[size++] = slot[v], seen[slot[v]] = v;
        for (int32_t e = row[v]; e < row[v + 1]; e++) {
            int32_t u = far[e];
            if (!(types >> type[e] & 1) || (length[u] == largest && start[u] == shared)) continue;
            if (length[u] > largest) largest = length[u], shared = start[u];
            for (const int32_t *one = pool + start[u], *end = one + length[u]; one < end; one++)
                if (seen[*one] != v) seen[*one] = v, set[size++] = *one;
        }
        length[v] = size, start[v] = shared;
        if (size > largest) {
            if (used + (size_t)size > room) room *= 2, pool = realloc(pool, room * sizeof *pool);
            memcpy(pool + used, set, (size_t)size * sizeof *pool);
            start[v] = used, used += (size_t)size;
        }
        if (marked[v])
            for (int32_t at = 0; at < size; at++) count[pool[start[v] + (size_t)at]]++;
    }
    free(pool), free(length), free(set), free(seen), free(start);
}
