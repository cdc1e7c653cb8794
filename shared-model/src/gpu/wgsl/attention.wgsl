// Multi-head attention in f32, softmax(Q K^T / sqrt(W)) V, with a running maximum and sum (online softmax).
//
// A workgroup has 16 queries of one head of one sample, and passes over the keys 32 at a time. Thread (x, y) computes
// the weights of keys x and x + 16 for query y, and then quad x of that query's output.
//
// Operations: 4 * B * N * N * D, half of them if causal. Bytes: Q, K and V are read once, K and V again for each 16
// queries.

struct Sizes {
    n_tokens: u32,
    heads: u32,
    head_quads: u32,
    is_causal: u32,
    scale: f32,
}

@group(0) @binding(0) var<uniform> sizes: Sizes;
// [B][N][3][heads][head_quads]: queries, keys and values
@group(0) @binding(1) var<storage, read> qkv: array<vec4f>;
// [B][N][heads][head_quads]
@group(0) @binding(2) var<storage, read_write> joined: array<vec4f>;

const QUERIES = 16u;
const KEYS = 32u;
// Quads of a row of a tile: those of the widest head, and one so that rows begin in different banks of the memory.
const STRIDE = 17u;
const LEAST = -3.0e38;

var<workgroup> query_tile: array<vec4f, QUERIES * STRIDE>;
// The keys, then the values of the same tokens.
var<workgroup> token_tile: array<vec4f, KEYS * STRIDE>;
// [query][key]: logits, then weights
var<workgroup> weight_tile: array<f32, QUERIES * KEYS>;

// Part 0, 1 or 2 is the query, key or value; zeros beyond the sample and the head.
fn token_quad(sample: u32, token: u32, part: u32, head: u32, quad: u32) -> vec4f {
    let row = sample * sizes.n_tokens + min(token, sizes.n_tokens - 1u);
    let column = (part * sizes.heads + head) * sizes.head_quads + min(quad, sizes.head_quads - 1u);
    let is_inside = token < sizes.n_tokens && quad < sizes.head_quads;
    return select(vec4f(), qkv[row * 3u * sizes.heads * sizes.head_quads + column], is_inside);
}

fn load_tokens(sample: u32, first: u32, part: u32, head: u32, place: vec3u) {
    for (var token = place.y; token < KEYS; token += 16u) {
        token_tile[token * STRIDE + place.x] = token_quad(sample, first + token, part, head, place.x);
    }
}

fn logit(query: u32, key: u32) -> f32 {
    var sum = 0.0;
    for (var quad = 0u; quad < sizes.head_quads; quad++) {
        sum += dot(query_tile[query * STRIDE + quad], token_tile[key * STRIDE + quad]);
    }
    return sum * sizes.scale;
}

@compute @workgroup_size(16, 16)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) place: vec3u) {
    let head = group.y;
    let sample = group.z;
    let query = group.x * QUERIES + place.y;
    query_tile[place.y * STRIDE + place.x] = token_quad(sample, query, 0u, head, place.x);
    var end = sizes.n_tokens;
    if sizes.is_causal != 0u {
        end = min(end, (group.x + 1u) * QUERIES);
    }
    var largest = LEAST;
    var total = 0.0;
    var sum = vec4f();
    for (var first = 0u; first < end; first += KEYS) {
        load_tokens(sample, first, 1u, head, place);
        workgroupBarrier();
        let keys = vec2u(first + place.x, first + place.x + 16u);
        let is_seen = (keys < vec2u(sizes.n_tokens)) & (vec2<bool>(sizes.is_causal == 0u) | (keys <= vec2u(query)));
        let own = select(vec2f(LEAST), vec2f(logit(place.y, place.x), logit(place.y, place.x + 16u)), is_seen);
        weight_tile[place.y * KEYS + place.x] = own.x;
        weight_tile[place.y * KEYS + place.x + 16u] = own.y;
        workgroupBarrier();
        load_tokens(sample, first, 2u, head, place);
        var next_largest = largest;
        for (var key = 0u; key < KEYS; key++) {
            next_largest = max(next_largest, weight_tile[place.y * KEYS + key]);
        }
        workgroupBarrier();
        let weights = select(vec2f(), exp(own - next_largest), is_seen);
        weight_tile[place.y * KEYS + place.x] = weights.x;
        weight_tile[place.y * KEYS + place.x + 16u] = weights.y;
        workgroupBarrier();
        let correction = exp(largest - next_largest);
        sum *= correction;
        total *= correction;
        for (var key = 0u; key < KEYS; key++) {
            let weight = weight_tile[place.y * KEYS + key];
            total += weight;
            sum += weight * token_tile[key * STRIDE + place.x];
        }
        largest = next_largest;
        workgroupBarrier();
    }
    if query < sizes.n_tokens && place.x < sizes.head_quads {
        let row = sample * sizes.n_tokens + query;
        joined[(row * sizes.heads + head) * sizes.head_quads + place.x] = sum / total;
    }
}
