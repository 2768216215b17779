/* Loops over the columns of an estate that no array library has: sweeps, sets that flow, numbering.
 *
 * Rules:
 * - plain functions on arrays that the caller owns and has checked: rows ascend and end at the number of edges, every
 *   far end is below n, every edge type is below the number of masks, cycles are ascending, disjoint ranges of nodes;
 * - nodes are numbered so that what an edge leads to has the smaller number, but for edges inside a cycle; a sweep
 *   over the edges goes up through the numbers, one over the reversed edges goes down;
 * - nothing is kept between calls; a function that cannot get memory says so by its result and has done nothing.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* A library of another version than its caller must not be used; native_kernel.py names the version it knows. */
int64_t kernel_version(void) { return 1; }

/* A graph as the caller gives it: rows of far ends in the direction that is asked along, and the rows back. */
typedef struct {
    int64_t n;
    const uint32_t *row, *far, *back_row, *back_far;
    const uint8_t *type; /* one byte an edge, or two in wide_type */
    const uint16_t *wide_type;
    int64_t cycles;
    const uint32_t *cycle_start, *cycle_end;
    int64_t descending;
} graph;

#define TYPE(g, e) ((g)->type ? (uint32_t)(g)->type[e] : (uint32_t)(g)->wide_type[e])

/* Nodes lie anywhere in memory: what edges further on need is fetched while this one is looked at. */
#if defined(__GNUC__)
#define FETCH(address) __builtin_prefetch(address)
#else
#define FETCH(address) ((void)0)
#endif

/* The edge that is looked at some edges after e, or e itself where there are no more. */
static inline uint32_t ahead(const graph *g, uint32_t e, uint32_t by) {
    uint32_t next = g->descending ? e - by : e + by; /* below 0 is beyond the end */
    return next < g->row[g->n] ? next : e;
}

/* --- sweeps: words of bits that flow along edges ------------------------------------------------------------------
 *
 * in(v)  = OR over the edges of v of out(far) & allowed[type]
 * out(v) = self(v) | moved(in(v) & pass(v)), where moved shifts the bits of `field` up by one and keeps those of `kept`
 * as long as they stay inside their field. Each node has `width` words; words do not touch each other.
 */
typedef struct {
    int64_t width;
    const void *allowed; /* width words for each edge type */
    const void *pass;    /* width words for each node, or none where everything passes */
    const void *field, *kept; /* width words each: bits that count hops, and those among them that may still move */
    const void *self;
    void *in, *out;
} sweep;

#define SWEEP(NAME, WORD)                                                                                            \
    /* At most W words, in variables of their own: the compiler knows W and unrolls the loops. */                    \
    static inline void NAME##_into(const graph *g, const sweep *s, int64_t v, int64_t first, const int64_t W) {      \
        const WORD *out = (const WORD *)s->out + first, *allowed = (const WORD *)s->allowed + first;                 \
        const int64_t w = s->width;                                                                                  \
        WORD found[4] = {0, 0, 0, 0};                                                                                \
        for (uint32_t e = g->row[v]; e < g->row[v + 1]; e++) {                                                       \
            FETCH(out + (int64_t)g->far[ahead(g, e, 32)] * w);                                                       \
            const WORD *from = out + (int64_t)g->far[e] * w, *may = allowed + (int64_t)TYPE(g, e) * w;               \
            for (int64_t k = 0; k < W; k++) found[k] |= from[k] & may[k];                                            \
        }                                                                                                            \
        for (int64_t k = 0; k < W; k++) ((WORD *)s->in)[v * w + first + k] = found[k];                               \
    }                                                                                                                \
    static inline int NAME##_node(const graph *g, const sweep *s, int64_t v) {                                       \
        const WORD *pass = s->pass, *self = s->self, *field = s->field, *kept = s->kept, *in = s->in;                \
        WORD *out = s->out;                                                                                          \
        const int64_t w = s->width;                                                                                  \
        int64_t done = 0;                                                                                            \
        int changed = 0;                                                                                             \
        for (; done + 4 <= w; done += 4) NAME##_into(g, s, v, done, 4);                                              \
        if (w - done == 3) NAME##_into(g, s, v, done, 3);                                                            \
        if (w - done == 2) NAME##_into(g, s, v, done, 2);                                                            \
        if (w - done == 1) NAME##_into(g, s, v, done, 1);                                                            \
        for (int64_t k = 0; k < w; k++) {                                                                            \
            WORD after = in[v * w + k];                                                                              \
            if (pass) after &= pass[v * w + k];                                                                      \
            after = (WORD)((after & ~field[k]) | ((after & kept[k]) << 1) | self[v * w + k]);                        \
            changed |= after != out[v * w + k];                                                                      \
            out[v * w + k] = after;                                                                                  \
        }                                                                                                            \
        return changed;                                                                                              \
    }                                                                                                                \
    /* The nodes of a cycle are looked at again for as long as something that they depend on changes. */             \
    static void NAME##_cycle(const graph *g, const sweep *s, int64_t start, int64_t end, uint32_t *queue,            \
                            uint8_t *queued) {                                                                       \
        int64_t size = end - start, head = 0, waiting = size;                                                        \
        for (int64_t i = 0; i < size; i++) {                                                                         \
            queue[i] = (uint32_t)(g->descending ? end - 1 - i : start + i);                                          \
            queued[i] = 1;                                                                                           \
        }                                                                                                            \
        memset((WORD *)s->out + start * s->width, 0, (size_t)(size * s->width) * sizeof(WORD));                      \
        while (waiting) {                                                                                            \
            uint32_t v = queue[head];                                                                                \
            head = head + 1 == size ? 0 : head + 1;                                                                  \
            waiting--;                                                                                               \
            queued[v - start] = 0;                                                                                   \
            if (!NAME##_node(g, s, v)) continue;                                                                     \
            for (uint32_t e = g->back_row[v]; e < g->back_row[v + 1]; e++) {                                         \
                uint32_t x = g->back_far[e];                                                                         \
                if (x < start || x >= end || queued[x - start]) continue;                                            \
                queued[x - start] = 1;                                                                               \
                queue[(head + waiting) % size] = x;                                                                  \
                waiting++;                                                                                           \
            }                                                                                                        \
        }                                                                                                            \
    }                                                                                                                \
    static int NAME(const graph *g, const sweep *s) {                                                                \
        int64_t largest = 0;                                                                                         \
        for (int64_t c = 0; c < g->cycles; c++) {                                                                    \
            int64_t size = (int64_t)g->cycle_end[c] - g->cycle_start[c];                                             \
            if (size > largest) largest = size;                                                                      \
        }                                                                                                            \
        uint32_t *queue = malloc((size_t)(largest + 1) * sizeof *queue);                                             \
        uint8_t *queued = malloc((size_t)largest + 1);                                                               \
        if (!queue || !queued) {                                                                                     \
            free(queue), free(queued);                                                                               \
            return -1;                                                                                               \
        }                                                                                                            \
        int64_t v = g->descending ? g->n : 0;                                                                        \
        for (int64_t c = 0; c <= g->cycles; c++) {                                                                   \
            int64_t at = g->descending ? g->cycles - 1 - c : c; /* the next cycle; the last time there is none */    \
            int64_t start = c < g->cycles ? g->cycle_start[at] : g->n, end = c < g->cycles ? g->cycle_end[at] : 0;   \
            if (g->descending)                                                                                       \
                for (; v > end; v--) NAME##_node(g, s, v - 1);                                                       \
            else                                                                                                     \
                for (; v < start; v++) NAME##_node(g, s, v);                                                         \
            if (c == g->cycles) break;                                                                               \
            NAME##_cycle(g, s, start, end, queue, queued);                                                           \
            v = g->descending ? start : end;                                                                         \
        }                                                                                                            \
        free(queue), free(queued);                                                                                   \
        return 0;                                                                                                    \
    }

SWEEP(sweep_16, uint16_t)
SWEEP(sweep_32, uint32_t)
SWEEP(sweep_64, uint64_t)

/* Sweep words of 2, 4 or 8 bytes; 0, or -1 without memory. `out` must not be looked at before the call. */
int kernel_sweep(const graph *g, const sweep *s, int64_t bytes) {
    return bytes == 2 ? sweep_16(g, s) : bytes == 4 ? sweep_32(g, s) : sweep_64(g, s);
}

/* --- changes: what becomes of swept words when one node's own bits change ------------------------------------------
 *
 * `starts` are the nodes whose self or pass words are new. `reached` gets the nodes whose `in` words became others,
 * at most `room`; the result is how many there are, -1 without memory, or -2 if there is no room: nothing is then
 * consistent and the caller sweeps again. A bit that goes away inside a cycle could hold itself up by going round, so
 * a cycle that is touched is computed from nothing. `mark` is n zeros, and is again when this returns.
 */
typedef struct {
    uint32_t *at;
    int64_t size, room;
    int64_t descending;
} heap;

static int before(const heap *h, uint32_t a, uint32_t b) { return h->descending ? a > b : a < b; }

static int push(heap *h, uint32_t x) {
    if (h->size == h->room) {
        int64_t room = h->room ? 2 * h->room : 1024;
        uint32_t *at = realloc(h->at, (size_t)room * sizeof *at);
        if (!at) return -1;
        h->at = at;
        h->room = room;
    }
    int64_t i = h->size++;
    while (i && before(h, x, h->at[(i - 1) / 2])) {
        h->at[i] = h->at[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    h->at[i] = x;
    return 0;
}

static uint32_t pop(heap *h) {
    uint32_t top = h->at[0], x = h->at[--h->size];
    int64_t i = 0;
    for (;;) {
        int64_t child = 2 * i + 1;
        if (child >= h->size) break;
        if (child + 1 < h->size && before(h, h->at[child + 1], h->at[child])) child++;
        if (!before(h, h->at[child], x)) break;
        h->at[i] = h->at[child];
        i = child;
    }
    h->at[i] = x;
    return top;
}

/* The cycle that a node is in, or -1. */
static int64_t cycle_of(const graph *g, uint32_t v) {
    int64_t low = 0, high = g->cycles;
    while (low < high) {
        int64_t middle = (low + high) / 2;
        if (g->cycle_end[middle] <= v)
            low = middle + 1;
        else
            high = middle;
    }
    return low < g->cycles && g->cycle_start[low] <= v ? low : -1;
}

static int push_readers(const graph *g, heap *h, uint8_t *mark, uint32_t v, int64_t start, int64_t end) {
    for (uint32_t e = g->back_row[v]; e < g->back_row[v + 1]; e++) {
        uint32_t x = g->back_far[e];
        if ((x >= start && x < end) || mark[x]) continue;
        mark[x] = 1;
        if (push(h, x)) return -1;
    }
    return 0;
}

int64_t kernel_change(const graph *g, const sweep *s, const uint32_t *starts, int64_t count, uint8_t *mark,
                      uint32_t *reached, int64_t room) {
    heap h = {0, 0, 0, g->descending};
    int64_t found = 0, result = -1;
    uint64_t *old_in = 0, *old_out = 0;
    uint32_t *queue = 0;
    uint8_t *queued = 0;
    const uint64_t *in = s->in, *out = s->out;
    const int64_t w = s->width;
    uint64_t *before_in = malloc((size_t)w * 8);
    if (!before_in) goto done;
    for (int64_t i = 0; i < count; i++)
        if (!mark[starts[i]]) {
            mark[starts[i]] = 1;
            if (push(&h, starts[i])) goto done;
        }
    while (h.size) {
        uint32_t v = pop(&h);
        mark[v] = 0;
        int64_t c = g->cycles ? cycle_of(g, v) : -1;
        if (c < 0) {
            memcpy(before_in, in + (int64_t)v * w, (size_t)w * 8);
            int changed = sweep_64_node(g, s, v);
            if (memcmp(before_in, in + (int64_t)v * w, (size_t)w * 8)) {
                if (found == room) {
                    result = -2;
                    goto done;
                }
                reached[found++] = v;
            }
            if (changed && push_readers(g, &h, mark, v, 0, 0)) goto done;
            continue;
        }
        int64_t start = g->cycle_start[c], end = g->cycle_end[c], size = end - start;
        /* The members of one cycle are next to each other, so its other members that wait are the next to come. */
        while (h.size && h.at[0] >= start && h.at[0] < end) mark[pop(&h)] = 0;
        old_in = malloc((size_t)(size * w) * 8);
        old_out = malloc((size_t)(size * w) * 8);
        queue = malloc((size_t)size * sizeof *queue);
        queued = malloc((size_t)size);
        if (!old_in || !old_out || !queue || !queued) goto done;
        memcpy(old_in, in + start * w, (size_t)(size * w) * 8);
        memcpy(old_out, out + start * w, (size_t)(size * w) * 8);
        sweep_64_cycle(g, s, start, end, queue, queued);
        for (int64_t i = 0; i < size; i++) {
            uint32_t x = (uint32_t)(start + i);
            if (memcmp(old_in + i * w, in + (int64_t)x * w, (size_t)w * 8)) {
                if (found == room) {
                    result = -2;
                    goto done;
                }
                reached[found++] = x;
            }
            if (memcmp(old_out + i * w, out + (int64_t)x * w, (size_t)w * 8) && push_readers(g, &h, mark, x, start, end))
                goto done;
        }
        free(old_in), free(old_out), free(queue), free(queued);
        old_in = old_out = 0, queue = 0, queued = 0;
    }
    result = found;
done:
    while (h.size) mark[h.at[--h.size]] = 0;
    free(h.at);
    free(before_in);
    free(old_in), free(old_out), free(queue), free(queued);
    return result;
}

/* --- sets: which carriers reach a node -----------------------------------------------------------------------------
 *
 * in(v)  = union over the edges of v whose type is allowed of out(far)
 * out(v) = in(v) if v passes, together with v itself if it is a carrier (carrier[v] is its index, or -1).
 * size[v], if given, becomes how many carriers are in in(v), but no more than `most` (0: no limit), which is exact up
 * to it. tally[i], if given, becomes in how many in(v) of counted nodes v the carrier i is; it needs most = 0.
 * 0; -1 without memory; -2 if the sets hold more than `limit` items together or a cycle does not settle soon.
 */
typedef struct {
    int64_t most, limit;
    const uint8_t *allowed; /* one byte an edge type */
    const uint8_t *pass;    /* one byte a node, or none where everything passes */
    const int32_t *carrier;
    int64_t carriers;
    const uint8_t *counted; /* one byte a node */
    uint32_t *size;
    uint32_t *tally;
} flow;

typedef struct {
    uint32_t start, length;
} span;

typedef struct {
    uint32_t *pool;
    int64_t top, room;
    span *out; /* where out(v) lies in the pool */
    uint32_t *seen, *found;
    uint32_t clock;
} sets;

static int grow(sets *s, const flow *f, int64_t more) {
    if (s->top + more <= s->room) return 0;
    int64_t room = s->room * 2;
    while (room < s->top + more) room *= 2;
    if (s->top + more > f->limit) return -2;
    if (room > f->limit) room = f->limit;
    uint32_t *pool = realloc(s->pool, (size_t)room * sizeof *pool);
    if (!pool) return -1;
    s->pool = pool;
    s->room = room;
    return 0;
}

static int flow_node(const graph *g, const flow *f, sets *s, int64_t v, int64_t *inside) {
    int64_t n = 0, bound = f->most ? f->most : INT64_MAX;
    span best = {0, 0};
    uint32_t now = ++s->clock, recent[4] = {UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX};
    if (!now) { /* the clock has gone round: old stamps mean nothing */
        memset(s->seen, 0, (size_t)f->carriers * sizeof *s->seen);
        now = s->clock = 1;
    }
    for (uint32_t e = g->row[v]; e < g->row[v + 1]; e++) {
        FETCH(s->out + g->far[ahead(g, e, 32)]);
        FETCH(s->pool + s->out[g->far[ahead(g, e, 12)]].start);
        if (!f->allowed[TYPE(g, e)]) continue;
        span from = s->out[g->far[e]];
        /* Sets are shared, so many edges lead to one that was looked at already. */
        if (!from.length || from.start == recent[0] || from.start == recent[1] || from.start == recent[2] ||
            from.start == recent[3])
            continue;
        recent[e & 3] = from.start;
        if (from.length > best.length) best = from;
        const uint32_t *items = s->pool + from.start;
        for (uint32_t i = 0; i < from.length && n < bound; i++)
            if (s->seen[items[i]] != now) {
                s->seen[items[i]] = now;
                s->found[n++] = items[i];
            }
    }
    *inside = n;
    int passes = !f->pass || f->pass[v];
    int64_t start = best.start, length = passes ? n : 0;
    int adds = f->carrier[v] >= 0 && length < bound && (!length || s->seen[f->carrier[v]] != now);
    /* What was found stays as it is: the caller counts it. */
    const uint32_t *own = passes ? s->found : s->found + n;
    if (adds) {
        s->found[n] = (uint32_t)f->carrier[v];
        length++;
    }
    /* A set that is one of those it is made of is kept once. */
    if (length && (adds || length != best.length)) {
        int failed = grow(s, f, length);
        if (failed) return failed;
        memcpy(s->pool + s->top, own, (size_t)length * sizeof *own);
        start = s->top;
        s->top += length;
    }
    s->out[v] = (span){(uint32_t)start, (uint32_t)length};
    return 0;
}

static int flow_cycle(const graph *g, const flow *f, sets *s, int64_t start, int64_t end) {
    int64_t inside;
    for (int64_t v = start; v < end; v++) s->out[v].length = 0;
    for (int round = 0; round < 64; round++) {
        int changed = 0;
        for (int64_t i = 0; i < end - start; i++) {
            int64_t v = (round & 1) != (int)g->descending ? end - 1 - i : start + i;
            uint32_t old = s->out[v].length;
            int failed = flow_node(g, f, s, v, &inside);
            if (failed) return failed;
            changed |= old != s->out[v].length;
        }
        if (!changed) return 0;
    }
    return -2;
}

static int flow_visit(const graph *g, const flow *f, sets *s, int64_t v) {
    int64_t inside;
    int failed = flow_node(g, f, s, v, &inside);
    if (failed) return failed;
    if (f->size) f->size[v] = (uint32_t)inside;
    if (f->tally && f->counted[v]) /* the items of in(v) are the first that were found */
        for (int64_t i = 0; i < inside; i++) f->tally[s->found[i]]++;
    return 0;
}

int kernel_flow(const graph *g, const flow *f) {
    sets s = {0};
    int result = -1;
    s.room = g->n < 1024 ? 1024 : g->n;
    if (s.room > f->limit) s.room = f->limit > 0 ? f->limit : 1;
    s.pool = malloc((size_t)s.room * sizeof *s.pool);
    s.out = calloc((size_t)g->n + 1, sizeof *s.out);
    s.seen = calloc((size_t)f->carriers + 1, sizeof *s.seen);
    s.found = malloc((size_t)(f->carriers + 1) * sizeof *s.found);
    if (!s.pool || !s.out || !s.seen || !s.found) goto done;
    result = 0;
    int64_t at = g->descending ? g->cycles - 1 : 0;
    for (int64_t i = 0; i < g->n && !result;) {
        int64_t v = g->descending ? g->n - 1 - i : i;
        int64_t c = at >= 0 && at < g->cycles && v >= g->cycle_start[at] && v < g->cycle_end[at] ? at : -1;
        if (c < 0) {
            result = flow_visit(g, f, &s, v);
            i++;
            continue;
        }
        result = flow_cycle(g, f, &s, g->cycle_start[c], g->cycle_end[c]);
        for (int64_t x = g->cycle_start[c]; x < g->cycle_end[c] && !result; x++) result = flow_visit(g, f, &s, x);
        i += (int64_t)g->cycle_end[c] - g->cycle_start[c];
        at += g->descending ? -1 : 1;
    }
done:
    free(s.pool), free(s.out), free(s.seen), free(s.found);
    return result;
}

/* --- numbering -------------------------------------------------------------------------------------------------------
 *
 * Strongly connected components after Tarjan without recursion: nodes by rank, roots in order of rank, edges in the
 * order of their row; a component is numbered when all that it depends on has numbers, inside it by rank.
 * The result is how many cycles there are (start and end have room for n of them), or -1 without memory.
 */
static int ascending(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

int64_t kernel_number(int64_t n, const uint32_t *row, const uint32_t *far, uint32_t *number, uint32_t *start,
                      uint32_t *end) {
    size_t size = ((size_t)n + 1) * sizeof(uint32_t);
    uint32_t *met = calloc((size_t)n + 1, sizeof *met), *low = malloc(size), *next = malloc(size), *open = malloc(size),
             *path = malloc(size);
    int64_t cycles = -1, opened = 0, depth = 0;
    uint32_t given = 0, clock = 0;
    const uint32_t finished = UINT32_MAX;
    if (!met || !low || !next || !open || !path) goto done;
    cycles = 0;
    for (int64_t root = 0; root < n; root++) {
        if (met[root]) continue;
        met[root] = low[root] = ++clock;
        next[root] = row[root];
        path[depth++] = open[opened++] = (uint32_t)root;
        while (depth) {
            uint32_t v = path[depth - 1];
            if (next[v] < row[v + 1]) {
                uint32_t u = far[next[v]++];
                if (!met[u]) {
                    met[u] = low[u] = ++clock;
                    next[u] = row[u];
                    path[depth++] = open[opened++] = u;
                } else if (met[u] < low[v]) {
                    low[v] = met[u];
                }
                continue;
            }
            depth--;
            if (depth && low[v] < low[path[depth - 1]]) low[path[depth - 1]] = low[v];
            if (low[v] != met[v]) continue;
            int64_t first = opened;
            while (open[--first] != v) continue;
            int64_t members = opened - first;
            int circular = members > 1;
            for (uint32_t e = row[v]; !circular && e < row[v + 1]; e++) circular = far[e] == v;
            if (members > 1) qsort(open + first, (size_t)members, sizeof *open, ascending);
            if (circular) {
                start[cycles] = given;
                end[cycles++] = given + (uint32_t)members;
            }
            for (int64_t i = first; i < opened; i++) {
                met[open[i]] = finished;
                number[open[i]] = given++;
            }
            opened = first;
        }
    }
done:
    free(met), free(low), free(next), free(open), free(path);
    return cycles;
}
